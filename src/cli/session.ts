/**
 * The frame around the work of most commands: open the repository, lock it, load its index, work, unlock, close.
 */
import type { EngineError } from '../api/errors.ts';
import { identity } from '../fs/platform.ts';
import { acquireLock, type HeldLock, type Holder } from '../repository/locks.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import type { CommandContext } from './context.ts';

export interface SessionOptions {
  readonly lock: 'shared' | 'exclusive' | 'none';
  /** Lock even where --no-lock is given: for commands that remove or replace what others may be reading. */
  readonly mustLock?: boolean;
  readonly index?: boolean;
  /** For commands that reach a second repository or need other settings; the usual one otherwise. */
  readonly open?: () => Promise<Repository>;
}

export interface Session {
  readonly repo: Repository;
  /** Aborts when the person stops the program or the lock is lost. */
  readonly signal: AbortSignal;
}

export interface IndexedSession extends Session {
  readonly indexed: IndexedRepository;
}

/** Errors: those of opening, 'locked', those of the index, and whatever `work` throws. */
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions & { readonly index: true },
  work: (session: IndexedSession) => Promise<T>,
): Promise<T>;
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T>;
export async function withRepository<T>(
  context: CommandContext,
  o: SessionOptions,
  work: (session: IndexedSession) => Promise<T>,
): Promise<T> {
  const repo = await (o.open ?? context.openRepository)();
  try {
    const lock = await lockFor(context, repo, o);
    try {
      const signal = lock?.signal ?? context.signal;
      // Without `index` the overloads hide the property.
      const indexed = o.index ? await repo.loadIndex({ signal }) : undefined;
      return await work({ repo, signal, indexed: indexed as IndexedRepository });
    } finally {
      await lock?.release();
    }
  } finally {
    await repo.close();
  }
}

async function lockFor(
  context: CommandContext,
  repo: Repository,
  o: SessionOptions,
): Promise<HeldLock | undefined> {
  const { globals, print, signal, clock } = context;
  if (o.lock === 'none' || (globals.noLock && !o.mustLock)) return undefined;
  return acquireLock(repo.files, {
    exclusive: o.lock === 'exclusive',
    holder: currentHolder(),
    retryForMs: globals.retryLockMs,
    signal,
    clock,
    onWait: (e: EngineError) => print.problem(`${e.message} Waiting for it to be released.`),
    onTrouble: print.problem,
  });
}

/** This process, as its locks name it. */
export function currentHolder(): Holder {
  const { hostname, username, uid, gid } = identity();
  const ids = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  return { hostname, username, pid: process.pid, ...ids };
}
