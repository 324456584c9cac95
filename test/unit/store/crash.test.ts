import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DiaryStore } from '../../../src/store/sqlite.ts';
import { run } from '../../helpers/process.ts';
import { useTemp } from '../../helpers/scope.ts';
import { behindItsBack, openDiary } from './diary.ts';

const temp = useTemp();
const sqlite = new URL('../../../src/store/sqlite.ts', import.meta.url).href;
const values = new URL('../../helpers/host-values.ts', import.meta.url).href;

/** Writes without end, and says of each run once every call has returned. */
const WRITER = `
  import { writeSync } from 'node:fs';
  const { openStore } = await import(${JSON.stringify(sqlite)});
  const { backupRunOf, planOf } = await import(${JSON.stringify(values)});
  const [path, calls] = process.argv.slice(1);
  const store = openStore(path, { clock: { now: () => 0 }, onProblem: () => {} });
  const plan = planOf();
  store.plans.put(plan);
  const error = { code: 'io', message: 'x'.repeat(500), transient: false };
  let left = Number(calls);
  const count = () => { if (--left === 0) process.kill(process.pid, 'SIGKILL'); };
  for (let n = 0; ; n++) {
    const run = backupRunOf(plan.id, plan.destinations[0], { queuedAt: n, state: 'running' });
    store.runs.put(run);
    count();
    for (let i = 0; i < 3; i++) { store.runs.addProblem(run.id, { path: '/' + i, error }); count(); }
    store.runs.addLog(run.id, { at: n, level: 'info', text: 'line' });
    count();
    store.transaction(() => {
      store.runs.put({ ...run, state: 'succeeded' });
      count();
      store.values.set('last', run.id);
    });
    count();
    writeSync(1, n + ' ' + run.id + '\\n');
  }`;

const ARGS = ['--input-type=module', '-e', WRITER];
const idsIn = (stdout: string) => [...stdout.matchAll(/^\d+ (\S+)\n/gm)].map((line) => line[1]!);

function expectEnded(store: DiaryStore, ids: readonly string[]): void {
  const oldest = store.runs.list({ limit: 100_000 }).toReversed();
  expect(oldest.slice(0, ids.length).map((run) => run.id)).toEqual(ids);
  for (const id of ids) {
    expect(store.runs.get(id)?.state).toBe('succeeded');
    expect(store.runs.countProblems(id)).toBe(3);
    expect(store.runs.log(id)).toHaveLength(1);
  }
}

function expectWhole(path: string): void {
  expect(behindItsBack(path, (db) => db.pragma('integrity_check', { simple: true }))).toBe('ok');
}

describe('a process that is killed', () => {
  // A run takes 7 calls: the 6th is inside its transaction, which the 7th counts as done. 1,400 fill the log several times.
  it.each([1, 4, 5, 6, 7, 8, 1403])(
    'after %i calls has lost nothing that a call had returned from',
    (calls) => {
      const path = join(temp.dir(), 'holdfast.db');
      const child = spawnSync(process.execPath, [...ARGS, path, String(calls)], { encoding: 'utf8' });
      expect(child.signal, child.stderr).toBe('SIGKILL');
      const told = idsIn(child.stdout);
      expect(told).toHaveLength(Math.floor((calls - 1) / 7));
      const { store, problems } = openDiary(path);
      const [done, rest] = [Math.floor(calls / 7), calls % 7];
      const all = store.runs.list({ limit: 100_000 }).toReversed();
      expect(all).toHaveLength(done + (rest > 0 ? 1 : 0));
      expect(store.plans.list()).toHaveLength(1);
      expectEnded(store, told);
      expectEnded(
        store,
        all.slice(0, done).map((run) => run.id),
      );
      expect(store.values.get('last')).toBe(all[done - 1]?.id);
      const unfinished = store.runs.unfinished();
      expect(unfinished).toEqual(all.slice(done));
      for (const { id } of unfinished) {
        expect(store.runs.countProblems(id)).toBe(Math.min(rest - 1, 3));
        expect(store.runs.log(id)).toHaveLength(rest > 4 ? 1 : 0);
      }
      store.close();
      expect(problems).toEqual([]);
      expectWhole(path);
    },
  );

  it('from outside, wherever it is, has lost nothing that it had told of', async () => {
    const path = join(temp.dir(), 'holdfast.db');
    const child = await run(process.execPath, [...ARGS, path, '0'], { env: {}, killAtLine: /^200 / });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    const told = idsIn(child.stdout.toString());
    expect(told.length).toBeGreaterThan(200);
    const { store, problems } = openDiary(path);
    expectEnded(store, told);
    store.close();
    expect(problems).toEqual([]);
    expectWhole(path);
  });
});
