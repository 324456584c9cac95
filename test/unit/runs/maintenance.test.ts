import { randomUUID } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import { Run } from '../../../src/api/model/run.ts';
import { fromEpochNs } from '../../../src/format/time.ts';
import type { Snapshot } from '../../../src/format/types.ts';
import { type PackSizes, selectPacks } from '../../../src/operations/check.ts';
import { groupsOf, nextShare } from '../../../src/runs/check-run.ts';
import { historyFromSnapshots } from '../../../src/runs/history.ts';
import { planOfSnapshot, tagsOf } from '../../../src/runs/tags.ts';
import { idOf, saveTree } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { file, tree, writeTree } from '../../helpers/tree.ts';
import { HOST, World } from './support.ts';

const temp = useTemp();
const DAY_NS = 86_400_000_000_000n;
const START_NS = 1_700_000_000_000_000_000n;

/** Versions of so many days, with content of their own. */
async function versions(
  world: World,
  destination: Destination,
  days: readonly number[],
  fields: Partial<Snapshot>,
): Promise<void> {
  await world.repository(destination, async (repo) => {
    const indexed = await repo.loadIndex();
    for (const day of days) {
      const id = await saveTree(indexed, { [`file ${randomUUID()}`]: `content ${randomUUID()}` });
      const time = fromEpochNs(START_NS + BigInt(day) * DAY_NS);
      await repo.saveSnapshot({ time, tree: id, paths: ['/data'], hostname: HOST, ...fields });
    }
  });
}

describe('check', () => {
  const memory = () => {
    const values = new Map<string, string>();
    return {
      get: (key: string) => values.get(key),
      set: (key: string, value: string) => void values.set(key, value),
    };
  };

  test('as many shares as it takes have read every pack, and none twice before', () => {
    const packs: PackSizes = new Map(Array.from({ length: 600 }, (_, i) => [idOf(`pack ${i}`), 1]));
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.nat(300), (percent, skip) => {
        const values = memory();
        for (let i = 0; i < skip % 7; i++) nextShare(values, 'd', percent).done();
        const read: string[] = [];
        for (let i = 0; i < groupsOf(percent); i++) {
          const { subset, done } = nextShare(values, 'd', percent);
          read.push(...selectPacks(packs, subset!));
          done();
        }
        expect(read).toHaveLength(packs.size);
        expect(new Set(read).size).toBe(packs.size);
        expect(groupsOf(percent)).toBeLessThanOrEqual(Math.max(1, Math.ceil(100 / percent)));
      }),
      { numRuns: 60 },
    );
  });

  test('a share that was not read comes again; another percentage starts anew', () => {
    const values = memory();
    nextShare(values, 'd', 25).done();
    expect(nextShare(values, 'd', 25).subset).toEqual({ kind: 'group', group: 2, groups: 4 });
    expect(nextShare(values, 'd', 25).subset).toEqual({ kind: 'group', group: 2, groups: 4 });
    expect(nextShare(values, 'e', 25).subset).toEqual({ kind: 'group', group: 1, groups: 4 });
    expect(nextShare(values, 'd', 50).subset).toEqual({ kind: 'group', group: 1, groups: 2 });
    expect(nextShare(values, 'd', 100).subset).toEqual({ kind: 'all' });
    expect(nextShare(values, 'd', 0).subset).toBeUndefined();
  });

  test('reports what it read and writes down that all is well; damage fails it', async () => {
    const world = new World(temp);
    const destination = await world.destination();
    writeTree(world.path('documents'), tree({ a: file({ seed: 1, size: 300_000 }) }));
    await world.backUp(
      world.plan(destination, { sources: [{ kind: 'path', path: world.path('documents') }] }),
    );
    const good = await world.run({ kind: 'check', destinationId: destination.id, percent: 100 });
    expect(good).toMatchObject({ state: 'succeeded', report: { percentRead: 100, findings: [] } });
    const { lastCheck } = world.store.destinations.get(destination.id)!;
    expect(lastCheck).toMatchObject({ ok: true, runId: good.id, percentRead: 100 });
    damageAPack(destination.location);
    const bad = await world.run({ kind: 'check', destinationId: destination.id, percent: 100 });
    expect(bad).toMatchObject({ state: 'failed', error: { code: 'damaged' } });
    expect(bad.report?.kind === 'check' && bad.report.findings.length).toBeGreaterThan(0);
    expect(world.store.destinations.get(destination.id)!.lastCheck).toMatchObject({
      ok: false,
      runId: bad.id,
    });
  });

  test('without a percentage it takes the next share by the settings', async () => {
    const world = new World(temp);
    const maintenance = { cleanUp: { kind: 'manual' }, check: { kind: 'manual' }, checkPercent: 50 } as const;
    const destination = await world.destination({ maintenance });
    await versions(world, destination, [1, 2, 3, 4, 5, 6], {});
    const task = { kind: 'check', destinationId: destination.id, percent: null } as const;
    const shares = [await world.run(task), await world.run(task)].map(({ report }) =>
      report?.kind === 'check' ? report.percentRead : Number.NaN,
    );
    expect(shares[0]! + shares[1]!).toBeCloseTo(100);
    expect(world.store.values.get(`check-rotation:${destination.id}`)).toBe('2 1');
  });
});

