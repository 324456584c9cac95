/** A host whose diary, alerts or data are odd: what fails beside a run must not end it, and one plan must not stop another. */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { PlanInput } from '../../../src/api/model/plan.ts';
import { Host } from '../../../src/host/host.ts';
import { memorySecrets } from '../../../src/secrets/memory.ts';
import { type DiaryStore, openStore } from '../../../src/store/sqlite.ts';
import { planOf } from '../../helpers/host-values.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();
const HOUR = 3_600_000;
const full = () => new EngineError('no-space', 'The disk of the diary is full.');

/** A computer whose time a test moves; it stands still while real work goes on. */
function computer() {
  const clock = new VirtualClock('2026-03-02T06:00:00Z', {
    settle: async () => {
      for (let calm = 0; calm < 3; calm = busy() ? 0 : calm + 1) {
        await new Promise((resolve) => (busy() ? setTimeout(resolve, 5) : setImmediate(resolve)));
      }
    },
  });
  let busy = () => false;
  return {
    clock,
    watch: (host: { readonly busy: boolean }) => {
      busy = () => host.busy;
    },
  };
}

describe('a diary that fails', () => {
  /** A host over a store of which `spoil` replaces what it likes. */
  async function hostOver(spoil: (store: DiaryStore) => Partial<DiaryStore>) {
    const home = fs.realpathSync(temp.dir('home'));
    const { clock, watch } = computer();
    const log: string[] = [];
    const store = openStore(join(home, 'holdfast.db'), { clock, onProblem: (text) => log.push(text) });
    const o = {
      dataDir: home,
      version: '0.0.0-test',
      mode: 'serve',
      clock,
      random: () => 0,
      env: {},
      log: (level: string, text: string) => log.push(`${level}: ${text}`),
    } as const;
    const host = new Host(o, { ...store, ...spoil(store) }, memorySecrets(), () => {});
    watch(host);
    await host.begin();
    const { client } = host;
    const [destination] = await client.destinations.list();
    const source = join(home, 'source');
    fs.mkdirSync(source);
    fs.writeFileSync(join(source, 'a.txt'), 'a');
    const plan = await client.plans.create({
      name: 'Daily',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination!.id],
      schedule: { when: { kind: 'daily', at: ['08:00'] }, timeZone: 'UTC' },
    });
    return { host, client, clock, plan, log, source };
  }

  it('under the alerts does not keep backups from running', async () => {
    const { host, client, clock, plan, log, source } = await hostOver(({ alerts }) => ({
      alerts: {
        ...alerts,
        put: () => {
          throw full();
        },
        open: () => {
          throw full();
        },
      },
    }));
    await clock.advance(3 * HOUR);
    fs.renameSync(source, `${source}.gone`);
    await clock.advance(24 * HOUR);
    fs.renameSync(`${source}.gone`, source);
    await clock.advance(24 * HOUR);
    const runs = await client.runs.list({ planId: plan.id });
    expect(runs.map((run) => run.state)).toEqual(['succeeded', 'failed', 'succeeded']);
    expect(log.filter((line) => line === 'error: The disk of the diary is full.').length).toBeGreaterThan(2);
    await host.close();
  });

  it('while a run ends is written later; the run is neither lost nor repeated', async () => {
    let broken = true;
    const { host, client, clock, plan } = await hostOver(({ runs }) => ({
      runs: {
        ...runs,
        put: (run) => {
          if (broken && run.state === 'succeeded') throw full();
          runs.put(run);
        },
      },
    }));
    await clock.advance(2 * HOUR + 60_000);
    const [run] = await client.runs.list({ planId: plan.id });
    expect(run).toMatchObject({ state: 'succeeded', trigger: 'schedule' });
    expect(host.store.runs.get(run!.id)).toMatchObject({ state: 'running' });
    broken = false;
    await clock.advance(HOUR);
    expect(host.store.runs.get(run!.id)).toEqual(run);
    expect(await client.runs.list({ planId: plan.id })).toEqual([run]);
    await host.close();
  });

  it('while a backup by hand ends takes nothing else down', async () => {
    let broken = true;
    const { host, client, clock, plan } = await hostOver(({ runs }) => ({
      runs: {
        ...runs,
        put: (run) => {
          if (broken && run.state === 'succeeded') throw full();
          runs.put(run);
        },
      },
    }));
    // The second one is behind the first, which the scheduler follows; nobody follows the second.
    await client.plans.run({ id: plan.id });
    await client.plans.run({ id: plan.id });
    await clock.advance(60_000);
    broken = false;
    const [last] = await client.plans.run({ id: plan.id });
    await clock.advance(60_000);
    expect(await client.runs.get({ id: last!.id })).toMatchObject({ state: 'succeeded' });
    await host.close();
  });

  it('to the scheduler’s memory does not stop a backup by hand', async () => {
    let broken = false;
    const { host, client, clock, plan, log } = await hostOver(({ values }) => ({
      values: {
        ...values,
        set: (key, value) => {
          if (broken && key.startsWith('job:')) throw full();
          values.set(key, value);
        },
      },
    }));
    broken = true;
    const [run] = await client.plans.run({ id: plan.id });
    await clock.advance(60_000);
    expect(await client.runs.get({ id: run!.id })).toMatchObject({ state: 'succeeded' });
    expect(log).toContain('error: The disk of the diary is full.');
    broken = false;
    await clock.advance(3 * HOUR);
    expect(await client.runs.list({ planId: plan.id, states: ['succeeded'] })).toHaveLength(2);
    await host.close();
  });
});

