/**
 * The way of file contents into the repository.
 *
 * small   files shorter than the least chunk are one blob each; they go to the workers in batches
 * large   others are read slab by slab: one worker fills and scans a slab, all of them seal its chunks; each file
 *         under way has two slabs, so that one can be filled while the other is sealed
 *
 * A file that cannot be read is an outcome, not an error. An error of the repository is fatal: it is reported once
 * and nothing more is begun.
 */
import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { asEngineError, EngineError } from '../api/errors.ts';
import { loadKernelModule, MAX_CHUNK, MIN_CHUNK, TABLE_BYTES, writeTables } from '../chunker/chunker.ts';
import type { Polynomial } from '../chunker/polynomial.ts';
import type { Id } from '../format/types.ts';
import { openForRead } from '../fs/read.ts';
import { type FileStat, fstat, hasChanged } from '../fs/stat.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import type { ByteString } from '../util/byte-string.ts';
import { release } from '../util/release.ts';
import { Semaphore } from '../util/semaphore.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { FileOutcome, FileRead, NewBlob, NewChunk, ScanReply, SealReply } from '../workers/protocol.ts';

const MIB = 1024 * 1024;
const PAGE = 64 * 1024;
/** The longest unfinished chunk and a piece worth reading. */
const SLAB_BYTES = MAX_CHUNK + 2 * MIB;
const FIRST_SLAB = Math.ceil(TABLE_BYTES / PAGE) * PAGE;
const BATCH_FILES = 64;
const BATCH_BYTES = MIB;
/** Batches under way for each worker. */
const BATCHES_PER_WORKER = 2;
/** Chunks of one slab that go to a worker together have at least this many bytes. */
const SEAL_BYTES = MIB;

export interface SavedContent {
  readonly kind: 'saved';
  readonly stat: FileStat;
  readonly content: readonly Id[];
  /** Bytes that were read; may differ from what the stat says for a file that is being written to. */
  readonly size: number;
  readonly changedMeanwhile: boolean;
  /** Plain and stored bytes new to the repository. */
  readonly newBytes: number;
  readonly newStoredBytes: number;
}

export type SaveOutcome = SavedContent | { readonly kind: 'failed'; readonly error: EngineError };

/** The shared memory in which large files are read. */
export interface SlabMemory {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly largeFiles: number;
}

/** One file keeps few cores busy by itself; more cores want a second, and more than two make disks seek. */
function defaultLargeFiles(): number {
  return availableParallelism() > 4 ? 2 : 1;
}

