/**
 * The schema of the diary, as the steps that lead to it. Step n takes a database of version n - 1 to version n; the
 * version is SQLite's own `user_version`. A step that was released is never changed: what comes later is a new step.
 *
 * What a row says lies in `json`, in the shapes of the contract; beside it are only the columns that are searched by.
 * `seq` is the order in which rows were first put. Lines of a run are numbered from 0 and lie together on the disk, so
 * that any page of them, their count and their removal cost the same however many there are.
 */
import type Database from 'better-sqlite3';
import { EngineError } from '../api/errors.ts';

/** "HFst" in the header of the file tells our databases from those of other programs. */
const APPLICATION_ID = 0x48467374;

const COLLECTIONS = ['plans', 'destinations', 'channels'] as const;

const V1 = `
  PRAGMA application_id = ${APPLICATION_ID};
  ${COLLECTIONS.map((name) => `CREATE TABLE ${name} (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;`).join('\n  ')}
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    plan_id TEXT,
    destination_id TEXT,
    queued_at INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE TABLE logs (
    run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (run, n)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE problems (
    run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (run, n)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE alerts (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE TABLE settings (seq INTEGER PRIMARY KEY CHECK (seq = 1), json TEXT NOT NULL) STRICT;
  CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_by_time ON runs (queued_at);
`;

/**
 * For a long history: the lists filter inside an index and fetch only the rows they show; what is unfinished and what
 * last succeeded have small indexes of their own; alerts know in a column whether they still hold.
 */
const V2 = `
  DROP INDEX runs_by_time;
  CREATE INDEX runs_by_time ON runs (queued_at, seq, kind, state, plan_id, destination_id);
  CREATE INDEX runs_by_plan ON runs (plan_id, queued_at, seq, kind, state, destination_id);
  CREATE INDEX runs_by_destination ON runs (destination_id, queued_at, seq, kind, state);
  CREATE INDEX runs_unfinished ON runs (queued_at, seq) WHERE state IN ('queued', 'running');
  CREATE INDEX runs_good ON runs (plan_id, destination_id, queued_at, seq)
    WHERE kind = 'backup' AND state IN ('succeeded', 'warnings');
  ALTER TABLE alerts ADD COLUMN ended_at INTEGER;
  UPDATE alerts SET ended_at = json ->> '$.endedAt';
  CREATE INDEX alerts_by_time ON alerts (started_at, seq);
  CREATE INDEX alerts_open ON alerts (started_at, seq) WHERE ended_at IS NULL;
`;

/** Room at destinations over the days. Samples go with their destination. */
const V3 = `
  CREATE TABLE space (
    destination TEXT NOT NULL REFERENCES destinations (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    at INTEGER NOT NULL,
    free INTEGER NOT NULL,
    total INTEGER NOT NULL,
    PRIMARY KEY (destination, day)
  ) STRICT, WITHOUT ROWID;
`;

export const MIGRATIONS: readonly string[] = [V1, V2, V3];

function number(db: Database.Database, pragma: string): number {
  return Number(db.pragma(pragma, { simple: true }));
}

/**
 * Refuses, before anything is written, a database that is not ours to change.
 * Errors: 'unsupported' for one of a newer Holdfast or of another program, 'damaged' for a version that can't be.
 */
export function expectOurs(db: Database.Database, path: string, known = MIGRATIONS.length): void {
  const version = number(db, 'user_version');
  const id = number(db, 'application_id');
  const foreign = id === 0 ? number(db, 'schema_version') !== 0 : id !== APPLICATION_ID;
  if (foreign)
    throw new EngineError('unsupported', `"${path}" is a database of another program.`, {
      hint: 'Move it elsewhere, or choose another data folder.',
      context: { path },
    });
  // The first step sets both at once, so one without the other is no state that we leave.
  if (version < 0 || (version === 0) !== (id === 0))
    throw new EngineError('damaged', `"${path}" has the version ${version}, which makes no sense.`, {
      context: { path },
    });
  if (version > known)
    throw new EngineError(
      'unsupported',
      `"${path}" was written by a newer Holdfast: it has version ${version}, and this Holdfast knows up to ${known}.`,
      {
        hint: 'Install the newer Holdfast again, or choose another data folder.',
        context: { path, version, known },
      },
    );
}

/** Takes a database to the newest version, each step in a transaction of its own: a step that fails leaves it as it was. */
export function migrate(db: Database.Database, steps: readonly string[] = MIGRATIONS): void {
  // A step may rebuild a table that others refer to. The check below stands in for the constraint.
  db.pragma('foreign_keys = OFF');
  try {
    for (let version = number(db, 'user_version'); version < steps.length; version++)
      db.transaction(() => step(db, steps[version] ?? '', version + 1)).exclusive();
  } finally {
    db.pragma('foreign_keys = ON');
  }
}

function step(db: Database.Database, sql: string, version: number): void {
  db.exec(sql);
  db.pragma(`user_version = ${version}`);
  const orphans = db.prepare('PRAGMA foreign_key_check').all().length;
  if (orphans > 0)
    throw new EngineError('internal', `Step ${version} of the diary's schema left ${orphans} rows alone.`);
}
