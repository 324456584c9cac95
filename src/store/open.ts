/**
 * Opening the file of the diary, whatever state it is in.
 *
 * whole    SQLite's own check finds nothing wrong, and every table and index is there
 * aside    where a damaged file is moved, with what lies beside it: never deleted, so that a person can still look into it
 * rescue   the newest own backup that is whole takes the place of a damaged file, else a new one
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';
import { translateStoreError } from './errors.ts';
import { expectOurs, migrate } from './migrations.ts';
import { DATABASE_FILES, ownBackups, removeDatabase } from './own-backups.ts';

export const IN_MEMORY = ':memory:';

export interface OpenOptions {
  readonly clock: Clock;
  /** Hears, in sentences for a person, of what had to be given up. */
  readonly onProblem: (sentence: string) => void;
  /** The folder of the own backups. */
  readonly backups: string;
  /** How long to wait for another program that has the file locked. */
  readonly busyTimeoutMs: number;
}

/**
 * A connection to the database at `path`, at the newest version, in WAL mode. Makes file and folder if they are not there.
 * Errors: 'unsupported' (a newer Holdfast's, or another program's), 'locked', 'permission', 'read-only', 'no-space', 'io'.
 */
export function openDatabase(path: string, o: OpenOptions): Database.Database {
  if (path === IN_MEMORY) return openWhole(path, o);
  const emptied = isEmptied(path, o);
  makeFile(path);
  try {
    if (!emptied) return openWhole(path, o);
  } catch (e) {
    if (!isEngineError(e, 'damaged')) throw e;
  }
  rescue(path, o);
  return openWhole(path, o);
}

/** A file without a byte is a new one, unless backups say that there was more. */
function isEmptied(path: string, o: OpenOptions): boolean {
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size;
  return size === 0 && ownBackups(o.backups, o.clock.now()).length > 0;
}

/** What people back up, and where, is nobody else's business: the file is for its owner alone. */
function makeFile(path: string): void {
  try {
    fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!fs.existsSync(path)) fs.closeSync(fs.openSync(path, 'a', 0o600));
  } catch (e) {
    throw translateStoreError(e, path, 'make the diary');
  }
}

function openWhole(path: string, o: Pick<OpenOptions, 'busyTimeoutMs'>): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: o.busyTimeoutMs });
    expectOurs(db, path);
    expectWhole(db, path);
    db.pragma('journal_mode = WAL');
    // The log of a long backup's problems need not stay on the disk at its largest.
    db.pragma('journal_size_limit = 16777216');
    migrate(db);
    expectComplete(db, path);
    return db;
  } catch (e) {
    const fault = translateStoreError(e, path, 'open the diary');
    closeQuietly(db);
    throw fault;
  }
}

/** Closing a damaged database can fail in turn; the first fault is the one to tell. */
function closeQuietly(db: Database.Database | undefined): void {
  try {
    db?.close();
  } catch {}
}

function expectWhole(db: Database.Database, path: string): void {
  const verdict = String(db.pragma('integrity_check(1)', { simple: true }));
  if (verdict !== 'ok') throw damaged(path, verdict);
}

/** The check of the file's structure does not miss a table or an index that is simply not there. */
function expectComplete(db: Database.Database, path: string): void {
  const model = new Database(IN_MEMORY);
  migrate(model);
  const there = new Set(schemaNames(db));
  const missing = schemaNames(model).filter((name) => !there.has(name));
  model.close();
  if (missing.length > 0) throw damaged(path, `without ${missing.join(', ')}`);
}

function schemaNames(db: Database.Database): readonly string[] {
  return db.prepare<[], string>('SELECT name FROM sqlite_schema').pluck().all();
}

function damaged(path: string, how: string): EngineError {
  return new EngineError('damaged', `The diary "${path}" is damaged (${how}).`, { context: { path } });
}

/** Puts the newest whole backup, or nothing, in the place of the damaged file, and tells. */
function rescue(path: string, o: OpenOptions): void {
  try {
    const replacement = `${path}.partial`;
    const taken = ownBackups(o.backups, o.clock.now()).find((copy) => takeIfWhole(copy, replacement, o));
    const aside = setAside(path, o.clock.now());
    if (taken !== undefined) fs.renameSync(replacement, path);
    o.onProblem(
      `Holdfast's diary was damaged and has been set aside as "${aside}". ${whatNow(taken)} Your backups are not affected.`,
    );
  } catch (e) {
    throw translateStoreError(e, path, 'replace the damaged diary');
  }
}

function whatNow(taken: string | undefined): string {
  if (taken === undefined)
    return 'There was no whole copy, so a new one was begun: add your destinations again, and plans and history come back.';
  const [, year, month, day] = /(\d{4})(\d\d)(\d\d)\.db$/.exec(taken) ?? [];
  return `Its copy of ${year}-${month}-${day} was taken instead: what happened later is missing from the list of runs.`;
}

/** Copies the backup to `replacement`; leaves nothing there if it is not whole or can't be read. */
function takeIfWhole(copy: string, replacement: string, o: OpenOptions): boolean {
  removeDatabase(replacement);
  try {
    fs.copyFileSync(copy, replacement);
    fs.chmodSync(replacement, 0o600);
    openWhole(replacement, o).close();
    return true;
  } catch (e) {
    removeDatabase(replacement);
    if (isEngineError(translateStoreError(e, copy, 'take'), 'no-space')) throw e;
    return false;
  }
}

/** The main file goes last: stopped half-way, the next start still finds it and begins again. */
function setAside(path: string, now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const stem = join(dirname(path), `${basename(path, '.db')}-damaged-${time}`);
  let aside = `${stem}.db`;
  for (let n = 2; fs.existsSync(aside); n++) aside = `${stem}-${n}.db`;
  for (const end of DATABASE_FILES.toReversed())
    if (fs.existsSync(path + end)) fs.renameSync(path + end, aside + end);
  return aside;
}
