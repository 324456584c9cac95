/** The file of a catalog. It is a cache: one that is damaged, or of another version of Holdfast, is deleted and begun anew. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { EngineError, isEngineError, messageOf } from '../api/errors.ts';

/** To be raised with every change of the tables or of what is written into them (folding, states): older files are dropped. */
const VERSION = 1;
/** "HFct" in the header of the file. */
const APPLICATION_ID = 0x48466374;

/**
 * seq, first, last   numbers of versions; 0 in a span is the line's oldest (first) or newest (last), whichever that is
 * state              of a version: see `VersionState`
 * raw                the name's bytes as characters 0…255, null where they are the same as the folded ones
 *
 * The index over paths leads by name to paths (for the search) and by name and parent to one path (for all else). Spans
 * that end or begin at a version, which are as many as there are changes, are found by it when it goes.
 * `detail=none`: whether a name holds the trigrams in a row is looked up in the name itself, which makes a third of the index.
 */
const SCHEMA = `
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${VERSION};
  CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE lines (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, plan TEXT) STRICT;
  CREATE TABLE versions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    line INTEGER NOT NULL,
    at INTEGER NOT NULL,
    root TEXT NOT NULL,
    state INTEGER NOT NULL,
    older INTEGER,
    newer INTEGER
  ) STRICT;
  CREATE TABLE names (id INTEGER PRIMARY KEY, folded TEXT NOT NULL, raw TEXT) STRICT;
  CREATE INDEX names_folded ON names (folded);
  CREATE VIRTUAL TABLE names_text USING fts5 (
    folded, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
  );
  CREATE TABLE paths (id INTEGER PRIMARY KEY, name INTEGER NOT NULL, parent INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX paths_name ON paths (name, parent);
  CREATE TABLE spans (
    path INTEGER NOT NULL,
    line INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    content INTEGER NOT NULL,
    PRIMARY KEY (path, line, first)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX spans_first ON spans (first) WHERE first <> 0;
  CREATE INDEX spans_last ON spans (last) WHERE last <> 0;
  CREATE TABLE unreadable (tree TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

type Value = string | number | null;
type Row = Readonly<Record<string, Value>>;

/** A fault of the catalog's file, not of the repository. */
export class CatalogError extends EngineError {}

/** A connection: statements prepared once, every error a CatalogError. */
export class CatalogFile {
  readonly path: string;
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement<Value[], Row>>();

  constructor(path: string, db: Database.Database) {
    this.path = path;
    this.#db = db;
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** The number of rows that changed. Errors: 'no-space', 'damaged', 'io'. */
  run(text: string, ...values: readonly Value[]): number {
    return this.#guarded(() => this.#prepared(text).run(...values).changes);
  }

  /** The key of the row that was made; undefined where it was there already and is left alone. */
  insert(text: string, ...values: readonly Value[]): number | undefined {
    return this.#guarded(() => {
      const { changes, lastInsertRowid } = this.#prepared(text).run(...values);
      return changes === 0 ? undefined : Number(lastInsertRowid);
    });
  }

  /** The caller vouches for the columns. */
  row<T>(text: string, ...values: readonly Value[]): T | undefined {
    return this.#guarded(() => this.#prepared(text).get(...values) as unknown as T | undefined);
  }

  rows<T>(text: string, ...values: readonly Value[]): readonly T[] {
    return this.#guarded(() => this.#prepared(text).all(...values) as readonly unknown[] as readonly T[]);
  }

  begin(): void {
    this.run('BEGIN IMMEDIATE');
  }

  /** Nothing to do where SQLite has ended the transaction itself, after an error. */
  commit(): void {
    if (this.inTransaction) this.run('COMMIT');
  }

  rollback(): void {
    if (this.inTransaction) this.run('ROLLBACK');
  }

  /** At most so many pages of 4 KiB: how a test fills the disk. */
  limitPages(pages: number): void {
    this.#db.pragma(`max_page_count = ${pages}`);
  }

  /** Closing a damaged file may fail; the first fault is the one to tell. */
  close(): void {
    try {
      this.#db.close();
    } catch {}
  }

  #prepared(text: string): Database.Statement<Value[], Row> {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = this.#db.prepare<Value[], Row>(text);
    this.#statements.set(text, made);
    return made;
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (e) {
      throw translated(e, this.path);
    }
  }
}

/** Opens the catalog at `path`, or makes it. Errors: 'no-space', 'permission', 'io'. */
export function openCatalogFile(path: string): CatalogFile {
  try {
    return tryToOpen(path);
  } catch (e) {
    if (!isEngineError(e, 'damaged')) throw e;
  }
  removeCatalogFile(path);
  return tryToOpen(path);
}

/** The file and what SQLite lays beside it. Errors: 'permission', 'io'. */
export function removeCatalogFile(path: string): void {
  try {
    for (const end of ['', '-wal', '-shm']) fs.rmSync(path + end, { force: true });
  } catch (e) {
    throw translated(e, path);
  }
}

function tryToOpen(path: string): CatalogFile {
  let db: Database.Database | undefined;
  try {
    makeFile(path);
    db = new Database(path, { timeout: 1000 });
    db.pragma('journal_mode = WAL');
    // Whole after a power cut, if older; the write-ahead log goes to the disk when it is taken over.
    db.pragma('synchronous = NORMAL');
    db.pragma('journal_size_limit = 16777216');
    db.pragma('cache_size = -32768');
    prepare(db, path);
    return new CatalogFile(path, db);
  } catch (e) {
    const fault = translated(e, path);
    db?.close();
    throw fault;
  }
}

/** Names of files are nobody else's business. */
function makeFile(path: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  fs.closeSync(fs.openSync(path, 'a', 0o600));
}

function prepare(db: Database.Database, path: string): void {
  const version = db.pragma('user_version', { simple: true });
  const owner = db.pragma('application_id', { simple: true });
  if (version === VERSION && owner === APPLICATION_ID) return;
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (tables !== 0)
    throw new CatalogError('damaged', 'The catalog is of another version.', { context: { path } });
  db.transaction(() => db.exec(SCHEMA)).immediate();
}

const FULL = 'SQLITE_FULL SQLITE_IOERR_SHMSIZE ENOSPC EDQUOT'.split(' ');
const REFUSED = 'SQLITE_READONLY SQLITE_PERM SQLITE_CANTOPEN EACCES EPERM EROFS'.split(' ');
const DAMAGED = 'SQLITE_CORRUPT SQLITE_NOTADB'.split(' ');

function translated(e: unknown, path: string): CatalogError {
  if (e instanceof CatalogError) return e;
  const code = e instanceof Error && 'code' in e ? String(e.code) : '';
  const isOf = (codes: readonly string[]) => codes.some((one) => code === one || code.startsWith(`${one}_`));
  const told = { context: { path, ...(code === '' ? {} : { cause: code }) } };
  if (isOf(FULL)) {
    const sentence = 'There is no room for the catalog of files: the disk is full.';
    const hint = 'Free some space on the disk that holds the data folder.';
    return new CatalogError('no-space', sentence, { ...told, hint });
  }
  if (isOf(REFUSED)) {
    const hint = 'Check who owns the data folder and its files.';
    return new CatalogError('permission', 'The catalog of files can not be written.', { ...told, hint });
  }
  if (isOf(DAMAGED))
    return new CatalogError('damaged', 'The catalog of files is damaged.', told, { cause: e });
  // What has a meaning for nobody else: a wrong statement, say.
  const sort = code.startsWith('SQLITE_IOERR') || /^E[A-Z]+$/.test(code) ? 'io' : 'internal';
  const sentence = `The catalog of files can not be used: ${messageOf(e)}.`;
  return new CatalogError(sort, sentence, told, { cause: e });
}
