/** Files out of a version, to where they were, into a folder or into an archive. */
import { isAbsolute } from 'node:path';
import { assertNever, EngineError } from '../api/errors.ts';
import type { Report, RestoreRequest } from '../api/model/run.ts';
import type { StoredSnapshot } from '../format/types.ts';

import { archive } from '../operations/archive.ts';
import { findSnapshot } from '../repository/snapshot-filter.ts';
import { refuseTaken } from '../restorer/archive/archive-file.ts';
import type { Overwrite } from '../restorer/options.ts';
import { newRestoreCounters, type RestoreCounters, type RestoreEvents } from '../restorer/progress.ts';
import { restoreTree } from '../restorer/restorer.ts';
import { type ByteString, fromText, toText } from '../util/byte-string.ts';
import type { Sample } from './progress.ts';
import { idle } from './progress.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';
import { commandOfSnapshot } from './tags.ts';
import { WantedPaths } from './wanted-paths.ts';

type RestoreReport = Extract<Report, { kind: 'restore' }>;

/**
 * What could not be restored is a problem of the run. Errors: 'snapshot-missing', 'ambiguous', 'path-missing' where
 * nothing of what was asked for is in the version, 'usage', those of `restoreTree` and `archive`.
 */
export async function runRestore(context: RunContext, request: RestoreRequest): Promise<RestoreReport> {
  const { ports, destination } = context;
  const o = { exclusive: false, limits: limitsOf(ports, destination), reads: true };
  return withRepository(context, o, async (open) => {
    const { snapshot } = findSnapshot(await open.snapshots(), request.versionId);
    const target = targetOf(request, snapshot);
    context.diary.info(`Restoring from the version ${snapshot.id.slice(0, 8)} to ${target}.`);
    const work = {
      context,
      open,
      snapshot,
      request,
      target,
      wanted: new WantedPaths(request.paths, request.exclude),
    };
    return request.target.kind === 'archive'
      ? restoreAsArchive(work, request.target.format)
      : restoreAsFiles(work);
  });
}

interface RestoreWork {
  readonly context: RunContext;
  readonly open: OpenRepository;
  readonly snapshot: StoredSnapshot;
  readonly request: RestoreRequest;
  readonly target: string;
  readonly wanted: WantedPaths;
}

async function restoreAsFiles({
  context: { ports, diary },
  open: { signal, index },
  snapshot,
  request: { conflicts, paths, exclude, verify },
  target,
  wanted,
}: RestoreWork): Promise<RestoreReport> {
  diary.phase('reading-index', 'Reading the index');
  const indexed = await index();
  const counters = newRestoreCounters();
  diary.show(() => sampleOf(counters));
  await restoreTree(indexed, snapshot.tree, {
    target: fromText(target),
    overwrite: overwriteOf(conflicts),
    besideLabel: `restored ${new Date(ports.clock.now()).toISOString().slice(0, 10)}`,
    verify,
    ...(paths.length + exclude.length === 0 ? {} : { select: wanted.select }),
    counters,
    signal,
    events: eventsTo(diary),
  });
  noteUnseen(diary, wanted);
  const left = conflicts === 'skip' ? { filesUnchanged: 0, filesSkipped: counters.filesSkipped } : {};
  return { ...reportOf(counters, target), ...left };
}

/** With `verify` the archive is read back from the disk; that what went in was right, its blobs' names have proven. */
async function restoreAsArchive(
  { context: { diary }, open: { signal, index }, snapshot, request: { verify }, target, wanted }: RestoreWork,
  format: 'zip' | 'tar',
): Promise<RestoreReport> {
  // Before what may take long.
  await refuseTaken(target);
  diary.phase('reading-index', 'Reading the index');
  const indexed = await index();
  const counters = newRestoreCounters();
  let current = '';
  diary.show(() => ({ ...sampleOf(counters), current: current === '' ? [] : [current] }));
  const onItem = (_: unknown, path: ByteString) => {
    current = toText(path);
  };
  const { bytes } = await archive(indexed, snapshot.tree, {
    path: target,
    format,
    select: wanted.select,
    counters,
    signal,
    verify,
    events: { ...eventsTo(diary), onItem },
    onAdded: () => noteUnseen(diary, wanted),
    onVerify: (done, total) =>
      diary.show(() => ({
        ...idle('reading-back', 'Reading the archive back'),
        bytesDone: done(),
        bytesTotal: total,
      })),
  });
  diary.info(`The archive has ${bytes} bytes.`);
  return reportOf(counters, target);
}

function eventsTo(diary: RunContext['diary']): RestoreEvents {
  return {
    onError: (path, error) => diary.problem(toText(path), error),
    onWarning: (path, warning) => diary.warn(`${toText(path)}: ${warning.message}`),
  };
}

/** Error: 'path-missing' where nothing of it is there. */
function noteUnseen(diary: RunContext['diary'], wanted: WantedPaths): void {
  for (const { path, error } of wanted.unseen()) diary.problem(path, error);
}

function reportOf(counters: RestoreCounters, target: string): RestoreReport {
  return {
    kind: 'restore',
    filesRestored: counters.filesRestored - counters.foldersRestored,
    filesUnchanged: counters.filesSkipped,
    filesSkipped: 0,
    bytesWritten: counters.bytesWritten,
    target,
  };
}

/** The folder or the archive that a restore writes to; '/' for the original places. Error: 'usage' for what can't be. */
export function targetOf({ target }: RestoreRequest, snapshot: Pick<StoredSnapshot, 'tags'>): string {
  if (target.kind !== 'original') {
    if (isAbsolute(target.path)) return target.path;
    const what = target.kind === 'folder' ? 'folder' : 'file';
    throw new EngineError('usage', `The ${what} ${target.path} is no absolute path.`);
  }
  if (commandOfSnapshot(snapshot) === null) return '/';
  throw new EngineError('usage', 'What a command printed never was in a folder of yours.', {
    hint: 'Choose a folder to restore it to.',
  });
}

function overwriteOf(conflicts: RestoreRequest['conflicts']): Overwrite {
  switch (conflicts) {
    case 'overwrite':
      return 'always';
    case 'skip':
      return 'never';
    case 'keep-both':
      return 'beside';
    default:
      return assertNever(conflicts);
  }
}

function sampleOf(c: RestoreCounters): Sample {
  return {
    phase: 'Restoring',
    phaseCode: 'restoring',
    filesDone: c.filesRestored - c.foldersRestored,
    filesTotal: c.totalsKnown ? c.filesTotal - c.foldersTotal : null,
    bytesDone: c.bytesRestored,
    bytesTotal: c.totalsKnown ? c.bytesTotal : null,
    current: [],
  };
}
