/**
 * The index seen from the packs: which blobs each holds, and how long its file must be. Four bytes per blob beside
 * the index.
 */
import { packHeaderSize } from '../format/pack-header.ts';
import type { Id, PackedBlob } from '../format/types.ts';
import type { BlobIndex } from './blob-index.ts';

export class PackListing {
  readonly #index: BlobIndex;
  /** Entry numbers, those of one pack together; `#starts` says where each pack's begin. */
  readonly #entries: Uint32Array;
  readonly #starts: Uint32Array;

  /** The index as it is now; what is added to it later is not seen. */
  constructor(index: BlobIndex) {
    this.#index = index;
    this.#starts = new Uint32Array(index.packs.length + 1);
    for (let entry = 0; entry < index.size; entry++) this.#starts[index.packNumberOf(entry) + 1]!++;
    for (let pack = 0; pack < index.packs.length; pack++) this.#starts[pack + 1]! += this.#starts[pack]!;
    const next = this.#starts.slice();
    this.#entries = new Uint32Array(index.size);
    for (let entry = 0; entry < index.size; entry++)
      this.#entries[next[index.packNumberOf(entry)]!++] = entry;
  }

  /** Every pack of which the index knows a blob. */
  *packs(): IterableIterator<Id> {
    for (const [number, pack] of this.#index.packs.entries()) {
      if (number < this.#starts.length - 1 && this.#starts[number] !== this.#starts[number + 1]) yield pack;
    }
  }

  /** In the order in which they lie in the pack. None for a pack that the index does not know. */
  blobs(pack: Id): PackedBlob[] {
    const number = this.#index.numberOfPack(pack);
    if (number === undefined) return [];
    const entries = this.#entries.subarray(this.#starts[number]!, this.#starts[number + 1]!);
    return Array.from(entries, (entry) => withoutPack(this.#index.at(entry))).sort(
      (a, b) => a.offset - b.offset,
    );
  }

  /** Bytes that a pack of these blobs has: their own, and the header's. */
  size(pack: Id): number {
    return packSize(this.blobs(pack));
  }
}

/** Bytes of a pack of these blobs, header included. */
export function packSize(blobs: readonly PackedBlob[]): number {
  return blobs.reduce((sum, { length }) => sum + length, packHeaderSize(blobs));
}

function withoutPack({ id, type, offset, length, uncompressedLength }: PackedBlob): PackedBlob {
  return { id, type, offset, length, uncompressedLength };
}
