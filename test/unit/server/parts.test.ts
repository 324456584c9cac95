import { describe, expect, it } from 'vitest';
import { SignInLimiter, subnet } from '../../../src/server/limiter.ts';
import { type MetricsInput, metricsText } from '../../../src/server/metrics.ts';
import { problemPage, signInPage } from '../../../src/server/pages.ts';
import { hashPassword, verifyPassword } from '../../../src/server/password.ts';
import { HandClock } from './fixture.ts';

describe('passwords', () => {
  it('fit their hash and no other', async () => {
    const hash = await hashPassword('pässword', 4);
    expect(hash).toMatch(/^scrypt\$4\$[\w-]{22}\$[\w-]{43}$/);
    expect(await verifyPassword('pässword', hash)).toBe(true);
    expect(await verifyPassword('pa\u0308ssword', hash)).toBe(true);
    for (const wrong of ['', 'password', 'pässword ', 'PÄSSWORD']) {
      expect(await verifyPassword(wrong, hash)).toBe(false);
    }
    expect(await hashPassword('pässword', 4)).not.toBe(hash);
  });

  it('are hashed at full cost unless said otherwise', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^scrypt\$17\$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
  });

  it('must not be short', async () => {
    await expect(hashPassword('1234567')).rejects.toMatchObject({ code: 'usage' });
  });

  it.each(['', 'x', 'scrypt$4$$', 'scrypt$99$AAAA$AAAA', 'scrypt$4$AAAA$AAAA', 'bcrypt$4$AAAA$AAAA'])(
    'fit no hash like %j',
    async (stored) => {
      expect(await verifyPassword('', stored)).toBe(false);
    },
  );
});

describe('the limit of tries', () => {
  const tries = (limiter: SignInLimiter, address: string, count: number) =>
    Array.from({ length: count }, () => limiter.attempt(address));

  it('gives five at once and then doubles the wait, up to a quarter of an hour', () => {
    const clock = new HandClock();
    const limiter = new SignInLimiter(clock);
    expect(tries(limiter, '192.0.2.1', 6)).toEqual([0, 0, 0, 0, 0, 2000]);
    const waits = [];
    for (let i = 0; i < 12; i++) {
      const wait = limiter.attempt('192.0.2.1');
      waits.push(wait / 1000);
      clock.pass(wait);
      expect(limiter.attempt('192.0.2.1')).toBe(0);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  it('is for each address, and forgotten after success or an hour', () => {
    const clock = new HandClock();
    const limiter = new SignInLimiter(clock);
    tries(limiter, '192.0.2.1', 6);
    expect(limiter.attempt('192.0.2.2')).toBe(0);
    expect(limiter.attempt('192.0.2.1')).toBeGreaterThan(0);
    limiter.succeeded('192.0.2.1');
    expect(tries(limiter, '192.0.2.1', 6)).toEqual([0, 0, 0, 0, 0, 2000]);
    clock.pass(60 * 60_000);
    expect(tries(limiter, '192.0.2.1', 6)).toEqual([0, 0, 0, 0, 0, 2000]);
  });

  it('holds for all addresses together', () => {
    const clock = new HandClock();
    const limiter = new SignInLimiter(clock);
    const first = Array.from({ length: 100 }, (_, i) => limiter.attempt(`10.0.0.${i}`));
    expect(first.filter((wait) => wait === 0)).toHaveLength(60);
    expect(first.at(-1)).toBe(5000);
    clock.pass(50_000);
    const second = Array.from({ length: 100 }, (_, i) => limiter.attempt(`10.0.1.${i}`));
    expect(second.filter((wait) => wait === 0)).toHaveLength(10);
  });

  it('locks nobody out when the clock is set back', () => {
    const clock = new HandClock();
    const limiter = new SignInLimiter(clock);
    tries(limiter, '192.0.2.1', 5);
    clock.pass(-365 * 86_400_000);
    expect(limiter.attempt('192.0.2.1')).toBe(0);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0db8::', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', ''],
  ])('takes %s as %s', (address, key) => {
    expect(subnet(address)).toBe(key);
  });
});

describe('pages', () => {
  it('escape what they are told', () => {
    for (const html of [problemPage('<script>"&\''), signInPage(true, '<script>"&\'')]) {
      expect(html).not.toContain('<script>');
      expect(html).toContain('&#60;script&#62;&#34;&#38;&#39;');
    }
  });
});

describe('metrics', () => {
  const INPUT: MetricsInput = {
    now: 1_800_000_600_000,
    version: '1.2.3',
    backups: [
      {
        planId: 'p1',
        plan: 'My "plan"\\ of\nfiles',
        destinationId: 'd1',
        destination: 'USB',
        state: 'failed',
        lastSuccessAt: 1_800_000_000_000,
        durationSeconds: 12.5,
        bytesProcessed: 2 ** 50,
        bytesAdded: 7,
        failures: 3,
      },
      {
        planId: 'p2',
        plan: 'New',
        destinationId: 'd1',
        destination: 'USB',
        state: 'never',
        lastSuccessAt: null,
        durationSeconds: null,
        bytesProcessed: null,
        bytesAdded: null,
        failures: 0,
      },
    ],
    destinations: [{ id: 'd1', name: 'USB', freeBytes: 5, totalBytes: null }],
  };

  it('say what is known, with labels escaped, and nothing of what is not', async () => {
    const text = await metricsText(INPUT);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const first = '{plan_id="p1",plan="My \\"plan\\"\\\\ of\\nfiles",destination_id="d1",destination="USB"';
    const second = '{plan_id="p2",plan="New",destination_id="d1",destination="USB"';
    const states = 'never queued running succeeded warnings failed cancelled interrupted'.split(' ');
    const stateLines = (labels: string, now: string) =>
      states.map((state) => `holdfast_backup_state${labels},state="${state}"} ${state === now ? 1 : 0}`);
    expect(lines.sort()).toEqual(
      [
        'holdfast_info{version="1.2.3"} 1',
        `holdfast_backup_last_success_timestamp_seconds${first}} 1800000000`,
        `holdfast_backup_age_seconds${first}} 600`,
        `holdfast_backup_duration_seconds${first}} 12.5`,
        `holdfast_backup_processed_bytes${first}} 1125899906842624`,
        `holdfast_backup_added_bytes${first}} 7`,
        `holdfast_backup_failures_total${first}} 3`,
        `holdfast_backup_failures_total${second}} 0`,
        ...stateLines(first, 'failed'),
        ...stateLines(second, 'never'),
        'holdfast_destination_free_bytes{destination_id="d1",destination="USB"} 5',
      ].sort(),
    );
    expect(text).toContain('# TYPE holdfast_backup_failures_total counter');
  });

  it('are there before there is any plan', async () => {
    const text = await metricsText({ now: 0, version: '1', backups: [], destinations: [] });
    expect(text).toContain('holdfast_info{version="1"} 1');
    expect(await metricsText(INPUT)).toBe(await metricsText(INPUT));
  });
});
