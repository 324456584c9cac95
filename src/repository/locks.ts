/**
 * Locks: a small file tells others that a process works here. Many shared locks may stand side by side; an
 * exclusive one stands alone.
 *
 * refresh   every 5 minutes the file is written anew under another name and the old one removed
 * stale     older than 30 minutes, of a process of this host that no longer lives, or given up by this very process
 * given up  its work has ended, but it could not be removed: the disk was pulled out, say
 * lost      not refreshed for longer than it takes to be near stale: the work is aborted before it can do harm
 *
 * Source: restic's `doc/design.rst` ("Locks").
 */
import { EngineError, isEngineError, messageOf } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { parseLock, serializeLock } from '../format/lock.ts';
import { fromEpochNs, toEpochNs } from '../format/time.ts';
import type { Id, Lock } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { SealedFiles } from './sealed-files.ts';

export const REFRESH_MS = 5 * 60_000;
export const STALE_MS = 30 * 60_000;
/** A refresh that comes later than this is too late, with a margin for clocks that differ. */
const LOST_MS = STALE_MS - 1.5 * REFRESH_MS;
/** Where listings lag, others may need this long to see our lock. */
const SETTLE_MS = 200;
const RETRY_MS = { first: 5_000, most: 60_000 };

/** Locks that this process has given up. It goes on living, so that by its number they would pass for held. */
const givenUp = new Set<Id>();

/** Who holds a lock. */
export interface Holder {
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface LockOptions extends CallOptions {
  readonly exclusive: boolean;
  readonly holder: Holder;
  /** Keep trying for this long; 0: fail at once. */
  readonly retryForMs?: number;
  readonly clock?: Clock;
  /** Told once when waiting begins. */
  readonly onWait?: (error: EngineError) => void;
  /** Told of refreshes that failed. */
  readonly onTrouble?: (sentence: string) => void;
  /** Is a process of this host alive? Injectable for tests. */
  readonly isAlive?: (pid: number) => boolean;
}

export interface StoredLock extends Lock {
  readonly id: Id;
}

/** A lock that is held. Its signal aborts, with the reason, when the lock is lost or the caller's signal aborts. */
export class HeldLock {
  readonly signal: AbortSignal;
  readonly #files: SealedFiles;
  readonly #o: LockOptions;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  readonly #end = new AbortController();
  readonly #refreshing: Promise<void>;
  #id: Id;
  #refreshedAt: number;

