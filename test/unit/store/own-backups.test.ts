import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { Alert } from '../../../src/api/model/alert.ts';
import { backupRunOf, destinationOf, planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { behindItsBack, NOON, openDiary } from './diary.ts';

const temp = useTemp();
const DAY = 86_400_000;
const newPath = () => join(temp.dir(), 'holdfast.db');
const backupsOf = (path: string) => join(dirname(path), 'backups');
const copiesOf = (path: string) => fs.readdirSync(backupsOf(path)).sort();

describe('own backups of the diary', () => {
  it('are made once a day, and the newest seven are kept', async () => {
    const path = newPath();
    const { store, clock, problems } = openDiary(path);
    for (let day = 0; day < 9; day++) {
      store.values.set('day', String(day));
      await store.maintain();
      store.values.set('day', 'later');
      await clock.advance(DAY / 2 - 1);
      await store.maintain();
      await clock.advance(DAY / 2 + 1);
    }
    store.close();
    expect(problems).toEqual([]);
    expect(copiesOf(path)).toEqual(
      ['05', '06', '07', '08', '09', '10', '11'].map((day) => `holdfast-202605${day}.db`),
    );
    const copy = openDiary(join(backupsOf(path), 'holdfast-20260511.db'));
    expect(copy.store.values.get('day')).toBe('8');
    copy.store.close();
  });

  it('of a day to come, from when the clock was wrong, make room first and are taken last', async () => {
    const path = newPath();
    const wrong = openDiary(path, {}, Date.parse('2099-01-01'));
    wrong.store.plans.put(planOf({ name: 'of 2099' }));
    await wrong.store.maintain();
    wrong.store.close();
    const { store, clock } = openDiary(path);
    store.plans.put(planOf({ name: 'of today' }));
    await store.maintain();
    store.close();
    fs.writeFileSync(path, 'damaged');
    const rescued = openDiary(path);
    expect(rescued.store.plans.list().map((plan) => plan.name)).toEqual(['of 2099', 'of today']);
    for (let day = 0; day < 6; day++) {
      await clock.advance(DAY);
      await openDiary(path, { clock }).store.maintain();
    }
    expect(copiesOf(path)).toHaveLength(7);
    expect(copiesOf(path)).not.toContain('holdfast-20990101.db');
  });

  it('lie where they are wanted, one file each, for their owner alone', async () => {
    const backups = join(temp.dir(), 'elsewhere', 'copies');
    const { store } = openDiary(newPath(), { backups });
    await store.maintain();
    expect(fs.readdirSync(backups)).toEqual(['holdfast-20260503.db']);
    expect(fs.statSync(join(backups, 'holdfast-20260503.db')).mode & 0o077).toBe(0);
    expect(fs.statSync(backups).mode & 0o077).toBe(0);
    store.close();
  });

  it('wait for each other when asked for twice at once', async () => {
    const path = newPath();
    const { store, problems } = openDiary(path);
    await Promise.all([store.maintain(), store.maintain()]);
    expect(copiesOf(path)).toEqual(['holdfast-20260503.db']);
    expect(problems).toEqual([]);
    store.close();
  });

  it('are not kept of a diary that is damaged; older ones stay, and the person is told', async () => {
    const path = newPath();
    const { store, clock, problems } = openDiary(path);
    await store.maintain();
    await clock.advance(DAY);
    // An index entry that leads nowhere: what the disk has lost while nobody looked.
    behindItsBack(path, (db) => {
      db.unsafeMode(true);
      db.pragma('writable_schema = ON');
      db.exec(
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'runs_by_plan') WHERE name = 'runs_by_destination'",
      );
    });
    await store.maintain();
    expect(problems).toEqual([
      expect.stringMatching(/was not kept, since the diary is damaged.*Start Holdfast again/),
    ]);
    expect(copiesOf(path)).toEqual(['holdfast-20260503.db']);
    store.close();
  });

  it('that fail are told of and leave nothing half done', async () => {
    const path = newPath();
    fs.writeFileSync(backupsOf(path), 'a file where the folder should be');
    const { store, problems } = openDiary(path);
    await store.maintain();
    expect(problems).toEqual([expect.stringMatching(/Could not make the folder for copies of the diary/)]);
    fs.rmSync(backupsOf(path));
    await store.maintain();
    expect(copiesOf(path)).toEqual(['holdfast-20260503.db']);
    store.close();
  });

  it('stop when cancelled, and when the diary is closed, and leave nothing half done', async () => {
    const path = newPath();
    const { store } = openDiary(path);
    store.transaction(() => {
      for (let i = 0; i < 10_000; i++) store.values.set(`key ${i}`, 'x'.repeat(1000));
    });
    const reason = new EngineError('cancelled', 'Holdfast is being stopped.');
    await expect(store.maintain({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const maintaining = store.maintain({ signal: stop.signal });
    setImmediate(() => stop.abort(reason));
    await expect(maintaining).rejects.toBe(reason);
    const copying = store.backup(join(temp.dir(), 'copy.db'));
    setImmediate(() => store.close());
    await expect(copying).rejects.toMatchObject({ code: 'cancelled' });
    expect(copiesOf(path)).toEqual([]);
  });

  it('are not made of a diary in memory', async () => {
    const backups = temp.dir();
    const { store, problems } = openDiary(':memory:', { backups });
    await store.maintain();
    expect(fs.readdirSync(backups)).toEqual([]);
    expect(problems).toEqual([]);
  });
});

describe('maintenance', () => {
  it('drops alerts that are long over, and no other', async () => {
    const { store } = openDiary(':memory:');
    const alert = (n: number, startedAt: number, endedAt: number | null) =>
      Alert.parse({
        id: `00000000-0000-4000-8000-00000000000${n}`,
        kind: 'no-backup',
        subject: 'plan:1',
        title: 't',
        text: 't',
        startedAt,
        endedAt,
        runId: null,
      });
    const [gone, holds, young] = [
      alert(1, NOON - 401 * DAY, NOON - 400 * DAY),
      alert(2, NOON - 500 * DAY, null),
      alert(3, NOON - 399 * DAY, NOON),
    ];
    for (const each of [gone, holds, young]) store.alerts.put(each);
    await store.maintain();
    expect(store.alerts.list(10)).toEqual([young, holds]);
  });

  it('drops samples of space older than 400 days', async () => {
    const { store } = openDiary(newPath());
    const destination = destinationOf();
    store.destinations.put(destination);
    for (const days of [401, 399, 0])
      store.space.add(destination.id, { at: NOON - days * DAY, free: days, total: 1000 });
    await store.maintain();
    expect(store.space.list(destination.id).map(({ free }) => free)).toEqual([399, 0]);
    store.close();
  });
});

describe('a copy on demand', () => {
  it('replaces what is there, and fails as a whole', async () => {
    const path = newPath();
    const { store } = openDiary(path);
    const run = backupRunOf(planOf().id, planOf().id);
    store.runs.put(run);
    const target = join(temp.dir(), 'copy.db');
    fs.writeFileSync(target, 'older');
    await store.backup(target);
    const copy = openDiary(target);
    expect(copy.store.runs.get(run.id)).toEqual(run);
    copy.store.close();
    await expect(store.backup(join(temp.dir(), 'no such folder', 'copy.db'))).rejects.toMatchObject({
      name: 'EngineError',
      code: 'not-found',
    });
    store.close();
  });
});
