/**
 * Cleaning up a destination: versions that the plans' retention lets go are forgotten, then the space is freed.
 *
 * Only versions of this computer that name a plan which still backs up to this destination are ever forgotten. Versions
 * of other computers, of other programs, and of plans that were removed stay.
 */
import type { Report } from '../api/model/run.ts';
import type { StoredSnapshot } from '../format/types.ts';
import { applyForget, planForget } from '../operations/forget.ts';
import {
  applyPrune,
  newPruneCounters,
  type PruneCounters,
  type PrunePhase,
  planPrune,
} from '../operations/prune.ts';
import type { Sample } from './progress.ts';
import { limitsOf, type OpenRepository, type RunContext, withRepository } from './session.ts';
import { commandOfSnapshot, planOfSnapshot } from './tags.ts';

type CleanUpReport = Extract<Report, { kind: 'cleanup' }>;

const PHASES: Readonly<Record<PrunePhase, Pick<Sample, 'phase' | 'phaseCode'>>> = {
  snapshots: { phaseCode: 'finding-used', phase: 'Finding the data that is still in use' },
  unreferenced: { phaseCode: 'removing-leftovers', phase: 'Removing leftovers' },
  repack: { phaseCode: 'repacking', phase: 'Repacking data that is still in use' },
  index: { phaseCode: 'writing-index', phase: 'Writing the index anew' },
  packs: { phaseCode: 'removing-unused', phase: 'Removing data that is in use no more' },
};

/** Errors: 'damaged' where it can't be known what is needed, 'locked', the repository's. */
export async function runCleanUp(context: RunContext): Promise<CleanUpReport> {
  const { ports, destination, diary } = context;
  const o = { exclusive: true, limits: limitsOf(ports, destination), measure: true };
  return withRepository(context, o, async (open) => {
    diary.phase('choosing-versions', 'Deciding which versions to keep');
    const snapshots = await open.snapshots();
    const remove = expired(context, snapshots);
    const forgotten = await forget(context, open, remove);
    const bytesFreed = await prune(context, open);
    const versionsKept = snapshots.length - forgotten;
    return { kind: 'cleanup', versionsKept, versionsForgotten: forgotten, bytesFreed };
  });
}

/** What the plans' retention lets go. */
export function expired(
  { ports, destination }: Pick<RunContext, 'ports' | 'destination'>,
  snapshots: readonly StoredSnapshot[],
): StoredSnapshot[] {
  const own = snapshots.filter((s) => s.hostname === ports.hostname);
  return ports.store.plans.list().flatMap((plan) => {
    if (!plan.destinations.includes(destination.id)) return [];
    const policy = ports.keepPolicyOf(plan.retention);
    if (!policy) return [];
    const ofPlan = own.filter((s) => planOfSnapshot(s) === plan.id);
    // What each command printed is a line of versions of its own.
    const lines = Object.groupBy(ofPlan, (s) => commandOfSnapshot(s) ?? '/');
    return Object.values(lines).flatMap((line = []) => {
      const groupBy = { host: false, paths: false, tags: false };
      return planForget(line, { policy, groupBy, filtered: true, clock: ports.clock }).remove;
    });
  });
}

async function forget(
  { diary }: RunContext,
  { repo, signal }: OpenRepository,
  remove: readonly StoredSnapshot[],
): Promise<number> {
  diary.info(`Versions to forget: ${remove.length}.`);
  const { removed } = await applyForget(
    repo,
    { groups: [], remove },
    {
      signal,
      onFailed: (id, e) => diary.problem(`version ${id.slice(0, 8)}`, e),
    },
  );
  return removed.length;
}

/** Returns the bytes that became free. */
async function prune({ diary }: RunContext, { repo, signal }: OpenRepository): Promise<number> {
  const counters: PruneCounters = newPruneCounters();
  diary.show(() => ({
    ...PHASES[counters.phase],
    filesDone: counters.done,
    filesTotal: counters.total,
    bytesDone: 0,
    bytesTotal: null,
    current: [],
  }));
  const plan = await planPrune(repo, { signal, counters });
  for (const id of plan.missing) {
    diary.warn(`Pack ${id} is gone, but nothing in it was needed; the index will forget it.`);
  }
  const { keptPacks } = await applyPrune(plan, {
    signal,
    counters,
    onKeptPack: (id, e) => diary.problem(`pack ${id}`, e),
    onNoSpace: () =>
      diary.warn('The disk is too full to repack everything at once, so it is done little by little.'),
  });
  if (keptPacks > 0)
    diary.warn(`Packs that could not be removed, and are tried again next time: ${keptPacks}.`);
  return plan.stats.bytes.remove_total;
}
