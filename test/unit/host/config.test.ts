/** A configuration carried from one computer to another, by the real host. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealHost } from '../../helpers/real-host.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();

describe('a configuration', () => {
  let old: RealHost;
  let fresh: RealHost;
  let yaml: string;

  beforeAll(async () => {
    old = await new RealHost(shared).open();
    fresh = await new RealHost(shared).open();
    const { client } = old;
    const location = join(old.home, 'usb');
    const added = await client.destinations.add({ name: 'usb', location, password: 'of the disk' });
    const plan = await client.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: old.write('source', { a: 'a' }) }],
      rules: { lines: ['*.bak', '!keep.bak'] },
      destinations: [added.destination.id],
      schedule: { when: { kind: 'weekly', days: ['mon'], at: '07:30' }, timeZone: 'Europe/Berlin' },
      retention: { kind: 'custom', keep: { daily: 7 } },
      hooks: { before: [{ command: ['true'] }] },
    });
    await client.plans.create({ ...plan, name: 'Off', enabled: false, hooks: {} });
    const url = 'http://127.0.0.1:1/ping';
    const target = { kind: 'monitor', url, planId: plan.id } as const;
    await client.alerts.addChannel({ name: 'Monitor', target, secret: 'a token' });
    await client.settings.update({ alertAfterDays: 9 });
    await old.quiet();
    ({ yaml } = await client.config.export());
  });
  afterAll(async () => {
    await old.close();
    await fresh.close();
  });

  const plansOf = async ({ client }: RealHost) => {
    const names = new Map((await client.destinations.list()).map((d) => [d.id, d.name]));
    const plans = (await client.plans.list()).map(({ plan }) => plan);
    return plans
      .map(({ id: _1, createdAt: _2, updatedAt: _3, destinations, ...rest }) => ({
        ...rest,
        destinations: destinations.map((id) => names.get(id)),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };

  it.each([
    [
      'a source from nowhere',
      (text: string) => text.replace(/path: \/.*/, 'path: documents'),
      /“Documents”.*documents/,
    ],
    [
      'a schedule that is none',
      (text: string) => text.replace('timeZone: Europe/Berlin', 'timeZone: Mars/Olympus'),
      /“Documents”/,
    ],
    [
      'a place from nowhere',
      (text: string) => text.replace(/location: .*/, 'location: usb'),
      /“usb”.*absolute/,
    ],
    ['a field that is none', (text: string) => text.replace('retention:', 'retenshun:'), /Line \d+/],
    ['a plan without its destination', (text: string) => text.replace('- usb', '- nas'), /Line \d+.*“nas”/],
  ])('with %s changes nothing', async (_what, spoil, sentence) => {
    const spoilt = spoil(yaml);
    expect(spoilt).not.toBe(yaml);
    const importing = fresh.client.config.import({ yaml: spoilt, passwords: { usb: 'of the disk' } });
    await expect(importing).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(sentence),
    });
    expect(await fresh.client.destinations.list()).toEqual([]);
    expect(await fresh.client.plans.list()).toEqual([]);
    expect(await fresh.client.settings.get()).toMatchObject({ alertAfterDays: 3 });
  });

  it('needs the passwords of its repositories', async () => {
    await expect(fresh.client.config.import({ yaml })).rejects.toMatchObject({ code: 'wrong-password' });
  });

  it('gives the same plans in a fresh data folder, and once more changes nothing', async () => {
    const { client } = fresh;
    expect(yaml).not.toContain('of the disk');
    expect(yaml).not.toContain('a token');
    const first = await client.config.import({ yaml, passwords: { usb: 'of the disk' } });
    expect(first.created + first.updated).toBe(4);
    expect(await plansOf(fresh)).toEqual(await plansOf(old));
    expect(await client.settings.get()).toMatchObject({ alertAfterDays: 9 });
    const [channel] = await client.alerts.channels();
    const plan = (await client.plans.list()).find((one) => one.plan.name === 'Documents')!.plan;
    expect(channel).toMatchObject({ name: 'Monitor', hasSecret: false, target: { planId: plan.id } });
    expect((await client.config.export()).yaml).toBe(yaml);
    expect(await client.config.import({ yaml })).toEqual({ created: 0, updated: 4 });
    expect((await client.config.export()).yaml).toBe(yaml);
    await fresh.quiet();
    const changed = fresh.events.filter((e) => e.kind === 'plan').map((e) => e.plan.name);
    expect(changed).toEqual(expect.arrayContaining(['Documents', 'Off']));
  });
});
