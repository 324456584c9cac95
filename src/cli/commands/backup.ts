import { EngineError, isEngineError } from '../../api/errors.ts';
import { createSelector } from '../../archiver/exclude.ts';
import { newCounters } from '../../archiver/progress.ts';
import { fromEpochNs } from '../../format/time.ts';
import type { StoredSnapshot, Timestamp } from '../../format/types.ts';
import { cacheDirectory, identity } from '../../fs/platform.ts';
import { adoptFromDead } from '../../operations/adopt-packs.ts';
import { type BackupOptions, type BackupResult, backup } from '../../operations/backup.ts';
import { currentHolder } from '../../operations/holder.ts';
import { findParent } from '../../operations/parent.ts';
import { DEFAULT_GROUP_BY, parseGroupBy } from '../../repository/grouping.ts';
import type { Repository } from '../../repository/repository.ts';
import { parseTagList } from '../../repository/snapshot-filter.ts';
import { fromText } from '../../util/byte-string.ts';
import { type BackupReport, backupReport } from '../backup-report.ts';
import { type FileSource, type StdinSource, sourceOf } from '../backup-source.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext, DefaultRepository } from '../context.ts';
import { defaultHost, setting } from '../environment.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import {
  flag,
  hidden,
  integer,
  list,
  parseInteger,
  size,
  text,
  type ValuesOf,
  value,
  values,
} from '../options.ts';
import { progressInterval } from '../progress.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { shortId } from '../snapshot-table.ts';
import { parseLocalTime } from '../time-format.ts';
import { plural } from '../units.ts';
import { VERSION } from '../version.ts';

const options = {
  allowEmpty: flag(
    '--allow-empty',
    'accept that a source is gone or empty which had files in the last backup',
  ),
  dryRun: flag('-n, --dry-run', 'write nothing, only tell what would be done'),
  exclude: list('-e, --exclude pattern', 'leave out what the pattern matches (can be given several times)'),
  excludeCaches: flag('--exclude-caches', 'leave out the content of folders marked with a CACHEDIR.TAG'),
  excludeFile: list('--exclude-file file', 'leave out what the patterns in the file match'),
  excludeIfPresent: list(
    '--exclude-if-present name[:text]',
    'leave out the content of folders that hold such a file (if it begins with the text)',
  ),
  excludeLargerThan: size('--exclude-larger-than size', 'leave out files above this size, such as 500M'),
  filesFrom: list('--files-from file', 'read patterns of what to back up from a file, or from - (stdin)'),
  filesFromRaw: list('--files-from-raw file', 'read paths, each ended by a NUL, from a file'),
  filesFromVerbatim: list('--files-from-verbatim file', 'read paths, one a line, from a file'),
  force: flag('-f, --force', 'read all files again, without a parent snapshot'),
  groupBy: value(
    '-g, --group-by fields',
    'look for the parent among snapshots of the same host, paths and tags (default: host,paths)',
    parseGroupBy,
    DEFAULT_GROUP_BY,
  ),
  host: text('-H, --host name', 'host name to write into the snapshot'),
  hostname: hidden(text('--hostname name', 'the same as --host')),
  iexclude: list('--iexclude pattern', 'as --exclude, without regard to case'),
  iexcludeFile: list('--iexclude-file file', 'as --exclude-file, without regard to case'),
  ignoreCtime: flag('--ignore-ctime', 'a changed ctime does not make a file read again'),
  ignoreInode: flag('--ignore-inode', 'neither does a changed inode number or ctime'),
  noScan: flag('--no-scan', "don't count ahead what there is to do"),
  oneFileSystem: flag('-x, --one-file-system', "don't cross into other file systems"),
  parent: text('--parent snapshot', 'compare with this snapshot'),
  readConcurrency: integer(
    '--read-concurrency n',
    'read this many large files at once (default: 1, on more than four cores 2)',
  ),
  skipIfUnchanged: flag('--skip-if-unchanged', 'make no snapshot if it would equal its parent'),
  stdin: flag('--stdin', 'back up what comes from standard input'),
  stdinFilename: text('--stdin-filename name', 'name of that file in the snapshot', 'stdin'),
  stdinFromCommand: flag('--stdin-from-command', 'the operands are a command: back up what it prints'),
  tag: values('--tag tag[,tag…]', 'tags for the snapshot (can be given several times)', parseTagList),
  time: value(
    '--time time',
    'time of the backup, such as "2026-01-31 18:30:00" (default: now)',
    parseLocalTime,
  ),
  withAtime: flag('--with-atime', 'store when files were last read'),
};

