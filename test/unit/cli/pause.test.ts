import { describe, expect, it } from 'vitest';
import { parsePause } from '../../../src/cli/pause.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { planOf } from '../../helpers/host-values.ts';
import { documents, program } from './host-program.ts';

const at = (now: number): Clock => ({ now: () => now, sleep: async () => {} });
const night = new Date(2026, 0, 31, 23, 30).getTime();

describe('the length of a pause', () => {
  it.each<[string, number | null]>([
    ['30m', night + 30 * 60_000],
    ['1h30m', night + 90 * 60_000],
    ['tomorrow', new Date(2026, 1, 1, 6).getTime()],
    ['forever', null],
    [`${366 * 24}h`, night + 366 * 86_400_000],
  ])('%s', (text, end) => expect(parsePause(text, night)).toBe(end));

  it('is by the calendar, whatever the clocks do in that night', () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Europe/Berlin';
    try {
      expect(parsePause('tomorrow', Date.UTC(2026, 2, 28, 20))).toBe(Date.UTC(2026, 2, 29, 4));
      expect(parsePause('tomorrow', Date.UTC(2026, 2, 27, 20))).toBe(Date.UTC(2026, 2, 28, 5));
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it.each([
    ['0', /no time at all/],
    ['-5m', /no time at all/],
    ['0.1ms', /no time at all/],
    ['8785h', /longer than a year/],
    ['soon', /does not say how long/],
    ['5', /does not say how long/],
    ['', /does not say how long/],
  ])('"%s" is none', (text, message) => {
    expect(() => parsePause(text, night)).toThrow(message);
  });
});

describe('pause and resume', () => {
  it('hold what starts by itself until then, and let it go', async () => {
    const p = program({ running: true, clock: at(night) });
    expect(await p.run('pause', '1h')).toBe(0);
    expect(p.out()).toBe('Backups are paused until 2026-02-01 00:30:00. `holdfast resume` ends the pause.\n');
    const client = p.host.client;
    expect((await client.system.status()).pause).toEqual({ until: night + 3_600_000 });
    expect(await p.run('resume')).toBe(0);
    expect((await client.system.status()).pause).toBeNull();
    expect(await p.run('resume')).toBe(0);
    expect(p.out()).toMatch(/\nThe pause is over\.\nThere was no pause\.\n$/);
    expect(p.host.faults).toEqual([]);
  });

  it('last until somebody resumes where nothing is said, and say what still runs', async () => {
    const p = program({ running: true, status: { running: [documents.id] } });
    expect(await p.run('pause')).toBe(0);
    expect(p.out()).toBe(
      'Backups are paused until you resume them. `holdfast resume` ends the pause.\n1 run under way will still end; `holdfast runs cancel` stops one.\n',
    );
    expect((await p.host.client.system.status()).pause).toEqual({ until: null });
  });

  it('answer with the status for --json', async () => {
    const p = program({ clock: at(night) });
    expect(await p.run('pause', 'tomorrow', '--json')).toBe(0);
    expect(await p.run('resume', '--json')).toBe(0);
    expect(p.json()).toMatchObject([
      { pause: { until: new Date(2026, 1, 1, 6).getTime() } },
      { pause: null, hostname: 'box' },
    ]);
  });

  it('change nothing where the length makes no sense', async () => {
    const p = program();
    expect(await p.run('pause', 'a-while')).toBe(1);
    expect(p.err()).toBe('"a-while" does not say how long to pause.\nWrite 30m, 1h, tomorrow or forever.\n');
    expect((await p.host.client.system.status()).pause).toBeNull();
    expect(p.log).toEqual([]);
  });

  it('are seen in the status', async () => {
    const p = program({ running: true, clock: at(night), status: { pause: { until: night + 3_600_000 } } });
    expect(await p.run('status')).toBe(0);
    expect(p.out()).toMatch(/Paused +until 2026-02-01 00:30:00 \(in 1 hour\); `holdfast resume` ends it\n$/);
  });

  it('are the way out of the verdict that names the pause', async () => {
    const reason = {
      level: 'problem',
      code: 'paused',
      sentence: 'Paused.',
      fix: { kind: 'resume' },
    } as const;
    const p = program({ status: { verdict: { state: 'attention', reasons: [reason] } } });
    await p.run('status');
    expect(p.out()).toMatch(/\n! Paused\.\n {4}holdfast resume\n/);
  });
});

describe('where no host is running', () => {
  const words = [['status'], ['plan', 'list'], ['plan', 'status'], ['resume']].map((argv) => ({ argv }));

  it.each(words)('$argv says that plans do not start by themselves', async ({ argv }) => {
    const alone = program();
    expect(await alone.run(...argv)).toBe(0);
    expect(alone.out()).toMatch(/Plans don't start by themselves now: no host is running\. `holdfast serve`/);
    const beside = program({ running: true });
    await beside.run(...argv);
    expect(beside.out()).not.toMatch(/by themselves/);
  });

  it.each(words)('$argv says nothing of it where no plan would start anyway', async ({ argv }) => {
    const byHand = planOf({ schedule: { ...documents.schedule, when: { kind: 'manual' } } });
    const off = planOf({ enabled: false });
    const p = program({ plans: [byHand, off] });
    expect(await p.run(...argv)).toBe(0);
    expect(p.out()).not.toMatch(/by themselves/);
    const json = program();
    expect(await json.run(...argv, '--json')).toBe(0);
    expect(json.out()).not.toMatch(/by themselves/);
  });
});
