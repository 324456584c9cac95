import { describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { Plan } from '../../../src/api/model/plan.ts';
import { backupKey, checkKey, cleanUpKey, jobsOf } from '../../../src/host/jobs.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';

const disk = destinationOf();
const nas = destinationOf({ name: 'nas', repositoryId: 'cd'.repeat(32) });

function memory() {
  const values = new Map<string, string>();
  return {
    get: (key: string) => values.get(key),
    set: (key: string, value: string) => void values.set(key, value),
  };
}

function jobs(
  plans: readonly Plan[],
  o: { now?: number; values?: ReturnType<typeof memory>; destinations?: readonly Destination[] } = {},
) {
  const { now = 1000, values = memory(), destinations = [disk, nas] } = o;
  return new Map(jobsOf({ now, plans, destinations, values }).map((job) => [job.key, job]));
}

describe('what recurs', () => {
  it('is a backup to each destination that is there, and two kinds of care for each of these', () => {
    const plan = planOf({ destinations: [disk.id, nas.id, planOf().id] });
    const all = jobs([plan]);
    expect([...all.keys()].toSorted()).toEqual(
      [disk, nas].flatMap(({ id }) => [backupKey(plan.id, id), cleanUpKey(id), checkKey(id)]).toSorted(),
    );
    expect(all.get(backupKey(plan.id, disk.id))).toMatchObject({
      task: { kind: 'backup', planId: plan.id, destinationId: disk.id },
      destinationIds: [disk.id],
      enabled: true,
    });
  });

  it('is no care for a destination that nobody uses, and no clean-up where everything is kept', () => {
    const plan = planOf({ destinations: [disk.id], retention: { kind: 'everything' } });
    const all = jobs([plan]);
    const enabled = (key: string) => all.get(key)?.enabled;
    expect([enabled(checkKey(disk.id)), enabled(cleanUpKey(disk.id))]).toEqual([true, false]);
    expect([enabled(checkKey(nas.id)), enabled(cleanUpKey(nas.id))]).toEqual([false, false]);
  });

  it('has recurred only since its schedule was made, changed or switched on', () => {
    const values = memory();
    const plan = planOf({ destinations: [disk.id] });
    const since = (now: number, said: Partial<Plan> = {}) =>
      jobs([{ ...plan, ...said }], { now, values }).get(backupKey(plan.id, disk.id))?.since;
    expect(since(1000)).toBe(1000);
    expect(since(2000)).toBe(1000);
    expect(since(3000, { name: 'renamed', tags: ['x'] })).toBe(1000);
    const schedule = { ...plan.schedule, timeZone: 'Asia/Tokyo' };
    expect(since(4000, { schedule })).toBe(4000);
    expect(since(5000, { schedule, enabled: false })).toBe(5000);
    expect(since(6000, { schedule })).toBe(6000);
    expect(since(7000, { schedule })).toBe(6000);
  });

  it('recurs from now on where the memory makes no sense', () => {
    const values = memory();
    const plan = planOf({ destinations: [disk.id] });
    const key = backupKey(plan.id, disk.id);
    jobs([plan], { values });
    for (const odd of ['', ' ', 'soon', `soon ${values.get(`since:${key}`)!.slice(5)}`]) {
      values.set(`since:${key}`, odd);
      expect(jobs([plan], { now: 9000, values }).get(key)?.since).toBe(9000);
    }
  });
});
