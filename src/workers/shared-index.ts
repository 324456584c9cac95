/**
 * Where every blob lies, in shared memory: the layout and its reading side. The owner that writes is
 * repository/blob-index.ts.
 *
 * entry   12 words: the id (8), kind and pack (1), offset, sealed length, uncompressed length (0: plain)
 * slot    one word of the hash table: entry number + 1, or 0; linear probing, at most half full
 */
import type { BlobType } from '../format/types.ts';
import type { SharedIndexBuffers } from './protocol.ts';

export const ENTRY_WORDS = 12;
export const ID_WORDS = 8;
export const KIND_PACK = 8;
export const TREE_BIT = 0x8000_0000;

/** The 8 big-endian words of an id. */
export function idWords(id: string, out: Uint32Array = new Uint32Array(ID_WORDS)): Uint32Array {
  for (let i = 0; i < ID_WORDS; i++) out[i] = Number.parseInt(id.substring(i * 8, i * 8 + 8), 16);
  return out;
}

/** The reading side: knows whether a blob is there. Usable in any thread. */
export class SharedIndexReader {
  readonly #entries: Uint32Array;
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #probe = new Uint32Array(ID_WORDS);

  constructor(shared: SharedIndexBuffers) {
    this.#entries = new Uint32Array(shared.entries);
    this.#slots = new Uint32Array(shared.slots);
    this.#mask = this.#slots.length - 1;
  }

  has(type: BlobType, id: string): boolean {
    return this.find(type, idWords(id, this.#probe), 0) >= 0;
  }

  /** The entry number of the copy that follows after `skip` others, or -1. */
  find(type: BlobType, id: Uint32Array, skip: number): number {
    const kind = type === 'tree' ? TREE_BIT : 0;
    for (let slot = id[0]! & this.#mask, left = skip; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) return -1;
      if (this.#matches(entry * ENTRY_WORDS, kind, id) && left-- === 0) return entry;
    }
  }

  #matches(at: number, kind: number, id: Uint32Array): boolean {
    const e = this.#entries;
    if (e[at] !== id[0] || (e[at + KIND_PACK]! & TREE_BIT) !== (kind | 0)) return false;
    for (let i = 1; i < ID_WORDS; i++) if (e[at + i] !== id[i]) return false;
    return true;
  }
}
