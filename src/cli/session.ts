/**
 * The frame around the work of most commands: open the repository, lock it, load its index, work, unlock, close.
 *
 * shared     others may read and add meanwhile
 * exclusive  nobody else may use the repository: for work that removes or replaces
 * none       for work that neither reads what others may remove nor writes
 */
import { type EngineError, messageOf } from '../api/errors.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import { currentHolder } from '../operations/holder.ts';
import { acquireLock, type HeldLock } from '../repository/locks.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import type { CommandContext } from './context.ts';

export interface SessionOptions {
  readonly lock: 'shared' | 'exclusive' | 'none';
  /** Lock even where --no-lock is given: for commands that write, or replace what others may be reading. */
  readonly mustLock?: boolean;
  readonly index?: boolean;
  /** For commands that reach a second repository or need other settings; the usual one otherwise. */
  readonly open?: () => Promise<Repository>;
}

export interface Session {
  readonly repo: Repository;
  /** Aborts when the person stops the program or the lock is lost. */
  readonly signal: AbortSignal;
  /** Every snapshot that can be read, oldest first; the person is told of the others. */
  snapshots(): Promise<StoredSnapshot[]>;
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
      const snapshots = () => repo.snapshots({ signal, onDamaged: reportDamaged(context, 'snapshot') });
      // Without `index` the overloads hide the property.
      const indexed = o.index ? await loadIndex(context, repo, signal) : undefined;
      return await work({ repo, signal, snapshots, indexed: indexed as IndexedRepository });
    } finally {
      await lock?.release();
    }
  } finally {
    await closeQuietly(context, repo);
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

/** The person is told of index files that can't be read: what they list seems to be missing. */
function loadIndex(
  context: CommandContext,
  repo: Repository,
  signal: AbortSignal,
): Promise<IndexedRepository> {
  return repo.loadIndex({ signal, onDamaged: reportDamaged(context, 'index') });
}

function reportDamaged({ print }: CommandContext, what: string) {
  return (id: Id, e: EngineError) => {
    print.problem(`The ${what} ${id.slice(0, 8)} can't be read and is left out: ${e.message}`);
  };
}

/** What failed before is what matters; this failure must not hide it. */
async function closeQuietly({ print }: CommandContext, repo: Repository): Promise<void> {
  await repo.close().catch((e: unknown) => {
    print.problem(`The repository was not closed cleanly: ${messageOf(e)}`);
  });
}
