import { release } from '../util/release.ts';

/** A buffer that grows: sealed blobs of one job, to be transferred as one. */
export class Output {
  #buffer: Uint8Array<ArrayBuffer>;
  #used = 0;

  constructor(capacity: number) {
    this.#buffer = unfilled(capacity);
  }

  get length(): number {
    return this.#used;
  }

  /** Appends a copy; returns its offset. */
  append(bytes: Uint8Array): number {
    const offset = this.#used;
    this.place(bytes.length).set(bytes);
    return offset;
  }

  /** Room for the next `length` bytes, to be filled before anything else is asked for. */
  place(length: number): Uint8Array {
    const offset = this.#used;
    if (offset + length > this.#buffer.length) this.#grow(offset + length);
    this.#used += length;
    return this.#buffer.subarray(offset, offset + length);
  }

  /** All that was appended. What is much larger than its content is copied, so that no memory is held for nothing. */
  finish(): Uint8Array<ArrayBuffer> {
    const used = this.#buffer.subarray(0, this.#used);
    if (this.#used * 2 >= this.#buffer.length) return used;
    const copy = used.slice();
    release(this.#buffer);
    return copy;
  }

  #grow(needed: number): void {
    const larger = unfilled(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#used));
    release(this.#buffer);
    this.#buffer = larger;
  }
}

/** All of it will be written before it is read, so it need not be zeroed. */
function unfilled(length: number): Uint8Array<ArrayBuffer> {
  // Not as a Buffer, whose slices are views.
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}
