/** Files out of a version, to where they were or into a folder. */
import { isAbsolute } from 'node:path';
import { assertNever, EngineError } from '../api/errors.ts';
import type { Report, RestoreRequest } from '../api/model/run.ts';
import type { StoredSnapshot } from '../format/types.ts';

import { findSnapshot } from '../repository/snapshot-filter.ts';
import type { Overwrite, Select } from '../restorer/options.ts';
import { newRestoreCounters, type RestoreCounters } from '../restorer/progress.ts';
import { restoreTree } from '../restorer/restorer.ts';
import { type ByteString, fromText, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';
import { commandOfSnapshot } from './tags.ts';

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
  const unseen = wanted.unseen();
  if (paths.length > 0 && unseen.length === wanted.size) throw notThere(unseen[0]!);
  for (const path of unseen) diary.problem(toText(path), notThere(path));
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

function targetOf({ target }: RestoreRequest, snapshot: StoredSnapshot): string {
  if (target.kind === 'folder') {
    if (isAbsolute(target.path)) return target.path;
    throw new EngineError('usage', `The folder ${target.path} is no absolute path.`);
  }
  if (target.kind === 'archive') throw new EngineError('unsupported', 'Archives are not written yet.');
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

/** Chooses some paths and all that is below them; remembers which of them it has met. */
class WantedPaths {
  readonly #wanted = new Set<ByteString>();
  /** The folders above. */
  readonly #leading = new Set<string>(['/']);
  readonly #seen = new Set<ByteString>();

  constructor(paths: readonly string[]) {
    for (const text of paths) {
      const path = cleanPath(rawByteString(`/${fromText(text)}`));
      this.#wanted.add(path);
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        this.#leading.add(path.slice(0, end));
      }
    }
  }

  readonly select: Select = (path, isFolder) => {
    const selected = this.#isWanted(path);
    return { selected, children: isFolder && (selected || this.#leading.has(path)) };
  };

  /** A path or a folder above it. */
  #isWanted(path: ByteString): boolean {
    if (this.#wanted.has(rawByteString('/'))) return true;
    for (let part = path; part.length > 1; part = rawByteString(part.slice(0, part.lastIndexOf('/')))) {
      if (!this.#wanted.has(part)) continue;
      this.#seen.add(part);
      return true;
    }
    return false;
  }

  get size(): number {
    return this.#wanted.size;
  }

  unseen(): readonly ByteString[] {
    return [...this.#wanted].filter((path) => path !== '/' && !this.#seen.has(path));
  }
}

function notThere(path: ByteString): EngineError {
  return new EngineError('path-missing', `${toText(path)} is not in this version.`);
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
