/**
 * Packs: sealed blobs one after the other, then the sealed header, then the header's length (4 bytes, little
 * endian). A finished pack is named by the SHA-256 of all of it.
 */
import { randomInt } from 'node:crypto';
import { IV_BYTES, type Sealer } from '../crypto/sealer.ts';
import { sha256Of } from '../format/hash.ts';
import { buildPackHeader, MAX_BLOBS } from '../format/pack-header.ts';
import type { BlobType, Id, PackedBlob } from '../format/types.ts';
import { release } from '../util/release.ts';
import type { SealedBlob } from '../workers/blob-codec.ts';

/** A finished pack, ready to be stored. */
export interface FinishedPack {
  readonly id: Id;
  readonly type: BlobType;
  /** The number under which the index knows its blobs. */
  readonly number: number;
  /** Valid until `recycle` is called. */
  readonly data: readonly Uint8Array[];
  /** Bytes, header included. */
  readonly size: number;
  readonly blobs: readonly PackedBlob[];
  /** The pack has been stored: its memory may serve the next one. */
  recycle(): void;
}

/** A pack is full when it has reached its size: its last blob may lie beyond. */
const SLACK_BYTES = 8 * 1024 * 1024 + 64 * 1024;
const MOST_FREE = 4;

/** One pack under construction. */
export class Packer {
  readonly type: BlobType;
  readonly number: number;
  readonly #blobs: PackedBlob[] = [];
  readonly #buffers: BufferPool;
  #buffer: Uint8Array;
  #size = 0;

  constructor(type: BlobType, number: number, buffers: BufferPool) {
    this.type = type;
    this.number = number;
    this.#buffers = buffers;
    this.#buffer = buffers.take();
  }

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#blobs.length === 0;
  }

  /** It has reached its size, or so many blobs that one more would make a header that no reader takes. */
  isFull(target: number): boolean {
    return this.#size >= target || this.#blobs.length >= MAX_BLOBS;
  }

  /** Copies a sealed blob and returns where it lies. */
  add({ id, sealed, frame, uncompressedLength }: SealedBlob): PackedBlob {
    const length = sealed.length + (frame?.length ?? 0);
    const blob = { id, type: this.type, offset: this.#size, length, uncompressedLength };
    this.#blobs.push(blob);
    if (frame) this.#append(frame.subarray(0, IV_BYTES));
    this.#append(sealed);
    if (frame) this.#append(frame.subarray(IV_BYTES));
    return blob;
  }

  #append(sealed: Uint8Array): void {
    if (this.#size + sealed.length > this.#buffer.length) this.#grow(this.#size + sealed.length);
    this.#buffer.set(sealed, this.#size);
    this.#size += sealed.length;
  }

  finish(sealer: Sealer): FinishedPack {
    const header = sealer.seal(buildPackHeader(this.#blobs));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, header.length, true);
    const data = [this.#buffer.subarray(0, this.#size), header, length];
    const size = this.#size + header.length + length.length;
    const recycle = () => this.#buffers.give(this.#buffer);
    return {
      id: sha256Of(data),
      type: this.type,
      number: this.number,
      data,
      size,
      blobs: this.#blobs,
      recycle,
    };
  }

  /** For a dry run. */
  discard(): void {
    this.#buffers.give(this.#buffer);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#size));
    release(this.#buffer);
    this.#buffer = larger;
  }
}

/** Buffers of finished packs, for the next ones: pages that were touched once are not asked for again. */
export class BufferPool {
  readonly #bytes: number;
  readonly #free: Uint8Array[] = [];

  constructor(packBytes: number) {
    this.#bytes = packBytes + SLACK_BYTES;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  give(buffer: Uint8Array): void {
    if (this.#free.length < MOST_FREE) this.#free.push(buffer);
    else release(buffer);
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
  readonly #buffers: BufferPool;

  constructor(
    type: BlobType,
    targetBytes: number,
    count: number,
    buffers: BufferPool,
    newNumber: () => number,
  ) {
    this.#type = type;
    this.#buffers = buffers;
    this.#target = targetBytes;
    this.#open = new Array<Packer | undefined>(count).fill(undefined);
    this.#newNumber = newNumber;
  }

  /** Adds a blob; `full` is the packer that has thereby reached its size and is no longer open. */
  add(sealed: SealedBlob): Added {
    const at = this.#open.length === 1 ? 0 : randomInt(this.#open.length);
    const packer = this.#open[at] ?? new Packer(this.#type, this.#newNumber(), this.#buffers);
    const blob = packer.add(sealed);
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
