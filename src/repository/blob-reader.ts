/**
 * Reading blobs: from any pack that holds a copy. Trees are read through a cache of blocks, because the trees of one
 * snapshot lie close together and are read one after the other.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Backend, CallOptions } from '../backend/backend.ts';
import { isCaching } from '../backend/cache.ts';
import type { Sealer } from '../crypto/sealer.ts';
import type { BlobType, Id } from '../format/types.ts';
import { openBlob } from '../workers/blob-codec.ts';
import type { BlobIndex, BlobLocation } from './blob-index.ts';

const BLOCK_BYTES = 512 * 1024;
const MOST_BLOCKS = 32;

export class BlobReader {
  readonly #backend: Backend;
  readonly #sealer: Sealer;
  readonly #index: BlobIndex;
  readonly #sizes = new Map<Id, number>();
  /** Least recently used first; a promise, so that two readers of one block share its load. */
  readonly #blocks = new Map<string, Promise<Uint8Array>>();

  constructor(backend: Backend, sealer: Sealer, index: BlobIndex) {
    this.#backend = backend;
    this.#sealer = sealer;
    this.#index = index;
  }

  /**
   * The plain bytes of a blob, from the first copy that is whole.
   * Errors: 'damaged' if it is in no pack or no copy is whole; the backend's.
   */
  async load(type: BlobType, id: Id, o?: CallOptions): Promise<Uint8Array> {
    const copies = this.#index.copies(type, id);
    if (copies.length === 0) throw missing(type, id);
    let last: unknown;
    for (const copy of copies) {
      try {
        return await this.#loadCopy(copy, o);
      } catch (e) {
        if (!isEngineError(e, 'damaged', 'not-found', 'range')) throw e;
        last = e;
      }
    }
    throw unreadable(type, id, last);
  }

  async #loadCopy(at: BlobLocation, o?: CallOptions): Promise<Uint8Array> {
    const sealed = at.type === 'tree' ? await this.#fromBlocks(at, o) : await this.#direct(at, o);
    try {
      return openBlob(this.#sealer, at.id, sealed, at.uncompressedLength);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      // Once more from the storage itself: a cable or a cache may be at fault, not the pack.
      await this.#forget(at.pack);
      return openBlob(this.#sealer, at.id, await this.#direct(at, o), at.uncompressedLength);
    }
  }

  #direct(at: BlobLocation, o?: CallOptions): Promise<Uint8Array> {
    return this.#backend.load(
      { type: 'pack', name: at.pack },
      { ...o, offset: at.offset, length: at.length },
    );
  }

  async #fromBlocks(at: BlobLocation, o?: CallOptions): Promise<Uint8Array> {
    const first = Math.floor(at.offset / BLOCK_BYTES);
    const last = Math.floor((at.offset + at.length - 1) / BLOCK_BYTES);
    if (last - first >= MOST_BLOCKS / 2) return this.#direct(at, o);
    const parts: Uint8Array[] = [];
    for (let block = first; block <= last; block++) {
      const bytes = await this.#block(at.pack, block, o);
      const from = block === first ? at.offset - block * BLOCK_BYTES : 0;
      const to = Math.min(bytes.length, at.offset + at.length - block * BLOCK_BYTES);
      parts.push(bytes.subarray(from, to));
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  #block(pack: Id, block: number, o?: CallOptions): Promise<Uint8Array> {
    const key = `${pack}/${block}`;
    const known = this.#blocks.get(key);
    if (known) this.#blocks.delete(key);
    const bytes = known ?? this.#loadBlock(key, pack, block, o);
    this.#blocks.set(key, bytes);
    if (this.#blocks.size > MOST_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value!);
    return bytes;
  }

  async #loadBlock(key: string, pack: Id, block: number, o?: CallOptions): Promise<Uint8Array> {
    const handle = { type: 'pack', name: pack } as const;
    try {
      const offset = block * BLOCK_BYTES;
      const length = Math.min(BLOCK_BYTES, (await this.#size(pack, o)) - offset);
      if (length <= 0)
        throw new EngineError('range', `Pack ${pack} ends before the blob that the index places there.`);
      return await this.#backend.load(handle, { ...o, offset, length, cacheable: true });
    } catch (e) {
      this.#blocks.delete(key);
      throw e;
    }
  }

  async #size(pack: Id, o?: CallOptions): Promise<number> {
    const known = this.#sizes.get(pack);
    if (known !== undefined) return known;
    const { size } = await this.#backend.stat({ type: 'pack', name: pack }, o);
    this.#sizes.set(pack, size);
    return size;
  }

  async #forget(pack: Id): Promise<void> {
    for (const key of this.#blocks.keys()) if (key.startsWith(pack)) this.#blocks.delete(key);
    if (isCaching(this.#backend)) await this.#backend.forget({ type: 'pack', name: pack });
  }
}

function missing(type: BlobType, id: Id): EngineError {
  return new EngineError('damaged', `The ${type} blob ${id} is in no pack that the index knows.`, {
    hint: 'Run "repair index"; if that does not bring it back, "check" tells what is affected.',
    context: { blob: id, type },
  });
}

function unreadable(type: BlobType, id: Id, cause: unknown): EngineError {
  const reason = cause instanceof Error ? ` ${cause.message}` : '';
  return new EngineError(
    'damaged',
    `The ${type} blob ${id} cannot be read from any pack.${reason}`,
    { hint: 'Run "check --read-data" to learn what is affected.', context: { blob: id, type } },
    { cause },
  );
}
