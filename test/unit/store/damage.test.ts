import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupRunOf, planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { behindItsBack, NOON, openDiary } from './diary.ts';

const temp = useTemp();
const PAGE = 4096;
const DAY = 86_400_000;

/** A closed diary of many pages with the plans 'old' (in its backup, too) and 'new' (not in it). */
async function diaryWithBackup(): Promise<string> {
  const path = join(temp.dir(), 'holdfast.db');
  const { store, problems } = openDiary(path);
  store.plans.put(planOf({ name: 'old' }));
  const run = backupRunOf(randomUUID(), randomUUID());
  store.runs.put(run);
  store.transaction(() => {
    for (let at = 0; at < 2000; at++) store.runs.addLog(run.id, { at, level: 'info', text: 'x'.repeat(100) });
  });
  await store.maintain();
  store.plans.put(planOf({ name: 'new' }));
  store.close();
  expect(problems).toEqual([]);
  return path;
}

function overwrite(path: string, at: number, length: number): void {
  const file = fs.openSync(path, 'r+');
  fs.writeSync(file, Buffer.alloc(length, 0xa5), 0, length, at);
  fs.closeSync(file);
}

const inFolder = (path: string) => fs.readdirSync(dirname(path)).sort();
const names = (path: string) => {
  const { store, problems } = openDiary(path);
  const found = store.plans.list().map((plan) => plan.name);
  store.close();
  return { found, problems };
};
const ownBackup = (path: string) => join(dirname(path), 'backups', 'holdfast-20260503.db');

const HARMS = {
  'its header overwritten': (path) => overwrite(path, 0, 64),
  'a page overwritten in the middle': (path) =>
    overwrite(path, Math.floor(fs.statSync(path).size / PAGE / 2) * PAGE, PAGE),
  'its end cut off': (path) => fs.truncateSync(path, Math.floor(fs.statSync(path).size / PAGE / 2) * PAGE),
  'every byte cut off': (path) => fs.truncateSync(path, 0),
  'another content': (path) => fs.writeFileSync(path, 'Dear diary, today I was not a database.'.repeat(400)),
  'a version below zero': (path) => overwrite(path, 60, 4),
  'a version of zero': (path) => behindItsBack(path, (db) => db.pragma('user_version = 0')),
  'a table missing': (path) => behindItsBack(path, (db) => db.exec('DROP TABLE alerts')),
  'an index missing': (path) => behindItsBack(path, (db) => db.exec('DROP INDEX runs_good')),
  'an index that disagrees with its table': (path) =>
    behindItsBack(path, (db) => {
      db.unsafeMode(true);
      db.pragma('writable_schema = ON');
      db.exec(
        "UPDATE sqlite_schema SET sql = replace(sql, 'queued_at, seq, kind', 'seq, queued_at, kind') WHERE name = 'runs_by_time'",
      );
    }),
} satisfies Record<string, (path: string) => void>;

describe.each(Object.entries(HARMS))('a diary with %s', (_, harm) => {
  it('is set aside, and its newest backup taken', async () => {
    const path = await diaryWithBackup();
    harm(path);
    const damaged = fs.readFileSync(path);
    const { found, problems } = names(path);
    expect(found).toEqual(['old']);
    expect(problems).toEqual([expect.stringMatching(/damaged.*set aside.*copy of 2026-05-03.*not affected/)]);
    expect(inFolder(path)).toEqual(['backups', 'holdfast-damaged-20260503-120000.db', 'holdfast.db']);
    expect(fs.readFileSync(join(dirname(path), 'holdfast-damaged-20260503-120000.db')).equals(damaged)).toBe(
      true,
    );
    expect(names(path)).toEqual({ found: ['old'], problems: [] });
  });
});

describe('a damaged diary', () => {
  it('without a backup gives way to a new one', async () => {
    const path = await diaryWithBackup();
    fs.rmSync(join(dirname(path), 'backups'), { recursive: true });
    overwrite(path, 0, 64);
    const { found, problems } = names(path);
    expect(found).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/no whole copy.*new one was begun/)]);
    expect(inFolder(path)).toEqual(['holdfast-damaged-20260503-120000.db', 'holdfast.db']);
  });

  it('takes no backup that is damaged, unreadable or of a newer Holdfast', async () => {
    const path = await diaryWithBackup();
    const backup = (day: number) =>
      join(dirname(path), 'backups', `holdfast-202605${String(day).padStart(2, '0')}.db`);
    fs.copyFileSync(backup(3), backup(1));
    fs.copyFileSync(backup(3), backup(2));
    behindItsBack(backup(2), (db) => db.pragma('user_version = 99'));
    overwrite(backup(3), PAGE, 10 * PAGE);
    fs.mkdirSync(backup(4));
    overwrite(path, 0, 64);
    const { store, problems } = openDiary(path, {}, NOON + DAY);
    expect(store.plans.list().map((plan) => plan.name)).toEqual(['old']);
    expect(problems).toEqual([expect.stringMatching(/copy of 2026-05-01/)]);
    store.close();
    expect(fs.existsSync(`${path}.partial`)).toBe(false);
    expect(fs.existsSync(ownBackup(path))).toBe(true);
  });

  it('never takes the place of one that was set aside before', async () => {
    const path = await diaryWithBackup();
    for (let i = 0; i < 3; i++) {
      overwrite(path, 0, 64);
      names(path);
    }
    expect(inFolder(path).filter((name) => name.includes('damaged'))).toEqual([
      'holdfast-damaged-20260503-120000-2.db',
      'holdfast-damaged-20260503-120000-3.db',
      'holdfast-damaged-20260503-120000.db',
    ]);
  });

  it.each([
    ['whose pages are damaged', PAGE, 4 * PAGE],
    ['whose header is damaged', 0, 64],
  ])('%s does not leave its write-ahead log to the backup that takes its place', async (_, at, length) => {
    const path = await diaryWithBackup();
    const { store } = openDiary(path);
    store.runs.put(backupRunOf(randomUUID(), randomUUID()));
    // As a process that was killed leaves them.
    for (const end of ['', '-wal']) fs.copyFileSync(path + end, `${path}.killed${end}`);
    store.close();
    for (const end of ['', '-wal']) fs.renameSync(`${path}.killed${end}`, path + end);
    overwrite(path, at, length);
    const { store: rescued, problems } = openDiary(path);
    expect(rescued.plans.list().map((plan) => plan.name)).toEqual(['old']);
    expect(rescued.runs.list({ limit: 10 })).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/copy of 2026-05-03/)]);
    rescued.close();
    expect(names(path)).toEqual({ found: ['old'], problems: [] });
    expect(inFolder(path).filter((name) => name.startsWith('holdfast.db'))).toEqual(['holdfast.db']);
  });

  it('that nobody had a backup of, being empty, is simply new', () => {
    const path = join(temp.dir(), 'holdfast.db');
    fs.writeFileSync(path, '');
    expect(names(path)).toEqual({ found: [], problems: [] });
  });
});