/** Turns some bytes in the middle of the largest pack. */
function damageAPack(location: string): void {
  const data = join(location, 'data');
  const packs = readdirSync(data, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  const paths = packs.map((e) => join(e.parentPath, e.name));
  const largest = paths.sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!;
  const bytes = readFileSync(largest);
  bytes.fill(0x55, 100, 200);
  chmodSync(largest, 0o600);
  writeFileSync(largest, bytes);
}

describe('clean-up', () => {
  test('forgets by the retention of each plan, and leaves all others alone', async () => {
    const world = new World(temp);
    const destination = await world.destination();
    const three = world.plan(destination, {
      name: 'Three',
      retention: { kind: 'custom', keep: { last: 3, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 } },
    });
    const all = world.plan(destination, { name: 'All', retention: { kind: 'everything' } });
    const elsewhere = { ...three, id: randomUUID(), name: 'Elsewhere', destinations: [randomUUID()] };
    world.store.plans.put(elsewhere);
    const removed = randomUUID();
    const days = [1, 2, 3, 4, 5];
    await versions(world, destination, days, { tags: tagsOf(three) });
    await versions(world, destination, days, { tags: tagsOf(three, 'dump') });
    await versions(world, destination, days, { tags: tagsOf(three), hostname: 'another' });
    await versions(world, destination, days, { tags: tagsOf(all) });
    await versions(world, destination, days, { tags: tagsOf(elsewhere) });
    await versions(world, destination, days, { tags: tagsOf({ id: removed, tags: [] }) });
    await versions(world, destination, days, { tags: ['by hand'] });
    const run = await world.run({ kind: 'cleanup', destinationId: destination.id });
    expect(run).toMatchObject({ state: 'succeeded', report: { versionsForgotten: 4, versionsKept: 31 } });
    expect(run.report?.kind === 'cleanup' && run.report.bytesFreed).toBeGreaterThan(0);
    const left = await world.repository(destination, (repo) => repo.snapshots());
    const count = (tags: readonly string[], host = HOST) =>
      left.filter((s) => s.hostname === host && JSON.stringify(s.tags) === JSON.stringify(tags)).length;
    expect(count(tagsOf(three))).toBe(3);
    expect(count(tagsOf(three, 'dump'))).toBe(3);
    expect(count(tagsOf(three), 'another')).toBe(5);
    for (const tags of [tagsOf(all), tagsOf(elsewhere), [`plan:${removed}`], ['by hand']]) {
      expect(count(tags)).toBe(5);
    }
    const check = await world.run({ kind: 'check', destinationId: destination.id, percent: 100 });
    expect(check).toMatchObject({ state: 'succeeded' });
  });
});

describe('copy', () => {
  test('brings versions over once, and refuses one repository twice', async () => {
    const world = new World(temp);
    const [from, to] = [await world.destination({ name: 'A' }), await world.destination({ name: 'B' })];
    await versions(world, from, [1, 2, 3], { tags: ['x'] });
    const ids = (await world.repository(from, (repo) => repo.snapshots())).map((s) => s.id);
    const task = { kind: 'copy', destinationId: from.id, toDestinationId: to.id } as const;
    const one = await world.run({ ...task, versionIds: [ids[0]!.slice(0, 10)] });
    expect(one).toMatchObject({ state: 'succeeded', report: { versionsCopied: 1 } });
    const rest = await world.run({ ...task, versionIds: [] });
    expect(rest).toMatchObject({ state: 'succeeded', report: { versionsCopied: 2 } });
    expect(await world.repository(to, (repo) => repo.snapshots())).toHaveLength(3);
    expect(world.store.destinations.get(to.id)!.usedBytes).toBeGreaterThan(0);
    const same = await world.run({ ...task, toDestinationId: from.id, versionIds: [] });
    expect(same).toMatchObject({ state: 'failed', error: { code: 'usage' } });
    const none = await world.run({ ...task, versionIds: ['ffffffffffff'] });
    expect(none).toMatchObject({ state: 'failed', error: { code: 'snapshot-missing' } });
  });
});

describe('history', () => {
  test('backups of this computer come back as runs, with their numbers, always the same', async () => {
    const world = new World(temp);
    const destination = await world.destination();
    writeTree(world.path('documents'), tree({ a: 'alpha' }));
    const sources = [{ kind: 'path', path: world.path('documents') } as const];
    const plan = world.plan(destination, { sources });
    const first = await world.backUp(plan);
    const second = await world.backUp(plan);
    await versions(world, destination, [1], { tags: tagsOf(plan), hostname: 'another' });
    await versions(world, destination, [1], { tags: ['by hand'] });
    const snapshots = await world.repository(destination, (repo) => repo.snapshots());
    const o = {
      destination,
      hostname: HOST,
      planName: (id: string) => (id === plan.id ? 'Papers' : undefined),
    };
    const history = historyFromSnapshots(snapshots, o);
    expect(history.map((run) => Run.parse(run))).toEqual(history);
    expect(history.map((run) => run.report)).toEqual([first.report, second.report]);
    expect(history[0]).toMatchObject({ state: 'succeeded', planId: plan.id, planName: 'Papers' });
    expect(historyFromSnapshots([...snapshots].reverse(), o)).toEqual(history);
  });

  test('tags: only a whole id names a plan, and own tags can not pretend to', () => {
    const id = randomUUID();
    expect(planOfSnapshot({ tags: ['x', `plan:${id}`] })).toBe(id);
    expect(planOfSnapshot({ tags: ['plan:abc', `xplan:${id}`] })).toBeNull();
    expect(planOfSnapshot({})).toBeNull();
    expect(tagsOf({ id, tags: ['a', `plan:${randomUUID()}`, 'source:x', 'a'] })).toEqual([`plan:${id}`, 'a']);
  });
});