describe('data that makes no sense', () => {
  it('of one plan or destination costs only that one', async () => {
    const { clock, watch } = computer();
    const place = await new RealHost(temp, { mode: 'serve', clock }).open();
    watch(place.host);
    const [destination] = await place.client.destinations.list();
    const source = place.write('source', { 'a.txt': 'a' });
    const said = {
      sources: [{ kind: 'path', path: source }],
      destinations: [destination!.id],
      schedule: { when: { kind: 'daily', at: ['08:00'] }, timeZone: 'UTC' },
    } satisfies Partial<PlanInput>;
    const sound = await place.client.plans.create({ name: 'Sound', ...said });
    const lost = await place.client.plans.create({ name: 'Lost', ...said });
    // The shape allows what no calendar knows, and a later version may have written it.
    const odd = planOf({
      name: 'Odd',
      ...said,
      schedule: { ...sound.schedule, when: { kind: 'cron', expression: '99 99 99 99 99' } },
    });
    const zone = planOf({ name: 'Zone', ...said, schedule: { ...sound.schedule, timeZone: 'Mars/Olympus' } });
    place.host.store.plans.put(odd);
    place.host.store.plans.put(zone);
    place.host.store.values.set(`job:backup:${sound.id}:${destination!.id}`, '{"handled":"never"}');
    place.host.store.values.set('pause', '{');
    place.host.store.values.set('interrupted-runs', '{"a":1}');
    await place.quiet();
    await place.close();
    const db = new Database(join(place.data, 'holdfast.db'));
    db.prepare('UPDATE plans SET json = ? WHERE id = ?').run('{"name":', lost.id);
    db.prepare('INSERT INTO destinations (id, json) VALUES (?, ?)').run(randomUUID(), '{}');
    db.close();

    await place.open();
    watch(place.host);
    await clock.advance(3 * HOUR);
    const plans = await place.client.plans.list();
    expect(plans.map(({ plan }) => plan.name).toSorted()).toEqual(['Odd', 'Sound', 'Zone']);
    expect(plans.find(({ plan }) => plan.name === 'Odd')).toMatchObject({
      nextAt: null,
      waitingFor: expect.stringContaining("can't be started"),
    });
    expect(place.log.some((line) => line.includes(lost.id))).toBe(true);
    const runs = await place.client.runs.list();
    expect(runs.map((run) => [run.planName, run.state])).toEqual([['Sound', 'succeeded']]);
    expect((await place.client.system.status()).verdict.state).toBe('attention');
    expect(place.host.metrics().backups).toHaveLength(3);
    await place.close();
  });
});

describe('by hand', () => {
  it('a backup makes up for the one that is due', async () => {
    const { clock, watch } = computer();
    const place = await new RealHost(temp, { mode: 'serve', clock }).open();
    watch(place.host);
    const [destination] = await place.client.destinations.list();
    const plan = await place.client.plans.create({
      name: 'Daily',
      sources: [{ kind: 'path', path: place.write('source', { a: 'a' }) }],
      destinations: [destination!.id],
      schedule: { when: { kind: 'daily', at: ['08:00'] }, timeZone: 'UTC' },
    });
    await place.client.system.pause({ until: null });
    await clock.advance(4 * HOUR);
    expect(await place.client.plans.get({ id: plan.id })).toMatchObject({
      nextAt: null,
      waitingFor: expect.stringContaining('Paused'),
    });
    const [run] = await place.client.plans.run({ id: plan.id });
    await clock.advance(60_000);
    expect(await place.client.runs.get({ id: run!.id })).toMatchObject({ state: 'succeeded' });
    await place.client.system.resume();
    await clock.advance(4 * HOUR);
    expect(await place.client.runs.list({ planId: plan.id })).toHaveLength(1);
    expect(await place.client.plans.get({ id: plan.id })).toMatchObject({
      nextAt: Date.parse('2026-03-03T08:00:00Z'),
      waitingFor: null,
    });
    await clock.advance(24 * HOUR);
    expect((await place.client.runs.list({ planId: plan.id })).map((one) => one.trigger)).toEqual([
      'schedule',
      'manual',
    ]);
    await place.close();
  });
});
