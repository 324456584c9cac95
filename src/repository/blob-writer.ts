/**
 * The way of new blobs into the repository: packer → upload → index file. Nothing is listed in an index before its
 * pack is stored, and no snapshot may be written before `flush` has returned.
 */
import { EngineError } from '../api/errors.ts';
import type { Backend, CallOptions, Traits } from '../backend/backend.ts';
import type { Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import type { BlobType, Id } from '../format/types.ts';
import { type CodecOptions, type SealedBlob, sealBlob } from '../workers/blob-codec.ts';
import type { BlobIndex } from './blob-index.ts';
import { IndexWriter } from './index-writer.ts';
import { BufferPool, type Packer, PackerSet } from './packer.ts';
import type { SealedFiles } from './sealed-files.ts';

const OPEN_DATA_PACKS = 2;
/**
 * Packs waiting for or under upload at once; more would only take memory. Over a network a connection that has rested begins slowly
 * again, and each answer takes a round trip: there some more keep the line full.
 */
const MOST_UPLOADS = { local: 2, network: 4 } as const;

export interface WriterParts {
  readonly backend: Backend;
  readonly files: SealedFiles;
  readonly sealer: Sealer;
  readonly index: BlobIndex;
  readonly codec: CodecOptions;
  readonly packBytes: number;
}

export interface WriterOptions extends CallOptions {
  /** Pack nothing, store nothing: only count. */
  readonly dryRun?: boolean;
  /** Index files may use the space that the storage keeps back; packs never do. */
  readonly indexFromReserve?: boolean;
}

/** What one `add` brought. */
export interface AddResult {
  readonly known: boolean;
  /** Bytes that the blob takes in a pack; 0 if it was known. */
  readonly storedBytes: number;
}

/** What a writer has stored so far. */
export interface WriterTotals {
  dataBlobs: number;
  treeBlobs: number;
  /** Plain bytes of new blobs. */
  plainBytes: number;
  /** The same in their packs. */
  storedBytes: number;
}

function mostUploads({ connections, paced }: Traits): number {
  return paced
    ? Math.max(MOST_UPLOADS.local, Math.min(MOST_UPLOADS.network, connections))
    : MOST_UPLOADS.local;
}

export class BlobWriter {
  readonly totals: WriterTotals = { dataBlobs: 0, treeBlobs: 0, plainBytes: 0, storedBytes: 0 };
  readonly #parts: WriterParts;
  readonly #o: WriterOptions;
  readonly #packers: Readonly<Record<BlobType, PackerSet>>;
  readonly #indexWriter: IndexWriter;
  readonly #uploads = new Set<Promise<void>>();
  readonly #mostUploads: number;
  #failure: unknown;

  constructor(parts: WriterParts, o: WriterOptions = {}) {
    this.#parts = parts;
    this.#o = o;
    this.#mostUploads = mostUploads(parts.backend.traits);
    const buffers = new BufferPool(parts.packBytes);
    const open = () => parts.index.openPack();
    this.#packers = {
      data: new PackerSet('data', parts.packBytes, OPEN_DATA_PACKS, buffers, open),
      tree: new PackerSet('tree', parts.packBytes, 1, buffers, open),
    };
    this.#indexWriter = new IndexWriter(parts.files, { ...o, fromReserve: o.indexFromReserve === true });
  }

  has(type: BlobType, id: Id): boolean {
    return this.#parts.index.has(type, id);
  }

  /** Stores plain bytes unless the repository has them. Sealing happens in this thread: for trees and few blobs. */
  async save(type: BlobType, plain: Uint8Array): Promise<AddResult & { readonly id: Id }> {
    const id = sha256(plain);
    if (this.has(type, id)) return { id, known: true, storedBytes: 0 };
    const blob = sealBlob(this.#parts.sealer, type, id, plain, this.#parts.codec);
    return { id, ...(await this.add(blob, plain.length)) };
  }

  /**
   * Takes a copy of a sealed blob; a known one is dropped unless `duplicate` says that a
   * further copy is wanted. Waits while uploads lag behind. Errors: the backend's, of this or an earlier pack.
   */
  async add(blob: SealedBlob, plainLength: number, duplicate = false): Promise<AddResult> {
    // Before anything is taken in, so that no more than a few full packs are ever held.
    while (this.#uploads.size >= this.#mostUploads) await Promise.race(this.#uploads);
    this.#check();
    if (!duplicate && this.has(blob.type, blob.id)) return { known: true, storedBytes: 0 };
    const added = this.#packers[blob.type].add(blob);
    this.#parts.index.addToOpenPack(added.number, added.blob);
    this.#count(blob.type, plainLength, added.blob.length);
    if (added.full) this.#queue(added.full);
    return { known: false, storedBytes: added.blob.length };
  }

  /** Stores all that is open, then the index. Errors: the backend's. */
  async flush(): Promise<void> {
    for (const set of Object.values(this.#packers)) {
      for (const packer of set.drain()) if (!packer.isEmpty) this.#queue(packer);
    }
    await Promise.all(this.#uploads);
    this.#check();
    await this.#indexWriter.flush();
  }

  /** Waits for what is under way and throws nothing: for the end of a failed run. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#uploads);
  }

  /**
   * For the end of a run that did not get through: lists the packs that were stored whole, so that the next run finds
   * their blobs. Not after a lost lock, when others may have removed those packs. Throws nothing: without the list the
   * packs are only found by who looks for them.
   */
  async keep(): Promise<void> {
    await this.settle();
    if (this.#o.dryRun) return;
    await this.#indexWriter.flush({ fromReserve: true }).catch(() => {});
  }

  get savedIndexes(): readonly Id[] {
    return this.#indexWriter.saved;
  }

  #count(type: BlobType, plainLength: number, storedLength: number): void {
    if (type === 'tree') this.totals.treeBlobs++;
    else this.totals.dataBlobs++;
    this.totals.plainBytes += plainLength;
    this.totals.storedBytes += storedLength;
  }

  #queue(packer: Packer): void {
    if (this.#o.dryRun) return packer.discard();
    const upload = this.#upload(packer)
      .catch((e: unknown) => {
        this.#failure ??= e ?? new EngineError('internal', 'An upload failed without a reason.');
      })
      .finally(() => {
        this.#uploads.delete(upload);
      });
    this.#uploads.add(upload);
  }

  async #upload(packer: Packer): Promise<void> {
    const pack = packer.finish(this.#parts.sealer);
    await this.#parts.backend.save({ type: 'pack', name: pack.id }, pack.data, this.#o);
    this.#parts.index.namePack(pack.number, pack.id);
    pack.recycle();
    await this.#indexWriter.add({ id: pack.id, blobs: pack.blobs });
  }

  #check(): void {
    this.#o.signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
  }
}
