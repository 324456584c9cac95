/**
 * backup: sources → snapshot.
 *
 * Order of writes: packs and index (the writer's flush), then the snapshot. Whatever happens before the last step,
 * the repository has only gained blobs that the next run finds and uses.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import { Archiver, type RootNode, type Selection } from '../archiver/archiver.ts';
import type { ChangeRules } from '../archiver/changes.ts';
import { createSlabMemory, FileSaver } from '../archiver/file-saver.ts';
import { type BackupCounters, type BackupEvents, newCounters } from '../archiver/progress.ts';
import { scan } from '../archiver/scan.ts';
import { refuseLostSources } from '../archiver/sources.ts';
import { archiveStream, type StreamSource } from '../archiver/stream.ts';
import type { CallOptions } from '../backend/backend.ts';
import { fromEpochNs } from '../format/time.ts';
import type { Id, Snapshot, SnapshotSummary, StoredSnapshot, Timestamp } from '../format/types.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import { polynomialOf } from '../repository/chunking.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { WorkerPool } from '../workers/pool.ts';

export interface BackupOptions extends CallOptions {
  /** What to read; or a stream that becomes one file. */
  readonly source: { readonly roots: RootNode } | StreamSource;
  readonly selection: Selection;
  /** Absolute, as they shall stand in the snapshot. */
  readonly paths: readonly string[];
  readonly parent?: StoredSnapshot | undefined;
  /**
   * What the sources are held against before they are believed to be gone or empty; `parent` and the roots unless
   * said otherwise. Differs where files are read anew without a parent, and where targets are missing.
   */
  readonly expected?: { readonly roots: RootNode; readonly last: StoredSnapshot | undefined };
  readonly rules?: Partial<ChangeRules>;
  readonly withAtime?: boolean;
  readonly tags?: readonly string[];
  readonly hostname: string;
  readonly username: string;
  readonly uid: number;
  readonly gid: number;
  readonly excludes?: readonly string[];
  readonly time?: Timestamp;
  readonly programVersion: string;
  readonly dryRun?: boolean;
  readonly skipIfUnchanged?: boolean;
  /** Count ahead, for the progress. */
  readonly scan?: boolean;
  /** Accept sources that are gone or empty although the parent had files there. */
  readonly allowEmpty?: boolean;
  readonly threads?: number;
  /** Give way to other programs, as far as the system lets single threads do that (see fs/priority.ts). */
  readonly lowPriority?: boolean;
  /** How many large files are read at once. */
  readonly readConcurrency?: number;
  readonly events?: BackupEvents;
  readonly counters?: BackupCounters;
  readonly clock?: Clock;
}

export interface BackupResult {
  /** undefined after a dry run, and where nothing had changed and `skipIfUnchanged` was set. */
  readonly snapshotId: Id | undefined;
  readonly snapshot: Snapshot;
  readonly summary: SnapshotSummary;
  /** Source files that could not be read. */
  readonly errors: number;
}

/**
 * Makes one backup. The repository must be locked by the caller, whose signal this watches.
 * Errors: 'source-missing', 'source-emptied', the repository's, the signal's reason. Unreadable files are counted
 * and reported through the events.
 */
export async function backup(repo: IndexedRepository, o: BackupOptions): Promise<BackupResult> {
  const clock = o.clock ?? systemClock;
  const start = timestamp(clock);
  const counters = o.counters ?? newCounters();
  await refuseUnlessThere(repo, o);
  const run = new BackupRun(repo, o, counters);
  try {
    const tree = await run.archive();
    if (tree === undefined) throw emptyBackup();
    await run.writer.flush();
    const summary = summarize(counters, run.writer, start, timestamp(clock));
    const snapshot = describe(o, tree, summary, start);
    const skip = o.dryRun === true || (o.skipIfUnchanged === true && o.parent?.tree === tree);
    const snapshotId = skip ? undefined : await repo.repository.saveSnapshot(snapshot, o);
    return { snapshotId, snapshot, summary, errors: counters.errors };
  } catch (e) {
    // Who lost the lock may not claim packs that others could have removed meanwhile.
    if (!isEngineError(o.signal?.reason, 'lock-lost')) await run.writer.keep();
    throw e;
  } finally {
    await run.close();
  }
}

async function refuseUnlessThere(repo: IndexedRepository, o: BackupOptions): Promise<void> {
  if (o.allowEmpty || !('roots' in o.source)) return;
  const { roots, last } = o.expected ?? { roots: o.source.roots, last: o.parent };
  await refuseLostSources(repo, roots, last, signalOf(o));
}

