/** A plan's backup to one destination. */
import { type EngineError, isEngineError } from '../api/errors.ts';
import type { Plan, Source } from '../api/model/plan.ts';
import type { Report } from '../api/model/run.ts';
import type { Selection } from '../archiver/archiver.ts';
import { createSelector } from '../archiver/exclude.ts';
import { type BackupCounters, newCounters } from '../archiver/progress.ts';
import { buildRoots } from '../archiver/roots.ts';
import { streamPath } from '../archiver/stream.ts';
import { collectTargets, snapshotPaths } from '../archiver/targets.ts';
import { fromEpochNs } from '../format/time.ts';
import type { SnapshotSummary } from '../format/types.ts';
import { identity } from '../fs/platform.ts';
import { groupName, userName } from '../fs/users.ts';
import { adoptFromDead } from '../operations/adopt-packs.ts';
import { type BackupOptions, backup } from '../operations/backup.ts';
import { currentHolder } from '../operations/holder.ts';
import { findParent } from '../operations/parent.ts';
import { DEFAULT_GROUP_BY } from '../repository/grouping.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, fromText, rawByteString, toText } from '../util/byte-string.ts';
import { startProcess, withoutSecrets } from './process.ts';
import type { Sample } from './progress.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';
import { tagsOf } from './tags.ts';

type BackupReport = Extract<Report, { kind: 'backup' }>;
type CommandSource = Extract<Source, { kind: 'command' }>;

/** Errors: those of `backup` and of the repository; 'source-missing' where nothing of the plan is there. */
export async function runBackup(context: RunContext, plan: Plan): Promise<BackupReport> {
  const { ports, destination } = context;
  const limits = limitsOf(ports, destination, plan.options);
  return withRepository(
    context,
    { exclusive: false, limits, measure: destination.usedBytes === null },
    async (open) => {
      context.diary.phase('reading-index', 'Reading the index');
      const indexed = await open.index();
      await adoptLeftovers(context, open, indexed);
      return new PlanBackup(context, plan, open, indexed).run();
    },
  );
}

async function adoptLeftovers(
  { ports, diary }: RunContext,
  { signal }: OpenRepository,
  indexed: IndexedRepository,
): Promise<void> {
  const packs = await adoptFromDead(indexed, { holder: currentHolder(), clock: ports.clock, signal });
  if (packs > 0) diary.info(`An earlier backup was cut off; what it had stored (packs: ${packs}) is used.`);
}