type Flags = ValuesOf<typeof options>;

export const command = defineCommand({
  usage: '[flags] [file or folder …]',
  description: `Makes a snapshot of files and folders.

Only what is new since earlier snapshots takes space. Files that can't be read are told and left out, and the exit
code is then 3. Where no repository is named, Holdfast makes one in its own data folder.`,
  options,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, flags) {
    const source = await sourceOf(context, operands, flags);
    if (source.kind === 'files') for (const sentence of source.missing) context.print.problem(sentence);
    const named = (await context.location()) !== undefined;
    if (!named && flags.dryRun) await needDefaultRepository(context);
    const result = await withRepository(
      context,
      {
        lock: flags.dryRun ? 'none' : 'shared',
        mustLock: true,
        index: true,
        ...(named ? {} : { open: () => openDefault(context) }),
      },
      (session) => runBackup(context, session, source, flags),
    );
    return exitCode(context, result, source);
  },
});

// ---- the default repository

function openDefault(context: CommandContext): Promise<Repository> {
  return context.openOrCreateDefault((made) => tellOfDefault(context, made));
}

async function needDefaultRepository(context: CommandContext): Promise<void> {
  const host = await context.host();
  if ((await host.findDefaultRepository(context.signal)) !== undefined) return;
  throw new EngineError('usage', 'There is no repository yet, and a dry run makes none.', {
    hint: 'Name one with --repo, or run it without --dry-run.',
  });
}

function tellOfDefault({ globals, json, print }: CommandContext, made: DefaultRepository): void {
  const { location, password } = made;
  if (globals.json) {
    void json.write({ message_type: 'initialized', repository: location, recovery_key: password });
    return;
  }
  print.result(`Made a repository for you: ${location}

  Recovery key: ${password}

Write the key down and keep it elsewhere: it opens the repository on any computer, with Holdfast or restic. Without
it, nobody can. It is shown only now; on this computer Holdfast remembers it.

This copy is on the same computer as your files. It protects from mistakes, not from a broken disk, theft or fire:
for that, add a repository on another disk or elsewhere with --repo.

`);
}

// ---- the backup

async function runBackup(
  context: CommandContext,
  session: IndexedSession,
  source: FileSource | StdinSource,
  flags: Flags,
): Promise<BackupResult> {
  if (!flags.dryRun) await adopt(context, session);
  const counters = newCounters();
  const report = backupReport(context, counters);
  const o = await backupOptions(context, session, source, flags, report);
  announce(context, source, o.parent);
  const progress = context.startProgress(report.view);
  let result: BackupResult;
  try {
    result = await backup(session.indexed, { ...o, counters });
  } catch (e) {
    // Exit code 3 says that there is a snapshot; here is none.
    if (!isEngineError(e, 'source-unreadable')) throw e;
    throw new EngineError('io', `${e.message} Nothing was saved.`, {}, { cause: e });
  } finally {
    progress.stop();
  }
  await report.finish(result, flags.dryRun);
  return result;
}

async function adopt(context: CommandContext, session: IndexedSession): Promise<void> {
  const { indexed, signal } = session;
  const packs = await adoptFromDead(indexed, { holder: currentHolder(), clock: context.clock, signal });
  if (packs > 0) context.print.say(`An earlier backup was cut off; ${plural(packs, 'pack')} of it are used.`);
}

