/** Files out of a version, to where they were or into a folder. */
import { isAbsolute } from 'node:path';
import { assertNever, EngineError } from '../api/errors.ts';
import type { Report, RestoreRequest } from '../api/model/run.ts';
import type { StoredSnapshot } from '../format/types.ts';

import { findSnapshot } from '../repository/snapshot-filter.ts';
import type { Overwrite } from '../restorer/options.ts';
import { newRestoreCounters, type RestoreCounters } from '../restorer/progress.ts';
import { restoreTree } from '../restorer/restorer.ts';
import { fromText, toText } from '../util/byte-string.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';
import { commandOfSnapshot } from './tags.ts';
import { WantedPaths } from './wanted-paths.ts';

type RestoreReport = Extract<Report, { kind: 'restore' }>;

/**
 * What could not be restored is a problem of the run. Errors: 'snapshot-missing', 'ambiguous', 'path-missing' where
 * nothing of what was asked for is in the version, 'usage', those of `restoreTree`.
 */
export async function runRestore(context: RunContext, request: RestoreRequest): Promise<RestoreReport> {
  const { ports, destination } = context;
  const o = { exclusive: false, limits: limitsOf(ports, destination) };
  return withRepository(context, o, async (open) => {
    const { snapshot } = findSnapshot(await open.snapshots(), request.versionId);
    const target = targetOf(request, snapshot);
    if (request.target.kind === 'archive')
      throw new EngineError('unsupported', 'Archives are not written yet.');
    context.diary.info(`Restoring from the version ${snapshot.id.slice(0, 8)} to ${target}.`);
    return restoreInto(context, open, snapshot, request, target);
  });
}

async function restoreInto(
  { ports, diary }: RunContext,
  { signal, index }: OpenRepository,
  snapshot: StoredSnapshot,
  { paths, conflicts, verify }: RestoreRequest,
  target: string,
): Promise<RestoreReport> {
  diary.phase('Reading the index');
  const indexed = await index();
  const counters = newRestoreCounters();
  const wanted = new WantedPaths(paths);
  diary.show(() => sampleOf(counters));
  await restoreTree(indexed, snapshot.tree, {
    target: fromText(target),
    overwrite: overwriteOf(conflicts),
    besideLabel: `restored ${new Date(ports.clock.now()).toISOString().slice(0, 10)}`,
    verify,
    ...(paths.length === 0 ? {} : { select: wanted.select }),
    counters,
    signal,
    events: {
      onError: (path, error) => diary.problem(toText(path), error),
      onWarning: (path, warning) => diary.warn(`${toText(path)}: ${warning.message}`),
    },
  });
  for (const { path, error } of wanted.unseen()) diary.problem(path, error);
  const left = conflicts === 'skip' ? { filesUnchanged: 0, filesSkipped: counters.filesSkipped } : undefined;
  return {
    kind: 'restore',
    filesRestored: counters.filesRestored,
    filesUnchanged: counters.filesSkipped,
    filesSkipped: 0,
    ...left,
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

function sampleOf(c: RestoreCounters) {
  return {
    phase: 'Restoring',
    filesDone: c.filesRestored,
    filesTotal: c.totalsKnown ? c.filesTotal : null,
    bytesDone: c.bytesRestored,
    bytesTotal: c.totalsKnown ? c.bytesTotal : null,
    current: [],
  };
}
