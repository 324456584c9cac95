/**
 * archive: the selected part of a snapshot → one zip or tar file.
 *
 * What can't be read is left out and told; it does not stop the rest, and leaves nothing of itself in the archive. The archive is
 * written beside its place and put there when it is whole; a stop, an error or a full disk leaves nothing.
 *
 * ahead  small files are loaded before their turn, so that a distant storage is not waited for once a file
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import { showPath } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { ArchiveEntry, ArchiveWriter } from '../restorer/archive/archive.ts';
import { ArchiveFile } from '../restorer/archive/archive-file.ts';
import { HardLinks } from '../restorer/archive/hard-links.ts';
import { TarWriter } from '../restorer/archive/tar.ts';
import { ZipWriter } from '../restorer/archive/zip.ts';
import { impossibleBlob, lostBlob, otherSize } from '../restorer/content-errors.ts';
import { contentOf } from '../restorer/content-stream.ts';
import { plainLength } from '../restorer/file-work.ts';
import type { Select } from '../restorer/options.ts';
import {
  Reporter,
  type RestoreCounters,
  type RestoreEvents,
  type RestoreReport,
} from '../restorer/progress.ts';
import { type SelectedFolder, walkSelected } from '../restorer/selected-walk.ts';
import { isDamage } from '../restorer/tree-walk.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';
import type { ArchiveFormat } from './dump.ts';

export interface ArchiveOptions extends CallOptions {
  /** Absolute; nothing may be there, and its folder must be. */
  readonly path: string;
  readonly format: ArchiveFormat;
  readonly select: Select;
  readonly counters: RestoreCounters;
  readonly events: RestoreEvents;
  /** Read the archive back from the disk before it is put in its place. */
  readonly verify: boolean;
  readonly onVerify?: (done: () => number, total: number) => void;
  /** Called when everything is in it; may refuse by an error: then there will be none. */
  readonly onAdded?: () => void;
}

export interface ArchiveReport extends RestoreReport {
  /** Bytes of the archive. */
  readonly bytes: number;
}

const TURN = 128;
/** A file up to this size is loaded as a whole, before its turn. */
const SMALL_BYTES = 1 << 20;
const MOST_PARTS = 16;
const AHEAD_BYTES = 16 << 20;
const AHEAD_FILES = 32;
/** Far beyond what any chunker cuts; longer ones could only exhaust memory. */
const MOST_BLOB_BYTES = 256 << 20;

/**
 * Errors, after all of which there is no archive: 'conflict' and 'not-found' of its place, 'no-space', 'damaged' where nothing at all
 * could be read, 'io' where it does not read back, those of a storage that does not answer, the signal's reason.
 */
export async function archive(repo: IndexedRepository, tree: Id, o: ArchiveOptions): Promise<ArchiveReport> {
  const file = await ArchiveFile.begin(o.path);
  try {
    const run = new ArchiveRun(repo, file, o);
    const report = await run.add(tree);
    o.onAdded?.();
    await file.sync();
    const bytes = file.mark.length;
    if (o.verify) await verify(file, bytes, o);
    o.signal?.throwIfAborted();
    await file.place();
    return { ...report, bytes };
  } finally {
    await file.discard();
  }
}

async function verify(file: ArchiveFile, total: number, o: ArchiveOptions): Promise<void> {
  let done = 0;
  o.onVerify?.(() => done, total);
  const onBytes = (bytes: number) => {
    done += bytes;
  };
  await file.verify({ ...(o.signal ? { signal: o.signal } : {}), onBytes });
  o.counters.filesVerified = o.counters.filesRestored - o.counters.foldersRestored;
}

class ArchiveRun {
  readonly #repo: IndexedRepository;
  readonly #file: ArchiveFile;
  readonly #o: ArchiveOptions;
  readonly #call: CallOptions;
  readonly #writer: ArchiveWriter;
  readonly #report: Reporter;
  readonly #links = new HardLinks();
  readonly #written = new WeakSet<SelectedFolder>();
  #entries = 0;

