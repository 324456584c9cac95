/** Versions of one destination brought to another. */
import { EngineError } from '../api/errors.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Report } from '../api/model/run.ts';
import { copySnapshots, sharesChunks } from '../operations/copy.ts';
import { resolvePrefix } from '../repository/snapshot-filter.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';

type CopyReport = Extract<Report, { kind: 'copy' }>;

/** `versionIds` empty: all. Errors: 'snapshot-missing', 'ambiguous', 'damaged', those of both repositories. */
export async function runCopy(
  context: RunContext,
  to: Destination,
  versionIds: readonly string[],
): Promise<CopyReport> {
  const { ports, destination } = context;
  if (to.repositoryId === destination.repositoryId) {
    throw new EngineError('usage', `“${destination.name}” and “${to.name}” are one and the same repository.`);
  }
  const limits = limitsOf(ports, destination, to);
  return withRepository(context, { exclusive: false, limits, reads: true }, (source) =>
    withRepository(context, { exclusive: false, limits, measure: true, destination: to }, (target) =>
      copyBetween(context, source, target, versionIds),
    ),
  );
}

async function copyBetween(
  { diary }: RunContext,
  source: OpenRepository,
  target: OpenRepository,
  versionIds: readonly string[],
): Promise<CopyReport> {
  diary.phase('reading-index', 'Reading both indexes');
  const all = await source.snapshots();
  const wanted = versionIds.length === 0 ? all : versionIds.map((id) => resolvePrefix(all, id));
  const [from, to] = [await source.index(), await target.index()];
  if (!sharesChunks(from, to)) {
    diary.warn('The two repositories cut files at different places, so what both hold takes space twice.');
  }
  const counters = { packsDone: 0, packsTotal: 0 };
  let copied = 0;
  let bytes = 0;
  diary.show(() => ({
    phaseCode: 'copying',
    phase: `Copying versions (${copied} of ${wanted.length})`,
    filesDone: counters.packsDone,
    filesTotal: counters.packsTotal,
    bytesDone: bytes,
    bytesTotal: null,
    current: [],
  }));
  // Both locks are watched: whichever is lost ends the work.
  const signal = AbortSignal.any([source.signal, target.signal]);
  await copySnapshots(from, to, [...new Set(wanted)], {
    signal,
    counters,
    onCounted: (_, needed) => {
      bytes += needed.bytes;
    },
    onSaved: (snapshot, id) => {
      copied++;
      diary.info(`The version ${snapshot.id.slice(0, 8)} is there as ${id.slice(0, 8)}.`);
    },
    onSkipped: (snapshot) => diary.info(`The version ${snapshot.id.slice(0, 8)} is there already.`),
  });
  return { kind: 'copy', versionsCopied: copied, bytesCopied: bytes };
}
