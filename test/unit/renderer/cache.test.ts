import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { applyEvent, keys, type RunPages } from '../../../renderer/data/cache.ts';
import type { Progress, Run } from '../../../src/api/model/run.ts';
import { backupRunOf, destinationOf, planOf } from '../../helpers/host-values.ts';

const plan = planOf();
const disk = destinationOf();
const run = (said: Partial<Run> = {}) => backupRunOf(plan.id, disk.id, said);

const PROGRESS: Progress = {
  phase: 'Backing up',
  phaseCode: 'backing-up',
  filesDone: 1,
  filesTotal: 2,
  bytesDone: 10,
  bytesTotal: 20,
  bytesPerSecond: 5,
  secondsLeft: 2,
  current: [],
  problems: 0,
};

const pagesOf = (...runs: Run[]): RunPages => ({ pages: [runs], pageParams: [undefined] });
const stale = (cache: QueryClient, key: readonly unknown[]) => cache.getQueryState(key)?.isInvalidated;

describe('an event of a run', () => {
  it('changes it wherever it is shown', () => {
    const cache = new QueryClient();
    const before = run({ state: 'running' });
    const other = run();
    cache.setQueryData(keys.run(before.id), before);
    cache.setQueryData(keys.runs({}), pagesOf(before, other));
    applyEvent(cache, { kind: 'run', run: { ...before, state: 'succeeded' } });
    expect(cache.getQueryData(keys.run(before.id))).toMatchObject({ state: 'succeeded' });
    expect(cache.getQueryData<RunPages>(keys.runs({}))?.pages[0]?.map(({ state }) => state)).toEqual([
      'succeeded',
      'succeeded',
    ]);
    expect(cache.getQueryData<RunPages>(keys.runs({}))?.pages[0]?.[1]).toBe(other);
  });

  it('has lists asked for anew when it is new, or may have come under another filter', () => {
    const cache = new QueryClient();
    const key = keys.runs({ states: ['running'] });
    cache.setQueryData(key, pagesOf());
    applyEvent(cache, { kind: 'run', run: run({ state: 'running' }) });
    expect(stale(cache, key)).toBe(true);
  });

  it('leaves lists alone while nothing but its waiting has changed', () => {
    const cache = new QueryClient();
    const queued = run({ state: 'queued' });
    cache.setQueryData(keys.run(queued.id), queued);
    cache.setQueryData(keys.runs({}), pagesOf(queued));
    applyEvent(cache, { kind: 'run', run: { ...queued, waitingFor: 'the disk' } });
    expect(stale(cache, keys.runs({}))).toBe(false);
  });

  it('has plans and the calendar asked for anew at its end only', () => {
    const cache = new QueryClient();
    const started = run({ state: 'running' });
    cache.setQueryData(keys.plans, []);
    cache.setQueryData([...keys.recent, 0], []);
    applyEvent(cache, { kind: 'run', run: started });
    expect(stale(cache, keys.plans)).toBe(false);
    applyEvent(cache, { kind: 'run', run: { ...started, state: 'failed' } });
    expect(stale(cache, keys.plans)).toBe(true);
    expect(stale(cache, [...keys.recent, 0])).toBe(true);
  });
});

describe('progress', () => {
  it('is taken by a run under way, and not by one that has ended', () => {
    const cache = new QueryClient();
    const [busy, done] = [run({ state: 'running' }), run()];
    for (const one of [busy, done]) cache.setQueryData(keys.run(one.id), one);
    for (const { id } of [busy, done]) applyEvent(cache, { kind: 'progress', runId: id, progress: PROGRESS });
    expect(cache.getQueryData(keys.run(busy.id))).toMatchObject({ progress: PROGRESS });
    expect(cache.getQueryData(keys.run(done.id))).toMatchObject({ progress: null });
  });

  it('of a run that nobody looks at is forgotten', () => {
    const cache = new QueryClient();
    applyEvent(cache, { kind: 'progress', runId: plan.id, progress: PROGRESS });
    expect(cache.getQueryCache().getAll()).toEqual([]);
  });
});

describe('a line of a log', () => {
  const line = { at: 1, level: 'info', text: 'It starts.' } as const;

  it('goes to the end of the log that is shown, once', () => {
    const cache = new QueryClient();
    const key = keys.log(plan.id);
    cache.setQueryData(key, []);
    for (let i = 0; i < 2; i++) applyEvent(cache, { kind: 'log', runId: plan.id, line });
    expect(cache.getQueryData(key)).toEqual([line]);
  });

  it('of a log that is not shown is forgotten', () => {
    const cache = new QueryClient();
    applyEvent(cache, { kind: 'log', runId: plan.id, line });
    expect(cache.getQueryData(keys.log(plan.id))).toBeUndefined();
  });
});

describe('an event of a destination', () => {
  it('adds, changes and removes it', () => {
    const cache = new QueryClient();
    const names = () => cache.getQueryData<{ name: string }[]>(keys.destinations)?.map(({ name }) => name);
    cache.setQueryData(keys.destinations, []);
    applyEvent(cache, { kind: 'destination', destination: disk });
    expect(names()).toEqual([disk.name]);
    applyEvent(cache, { kind: 'destination', destination: { ...disk, name: 'Other' } });
    expect(names()).toEqual(['Other']);
    applyEvent(cache, { kind: 'destination-removed', destinationId: disk.id });
    expect(names()).toEqual([]);
  });

  it('makes no list of one where the list is not known yet', () => {
    const cache = new QueryClient();
    applyEvent(cache, { kind: 'destination', destination: disk });
    expect(cache.getQueryData(keys.destinations)).toBeUndefined();
  });
});
