/**
 * What most commands begin and end with: open the repository, lock it, load its index, work, unlock, close.
 *
 * shared     others may read and add meanwhile
 * exclusive  nobody else may use the repository: for work that removes or rewrites
 * none       for work that neither reads what others may remove nor writes
 */
import { type EngineError, messageOf } from '../api/errors.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import { identity } from '../fs/platform.ts';
import { acquireLock, type Holder } from '../repository/locks.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import type { CommandContext } from './context.ts';
import type { Access } from './globals.ts';

export interface SessionOptions {
  readonly lock: 'shared' | 'exclusive' | 'none';
  /**
   * The command writes, so that --no-lock does not count. True for an exclusive lock unless said otherwise (a dry
   * run may go without).
   */
  readonly writes?: boolean;
  /** Another repository than the one that the flags name: the source of `copy`. */
  readonly access?: Access;
}

export interface Session {
  readonly repo: Repository;
  /** Aborts when the person stops the command, and when the lock is lost. */
  readonly signal: AbortSignal;
  /** Every snapshot that can be read, oldest first; the person is told of the others. */
  snapshots(): Promise<StoredSnapshot[]>;
}

export interface IndexedSession extends Session {
  readonly indexed: IndexedRepository;
}

/**
 * Runs `work` on the repository that the flags name; unlocks and closes whatever happens.
 * Errors: those of `openRepository`, 'locked', 'lock-lost', and the work's.
 */
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions & { readonly index: true },
  work: (session: IndexedSession) => Promise<T>,
): Promise<T>;
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions & { readonly index?: false },
  work: (session: Session) => Promise<T>,
): Promise<T>;
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions & { readonly index?: boolean },
  work: (session: IndexedSession) => Promise<T>,
): Promise<T> {
  const repo = await context.openRepository(o.access);
  return withOpened(context, repo, o, async (session) => {
    if (o.index !== true) return work(session as IndexedSession);
    return work({ ...session, indexed: await loadIndex(context, repo, session.signal) });
  });
}

/** The same for a repository that is open already. It is closed at the end. */
export async function withOpened<T>(
  context: CommandContext,
  repo: Repository,
  o: Omit<SessionOptions, 'access'>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  try {
    const lock = needsLock(context, o) ? await lockFor(context, repo, o.lock === 'exclusive') : undefined;
    const signal = lock?.signal ?? context.signal;
    try {
      const snapshots = () => repo.snapshots({ signal, onDamaged: reportDamaged(context, 'snapshot') });
      return await work({ repo, signal, snapshots });
    } finally {
      await lock?.release();
    }
  } finally {
    await closeQuietly(context, repo);
  }
}

/** Loads the index; the person is told of index files that can't be read, which hide what they list. */
export function loadIndex(
  context: CommandContext,
  repo: Repository,
  signal: AbortSignal,
): Promise<IndexedRepository> {
  return repo.loadIndex({ signal, onDamaged: reportDamaged(context, 'index') });
}

/** This process, as its locks name it. */
export function lockHolder(): Holder {
  const { hostname, username, uid, gid } = identity();
  return {
    hostname,
    username,
    pid: process.pid,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

function needsLock({ globals }: CommandContext, o: SessionOptions): boolean {
  if (o.lock === 'none') return false;
  return !globals.noLock || (o.writes ?? o.lock === 'exclusive');
}

function lockFor(context: CommandContext, repo: Repository, exclusive: boolean) {
  const { globals, print, signal, clock } = context;
  return acquireLock(repo.files, {
    exclusive,
    holder: lockHolder(),
    retryForMs: globals.retryLockMs,
    clock,
    signal,
    onWait: (e) => print.say(`${e.message} Waiting for it…`),
    onTrouble: print.problem,
  });
}

function reportDamaged({ print }: CommandContext, what: string) {
  return (id: Id, e: EngineError) => {
    print.problem(`The ${what} ${id.slice(0, 8)} can't be read and is left out: ${e.message}`);
  };
}

/** What failed before is what matters; this failure must not hide it. */
async function closeQuietly({ print }: CommandContext, repo: Repository): Promise<void> {
  await repo
    .close()
    .catch((e: unknown) => print.problem(`The repository was not closed cleanly: ${messageOf(e)}`));
}
