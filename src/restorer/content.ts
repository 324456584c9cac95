/**
 * The contents of files: compared with what is there, read from the packs, written by worker threads.
 *
 * Bytes on their way are bounded, whatever the sizes of files and packs. A blob that cannot be read from its first
 * place is looked for in other packs before the files that need it are given up.
 */
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { showPath, translateFsError } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { forEachLimit, Semaphore } from '../util/semaphore.ts';
import type { WorkerPool } from '../workers/pool.ts';
import type { CompareRange, UnsealJob, UnsealReply } from '../workers/protocol.ts';
import { createFile, writeAt } from '../workers/unseal.ts';
import { type FileWork, plainLength } from './file-work.ts';
import { OpenFiles } from './open-files.ts';
import { type BlobWork, type Piece, piecesFor, type Write } from './pieces.ts';

/** What becomes of files is told to these; each file ends in exactly one of the calls. */
export interface ContentEvents {
  /** Its content is whole. `attributes`: why some were not set, or undefined if none has been set yet. */
  onWhole(file: FileWork, attributes: readonly EngineError[] | undefined): void;
  onFailed(file: FileWork, error: EngineError): void;
  /** Bytes that are in their place; `written` of them had to be written. */
  onBytes(placed: number, written: number): void;
}

export interface ContentParts {
  readonly repo: IndexedRepository;
  readonly pool: WorkerPool;
  readonly events: ContentEvents;
  readonly sparse: boolean;
  /** For new files, which the workers finish; undefined: the caller does. */
  readonly metadata: UnsealJob['metadata'];
  readonly signal?: AbortSignal | undefined;
}

/** Sealed bytes in memory. */
const BYTES_IN_FLIGHT = 64 << 20;
const MOST_PIECES = 24;
const COMPARE_BYTES = 32 << 20;
const COMPARE_BLOBS = 512;
const NO_BYTES = new Uint8Array(0);

export class ContentWriter {
  readonly #p: ContentParts;
  readonly #open: OpenFiles;
  readonly #bytes = new Semaphore(BYTES_IN_FLIGHT);
  readonly #call: CallOptions;

  constructor(parts: ContentParts) {
    this.#p = parts;
    this.#open = new OpenFiles(parts.sparse);
    this.#call = parts.signal ? { signal: parts.signal } : {};
  }