/** Two slabs for each large file that is read at the same time. Pages that are never touched take no memory. */
export function createSlabMemory(polynomial: Polynomial, largeFiles = defaultLargeFiles()): SlabMemory {
  const pages = Math.ceil((FIRST_SLAB + 2 * largeFiles * SLAB_BYTES) / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  writeTables(memory, polynomial);
  return { memory, module: loadKernelModule(), largeFiles };
}

export interface FileSaverParts {
  readonly pool: WorkerPool;
  readonly slabs: SlabMemory;
  readonly writer: BlobWriter;
  /** Hears of the first error that is not one file's own. */
  readonly onFatal: (error: unknown) => void;
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

interface BatchEntry {
  readonly path: ByteString;
  readonly resolve: (outcome: SaveOutcome) => void;
}

interface SlabPair {
  readonly offsets: readonly [number, number];
}

export class FileSaver {
  readonly #p: FileSaverParts;
  readonly #pairs: SlabPair[];
  readonly #large: Semaphore;
  readonly #batches: Semaphore;
  /** Large files waiting or under way: the walk must not run far ahead of them. */
  readonly #largeQueue: Semaphore;
  #batch: BatchEntry[] = [];
  #batchBytes = 0;

  constructor(parts: FileSaverParts) {
    this.#p = parts;
    const { largeFiles } = parts.slabs;
    const at = (n: number) => FIRST_SLAB + n * SLAB_BYTES;
    this.#pairs = Array.from({ length: largeFiles }, (_, i) => ({ offsets: [at(2 * i), at(2 * i + 1)] }));
    this.#large = new Semaphore(largeFiles);
    this.#largeQueue = new Semaphore(largeFiles * 4);
    this.#batches = new Semaphore(parts.pool.size * BATCHES_PER_WORKER);
  }

  /** Begins to save a file of about `size` bytes; waits only while too much is under way. */
  async save(path: ByteString, size: number): Promise<{ readonly outcome: Promise<SaveOutcome> }> {
    if (size >= MIN_CHUNK) return this.#queueLarge(path);
    const { promise, resolve } = Promise.withResolvers<SaveOutcome>();
    this.#batch.push({ path, resolve });
    this.#batchBytes += size;
    if (this.#batch.length >= BATCH_FILES || this.#batchBytes >= BATCH_BYTES) await this.flush();
    return { outcome: promise };
  }

  /** Sends off what has gathered. */
  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#batches.acquire();
    void this.#runBatch(batch).finally(() => this.#batches.release());
  }

  async #runBatch(batch: readonly BatchEntry[]): Promise<void> {
    try {
      this.#p.signal?.throwIfAborted();
      const paths = batch.map((entry) => entry.path);
      const { files, buffer } = await this.#p.pool.run({ kind: 'files', paths, limit: MIN_CHUNK });
      for (let i = 0; i < batch.length; i++) await this.#finishSmall(batch[i]!, files[i]!, buffer);
      release(buffer);
    } catch (e) {
      this.#p.onFatal(e);
      for (const entry of batch) entry.resolve(failed(e));
    }
  }

  async #finishSmall(entry: BatchEntry, file: FileOutcome, buffer: Uint8Array): Promise<void> {
    switch (file.kind) {
      case 'failed':
        return entry.resolve({ kind: 'failed', error: EngineError.fromWire(file.error) });
      case 'large':
        return void (await this.#queueLarge(entry.path)).outcome.then(entry.resolve);
      case 'read':
        entry.resolve(await this.#storeSmall(file, buffer));
        this.#p.onBytes?.(file.size);
    }
  }

  async #storeSmall(file: FileRead, buffer: Uint8Array): Promise<SavedContent> {
    const added = await this.#store(file.blob, buffer);
    return {
      kind: 'saved',
      stat: file.stat,
      content: file.id === undefined ? [] : [file.id],
      size: file.size,
      changedMeanwhile: file.changed,
      ...added,
    };
  }

  async #store(
    blob: NewBlob | NewChunk | undefined,
    memory: Uint8Array,
  ): Promise<{ newBytes: number; newStoredBytes: number }> {
    if (!blob) return { newBytes: 0, newStoredBytes: 0 };
    const { plainLength, offset, length } = blob;
    const sealed = { ...blob, type: 'data', sealed: memory.subarray(offset, offset + length) } as const;
    const added = await this.#p.writer.add(sealed, plainLength);
    return added.known
      ? { newBytes: 0, newStoredBytes: 0 }
      : { newBytes: plainLength, newStoredBytes: added.storedBytes };
  }

  async #queueLarge(path: ByteString): Promise<{ readonly outcome: Promise<SaveOutcome> }> {
    await this.#largeQueue.acquire();
    const outcome = this.#large
      .run(() => this.#saveLarge(path))
      .catch((e: unknown) => {
        this.#p.onFatal(e);
        return failed(e);
      })
      .finally(() => this.#largeQueue.release());
    return { outcome };
  }

  async #saveLarge(path: ByteString): Promise<SaveOutcome> {
    const opened = tryOpen(path);
    if (opened instanceof EngineError) return { kind: 'failed', error: opened };
    const { fd, stat } = opened;
    try {
      const source = { fd, fill: () => Promise.resolve({ bytes: 0, last: false }) };
      const read = await this.saveChunked(source);
      if (read instanceof EngineError) return { kind: 'failed', error: read };
      return { kind: 'saved', stat, changedMeanwhile: hasChanged(stat, fstat(fd, path)), ...read };
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Chunks and stores a stream of bytes of any length. An EngineError is returned, not thrown, when the source
   * cannot be read to its end.
   */
  async saveChunked(source: ChunkSource): Promise<ChunkedContent | EngineError> {
    const pair = this.#pairs.pop()!;
    const run = new ChunkedRun(this.#p, (blob, memory) => this.#store(blob, memory));
    try {
      return await run.run(source, pair.offsets);
    } finally {
      await run.settle();
      this.#pairs.push(pair);
    }
  }

  /** A stream from outside (standard input), through the same slabs. */
  async saveStream(fill: ChunkSource['fill']): Promise<ChunkedContent | EngineError> {
    return this.#large.run(() => this.saveChunked({ fd: -1, fill }));
  }
}

export interface ChunkSource {
  /** An open file, or -1 for a stream that `fill` brings. */
  readonly fd: number;
  /** Puts the next bytes of the stream there; `last`: no more will come. */
  readonly fill: (room: Uint8Array) => Promise<{ readonly bytes: number; readonly last: boolean }>;
}

export interface ChunkedContent {
  readonly content: readonly Id[];
  readonly size: number;
  readonly newBytes: number;
  readonly newStoredBytes: number;
}

type Store = (
  blob: NewChunk | undefined,
  memory: Uint8Array,
) => Promise<{ newBytes: number; newStoredBytes: number }>;

/** One large file on its way through its two slabs. */
class ChunkedRun {
  readonly #p: FileSaverParts;
  readonly #store: Store;
  readonly #ids: (readonly Id[])[] = [];
  readonly #sealing: [Promise<void>[], Promise<void>[]] = [[], []];
  #size = 0;
  #newBytes = 0;
  #newStoredBytes = 0;
  readonly #memory: Uint8Array;
  #jobs = 0;

  constructor(parts: FileSaverParts, store: Store) {
    this.#p = parts;
    this.#memory = new Uint8Array(parts.slabs.memory.buffer);
    this.#store = store;
  }

  async run(source: ChunkSource, slabs: readonly [number, number]): Promise<ChunkedContent | EngineError> {
    let carry = { from: 0, bytes: 0, scanned: 0 };
    for (let turn = 0; ; turn = 1 - turn) {
      const slab = slabs[turn]!;
      await this.#sealed(turn);
      this.#p.signal?.throwIfAborted();
      const reply = await this.#scan(source, slab, carry);
      if (reply instanceof EngineError) return reply;
      const chunked = this.#sealCuts(slab, reply.cuts, turn);
      this.#size += reply.read;
      this.#p.onBytes?.(reply.read);
      if (reply.end) break;
      carry = { from: slab + chunked, bytes: reply.rest, scanned: reply.scanned };
    }
    await this.#sealed(0);
    await this.#sealed(1);
    const totals = { newBytes: this.#newBytes, newStoredBytes: this.#newStoredBytes };
    return { content: this.#ids.flat(), size: this.#size, ...totals };
  }

  /** Waits for all jobs on the slabs, whatever became of them: only then may others use them. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#sealing.flat());
  }

  async #sealed(turn: number): Promise<void> {
    const jobs = this.#sealing[turn as 0 | 1];
    await Promise.all(jobs);
    jobs.length = 0;
  }

  async #scan(
    source: ChunkSource,
    slab: number,
    carry: { from: number; bytes: number; scanned: number },
  ): Promise<ScanReply | EngineError> {
    const memory = new Uint8Array(this.#p.slabs.memory.buffer, slab + carry.bytes, SLAB_BYTES - carry.bytes);
    const filled = source.fd < 0 ? await source.fill(memory) : { bytes: 0, last: false };
    try {
      return await this.#p.pool.run(
        {
          kind: 'scan',
          fd: source.fd,
          position: this.#size,
          slab,
          slabBytes: SLAB_BYTES,
          carryFrom: carry.from,
          carryBytes: carry.bytes,
          scanned: carry.scanned,
          filled: filled.bytes,
          last: filled.last,
        },
        { urgent: true },
      );
    } catch (e) {
      const error = asEngineError(e);
      if (error.code === 'internal' || error.code === 'cancelled') throw error;
      return error;
    }
  }

  /** Sends the chunks off to be sealed; returns their total length. */
  #sealCuts(slab: number, cuts: readonly number[], turn: number): number {
    let at = 0;
    let group: { offset: number; length: number }[] = [];
    let bytes = 0;
    for (const [i, length] of cuts.entries()) {
      group.push({ offset: slab + at, length });
      at += length;
      bytes += length;
      if (bytes < SEAL_BYTES && i < cuts.length - 1) continue;
      const job = this.#seal(group, this.#jobs++);
      // Awaited by `#sealed` or `settle`; until then it must not count as unhandled.
      job.catch(() => {});
      this.#sealing[turn as 0 | 1].push(job);
      [group, bytes] = [[], 0];
    }
    return at;
  }

  async #seal(chunks: readonly { offset: number; length: number }[], number: number): Promise<void> {
    const reply: SealReply = await this.#p.pool.run({ kind: 'seal', chunks });
    this.#ids[number] = reply.ids;
    for (const blob of reply.blobs) {
      const added = await this.#store(blob, this.#memory);
      this.#newBytes += added.newBytes;
      this.#newStoredBytes += added.newStoredBytes;
    }
  }
}

function tryOpen(path: ByteString): ReturnType<typeof openForRead> | EngineError {
  try {
    return openForRead(path);
  } catch (e) {
    return asEngineError(e);
  }
}

function failed(e: unknown): SaveOutcome {
  return { kind: 'failed', error: asEngineError(e) };
}
