/** A buffer that grows: sealed blobs of one job, to be transferred as one. */
export class Output {
  #buffer: Uint8Array<ArrayBuffer>;
  #used = 0;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
  }

  /** Appends a copy; returns its offset. */
  append(bytes: Uint8Array): number {
    const offset = this.#used;
    if (offset + bytes.length > this.#buffer.length) this.#grow(offset + bytes.length);
    this.#buffer.set(bytes, offset);
    this.#used += bytes.length;
    return offset;
  }

  /** All that was appended. What is much larger than its content is copied, so that no memory is held for nothing. */
  finish(): Uint8Array<ArrayBuffer> {
    const used = this.#buffer.subarray(0, this.#used);
    return this.#used * 2 < this.#buffer.length ? used.slice() : used;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }
}