  /** Which blobs lie in their places already, for each file; undefined where that cannot be told. */
  async compare(files: readonly FileWork[]): Promise<Map<FileWork, Comparison>> {
    const found = new Map<FileWork, Comparison>();
    await forEachLimit(comparisons(files), this.#p.pool.size * 2, async (some) => {
      this.#p.signal?.throwIfAborted();
      const { ranges } = await this.#p.pool.run({ kind: 'compare', ranges: some.map((s) => s.range) });
      ranges.forEach((outcome, i) => {
        const { file, first } = some[i]!;
        const known = found.get(file) ?? { size: -1, matches: file.blobs.map(() => false), error: undefined };
        if (outcome.kind === 'failed') known.error ??= EngineError.fromWire(outcome.error);
        else {
          known.size = outcome.size;
          outcome.matches.forEach((m, j) => {
            known.matches[first + j] = m;
          });
        }
        found.set(file, known);
      });
    });
    return found;
  }

  /**
   * Writes all that is missing in these files. Errors that end everything: 'no-space' on the target, a storage that
   * does not answer, the signal's reason. Others end a file only, and are told through the events.
   */
  async write(files: readonly FileWork[]): Promise<void> {
    const { pool, repo } = this.#p;
    const connections = repo.repository.backend.traits.connections;
    const pieces = [...piecesFor(files)];
    for (const file of files) if (file.pending === 0) this.#onlyCut(file);
    await forEachLimit(pieces, Math.min(MOST_PIECES, connections + pool.size * 2), (p) => this.#piece(p));
  }

  /** Closes what a failed run left open. */
  close(): void {
    this.#open.closeAll();
  }

  /** All of its blobs are there; at most its end has to be cut off. */
  #onlyCut(file: FileWork): void {
    this.#guard(file, () => this.#open.touch(file));
    this.#complete(file, undefined);
  }

  async #piece(piece: Piece): Promise<void> {
    this.#p.signal?.throwIfAborted();
    if (isPointless(piece)) return this.#forgo(piece);
    const units = Math.min(BYTES_IN_FLIGHT, piece.length);
    await this.#bytes.acquire(units);
    try {
      const data = await this.#load(piece);
      if (data) await this.#unseal(piece, data);
      else for (const blob of piece.blobs) await this.#recover(blob, blob.writes, blob.whole, false);
    } finally {
      this.#bytes.release(units);
    }
  }

  /** Nothing is read for files that have failed already. */
  #forgo(piece: Piece): void {
    for (const { file } of piece.blobs.flatMap((b) => b.writes)) {
      file.pending--;
      if (file.pending === 0 && file.users === 0) this.#complete(file, undefined);
    }
  }

  /** undefined if this part of the pack cannot be had. */
  async #load(piece: Piece): Promise<Uint8Array | undefined> {
    if (piece.pack === undefined) return NO_BYTES;
    const { backend } = this.#p.repo.repository;
    const { offset, length } = piece;
    try {
      return await backend.load({ type: 'pack', name: piece.pack }, { ...this.#call, offset, length });
    } catch (e) {
      this.#p.signal?.throwIfAborted();
      if (endsEverything(e)) throw e;
      return undefined;
    }
  }

  async #unseal(piece: Piece, data: Uint8Array): Promise<void> {
    const files = new Set(piece.blobs.flatMap((b) => b.writes.map((w) => w.file)));
    await this.#open.reserve(files.size);
    const held: FileWork[] = [];
    try {
      this.#p.signal?.throwIfAborted();
      for (const file of files) {
        if (file.failure) continue;
        this.#guard(file, () => {
          this.#open.acquire(file);
          held.push(file);
        });
      }
      await this.#runJob(piece, data);
    } finally {
      for (const file of held) this.#open.release(file);
      this.#open.unreserve(files.size);
    }
    for (const file of files) if (file.pending === 0) this.#complete(file, undefined);
  }

  async #runJob(piece: Piece, data: Uint8Array): Promise<void> {
    const { sparse, metadata } = this.#p;
    const writes = piece.blobs.map((b) => b.writes.filter((w) => !w.file.failure));
    const whole = [
      ...piece.empty.map((file) => ({ file, blob: -1 })),
      ...piece.blobs.flatMap((b, blob) => b.whole.map((file) => ({ file, blob }))),
    ];
    const blobs = piece.blobs.map(({ at }, i) => ({
      id: at.id,
      offset: at.offset - piece.offset,
      length: at.length,
      uncompressedLength: at.uncompressedLength,
      writes: writes[i]!.map((w) => ({ fd: w.file.fd, position: w.position, sparse: this.#isHole(w) })),
    }));
    const files = whole.map(({ file, blob }) => ({ path: file.path, node: withoutContent(file), blob }));
    const job: UnsealJob = { kind: 'unseal', data, blobs, files, sparse, metadata };
    const reply = await this.#p.pool.run(job, { transfer: transferable(data) });
    await this.#settle(piece, writes, whole, reply);
  }

  #isHole({ file }: Write): boolean {
    return this.#p.sparse && file.placement === 'new';
  }

  async #settle(
    piece: Piece,
    writes: readonly (readonly Write[])[],
    whole: readonly { readonly file: FileWork; readonly blob: number }[],
    reply: UnsealReply,
  ): Promise<void> {
    const damaged = new Set(reply.damaged.map((d) => d.blob));
    for (const { blob, write, error } of reply.failedWrites) {
      this.#fail(writes[blob]![write]!.file, EngineError.fromWire(error));
    }
    for (const { file, error } of reply.failedFiles) {
      this.#fail(whole[file]!.file, EngineError.fromWire(error));
    }
    const incomplete = new Map(reply.incomplete.map((i) => [i.file, i.errors]));
    const done = this.#p.metadata ? [] : undefined;
    whole.forEach(({ file, blob }, i) => {
      if (damaged.has(blob)) return;
      const errors = incomplete.get(i)?.map((e) => EngineError.fromWire(e)) ?? done;
      this.#placed(file, file.size);
      this.#complete(file, errors);
    });
    piece.blobs.forEach(({ at, writes: all }, i) => {
      if (damaged.has(i)) return;
      for (const { file } of all) this.#placed(file, plainLength(at));
    });
    for (const i of damaged)
      await this.#recover(piece.blobs[i]!, piece.blobs[i]!.writes, piece.blobs[i]!.whole, true);
  }

  /** From another copy, in this thread: it happens rarely. */
  async #recover(
    work: BlobWork,
    writes: readonly Write[],
    whole: readonly FileWork[],
    reserved: boolean,
  ): Promise<void> {
    const { at } = work;
    let plain: Uint8Array | undefined;
    let error: EngineError | undefined;
    try {
      plain = await this.#p.repo.loadBlob('data', at.id, this.#call);
    } catch (e) {
      this.#p.signal?.throwIfAborted();
      if (endsEverything(e)) throw e;
      error = asEngineError(e);
    }
    for (const file of whole) {
      if (plain) this.#guard(file, () => createFile(file, plain, this.#p.sparse, undefined));
      else this.#fail(file, error!);
      this.#placed(file, file.size);
      this.#complete(file, undefined);
    }
    await this.#rewrite(work, writes, { plain, error, reserved });
  }

  async #rewrite(work: BlobWork, writes: readonly Write[], found: Recovered): Promise<void> {
    for (const write of writes) {
      const { file } = write;
      if (!found.plain) this.#fail(file, found.error!);
      else if (!file.failure) await this.#writeOne(write, found.plain, found.reserved);
      this.#placed(file, plainLength(work.at));
      if (file.pending === 0 && file.users === 0) this.#complete(file, undefined);
    }
  }

  async #writeOne(write: Write, plain: Uint8Array, reserved: boolean): Promise<void> {
    const { file, position } = write;
    if (!reserved) await this.#open.reserve(1);
    try {
      this.#guard(file, () => {
        this.#open.acquire(file);
        try {
          writeAt(file.fd, plain, position, this.#isHole(write));
        } finally {
          this.#open.release(file);
        }
      });
    } finally {
      if (!reserved) this.#open.unreserve(1);
    }
  }

  /** One write of a file has been answered, well or not. */
  #placed(file: FileWork, bytes: number): void {
    file.pending--;
    if (!file.failure) this.#p.events.onBytes(bytes, bytes);
  }

  #complete(file: FileWork, attributes: readonly EngineError[] | undefined): void {
    if (file.done) return;
    file.done = true;
    this.#open.close(file);
    if (file.failure) this.#p.events.onFailed(file, file.failure);
    else this.#p.events.onWhole(file, attributes);
  }

  #guard(file: FileWork, act: () => void): void {
    try {
      act();
    } catch (e) {
      this.#fail(file, e instanceof EngineError ? e : translateFsError(e, file.path, 'write'));
    }
  }

  #fail(file: FileWork, error: EngineError): void {
    file.failure ??= named(error, file);
    // A file that is too large for the disk says so beforehand; here the disk is full, and so it is for all others.
    if (error.code !== 'no-space' || error.context.missing !== undefined) return;
    if (error.context.errno !== 'EFBIG') throw file.failure;
  }
}

