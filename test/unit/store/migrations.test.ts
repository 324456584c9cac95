import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS, migrate } from '../../../src/store/migrations.ts';
import { useTemp } from '../../helpers/scope.ts';
import { behindItsBack, expectRefusal, makeFixture, openDiary } from './diary.ts';

const temp = useTemp();
const newPath = () => join(temp.dir(), 'holdfast.db');
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const VERSIONS = MIGRATIONS.map((_, i) => i + 1);

type Schema = readonly (readonly [name: string, sql: string])[];

/** Tables and indexes by name. `ALTER TABLE` leaves its own spacing, so spaces do not count. */
function schemaOf(db: Database.Database): Schema {
  const rows = db
    .prepare<[], [string, string]>('SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name')
    .raw()
    .all();
  return rows.map(([name, sql]) => [name, sql.replaceAll(/\s+/g, ' ')]);
}

function freshSchema(version: number): Schema {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS.slice(0, version));
  return schemaOf(db);
}

describe.each(VERSIONS)('a diary of version %i', (version) => {
  it('has a fixture, and the released step still leads to it', () => {
    const path = newPath();
    makeFixture(path, version);
    expect(behindItsBack(path, schemaOf)).toEqual(freshSchema(version));
  });

  it('is taken to the newest version with everything that is in it', () => {
    const path = newPath();
    makeFixture(path, version);
    const { store, problems } = openDiary(path);
    expect(store.plans.get(id(1))).toMatchObject({
      name: 'Documents',
      retention: { kind: 'balanced' },
      tags: [],
    });
    expect(store.destinations.list()).toMatchObject([{ id: id(2), name: 'USB disk', uploadLimit: null }]);
    expect(store.channels.list()).toMatchObject([{ id: id(3), enabled: true }]);
    expect(store.runs.list({ limit: 10 }).map((run) => run.id)).toEqual([id(12), id(11), id(10)]);
    expect(store.runs.list({ limit: 10, planId: id(1), states: ['failed'] })).toMatchObject([{ id: id(11) }]);
    expect(store.runs.unfinished()).toMatchObject([{ id: id(12) }]);
    expect(store.runs.lastSuccess(id(1), id(2))).toMatchObject({ id: id(10) });
    expect(store.runs.log(id(11)).map((line) => line.text)).toEqual(['line 0', 'line 1']);
    expect(store.runs.problems(id(11), 1, 5)).toMatchObject([{ path: '/home/ann/1' }]);
    expect(store.alerts.open().map((alert) => alert.id)).toEqual([id(20)]);
    expect(store.alerts.list(5).map((alert) => alert.id)).toEqual([id(21), id(20)]);
    expect(store.settings.get()).toMatchObject({ alertAfterDays: 7, historyDays: 400 });
    expect(store.values.get('pause')).toBe('{"until":null}');
    expect(store.space.list(id(2)).map(({ free }) => free)).toEqual(version < 3 ? [] : [900, 800]);
    store.close();
    expect(problems).toEqual([]);
    expect(behindItsBack(path, schemaOf)).toEqual(freshSchema(MIGRATIONS.length));
    expect(behindItsBack(path, (db) => db.pragma('user_version', { simple: true }))).toBe(MIGRATIONS.length);
  });
});

describe('a step that fails', () => {
  it('leaves the database as it was, earlier steps done', () => {
    const path = newPath();
    makeFixture(path, 1);
    const steps = [...MIGRATIONS, 'DELETE FROM plans; INSERT INTO no_such_table VALUES (1);'];
    behindItsBack(path, (db) => expect(() => migrate(db, steps)).toThrow(/no_such_table/));
    const { store } = openDiary(path);
    expect(store.plans.list()).toHaveLength(1);
    store.close();
  });

  it('may not leave rows alone that refer to others', () => {
    const path = newPath();
    makeFixture(path, 2);
    const steps = [...MIGRATIONS, 'DELETE FROM runs;'];
    behindItsBack(path, (db) => expect(() => migrate(db, steps)).toThrow(/left 4 rows alone/));
    const { store } = openDiary(path);
    expect(store.runs.list({ limit: 10 })).toHaveLength(3);
    store.close();
  });
});

describe('a database that is not ours to change', () => {
  function expectUntouched(path: string, words: RegExp): void {
    const before = readFileSync(path);
    expectRefusal(() => openDiary(path), 'unsupported', words);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['holdfast.db']);
  }

  it('of a newer Holdfast is refused and left as it is', () => {
    const path = newPath();
    openDiary(path).store.close();
    behindItsBack(path, (db) => {
      db.exec('DROP TABLE entries; CREATE TABLE novelties (a)');
      db.pragma('user_version = 99');
    });
    expectUntouched(path, /written by a newer Holdfast: it has version 99/);
  });

  it('of another program is refused and left as it is', () => {
    const path = newPath();
    behindItsBack(path, (db) => db.exec('CREATE TABLE moz_places (id)'));
    expectUntouched(path, /database of another program/);
    behindItsBack(path, (db) => db.pragma('application_id = 7'));
    expectUntouched(path, /database of another program/);
  });
});