/** The parts that live as long as one backup. */
class BackupRun {
  readonly writer: BlobWriter;
  readonly #repo: IndexedRepository;
  readonly #o: BackupOptions;
  readonly #counters: BackupCounters;
  readonly #pool: WorkerPool;
  readonly #saver: FileSaver;
  readonly #stopScan = new AbortController();
  #scanning: Promise<void> = Promise.resolve();
  #fatal: unknown;

  constructor(repo: IndexedRepository, o: BackupOptions, counters: BackupCounters) {
    this.#repo = repo;
    this.#o = o;
    this.#counters = counters;
    const { repository, index } = repo;
    const slabs = createSlabMemory(polynomialOf(repository.config), o.readConcurrency);
    const chunking = { module: slabs.module, memory: slabs.memory, index: index.shared };
    const setup = { key: repository.key.master, codec: repository.codec, chunking };
    this.#pool = new WorkerPool({ ...setup, lowPriority: o.lowPriority === true }, o.threads);
    index.onGrow = (shared) => this.#pool.shareIndex(shared);
    this.writer = repo.writer({ ...uploadsOf(o.signal), dryRun: o.dryRun === true });
    this.#saver = new FileSaver({
      pool: this.#pool,
      slabs,
      writer: this.writer,
      onFatal: (e) => {
        this.#fatal ??= e;
      },
      onBytes: (bytes) => {
        counters.bytesDone += bytes;
      },
      signal: o.signal,
    });
  }

  async archive(): Promise<Id | undefined> {
    const { source, events = {}, selection } = this.#o;
    if (!('roots' in source)) return archiveStream(source, this.#saver, this.writer, this.#counters);
    if (this.#o.scan) this.#startScan(source.roots, selection, events);
    const archiver = new Archiver({
      repository: this.#repo,
      writer: this.writer,
      saver: this.#saver,
      selection,
      counters: this.#counters,
      events,
      rules: { ignoreCtime: false, ignoreInode: false, ...this.#o.rules },
      withAtime: this.#o.withAtime === true,
      clock: this.#o.clock ?? systemClock,
      signal: this.#o.signal,
      fatal: () => this.#fatal,
    });
    return archiver.run(source.roots, this.#o.parent?.tree);
  }

  #startScan(roots: RootNode, selection: Selection, events: BackupEvents): void {
    const { signal } = this.#stopScan;
    this.#scanning = scan(roots, selection, this.#counters, { signal }).then(() => {
      if (!signal.aborted) events.onScanned?.();
    });
  }

  async close(): Promise<void> {
    this.#stopScan.abort();
    await this.#scanning;
    await this.writer.settle();
    this.#repo.index.onGrow = undefined;
    await this.#pool.close();
  }
}

function signalOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}

/** A shutdown stops the reading, but packs that are on their way get through: the next run need not send them again. */
function uploadsOf(signal: AbortSignal | undefined): CallOptions {
  if (!signal) return {};
  const uploads = new AbortController();
  const stop = () => {
    const { reason } = signal;
    if (!isEngineError(reason, 'cancelled') || reason.context.reason !== 'shutdown') uploads.abort(reason);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return { signal: uploads.signal };
}

function timestamp(clock: Clock): Timestamp {
  return fromEpochNs(BigInt(Math.round(clock.now() * 1000)) * 1000n);
}

function emptyBackup(): EngineError {
  return new EngineError(
    'source-missing',
    'There is nothing to back up: no source could be read, or all is excluded.',
    {
      hint: 'Check the paths and the exclude rules.',
    },
  );
}

function summarize(c: BackupCounters, writer: BlobWriter, start: Timestamp, end: Timestamp): SnapshotSummary {
  const { dataBlobs, treeBlobs, plainBytes, storedBytes } = writer.totals;
  return {
    backup_start: start,
    backup_end: end,
    files_new: c.filesNew,
    files_changed: c.filesChanged,
    files_unmodified: c.filesUnmodified,
    dirs_new: c.dirsNew,
    dirs_changed: c.dirsChanged,
    dirs_unmodified: c.dirsUnmodified,
    data_blobs: dataBlobs,
    tree_blobs: treeBlobs,
    data_added: plainBytes,
    data_added_packed: storedBytes,
    total_files_processed: c.filesDone,
    total_bytes_processed: c.bytesDone,
  };
}

function describe(o: BackupOptions, tree: Id, summary: SnapshotSummary, start: Timestamp): Snapshot {
  return {
    time: o.time ?? start,
    ...(o.parent ? { parent: o.parent.id } : {}),
    tree,
    paths: o.paths,
    hostname: o.hostname,
    username: o.username,
    uid: o.uid,
    gid: o.gid,
    ...(o.excludes?.length ? { excludes: o.excludes } : {}),
    ...(o.tags?.length ? { tags: o.tags } : {}),
    program_version: o.programVersion,
    summary,
  };
}
