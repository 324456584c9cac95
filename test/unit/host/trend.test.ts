/** Room at destinations over time, and where secrets lie: through the contract of a real host. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { keychain } from '../../helpers/keychain.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();
const DAY = 86_400_000;
const MANUAL = { when: { kind: 'manual' } } as const;

describe('room at a destination', () => {
  const noon = Date.parse('2026-03-02T12:00:00Z');

  async function place() {
    const clock = new VirtualClock(noon);
    const host = await new RealHost(temp, { clock, mode: 'serve' }).open();
    const location = join(host.home, 'usb');
    const { destination } = await host.client.destinations.add({ name: 'usb', location });
    await host.quiet();
    const trend = () => host.client.destinations.trend({ id: destination.id });
    return { clock, host, usb: destination, trend };
  }

  it('is noted once a day, oldest first, and goes with the destination', async () => {
    const { clock, host, usb, trend } = await place();
    for (let day = 0; day < 3; day++) {
      await clock.advance(5 * 60_000);
      await host.until(async () => (await trend()).length === day + 1);
      await host.quiet();
      await clock.advance(DAY - 5 * 60_000);
      await host.quiet();
    }
    const days = (await trend()).map(({ at }) => new Date(at).toISOString().slice(0, 10));
    expect(days.slice(0, 3)).toEqual(['2026-03-02', '2026-03-03', '2026-03-04']);
    const [sample] = await trend();
    expect(sample?.total).toBe(usb.space?.total);
    expect(sample?.free).toBeGreaterThan(0);
    await host.client.destinations.remove({ id: usb.id });
    await expect(trend()).rejects.toMatchObject({ code: 'not-found' });
    expect(host.host.store.space.list(usb.id)).toEqual([]);
    await host.close();
  });

  it('is asked anew after a run, and cards hear of it', async () => {
    const host = await new RealHost(temp).open();
    const location = join(host.home, 'usb');
    const { destination } = await host.client.destinations.add({ name: 'usb', location });
    const plan = await host.client.plans.create({
      name: 'p',
      sources: [{ kind: 'path', path: host.write('source', { a: 'x'.repeat(100_000) }) }],
      destinations: [destination.id],
      schedule: MANUAL,
    });
    const [run] = await host.client.plans.run({ id: plan.id });
    const ended = await host.ended(run!);
    const trend = await host.client.destinations.trend({ id: destination.id });
    expect(trend).toHaveLength(1);
    expect(trend[0]?.at).toBeGreaterThanOrEqual(ended.startedAt!);
    const told = host.events.flatMap((e) => (e.kind === 'destination' ? [e.destination] : [])).at(-1);
    expect(told?.usedBytes).toBeGreaterThan(0);
    expect(told?.space).toEqual({ ...trend[0] });
    await host.close();
  });
});

it('the computer is seen through the contract: folders, and what lies on which disk', async () => {
  const host = await new RealHost(temp).open();
  const { client, home } = host;
  const location = join(home, 'usb');
  const { destination } = await client.destinations.add({ name: 'usb', location });
  const source = host.write('source', { a: 'one' });
  const sources = [{ kind: 'path', path: source }] as const;
  const plan = await client.plans.create({
    name: 'p',
    sources: [...sources],
    destinations: [destination.id],
    schedule: MANUAL,
  });
  await client.computer.makeFolder({ path: join(home, 'New folder') });
  const { entries } = await client.computer.folder({ path: home });
  expect(entries.map(({ name }) => name)).toEqual(['data', 'New folder', 'source', 'usb']);
  expect((await client.computer.folder({ path: null })).entries).toBeInstanceOf(Array);
  const disks = await client.computer.disks();
  const holding = disks.filter(({ destinationIds }) => destinationIds.includes(destination.id));
  expect(holding).toHaveLength(1);
  expect(holding[0]?.planIds).toEqual([plan.id]);
  expect(holding[0]?.total).toBe(destination.space?.total);
  const suggestions = await client.computer.suggestions();
  expect(suggestions.destinations.every(({ disk }) => !disk.system)).toBe(true);
  await host.close();
});

describe('a host without a keychain', () => {
  it('begins no file of secrets beside those that the keychain seals', async () => {
    const host = await new RealHost(temp, { keychain: keychain() }).open();
    await host.client.destinations.add({ name: 'usb', location: join(host.home, 'usb') });
    await host.close();
    const bare = new RealHost(temp, { dataDir: host.data });
    await expect(bare.open()).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining('keychain'),
      hint: expect.stringContaining('Start the Holdfast app'),
    });
    expect(fs.readdirSync(host.data).filter((name) => /^secrets\.(sealed|key)$/.test(name))).toEqual([]);
    // It has let go of the folder, and nothing is lost.
    await host.open();
    expect(await host.host.secrets.names()).not.toEqual([]);
    await host.close();
  });

  it('begins one where the keychain has sealed nothing, and keeps one that is there', async () => {
    const host = await new RealHost(temp, { keychain: keychain() }).open();
    await host.host.secrets.set('a', 'one');
    await host.host.secrets.remove('a');
    await host.close();
    const bare = await new RealHost(temp, { dataDir: host.data }).open();
    await bare.host.secrets.set('a', 'two');
    await bare.close();
    await bare.open();
    expect(await bare.host.secrets.get('a')).toBe('two');
    await bare.close();
  });
});
