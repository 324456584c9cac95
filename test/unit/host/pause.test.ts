/** A pause, and runs that wait in the queue when it begins. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PlanInput } from '../../../src/api/model/plan.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();
const MANUAL = { when: { kind: 'manual' } } as const;
const MINUTE = 60_000;

/** A run by hand holds the destination until the test lets it; one by schedule waits behind it. */
async function oneWaits() {
  const clock = new VirtualClock('2026-03-02T06:59:30Z');
  const place = await new RealHost(temp, { clock, mode: 'serve' }).open();
  const location = join(place.home, 'usb');
  const { destination } = await place.client.destinations.add({ name: 'usb', location });
  await place.quiet();
  const gate = join(place.home, 'gate');
  fs.writeFileSync(gate, '');
  const waiting = 'setInterval(() => fs.existsSync(process.argv[1]) || process.exit(), 20)';
  const sources: PlanInput['sources'] = [{ kind: 'path', path: place.write('source', { a: 'one' }) }];
  const input = { sources, destinations: [destination.id], schedule: MANUAL };
  const command = [process.execPath, '-e', waiting, gate];
  const slow = await place.client.plans.create({ ...input, name: 'slow', hooks: { before: [{ command }] } });
  const when = { kind: 'hourly', every: 1, minute: 0 } as const;
  const due = await place.client.plans.create({
    ...input,
    name: 'due',
    schedule: { when, timeZone: 'UTC', jitterMinutes: 0 },
  });
  await place.quiet();
  const [running] = await place.client.plans.run({ id: slow.id });
  const log = () => place.client.runs.log({ id: running!.id });
  await place.until(async () => (await log()).some(({ text }) => text.includes('(before) starts')));
  await clock.advance(MINUTE / 2);
  const ofDue = async (): Promise<Run | undefined> =>
    (await place.client.runs.list({ planId: due.id, limit: 1 }))[0];
  await place.until(async () => (await ofDue())?.state === 'queued');
  const open = async () => {
    fs.rmSync(gate);
    await place.ended(running!);
  };
  return { clock, place, slow, due, ofDue, open };
}

it('holds back what waits by schedule, and nothing that is asked for by hand', async () => {
  const { place, slow, ofDue, open } = await oneWaits();
  expect(await ofDue()).toMatchObject({ trigger: 'schedule', waitingCode: 'run' });
  await place.client.system.pause({ until: null });
  await place.until(async () => (await ofDue())?.waitingCode === 'pause');
  expect((await ofDue())?.waitingFor).toContain('Paused');
  await open();
  const [byHand] = await place.client.plans.run({ id: slow.id });
  expect(await place.ended(byHand!)).toMatchObject({ state: 'succeeded' });
  expect(await ofDue()).toMatchObject({ state: 'queued', waitingCode: 'pause' });
  await place.client.system.resume();
  expect(await place.ended((await ofDue())!)).toMatchObject({ state: 'succeeded', waitingCode: null });
  await place.close();
});

it('lets it begin when the time of the pause is over', async () => {
  const { clock, place, ofDue, open } = await oneWaits();
  await place.client.system.pause({ until: clock.now() + MINUTE });
  await open();
  await clock.advance(MINUTE / 2);
  expect(await ofDue()).toMatchObject({ state: 'queued', waitingCode: 'pause' });
  await clock.advance(MINUTE / 2);
  expect(await place.ended((await ofDue())!)).toMatchObject({ state: 'succeeded' });
  await place.close();
});
