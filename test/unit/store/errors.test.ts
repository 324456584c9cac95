import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { Plan } from '../../../src/api/model/plan.ts';
import { collection } from '../../../src/store/collections.ts';
import { Documents } from '../../../src/store/documents.ts';
import { translateStoreError } from '../../../src/store/errors.ts';
import { Sql } from '../../../src/store/sql.ts';
import { planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { expectRefusal, openDiary } from './diary.ts';

const temp = useTemp();
const newPath = () => join(temp.dir(), 'holdfast.db');

/** What `openStore` says in a process without the rights of root. */
function openAsNobody(path: string): { readonly code: string; readonly message: string } {
  const sqlite = new URL('../../../src/store/sqlite.ts', import.meta.url).href;
  // Modules are read before the rights are given up: the project's folder may be closed to others.
  const script = `
    const { openStore } = await import(${JSON.stringify(sqlite)});
    openStore(':memory:', { clock: { now: () => 0 }, onProblem: () => {} }).close();
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    try {
      const store = openStore(process.argv[1], { clock: { now: () => 0 }, onProblem: () => {} });
      store.values.set('a', '1');
      console.log(JSON.stringify({ code: 'none', message: '' }));
    } catch (e) {
      console.log(JSON.stringify({ code: e.code, message: e.message }));
    }`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout);
}

describe('a full disk', () => {
  it('is told as such; what is stored stays, and writing goes on once there is room', () => {
    const path = newPath();
    openDiary(path).store.close();
    const db = new Database(path);
    // SQLite's own limit gives the error of a full disk, from the same place.
    db.pragma('max_page_count = 40');
    const sql = new Sql(db, path);
    const plans = collection(sql, new Documents(() => {}), 'plans', Plan, 'plan');
    const plan = planOf();
    plans.put(plan);
    const full = () => {
      for (let i = 0; i < 10_000; i++) plans.put(planOf());
    };
    expectRefusal(
      () => sql.transaction(full),
      'no-space',
      /Could not write to ".*holdfast\.db": the disk is full\./,
    );
    expect(plans.list()).toEqual([plan]);
    db.pragma('max_page_count = 4000');
    const another = planOf();
    plans.put(another);
    expect(plans.list()).toEqual([plan, another]);
    sql.close();
  });
});

describe('a file that another program holds', () => {
  it('is locked at the start, and each call is refused while it lasts', () => {
    const path = newPath();
    const { store } = openDiary(path);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    expectRefusal(() => store.values.set('a', '1'), 'locked', /another program is using it/);
    expect(store.values.get('a')).toBeUndefined();
    other.exec('ROLLBACK');
    store.values.set('a', '1');
    store.close();
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN EXCLUSIVE');
    expectRefusal(() => openDiary(path), 'locked', /Could not open the diary/);
    other.close();
    const again = openDiary(path);
    expect(again.store.values.get('a')).toBe('1');
    expect(again.problems).toEqual([]);
    again.store.close();
  });
});

describe('a folder or file that may not be written', () => {
  it('is refused with the path', () => {
    const folder = temp.dir();
    fs.chmodSync(folder, 0o555);
    expect(openAsNobody(join(folder, 'holdfast.db'))).toEqual({
      code: 'permission',
      message: expect.stringContaining(
        `"${join(folder, 'holdfast.db')}": the operating system does not let Holdfast write`,
      ),
    });
  });

  it('is refused for an existing diary, which is not taken for damaged', () => {
    const path = newPath();
    openDiary(path).store.close();
    fs.chmodSync(path, 0o444);
    fs.chmodSync(dirname(path), 0o555);
    expect(openAsNobody(path)).toMatchObject({ code: 'permission' });
    expect(fs.readdirSync(dirname(path))).toEqual(['holdfast.db']);
  });

  it('is refused where a folder has the name of the file, or a file that of the folder', () => {
    const path = newPath();
    fs.mkdirSync(path);
    expectRefusal(() => openDiary(path), 'permission', /Could not open the diary/);
    fs.writeFileSync(join(path, 'file'), '');
    expectRefusal(
      () => openDiary(join(path, 'file', 'x.db')),
      'conflict',
      /something of that name is already there/,
    );
  });
});

describe('the file of the diary', () => {
  it('is for its owner alone, with all that lies beside it', () => {
    const path = join(temp.dir(), 'data', 'holdfast.db');
    const { store } = openDiary(path);
    store.values.set('a', '1');
    for (const name of ['', 'holdfast.db', 'holdfast.db-wal', 'holdfast.db-shm'])
      expect(fs.statSync(join(dirname(path), name)).mode & 0o077).toBe(0);
    store.close();
  });

  it('waits for the disk with each commit, but for hasty ones outside a transaction', () => {
    const db = new Database(newPath());
    const sql = new Sql(db, 'x');
    const level = () => db.pragma('synchronous', { simple: true });
    const [NORMAL, FULL] = [1, 2];
    expect(level()).toBe(FULL);
    sql.hasty(() => expect(level()).toBe(NORMAL));
    expect(level()).toBe(FULL);
    sql.transaction(() => sql.hasty(() => expect(level()).toBe(FULL)));
    expect(() =>
      sql.hasty(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(level()).toBe(FULL);
  });
});

describe('codes', () => {
  it.each([
    ['SQLITE_FULL', 'no-space', false],
    ['SQLITE_IOERR_SHMSIZE', 'no-space', false],
    ['SQLITE_BUSY_SNAPSHOT', 'locked', true],
    ['SQLITE_LOCKED_SHAREDCACHE', 'locked', true],
    ['SQLITE_READONLY_DBMOVED', 'permission', false],
    ['SQLITE_CANTOPEN_ISDIR', 'permission', false],
    ['SQLITE_CORRUPT_INDEX', 'damaged', false],
    ['SQLITE_NOTADB', 'damaged', false],
    ['SQLITE_IOERR_READ', 'io', false],
    ['SQLITE_CONSTRAINT_UNIQUE', 'internal', false],
    ['SQLITE_ERROR', 'internal', false],
  ] as const)('%s of SQLite is %s', (code, want, transient) => {
    const cause = new Database.SqliteError('as SQLite says it', code);
    const error = translateStoreError(cause, '/data/holdfast.db', 'read');
    expect(error).toMatchObject({
      code: want,
      transient,
      cause,
      context: { path: '/data/holdfast.db', cause: code },
    });
    expect(error.message).toMatch(/^Could not read "\/data\/holdfast\.db": .*\.$/);
  });

  it.each([
    ['ENOSPC', 'no-space'],
    ['EDQUOT', 'no-space'],
    ['EACCES', 'permission'],
    ['EROFS', 'read-only'],
    ['EIO', 'io'],
    ['EMFILE', 'io'],
  ] as const)('%s of the file system is %s', (code, want) => {
    const cause = Object.assign(new Error(code), { code });
    expect(translateStoreError(cause, '/data', 'make').code).toBe(want);
  });

  it('leaves an EngineError as it is', () => {
    const error = new EngineError('cancelled', 'Stopped.');
    expect(translateStoreError(error, '/data', 'read')).toBe(error);
  });
});
