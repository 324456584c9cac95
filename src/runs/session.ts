/** The frame around a run's work at a repository: open, lock, load the index, work, unlock, close. */
import { EngineError, isEngineError, messageOf } from '../api/errors.ts';
import type { Destination, StorageFacts } from '../api/model/destination.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import { currentHolder } from '../operations/holder.ts';
import { acquireLock, type HeldLock } from '../repository/locks.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import type { RunDiary } from './diary.ts';
import type { Limits, RunPorts } from './ports.ts';
import { orLeave } from './stop.ts';

/** What was learnt of a destination; null: nothing new. */
export interface Seen {
  usedBytes: number | null;
  facts: StorageFacts | null;
  /** As a service tells it. */
  space: { readonly free: number; readonly total: number } | null;
}

/** What every kind of run works with. */
export interface RunContext {
  readonly ports: RunPorts;
  readonly diary: RunDiary;
  readonly destination: Destination;
  /** Aborts with a reason of stop.ts. */
  readonly signal: AbortSignal;
  /** What was learnt of the destinations that answered, by their ids. */
  readonly seen: Map<string, Seen>;
}

export interface OpenRepository {
  readonly repo: Repository;
  /** Aborts with the run's signal, or when the lock is lost. */
  readonly signal: AbortSignal;
  snapshots(): Promise<StoredSnapshot[]>;
  index(): Promise<IndexedRepository>;
}

export interface SessionOptions {
  readonly exclusive: boolean;
  readonly limits: Limits;
  /** Count the bytes of all packs when the work is done; a listing, which takes a while where there are many. */
  readonly measure?: boolean;
  /** The run's own unless told. */
  readonly destination?: Destination;
  /** Nothing but the lock is written: where the storage takes none, the work goes on without. */
  readonly reads?: boolean;
}

/** Another program may need a while; a run that waits longer is tried again later. */
const LOCK_PATIENCE_MS = 10 * 60_000;

/** Of what comes after a cancel, a lock that can't be removed above all; it is tried on and becomes stale at worst. */
const AFTER_CANCEL_MS = 1000;

const OPENING_MS = 250;

/** The slowest that a plan, its destination and the settings for all ask for. */
export function limitsOf(
  ports: Pick<RunPorts, 'settings'>,
  ...parts: readonly { readonly uploadLimit: number | null; readonly downloadLimit: number | null }[]
): Limits {
  const all = [ports.settings(), ...parts];
  const least = (values: readonly (number | null)[]) => {
    const set = values.filter((value) => value !== null);
    return set.length === 0 ? 0 : Math.min(...set);
  };
  return { upload: least(all.map((p) => p.uploadLimit)), download: least(all.map((p) => p.downloadLimit)) };
}

/** Errors: those of opening, 'locked' (which may pass), and whatever `work` throws. */
export async function withRepository<T>(
  context: RunContext,
  o: SessionOptions,
  work: (open: OpenRepository) => Promise<T>,
): Promise<T> {
  const { ports, diary, signal } = context;
  const destination = o.destination ?? context.destination;
  diary.phase('opening', `Opening “${destination.name}”`);
  signal.throwIfAborted();
  const repo = await openUnlessStopped(context, destination, o.limits);
  const seen: Seen = { usedBytes: null, facts: null, space: null };
  context.seen.set(destination.id, seen);
  try {
    const lock = await lockOrNone(context, destination, repo, o);
    try {
      const result = await work(sessionOf(context, repo, lock.signal));
      if (o.measure) seen.usedBytes = await packBytes(repo, lock.signal);
      await askStorage(repo, seen, o.measure === true, lock.signal);
      return result;
    } finally {
      await orLeave(lock.release(), { clock: ports.clock, signal, graceMs: AFTER_CANCEL_MS });
    }
  } finally {
    const closed = repo.close().catch((e: unknown) => {
      diary.warn(`The repository was not closed cleanly: ${messageOf(e)}`);
    });
    await orLeave(closed, { clock: ports.clock, signal, graceMs: AFTER_CANCEL_MS });
  }
}

/** A password is slow to try on purpose, and nothing ends that half-way: a cancel does not wait for it. */
async function openUnlessStopped(
  { ports, diary, signal }: RunContext,
  destination: Destination,
  limits: Limits,
): Promise<Repository> {
  const opening = ports.openRepository(destination, { signal, warn: diary.warn, limits });
  const repo = await orLeave(opening, { clock: ports.clock, signal, graceMs: OPENING_MS });
  if (repo) return repo;
  opening.then((late) => late.close()).catch(() => undefined);
  throw signal.reason;
}

/** What the storage tells of itself; that it does not must not spoil the run. Its facts seldom change. */
async function askStorage(
  { backend }: Repository,
  seen: Seen,
  facts: boolean,
  signal: AbortSignal,
): Promise<void> {
  const space = await backend.space?.({ signal }).catch(() => null);
  if (space && space.free !== null && space.total !== null)
    seen.space = { free: space.free, total: space.total };
  if (facts) seen.facts = (await backend.facts?.({ signal }).catch(() => null)) ?? null;
}

/** What all packs take; null where that could not be found out, which must not spoil the run. */
async function packBytes(repo: Repository, signal: AbortSignal): Promise<number | null> {
  try {
    let sum = 0;
    for await (const { size } of repo.files.list('pack', { signal })) sum += size;
    return sum;
  } catch {
    return null;
  }
}

/**
 * A lock only keeps others from removing what is being read, so that what can't be written to can be read without one, as restic's
 * --no-lock does. A repository that is only read gets none at all.
 */
async function lockOrNone(
  context: RunContext,
  { readOnly }: Destination,
  repo: Repository,
  { exclusive, reads }: SessionOptions,
): Promise<Pick<HeldLock, 'signal' | 'release'>> {
  const none = { signal: context.signal, release: async () => {} };
  if (readOnly) return none;
  try {
    return await lockFor(context, repo, exclusive);
  } catch (e) {
    if (!reads || !isEngineError(e, 'read-only', 'permission', 'no-space')) throw e;
    context.diary.warn(`No lock could be taken, so it goes on without one. ${e.message}`);
    return none;
  }
}

async function lockFor(
  { ports, diary, signal }: RunContext,
  repo: Repository,
  exclusive: boolean,
): Promise<HeldLock> {
  try {
    return await acquireLock(repo.files, {
      exclusive,
      holder: currentHolder(),
      retryForMs: LOCK_PATIENCE_MS,
      signal,
      clock: ports.clock,
      onWait: (e) => {
        diary.warn(`${e.message} Waiting for it to be released.`);
        diary.phase('waiting-for-lock', 'Waiting for another program to release the repository');
      },
      onTrouble: diary.warn,
    });
  } catch (e) {
    if (!isEngineError(e, 'locked')) throw e;
    const hint = e.hint === undefined ? {} : { hint: e.hint };
    throw new EngineError(
      'locked',
      e.message,
      { transient: true, ...hint, context: e.context },
      { cause: e },
    );
  }
}

function sessionOf({ diary }: RunContext, repo: Repository, signal: AbortSignal): OpenRepository {
  const onDamaged = (what: string) => (id: Id, e: EngineError) =>
    diary.warn(`The ${what} ${id.slice(0, 8)} can't be read and is left out: ${e.message}`);
  return {
    repo,
    signal,
    snapshots: () => repo.snapshots({ signal, onDamaged: onDamaged('snapshot') }),
    index: () => repo.loadIndex({ signal, onDamaged: onDamaged('index') }),
  };
}
