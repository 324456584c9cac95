/**
 * Packs: sealed blobs one after the other, then the sealed header, then the header's length (4 bytes, little
 * endian). A finished pack is named by the SHA-256 of all of it.
 */
import { randomInt } from 'node:crypto';
import type { Sealer } from '../crypto/sealer.ts';
import { sha256Of } from '../format/hash.ts';
import { buildPackHeader } from '../format/pack-header.ts';
import type { BlobType, Id, PackedBlob } from '../format/types.ts';

/** A finished pack, ready to be stored. */
export interface FinishedPack {
  readonly id: Id;
  readonly type: BlobType;
  /** The number under which the index knows its blobs. */
  readonly number: number;
  readonly data: readonly Uint8Array[];
  /** Bytes, header included. */
  readonly size: number;
  readonly blobs: readonly PackedBlob[];
}

/** restic's limit: the header's reader takes a first guess of this many entries, and no pack may grow beyond. */
const MAX_BLOBS = 200_000;

/** One pack under construction. */
export class Packer {
  readonly type: BlobType;
  readonly number: number;
  readonly #parts: Uint8Array[] = [];
  readonly #blobs: PackedBlob[] = [];
  #size = 0;

  constructor(type: BlobType, number: number) {
    this.type = type;
    this.number = number;
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  isFull(target: number): boolean {
    return this.#size >= target || this.#blobs.length >= MAX_BLOBS;
  }

  /** Takes a sealed blob (not copied: it must not change) and returns where it lies. */
  add(id: Id, sealed: Uint8Array, uncompressedLength: number): PackedBlob {
    const blob = { id, type: this.type, offset: this.#size, length: sealed.length, uncompressedLength };
    this.#blobs.push(blob);
    this.#parts.push(sealed);
    this.#size += sealed.length;
    return blob;
  }

  finish(sealer: Sealer): FinishedPack {
    const header = sealer.seal(buildPackHeader(this.#blobs));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, header.length, true);
    const data = [...this.#parts, header, length];
    const size = this.#size + header.length + length.length;
    return { id: sha256Of(data), type: this.type, number: this.number, data, size, blobs: this.#blobs };
  }
}

/**
 * A few open packs of one type. Each blob goes to one of them at random, so that the sizes of consecutive chunks
 * cannot be read off a pack (restic ≥ 0.18 does the same).
 */
export class PackerSet {
  readonly #type: BlobType;
  readonly #target: number;
  readonly #open: (Packer | undefined)[];
  readonly #newNumber: () => number;

  constructor(type: BlobType, targetBytes: number, count: number, newNumber: () => number) {
    this.#type = type;
    this.#target = targetBytes;
    this.#open = new Array<Packer | undefined>(count).fill(undefined);
    this.#newNumber = newNumber;
  }

  /** Adds a blob; `full` is the packer that has thereby reached its size and is no longer open. */
  add(id: Id, sealed: Uint8Array, uncompressedLength: number): Added {
    const at = this.#open.length === 1 ? 0 : randomInt(this.#open.length);
    const packer = this.#open[at] ?? new Packer(this.#type, this.#newNumber());
    const blob = packer.add(id, sealed, uncompressedLength);
    const full = packer.isFull(this.#target);
    this.#open[at] = full ? undefined : packer;
    return { blob, number: packer.number, full: full ? packer : undefined };
  }

  /** All packers that hold something; none is open afterwards. */
  drain(): Packer[] {
    return this.#open
      .splice(0, this.#open.length, ...this.#open.map(() => undefined))
      .filter((p) => p !== undefined);
  }
}

export interface Added {
  readonly blob: PackedBlob;
  readonly number: number;
  readonly full: Packer | undefined;
}