async function backupOptions(
  context: CommandContext,
  session: IndexedSession,
  source: FileSource | StdinSource,
  flags: Flags,
  report: BackupReport,
): Promise<BackupOptions> {
  const { env, clock } = context;
  const me = identity();
  const timeMs = flags.time ?? clock.now();
  const hostname = flags.host ?? flags.hostname ?? defaultHost(env) ?? me.hostname;
  const time = fromEpochNs(BigInt(Math.round(timeMs)) * 1_000_000n);
  const last = await lastSnapshot(session, source, flags, hostname, time);
  const ignoreInode = flags.ignoreInode || isTrue(setting(env, 'IGNORE_INODE'));
  const concurrency = readConcurrency(context, flags);
  return {
    ...sourceParts(context, session, source, flags, { timeMs, last }),
    paths: source.paths,
    parent: flags.force ? undefined : last,
    rules: {
      ignoreInode,
      ignoreCtime: ignoreInode || flags.ignoreCtime || isTrue(setting(env, 'IGNORE_CTIME')),
    },
    withAtime: flags.withAtime,
    tags: [...new Set(flags.tag.filter((tag) => tag !== ''))],
    hostname,
    username: me.username,
    uid: me.uid ?? 0,
    gid: me.gid ?? 0,
    excludes: flags.exclude,
    ...(flags.time === undefined ? {} : { time }),
    programVersion: `holdfast ${VERSION}`,
    dryRun: flags.dryRun,
    skipIfUnchanged: flags.skipIfUnchanged,
    scan: !flags.noScan && isWatched(context),
    allowEmpty: flags.allowEmpty,
    ...(concurrency === undefined ? {} : { readConcurrency: concurrency }),
    events: report.events,
    clock,
    signal: session.signal,
  };
}

/** Counting ahead is for those who look: it takes as long as looking at every file once. */
function isWatched({ globals, terminal, env }: CommandContext): boolean {
  const { quiet, json, verbosity } = globals;
  const { canUpdateStatus } = terminal;
  return verbosity >= 2 || progressInterval({ quiet, json, canUpdateStatus, env }) !== undefined;
}

/** With --force it is no parent, but still what the sources are held against. */
async function lastSnapshot(
  session: IndexedSession,
  source: FileSource | StdinSource,
  flags: Flags,
  hostname: string,
  time: Timestamp,
): Promise<StoredSnapshot | undefined> {
  if (source.kind === 'stream') return undefined;
  const query = { by: flags.groupBy, hostname, tags: flags.tag, time };
  const reference = flags.force ? undefined : flags.parent;
  return findParent(await session.snapshots(), { ...query, paths: source.paths, reference });
}

function sourceParts(
  context: CommandContext,
  session: IndexedSession,
  source: FileSource | StdinSource,
  flags: Flags,
  at: { readonly timeMs: number; readonly last: StoredSnapshot | undefined },
): Pick<BackupOptions, 'source' | 'selection' | 'expected'> {
  if (source.kind === 'stream') {
    const selection = { byName: () => undefined, byStat: () => undefined };
    return { source: source.open(at.timeMs, session.signal), selection };
  }
  const { excludeLargerThan, ...rules } = flags;
  const selection = createSelector({
    ...rules,
    ...(excludeLargerThan === undefined ? {} : { excludeLargerThan }),
    targets: source.targets,
    ownFolders: ownFolders(context, session.repo),
    env: context.env,
    onWarning: context.print.problem,
  });
  const expected = { roots: source.wanted, last: at.last };
  return { source: { roots: source.roots }, selection, expected };
}

/** The repository that is being written to and the cache: their content changes while it is read. */
function ownFolders({ globals }: CommandContext, repo: Repository) {
  const { location } = repo.backend;
  const cache = globals.cacheDir === null ? [] : [globals.cacheDir ?? cacheDirectory()];
  return [...(location.startsWith('/') ? [location] : []), ...cache].map(fromText);
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}

function readConcurrency({ env }: CommandContext, flags: Flags): number | undefined {
  const named = setting(env, 'READ_CONCURRENCY');
  const n = flags.readConcurrency ?? (named === undefined ? undefined : parseInteger(named, 0));
  if (n !== undefined && n < 0) throw new EngineError('usage', '--read-concurrency can not be below 0.');
  return n === 0 ? undefined : n;
}

function announce(
  { print }: CommandContext,
  source: FileSource | StdinSource,
  parent: StoredSnapshot | undefined,
): void {
  if (source.kind === 'stream') return print.more('reading from a stream');
  if (parent === undefined) print.say('no parent snapshot: all files are read');
  else print.say(`using parent snapshot ${shortId(parent.id)}`);
}

function exitCode(
  context: CommandContext,
  { errors }: BackupResult,
  source: FileSource | StdinSource,
): ExitCode {
  const missing = source.kind === 'files' ? source.missing.length : 0;
  if (errors === 0 && missing === 0) return EXIT.ok;
  const message = 'Some of the source could not be read: this backup is incomplete.';
  const { globals, print } = context;
  const code = EXIT.incomplete;
  print.problem(globals.json ? JSON.stringify({ message_type: 'exit_error', code, message }) : message);
  return code;
}
