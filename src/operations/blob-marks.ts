/**
 * Sets of blobs as a few bits beside each entry of the index: a byte for a blob, where a set of ids would take a
 * hundred. Blobs that the index does not know are kept by name.
 */
import type { BlobType, Id } from '../format/types.ts';
import type { BlobIndex, BlobLocation } from '../repository/blob-index.ts';

export interface UnknownBlob {
  readonly type: BlobType;
  readonly id: Id;
  readonly bits: number;
}

export class BlobMarks {
  readonly #index: BlobIndex;
  readonly #bits: Uint8Array;
  readonly #unknown = new Map<string, UnknownBlob>();

  constructor(index: BlobIndex) {
    this.#index = index;
    this.#bits = new Uint8Array(index.size);
  }

  /** Sets the bits of a blob (1…255); returns what it had before. */
  mark(type: BlobType, id: Id, bits: number): number {
    const entry = this.#index.entryOf(type, id);
    if (entry < 0) return this.#markUnknown(type, id, bits);
    const before = this.#bits[entry]!;
    this.#bits[entry] = before | bits;
    return before;
  }

  #markUnknown(type: BlobType, id: Id, bits: number): number {
    const key = `${type} ${id}`;
    const before = this.#unknown.get(key)?.bits ?? 0;
    this.#unknown.set(key, { type, id, bits: before | bits });
    return before;
  }

  /** The marked blobs with their bits. */
  *[Symbol.iterator](): IterableIterator<{ readonly blob: BlobLocation; readonly bits: number }> {
    for (let entry = 0; entry < this.#bits.length; entry++) {
      const bits = this.#bits[entry]!;
      if (bits !== 0) yield { blob: this.#index.at(entry), bits };
    }
  }

  /** Marked blobs that are in no pack which the index knows. */
  get unknown(): Iterable<UnknownBlob> {
    return this.#unknown.values();
  }
}
