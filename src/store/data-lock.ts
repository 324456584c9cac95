/**
 * One host per data folder. The lock is an exclusive transaction of SQLite on the empty file `host.lock`: the operating
 * system's own lock on that file. It ends with the process, however that ends, so nothing is ever left behind to be judged
 * stale; it works alike on Linux, macOS and Windows, and needs nothing that is not here already. A socket would tell as
 * much only while it answers, and leaves its file behind after a kill; a file with a process id lies once the id is used
 * again. `host.pid` beside it is for the sentence only.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { EngineError, isEngineError } from '../api/errors.ts';
import { translateStoreError } from './errors.ts';

/** Held locks, so that one whose `release` was dropped is not closed by the garbage collector. */
const held = new Set<Database.Database>();

/**
 * Takes the data folder for this process, making it if it is not there, until the returned function is called or the
 * process ends. Errors: 'locked', with the other's process id in `context.pid` where it is known; 'permission', 'no-space' …
 */
export function holdDataFolder(dir: string): () => void {
  try {
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const lock = take(join(dir, 'host.lock'));
    held.add(lock);
    writePid(dir, lock);
    return () => release(dir, lock);
  } catch (e) {
    const fault = translateStoreError(e, dir, 'hold the data folder');
    throw isEngineError(fault, 'locked') ? taken(dir, e) : fault;
  }
}

function take(path: string): Database.Database {
  const lock = new Database(path, { timeout: 0 });
  try {
    // Nothing is ever written, so no journal needs to lie beside it.
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (e) {
    lock.close();
    throw e;
  }
}

function release(dir: string, lock: Database.Database): void {
  if (!held.delete(lock)) return;
  fs.rmSync(pidFile(dir), { force: true });
  lock.close();
}

function pidFile(dir: string): string {
  return join(dir, 'host.pid');
}

function writePid(dir: string, lock: Database.Database): void {
  try {
    fs.writeFileSync(pidFile(dir), `${process.pid}\n`);
  } catch (e) {
    held.delete(lock);
    lock.close();
    throw e;
  }
}

/** undefined where the file is not there yet, or still tells of one that has ended. */
function holderOf(dir: string): number | undefined {
  try {
    const pid = Number(fs.readFileSync(pidFile(dir), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 && lives(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (e) {
    // Another person's process lives, but is not ours to signal.
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
}

function taken(dir: string, cause: unknown): EngineError {
  const pid = holderOf(dir);
  const who = pid === undefined ? 'Another Holdfast' : `Another Holdfast (process ${pid})`;
  return new EngineError(
    'locked',
    `${who} is running with the data folder "${dir}".`,
    {
      hint: 'Use that one, or stop it first.',
      context: { path: dir, ...(pid === undefined ? {} : { pid }) },
    },
    { cause },
  );
}
