/** What clients hear of a host, and what becomes of that which they take away while it waits or is in use. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { PlanInput } from '../../../src/api/model/plan.ts';
import { Host } from '../../../src/host/host.ts';
import { memorySecrets } from '../../../src/secrets/memory.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();
const MANUAL = { when: { kind: 'manual' } } as const;

describe('a client that listens', () => {
  it('hears what happens between its call and its first question', async () => {
    const place = await new RealHost(temp).open();
    const stop = new AbortController();
    const events = await place.client.system.events(undefined, { signal: stop.signal });
    await place.client.system.pause({ until: null });
    await place.client.config.export();
    const first = await events.next();
    expect(first.value).toMatchObject({ kind: 'status', status: { pause: null } });
    expect((await events.next()).value).toMatchObject({ kind: 'status', status: { pause: { until: null } } });
    stop.abort();
    await place.close();
  });

  it('is told of many changes as one, and of the last in any case', async () => {
    const clock = new VirtualClock('2026-03-02T06:00:00Z');
    const place = await new RealHost(temp, { clock }).open();
    for (let n = 0; n < 50; n++) {
      await place.client.system.pause({ until: null });
      await place.client.system.resume();
    }
    await place.client.system.pause({ until: null });
    await clock.advance(250);
    const told = place.events.flatMap((event) => (event.kind === 'status' ? event.status : []));
    expect(told.length).toBeLessThan(5);
    expect(told.at(-1)?.pause).toEqual({ until: null });
    await place.close();
  });

  it('hears of a change back though another came in between', async () => {
    const clock = new VirtualClock('2026-03-02T06:00:00Z');
    const place = await new RealHost(temp, { clock }).open();
    await place.client.system.status();
    // Nobody is told of this by the host itself, only by the status of the next who listens.
    place.host.store.values.set('pause', JSON.stringify({ until: null }));
    const late: HostEvent[] = [];
    const events = await place.client.system.events();
    const hearing = (async () => {
      for await (const event of events) late.push(event);
    })();
    await place.client.system.resume();
    await clock.advance(250);
    await place.close();
    await hearing;
    const pauses = (heard: readonly HostEvent[]) =>
      heard.flatMap((event) => (event.kind === 'status' ? [event.status.pause] : []));
    expect(pauses(late)).toEqual([{ until: null }, null]);
    expect(pauses(place.events)).toEqual([null, { until: null }, null]);
  });
});

describe('what is taken away', () => {
  async function busyPlace() {
    const place = await new RealHost(temp).open();
    const location = join(place.home, 'usb');
    const usb = (await place.client.destinations.add({ name: 'usb', location })).destination;
    await place.quiet();
    const gate = join(place.home, 'gate');
    fs.writeFileSync(gate, '');
    const waiting = 'setInterval(() => fs.existsSync(process.argv[1]) || process.exit(), 20)';
    const command = [process.execPath, '-e', waiting, gate];
    const source = place.write('source', { a: 'one' });
    const sources: PlanInput['sources'] = [{ kind: 'path', path: source }];
    const input = { sources, destinations: [usb.id], schedule: MANUAL };
    const hooks = { before: [{ command }] };
    const slow = await place.client.plans.create({ ...input, name: 'slow', hooks });
    const other = await place.client.plans.create({ ...input, name: 'other' });
    await place.quiet();
    const [running] = await place.client.plans.run({ id: slow.id });
    const log = () => place.client.runs.log({ id: running!.id });
    await place.until(async () => (await log()).some(({ text }) => text.includes('(before) starts')));
    return { place, usb, slow, other, running: running!, let: () => fs.rmSync(gate) };
  }

  it('a plan: its run that waits is cancelled, the one under way gets through', async () => {
    const { place, slow, other, running, let: open } = await busyPlace();
    const [waits] = await place.client.plans.run({ id: other.id });
    await place.client.plans.remove({ id: other.id });
    await place.client.plans.remove({ id: slow.id });
    expect(await place.ended(waits!)).toMatchObject({ state: 'cancelled', startedAt: null });
    open();
    expect(await place.ended(running)).toMatchObject({ state: 'succeeded', planName: 'slow' });
    await place.close();
  });

  it('a destination: the check that waits there is cancelled; the backup under way gets through', async () => {
    const { place, usb, slow, other, running, let: open } = await busyPlace();
    const check = await place.client.destinations.check({ id: usb.id, percent: 1 });
    await place.client.plans.remove({ id: slow.id });
    await place.client.plans.remove({ id: other.id });
    await place.client.destinations.remove({ id: usb.id });
    expect(await place.ended(check)).toMatchObject({ state: 'cancelled', startedAt: null });
    open();
    await place.ended(running);
    expect(await place.client.destinations.list()).toEqual([]);
    await place.close();
  });
});

it('a secret store that does not answer holds up neither the end of the host nor loses what is to be saved', async () => {
  const home = fs.realpathSync(temp.dir('home'));
  const clock = new VirtualClock('2026-03-02T06:00:00Z');
  const store = openStore(join(home, 'holdfast.db'), { clock, onProblem: () => {} });
  const secrets = memorySecrets();
  let hangs = false;
  const get = (name: string) => (hangs ? new Promise<never>(() => {}) : secrets.get(name));
  const o = { dataDir: home, version: '0', mode: 'alone', clock, random: () => 0, env: {}, log: () => {} };
  const host = new Host({ ...o, mode: 'alone' }, store, { ...secrets, get }, () => {});
  await host.begin();
  const location = join(home, 'usb');
  const { id } = (await host.client.destinations.add({ name: 'usb', location })).destination;
  await expect.poll(() => host.busy, { timeout: 20_000 }).toBe(false);
  hangs = true;
  await host.client.plans.create({
    name: 'p',
    sources: [{ kind: 'path', path: home }],
    destinations: [id],
    schedule: MANUAL,
  });
  const unsaved = () => store.values.get(`settings-unsaved:${id}`);
  const end = { over: false, saved: undefined as string | undefined };
  const close = store.close;
  Object.assign(store, {
    close: () => {
      end.saved = unsaved();
      close();
    },
  });
  const closed = host.close().then(() => {
    end.over = true;
  });
  await clock.advance(5000);
  expect(end.over).toBe(false);
  await clock.advance(10_000);
  await closed;
  expect(end.saved).toBe('1');
});