  constructor(files: SealedFiles, id: Id, o: LockOptions) {
    this.#files = files;
    this.#id = id;
    this.#o = o;
    this.#clock = o.clock ?? systemClock;
    this.#refreshedAt = this.#clock.now();
    this.signal = o.signal ? AbortSignal.any([o.signal, this.#lost.signal]) : this.#lost.signal;
    this.#refreshing = this.#keepFresh();
  }

  get id(): Id {
    return this.#id;
  }

  /** Removes the lock. Never throws: a lock that stays behind is stale. */
  async release(): Promise<void> {
    this.#end.abort();
    await this.#refreshing;
    try {
      await this.#files.remove('lock', this.#id);
    } catch (e) {
      givenUp.add(this.#id);
      this.#o.onTrouble?.(`The lock could not be removed: ${messageOf(e)}`);
    }
  }

  async #keepFresh(): Promise<void> {
    while (!this.#end.signal.aborted && !this.signal.aborted) {
      try {
        await this.#clock.sleep(REFRESH_MS, this.#end.signal);
      } catch {
        return;
      }
      await this.#refresh();
    }
  }

  async #refresh(): Promise<void> {
    // After a sleep of the whole machine the lock may long have been taken for stale and removed.
    const late = this.#clock.now() - this.#refreshedAt > LOST_MS;
    try {
      if (late && !(await this.#stillThere())) return this.#lose();
      const id = await writeLock(this.#files, this.#o, this.#clock);
      const old = this.#id;
      this.#id = id;
      this.#refreshedAt = this.#clock.now();
      givenUp.add(old);
      await this.#files.remove('lock', old);
      givenUp.delete(old);
    } catch (e) {
      this.#o.onTrouble?.(`The lock could not be refreshed: ${messageOf(e)}`);
      if (this.#clock.now() - this.#refreshedAt > LOST_MS) this.#lose();
    }
  }

  async #stillThere(): Promise<boolean> {
    try {
      await this.#files.backend.stat({ type: 'lock', name: this.#id });
      return true;
    } catch (e) {
      if (isEngineError(e, 'not-found')) return false;
      throw e;
    }
  }

  #lose(): void {
    this.#lost.abort(
      new EngineError('lock-lost', 'The lock on the repository could not be kept, so the work was stopped.', {
        hint: 'Run it again; what was stored already is used.',
        context: { reason: 'lock-lost' },
      }),
    );
  }
}

/**
 * Takes a lock. Errors: 'locked' with the holder in its sentence; the backend's; the signal's reason.
 */
export async function acquireLock(files: SealedFiles, o: LockOptions): Promise<HeldLock> {
  const clock = o.clock ?? systemClock;
  const deadline = clock.now() + (o.retryForMs ?? 0);
  for (let wait = RETRY_MS.first, first = true; ; wait = Math.min(wait * 2, RETRY_MS.most), first = false) {
    try {
      return await tryLock(files, o, clock);
    } catch (e) {
      const left = deadline - clock.now();
      if (!isEngineError(e, 'locked') || left <= 0) throw e;
      if (first) o.onWait?.(e);
      await clock.sleep(Math.min(wait, left), o.signal);
    }
  }
}

async function tryLock(files: SealedFiles, o: LockOptions, clock: Clock): Promise<HeldLock> {
  o.signal?.throwIfAborted();
  await refuseIfLocked(files, o, clock, undefined);
  const id = await writeLock(files, o, clock);
  try {
    // Of two that come at once, at least the later to list sees the other's lock.
    if (files.backend.traits.listLag) await clock.sleep(SETTLE_MS, o.signal);
    await refuseIfLocked(files, o, clock, id);
  } catch (e) {
    await files.remove('lock', id);
    throw e;
  }
  return new HeldLock(files, id, o);
}

function writeLock(files: SealedFiles, o: LockOptions, clock: Clock): Promise<Id> {
  const time = fromEpochNs(BigInt(clock.now()) * 1_000_000n);
  const content = serializeLock({ time, exclusive: o.exclusive, ...o.holder });
  return files.save('lock', content, { fromReserve: true });
}

async function refuseIfLocked(
  files: SealedFiles,
  o: LockOptions,
  clock: Clock,
  own: Id | undefined,
): Promise<void> {
  for await (const lock of listLocks(files, o)) {
    if (lock.id === own || (lock.ok && isStale(lock, clock, o))) continue;
    if (!lock.ok || lock.exclusive || o.exclusive) throw lockedBy(lock);
  }
}

type ListedLock = (StoredLock & { readonly ok: true }) | { readonly id: Id; readonly ok: false };

/** Every lock; one that cannot be read is listed as such. One that vanishes meanwhile is not. */
export async function* listLocks(files: SealedFiles, o?: CallOptions): AsyncIterable<ListedLock> {
  for (const id of await files.ids('lock', o)) {
    try {
      yield { ...parseLock(await files.load('lock', id, o)), id, ok: true };
    } catch (e) {
      if (isEngineError(e, 'not-found')) continue;
      // A lock that is empty or torn may be one that is just being written elsewhere.
      if (!isEngineError(e, 'damaged')) throw e;
      yield { id, ok: false };
    }
  }
}

export interface StaleOptions {
  readonly holder: Holder;
  readonly isAlive?: (pid: number) => boolean;
}

export function isStale(lock: StoredLock, clock: Clock, o: StaleOptions): boolean {
  if (givenUp.has(lock.id)) return true;
  const age = clock.now() - Number(toEpochNs(lock.time) / 1_000_000n);
  if (age > STALE_MS) return true;
  if (lock.hostname !== o.holder.hostname) return false;
  return !(o.isAlive ?? isProcessAlive)(lock.pid);
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    // EPERM: it lives, and belongs to somebody else.
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lockedBy(lock: ListedLock): EngineError {
  if (!lock.ok) {
    return new EngineError(
      'locked',
      `The repository has a lock that can't be read (${lock.id.slice(0, 8)}).`,
      {
        hint: 'If nothing else uses the repository, run "unlock --remove-all".',
        context: { lock: lock.id },
      },
    );
  }
  const { exclusive, pid, hostname, username, time } = lock;
  return new EngineError(
    'locked',
    `The repository is locked ${exclusive ? 'exclusively ' : ''}by PID ${pid} on ${hostname} (${username}), since ${time}.`,
    {
      hint: 'Wait until that has ended, or try again with --retry-lock. A dead lock goes with "unlock".',
      context: { lock: lock.id, pid, hostname },
    },
  );
}

/** Removes stale locks, or all of them; returns how many. */
export async function removeLocks(files: SealedFiles, o: RemoveLocksOptions): Promise<number> {
  let removed = 0;
  for await (const lock of listLocks(files, o)) {
    if (!o.all && !(lock.ok && isStale(lock, o.clock ?? systemClock, o))) continue;
    await files.remove('lock', lock.id, o);
    removed++;
  }
  return removed;
}

export interface RemoveLocksOptions extends StaleOptions, CallOptions {
  readonly all: boolean;
  readonly clock?: Clock;
}