function isPointless({ blobs, empty }: Piece): boolean {
  if (empty.length > 0) return false;
  return blobs.every((b) => b.whole.length === 0 && b.writes.every((w) => w.file.failure));
}

/** What a second attempt at a blob brought; `reserved`: its files are open already. */
interface Recovered {
  readonly plain: Uint8Array | undefined;
  readonly error: EngineError | undefined;
  readonly reserved: boolean;
}

export interface Comparison {
  /** Of the file on the disk; -1 if it could not be read. */
  size: number;
  readonly matches: boolean[];
  error: EngineError | undefined;
}

interface Part {
  readonly file: FileWork;
  /** Number of the range's first blob. */
  readonly first: number;
  readonly range: CompareRange;
}

/** Jobs of a few ranges each: many small files, or a part of a large one. */
function* comparisons(files: readonly FileWork[]): Generator<Part[]> {
  let parts: Part[] = [];
  let bytes = 0;
  let blobs = 0;
  for (const part of files.flatMap((file) => [...partsOf(file)])) {
    parts.push(part);
    blobs += part.range.ids.length + 1;
    bytes += part.range.lengths.reduce((a, b) => a + b, 0);
    if (bytes < COMPARE_BYTES && blobs < COMPARE_BLOBS) continue;
    yield parts;
    parts = [];
    bytes = 0;
    blobs = 0;
  }
  if (parts.length > 0) yield parts;
}

function* partsOf(file: FileWork): Generator<Part> {
  const { path } = file;
  let position = 0;
  let first = 0;
  do {
    const ids = [];
    const lengths = [];
    let bytes = 0;
    for (let i = first; i < file.blobs.length && bytes < COMPARE_BYTES && ids.length < COMPARE_BLOBS; i++) {
      const blob = file.blobs[i]!;
      ids.push(blob.id);
      lengths.push(plainLength(blob));
      bytes += plainLength(blob);
    }
    yield { file, first, range: { path, position, ids, lengths } };
    position += bytes;
    first += ids.length;
  } while (first < file.blobs.length);
}

/** Without the list of blobs, which the worker has no use for. */
function withoutContent(file: FileWork): FileWork['node'] {
  return { ...file.node, content: null };
}

/** A storage gives away what it loads; only a part of a larger buffer has to be copied. */
function transferable(data: Uint8Array): ArrayBuffer[] {
  const { buffer } = data;
  return buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength && data.byteLength > 0
    ? [buffer]
    : [];
}

/** Faults of the storage as a whole; anything else concerns one pack. */
export function endsEverything(e: unknown): boolean {
  return isEngineError(
    e,
    'unreachable',
    'timeout',
    'rate-limited',
    'auth-expired',
    'cancelled',
    'lock-lost',
    'internal',
  );
}

/** Workers know open files by number only; the sentence to the person names the path. */
function named(error: EngineError, file: FileWork): EngineError {
  if (!error.message.includes('""')) return error;
  const message = error.message.replace('""', () => showPath(file.path));
  const { transient, hint, context } = error;
  const details = { transient, context, ...(hint === undefined ? {} : { hint }) };
  return new EngineError(error.code, message, details, { cause: error });
}
