/**
 * Copies that the diary makes of itself: `holdfast-YYYYMMDD.db`, one a day (UTC) at most, the newest seven. Each is one
 * file that is whole by itself, checked before it counts.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import { translateStoreError } from './errors.ts';

const KEPT = 7;
const NAME = /^holdfast-(\d{8})\.db$/;

function dayOf(at: Instant): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
}

/**
 * Paths of the copies in a folder, the newest first. Those dated after `now` come last: the clock was wrong when they were
 * made, so nobody knows how old they are.
 */
export function ownBackups(folder: string, now: Instant): readonly string[] {
  const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => NAME.test(name)) : [];
  const today = `holdfast-${dayOf(now)}.db`;
  const newest = names.sort().reverse();
  return [...newest.filter((name) => name <= today), ...newest.filter((name) => name > today)].map((name) =>
    join(folder, name),
  );
}

/** Makes today's copy unless it is there, and drops those beyond the seventh. Resolves with whether it made one. */
export async function backUpDaily(
  db: Database.Database,
  folder: string,
  now: Instant,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = join(folder, `holdfast-${dayOf(now)}.db`);
  if (fs.existsSync(path)) return false;
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (e) {
    throw translateStoreError(e, folder, 'make the folder for copies of the diary');
  }
  await copyDatabase(db, path, signal);
  for (const old of ownBackups(folder, now).slice(KEPT)) fs.rmSync(old, { force: true });
  return true;
}

/** Pages that are copied before others get their turn: some milliseconds' worth. */
const PAGES_AT_ONCE = 500;

/**
 * Copies a database to one file, whole even while it is written to; what is at `path` is replaced by a whole copy or not
 * at all. Errors: 'damaged' if the copy does not pass SQLite's integrity check, 'cancelled', 'no-space', 'permission' …
 */
export async function copyDatabase(db: Database.Database, path: string, signal?: AbortSignal): Promise<void> {
  const partial = `${path}.partial`;
  try {
    signal?.throwIfAborted();
    fs.rmSync(partial, { force: true });
    // Only the owner may read it, and SQLite leaves the rights of a file that is there as they are.
    fs.closeSync(fs.openSync(partial, 'wx', 0o600));
    await db.backup(partial, {
      progress: () => {
        signal?.throwIfAborted();
        return PAGES_AT_ONCE;
      },
    });
    seal(partial);
    fs.renameSync(partial, path);
  } catch (e) {
    removeDatabase(partial);
    if (signal?.aborted) throw cancelled(path, signal);
    const fault = translateStoreError(e, path, 'copy the diary to');
    throw isEngineError(fault, 'damaged') ? damaged(path, fault) : fault;
  }
}

function cancelled(path: string, signal: AbortSignal): EngineError {
  if (signal.reason instanceof EngineError) return signal.reason;
  return new EngineError(
    'cancelled',
    `The copy of the diary to "${path}" was stopped.`,
    {},
    { cause: signal.reason },
  );
}

/** Makes a copy independent of files beside it, and checks it. */
function seal(path: string): void {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = DELETE');
    const verdict = String(db.pragma('integrity_check(1)', { simple: true }));
    if (verdict !== 'ok') throw new EngineError('damaged', verdict);
  } finally {
    db.close();
  }
}

/** What is wrong with a copy that was just made is wrong with the diary. */
function damaged(path: string, cause: EngineError): EngineError {
  return new EngineError(
    'damaged',
    'A copy of the diary was not kept, since the diary is damaged.',
    {
      hint: 'Start Holdfast again: it then sets the damaged file aside and takes its newest copy.',
      context: { path, found: cause.message },
    },
    { cause },
  );
}

/** The file, and what SQLite keeps beside it. */
export const DATABASE_FILES = ['', '-wal', '-shm', '-journal'] as const;

export function removeDatabase(path: string): void {
  for (const end of DATABASE_FILES) fs.rmSync(`${path}${end}`, { force: true });
}