  constructor(repo: IndexedRepository, file: ArchiveFile, o: ArchiveOptions) {
    this.#repo = repo;
    this.#file = file;
    this.#o = o;
    this.#call = o.signal ? { signal: o.signal } : {};
    this.#writer = o.format === 'tar' ? new TarWriter(file.write) : new ZipWriter(file.write, this.#call);
    this.#report = new Reporter(o.counters, o.events);
  }

  async add(tree: Id): Promise<RestoreReport> {
    const over = new AbortController();
    const counting = this.#countAhead(tree, over.signal);
    try {
      const { select } = this.#o;
      for await (const folder of walkSelected(this.#repo, tree, select, this.#call))
        await this.#folder(folder);
      const report = this.#report.report();
      if (this.#entries === 0 && report.errors > 0) throw nothingReadable(report);
      await this.#writer.end();
      return report;
    } finally {
      over.abort();
      await counting;
    }
  }

  /** Tells how much there will be. What can't be read is left to the walk that adds. */
  async #countAhead(tree: Id, over: AbortSignal): Promise<void> {
    const { signal } = this.#call;
    const o = { signal: signal ? AbortSignal.any([signal, over]) : over };
    const links = new HardLinks();
    let looks = 0;
    try {
      for await (const folder of walkSelected(this.#repo, tree, this.#o.select, o)) {
        if (folder.selected) this.#report.expectFolder();
        for (const node of folder.others) {
          if (++looks % TURN === 0) await new Promise(setImmediate);
          if (!fits(node, this.#o.format)) continue;
          const repeated = this.#o.format === 'tar' && links.earlier(node) !== undefined;
          links.added(node, node.name);
          this.#report.expect(repeated || node.type !== 'file' ? 0 : Number(node.size));
        }
      }
      this.#o.counters.totalsKnown = true;
    } catch {
      // The walk that adds meets it too, and tells.
    }
  }

  async #folder(folder: SelectedFolder): Promise<void> {
    for (const { path, error } of folder.failures) this.#report.fail(path, error);
    if (folder.selected) await this.#enter(folder);
    const ahead = new ContentAhead(this.#repo, folder.others, this.#call);
    try {
      for (const node of folder.others) await this.#other(folder, node, ahead);
    } finally {
      await ahead.settled();
    }
  }

  /** Adds the folder and those above it, which may have been left for when there is something to put into them. */
  async #enter(folder: SelectedFolder): Promise<void> {
    const { node, parent } = folder;
    if (!node || this.#written.has(folder)) return;
    if (parent) await this.#enter(parent);
    this.#written.add(folder);
    const path = inArchive(folder.location);
    await this.#writer.add({ node, path, size: 0, linkTo: undefined, content: nothing });
    if (!folder.selected) return;
    this.#entries++;
    this.#report.restoredFolder(folder.location);
  }

  async #other(folder: SelectedFolder, node: Node, ahead: ContentAhead): Promise<void> {
    this.#o.signal?.throwIfAborted();
    const location = joinPath(folder.location, node.name);
    const content = ahead.take(node);
    if (node.type === 'socket') return;
    try {
      if (!fits(node, this.#o.format)) throw notInFormat(location, this.#o.format);
      const size = node.type === 'file' ? this.#sizeOf(node) : 0;
      await this.#enter(folder);
      await this.#entry(node, location, size, content);
    } catch (e) {
      this.#o.signal?.throwIfAborted();
      if (!isEngineError(e, 'damaged', 'unsupported') && !(e instanceof Unreadable)) throw e;
      this.#report.fail(location, e instanceof Unreadable ? e.error : e);
    }
  }

  async #entry(node: Node, location: ByteString, size: number, content: Content): Promise<void> {
    const path = inArchive(location);
    const linkTo = this.#o.format === 'tar' ? this.#links.earlier(node) : undefined;
    const { counters } = this.#o;
    const mark = this.#file.mark;
    const before = counters.bytesRestored;
    const entry: ArchiveEntry = { node, path, size, linkTo, content: () => this.#counted(content()) };
    try {
      await this.#writer.add(entry);
    } catch (e) {
      counters.bytesRestored = before;
      await this.#file.backTo(mark);
      throw e;
    }
    this.#links.added(node, path);
    counters.bytesWritten = counters.bytesRestored;
    this.#entries++;
    this.#report.restored('restored', location, size);
    if (node.type === 'file' && Number(node.size) !== size)
      this.#report.warn(location, otherSize(location, node.size, size));
  }

  /** What goes wrong in it is marked, to be told from what goes wrong at the target. */
  async *#counted(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of content) {
        this.#o.counters.bytesRestored += bytes.length;
        yield bytes;
      }
    } catch (e) {
      this.#o.signal?.throwIfAborted();
      throw isDamage(e) ? new Unreadable(e) : e;
    }
  }

  /** Bytes of the content, which may differ from what the node claims. Error: 'damaged'. */
  #sizeOf(node: Node): number {
    let size = 0;
    for (const id of node.content ?? []) {
      const at = this.#repo.index.get('data', id);
      if (!at) throw lostBlob(id);
      const length = plainLength(at);
      if (length > MOST_BLOB_BYTES) throw impossibleBlob(id);
      size += length;
    }
    return size;
  }
}

/** Tar knows all kinds of files that restic knows, sockets aside; zip knows three. */
function fits({ type }: Node, format: ArchiveFormat): boolean {
  if (type === 'file' || type === 'symlink') return true;
  return format === 'tar' && (type === 'fifo' || type === 'dev' || type === 'chardev');
}

/** Of something of the repository, to be told from what goes wrong at the target. */
class Unreadable extends Error {
  readonly error: EngineError;

  constructor(error: EngineError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}

type Content = () => AsyncIterable<Uint8Array>;

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The contents of the files of one folder; taken in their order, each once. */
class ContentAhead {
  readonly #repo: IndexedRepository;
  readonly #nodes: readonly Node[];
  readonly #o: CallOptions;
  readonly #loading = new Map<
    Node,
    { readonly bytes: number; readonly parts: Promise<readonly Uint8Array[]> }
  >();
  #next = 0;
  #bytes = 0;

  constructor(repo: IndexedRepository, nodes: readonly Node[], o: CallOptions) {
    this.#repo = repo;
    this.#nodes = nodes;
    this.#o = o;
  }

  take(node: Node): Content {
    while (this.#next < this.#nodes.length && this.#loading.size < AHEAD_FILES && this.#bytes < AHEAD_BYTES) {
      this.#begin(this.#nodes[this.#next++]!);
    }
    const loading = this.#loading.get(node);
    if (!loading) return () => contentOf(this.#repo, node.content ?? [], this.#o);
    this.#loading.delete(node);
    this.#bytes -= loading.bytes;
    return async function* () {
      yield* await loading.parts;
    };
  }

  /** Nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#loading.values()].map(({ parts }) => parts));
  }

  #begin(node: Node): void {
    const content = node.content ?? [];
    if (node.type !== 'file' || content.length === 0 || content.length > MOST_PARTS) return;
    const locations = content.map((id) => this.#repo.index.get('data', id));
    const bytes = locations.reduce((sum, at) => sum + (at ? plainLength(at) : 0), 0);
    if (bytes > SMALL_BYTES) return;
    const parts = gathered(contentOf(this.#repo, content, this.#o));
    // Its turn to be heard comes later.
    parts.catch(() => {});
    this.#loading.set(node, { bytes, parts });
    this.#bytes += bytes;
  }
}

async function gathered(content: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const bytes of content) parts.push(bytes);
  return parts;
}

/** Without the slash at its beginning. */
function inArchive(location: ByteString): ByteString {
  return rawByteString(location.slice(1));
}

function nothingReadable({ failed }: RestoreReport): EngineError {
  const first = failed[0]!.error;
  return new EngineError('damaged', `Nothing of it could be read, so there is no archive. ${first.message}`, {
    hint: 'Check the destination to learn what is damaged; another version may have the files whole.',
  });
}

function notInFormat(location: ByteString, format: ArchiveFormat): EngineError {
  const what = `${showPath(location)} is neither a file nor a folder nor a link, and was left out.`;
  const hint = format === 'zip' ? { hint: 'A tar archive can hold it, or a folder.' } : {};
  return new EngineError('unsupported', what, hint);
}