class PlanBackup {
  readonly #context: RunContext;
  readonly #plan: Plan;
  readonly #open: OpenRepository;
  readonly #indexed: IndexedRepository;
  readonly #counters = newCounters();
  #report: BackupReport = {
    kind: 'backup',
    snapshotId: null,
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    bytesProcessed: 0,
    bytesAdded: 0,
    bytesStored: 0,
  };

  constructor(context: RunContext, plan: Plan, open: OpenRepository, indexed: IndexedRepository) {
    this.#context = context;
    this.#plan = plan;
    this.#open = open;
    this.#indexed = indexed;
  }

  async run(): Promise<BackupReport> {
    const { sources } = this.#plan;
    const paths = sources.filter((s) => s.kind === 'path').map((s) => fromText(s.path));
    const commands = sources.filter((s) => s.kind === 'command');
    if (paths.length > 0) await this.#backUpPaths(paths);
    let failure: unknown;
    for (const source of commands) failure ??= await this.#tryCommand(source);
    // What a command could not give is a problem of a backup, unless it was all there is.
    if (failure !== undefined && this.#report.snapshotId === null) throw failure;
    return this.#report;
  }

  // ---- files and folders

  async #backUpPaths(paths: readonly ByteString[]): Promise<void> {
    const { diary, ports } = this.#context;
    const cwd = rawByteString('/');
    const { targets, missing } = collectTargets({ paths, cwd });
    for (const { path, error } of missing) diary.problem(toText(path), error);
    const roots = buildRoots(targets, cwd);
    const all = missing.length === 0 ? roots : buildRoots([...targets, ...missing.map((m) => m.path)], cwd);
    const names = snapshotPaths(targets, cwd);
    const parent = await this.#parentOf(names);
    diary.info(
      parent
        ? `Compared with the version ${parent.id.slice(0, 8)}: files that are as they were then are not read again.`
        : 'There is no earlier version: all files are read.',
    );
    await this.#store({
      source: { roots },
      selection: this.#selection(targets),
      paths: names,
      parent,
      expected: { roots: all, last: parent },
      tags: tagsOf(this.#plan),
      scan: true,
      time: timestampOf(ports.clock.now()),
    });
  }

  async #parentOf(paths: readonly string[]) {
    const { hostname, clock } = this.#context.ports;
    const time = timestampOf(clock.now());
    return findParent(await this.#open.snapshots(), {
      by: DEFAULT_GROUP_BY,
      hostname,
      paths,
      tags: [],
      time,
    });
  }

  /** The plan's rules, and what would change while it is read: the repository itself and Holdfast's own folders. */
  #selection(targets: readonly ByteString[]): Selection {
    const { ports, diary } = this.#context;
    const { location } = this.#open.repo.backend;
    const folders = [...ports.ownFolders, ...(location.startsWith('/') ? [location] : [])];
    const own = createSelector({ ownFolders: folders.map(fromText), targets });
    const rules = ports.selectionOf(this.#plan, diary.warn);
    return {
      byName: (path) => own.byName(path) ?? rules.byName(path),
      byStat: (path, stat) => own.byStat(path, stat) ?? rules.byStat(path, stat),
    };
  }

  // ---- what commands print

  /** The error, if it failed in a way that lets the others go on. Errors: those that end the run. */
  async #tryCommand(source: CommandSource): Promise<unknown> {
    try {
      await this.#backUpCommand(source);
      return undefined;
    } catch (e) {
      this.#open.signal.throwIfAborted();
      if (!isEngineError(e, 'source-unreadable') && !isFailedCommand(e)) throw e;
      this.#context.diary.problem(`/${source.fileName}`, e);
      return e;
    }
  }

  async #backUpCommand({ fileName, command }: CommandSource): Promise<void> {
    const { ports, diary } = this.#context;
    const { signal } = this.#open;
    diary.info(`Saving what “${command[0]}” prints as ${fileName}.`);
    const process = startProcess(command, false, {
      clock: ports.clock,
      env: { ...withoutSecrets(ports.env), HOLDFAST_PLAN: this.#plan.name, HOLDFAST_RUN_ID: diary.run.id },
      signal,
    });
    const timeMs = ports.clock.now();
    const filename = streamPath(fromText(fileName));
    const { uid = 0, gid = 0 } = identity();
    const owner = { uid, gid, user: userName(uid), group: groupName(gid) };
    try {
      await this.#store({
        source: { stream: process.stdout!, ended: process.ended, filename, timeMs, ...owner },
        selection: { byName: () => undefined, byStat: () => undefined },
        paths: [toText(filename)],
        tags: tagsOf(this.#plan, fileName),
        time: timestampOf(timeMs),
      });
    } finally {
      process.stdout?.destroy();
      const output = process.output();
      if (output !== '') diary.warn(output);
    }
  }

  // ---- common

  async #store(
    o: Pick<
      BackupOptions,
      'source' | 'selection' | 'paths' | 'parent' | 'expected' | 'tags' | 'scan' | 'time'
    >,
  ): Promise<void> {
    const { ports, diary } = this.#context;
    const { username, uid = 0, gid = 0 } = identity();
    const counters = this.#counters;
    diary.show(() => sampleOf(counters));
    const { snapshotId, summary } = await backup(this.#indexed, {
      ...o,
      hostname: ports.hostname,
      username,
      uid,
      gid,
      programVersion: `holdfast ${ports.version}`,
      lowPriority: this.#plan.options.priority === 'low',
      events: {
        onError: (path, error) => diary.problem(toText(path), error),
        onWarning: (path, sentence) => diary.warn(`${toText(path)}: ${sentence}`),
      },
      counters,
      clock: ports.clock,
      signal: this.#open.signal,
    });
    this.#add(snapshotId ?? null, summary);
  }

  /** The counters go on over all snapshots of the run, so the last summary has the sums; the bytes are of each alone. */
  #add(snapshotId: string | null, s: SnapshotSummary): void {
    const { filesNew, filesChanged, filesUnmodified, bytesDone } = this.#counters;
    const before = this.#report;
    if (snapshotId) this.#context.diary.info(`The version ${snapshotId.slice(0, 8)} is complete.`);
    this.#report = {
      kind: 'backup',
      // Of the files, where there are some: that is the version that people look for.
      snapshotId: before.snapshotId ?? snapshotId,
      filesNew,
      filesChanged,
      filesUnmodified,
      bytesProcessed: bytesDone,
      bytesAdded: before.bytesAdded + Number(s.data_added),
      bytesStored: before.bytesStored + Number(s.data_added_packed ?? 0),
    };
  }
}

function isFailedCommand(e: unknown): e is EngineError {
  return isEngineError(e, 'io', 'timeout') && e.context.program !== undefined;
}

function timestampOf(ms: number) {
  return fromEpochNs(BigInt(Math.round(ms)) * 1_000_000n);
}

/** The most names that a screen can show. */
const MOST_CURRENT = 5;

function sampleOf(c: BackupCounters): Sample {
  return {
    phase: 'Backing up',
    phaseCode: 'backing-up',
    filesDone: c.filesDone,
    filesTotal: c.scanned ? Math.max(c.filesTotal, c.filesDone) : null,
    bytesDone: c.bytesDone,
    bytesTotal: c.scanned ? Math.max(c.bytesTotal, c.bytesDone) : null,
    current: [...c.current].slice(0, MOST_CURRENT).map(toText),
  };
}
