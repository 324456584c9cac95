import { describe, expect, it } from 'vitest';
import { Retention } from '../../../src/api/model/plan.ts';
import { fromEpochNs } from '../../../src/format/time.ts';
import { isId, type StoredSnapshot } from '../../../src/format/types.ts';
import { planForget } from '../../../src/repository/retention.ts';
import { describeRetention, keepPolicyOf } from '../../../src/rules/retention.ts';

process.env.TZ = 'UTC';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function id(n: number) {
  const hex = n.toString(16).padStart(64, '0');
  if (!isId(hex)) throw new Error('no id');
  return hex;
}

function snapshot(ms: number, n: number): StoredSnapshot {
  return {
    id: id(n),
    tree: id(0),
    time: fromEpochNs(BigInt(ms) * 1_000_000n),
    paths: ['/data'],
    hostname: 'box',
  };
}

interface Life {
  /** When versions were made. */
  readonly made: readonly number[];
  /** What was there after the forget of each night, and when that was. */
  readonly nights: readonly { readonly at: number; readonly kept: readonly number[] }[];
}

/** Versions at irregular hours, with holidays; every night the plan's retention is applied to what is left. */
function live(retention: Retention, days: number): Life {
  const policy = keepPolicyOf(retention);
  const made: number[] = [];
  const nights: { at: number; kept: number[] }[] = [];
  let left: StoredSnapshot[] = [];
  const start = Date.UTC(2023, 10, 17, 5);
  for (let day = 0; day < days; day++) {
    const holiday = day % 97 > 80;
    for (let hour = day % 5; hour < 24 && !holiday; hour += 3 + ((day * 7 + hour) % 6)) {
      const at = start + day * DAY + hour * HOUR + ((day * hour) % 60) * 60_000;
      made.push(at);
      left.push(snapshot(at, made.length));
    }
    const now = start + (day + 1) * DAY;
    if (policy && left.length > 0) {
      left = planForget(left, {
        policy,
        groupBy: { host: true, paths: true, tags: false },
        filtered: true,
        clock: { now: () => now },
      }).flatMap((group) => group.keep);
    }
    nights.push({ at: now, kept: left.map(({ time }) => Date.parse(time)).sort((a, b) => a - b) });
  }
  return { made, nights };
}

const iso = (ms: number) => new Date(ms).toISOString();
const BUCKETS = {
  last: (ms: number) => String(ms),
  hourly: (ms: number) => iso(ms).slice(0, 13),
  daily: (ms: number) => iso(ms).slice(0, 10),
  // Monday 5 January 1970 began a week.
  weekly: (ms: number) => String(Math.floor((ms - 4 * DAY) / (7 * DAY))),
  monthly: (ms: number) => iso(ms).slice(0, 7),
  yearly: (ms: number) => iso(ms).slice(0, 4),
} as const;

/** The newest version of each bucket, of those that were made by then; newest bucket first. */
function newestOfEach(made: readonly number[], bucket: (ms: number) => string): number[] {
  const newest = new Map<string, number>();
  for (const ms of made) newest.set(bucket(ms), ms);
  return [...newest.values()].sort((a, b) => b - a);
}

function yearBefore(ms: number): number {
  const date = new Date(ms);
  return date.setUTCFullYear(date.getUTCFullYear() - 1);
}

describe('balanced', () => {
  const { made, nights } = live({ kind: 'balanced' }, 800);

  it('keeps every version of 24 hours, one a day for a month, one a week for a year, one a month for ever', () => {
    for (const { at, kept } of nights) {
      const before = made.filter((ms) => ms < at);
      const newest = before.at(-1)!;
      const promised = [
        ...before.filter((ms) => ms > newest - DAY),
        ...newestOfEach(before, BUCKETS.daily).filter((ms) => ms > newest - 31 * DAY),
        ...newestOfEach(before, BUCKETS.weekly).filter((ms) => ms > yearBefore(newest)),
        ...newestOfEach(before, BUCKETS.monthly),
      ];
      // The very first stays too: it is the oldest of its month, and nothing is older.
      expect(kept).toEqual([...new Set([made[0]!, ...promised])].sort((a, b) => a - b));
    }
  });

  it('comes to some ninety versions, not thousands', () => {
    expect(made.length).toBeGreaterThan(2500);
    const last = nights.at(-1)!.kept.length;
    expect(last).toBeGreaterThan(70);
    expect(last).toBeLessThan(130);
  });
});

describe('recent', () => {
  it.each([1, 30, 400])('keeps %i days, counted from the newest, and nothing older', (days) => {
    const { made, nights } = live({ kind: 'recent', days }, 450);
    for (const { at, kept } of nights) {
      const before = made.filter((ms) => ms < at);
      expect(kept).toEqual(before.filter((ms) => ms > before.at(-1)! - days * DAY));
      expect(kept.length).toBeGreaterThan(0);
    }
  });
});

describe('custom', () => {
  it.each([
    { last: 3 },
    { daily: 7, weekly: 4 },
    { last: 2, hourly: 5, daily: 7, weekly: 4, monthly: 6, yearly: 10 },
  ])('keeps the newest of as many periods: %j', (some) => {
    const retention = Retention.parse({ kind: 'custom', keep: some });
    const { made, nights } = live(retention, 300);
    for (const { at, kept } of nights) {
      const before = made.filter((ms) => ms < at);
      for (const [rule, count] of Object.entries(some)) {
        const promised = newestOfEach(before, BUCKETS[rule as keyof typeof BUCKETS]).slice(0, count);
        expect(kept).toEqual(expect.arrayContaining(promised));
      }
      const most = Object.values(some).reduce((sum, count) => sum + count, 0);
      expect(kept.length).toBeLessThanOrEqual(most);
    }
  });
});

describe('everything', () => {
  it('has no policy, and neither has a custom one without any number', () => {
    expect(keepPolicyOf({ kind: 'everything' })).toBeUndefined();
    expect(keepPolicyOf(Retention.parse({ kind: 'custom', keep: {} }))).toBeUndefined();
    const { made, nights } = live({ kind: 'everything' }, 40);
    expect(nights.at(-1)!.kept).toEqual(made);
  });
});

describe('words', () => {
  it.each([
    [{ kind: 'everything' }, 'Keeps every version for ever.'],
    [
      { kind: 'balanced' },
      'Keeps every version of the last 24 hours, then one a day for a month, one a week for a year and one a month for ever.',
    ],
    [
      { kind: 'recent', days: 1 },
      'Keeps every version of the last 1 day, counted back from the newest, and nothing older.',
    ],
    [
      { kind: 'recent', days: 30 },
      'Keeps every version of the last 30 days, counted back from the newest, and nothing older.',
    ],
    [{ kind: 'custom', keep: { last: 1 } }, 'Keeps the newest version.'],
    [
      { kind: 'custom', keep: { daily: 7, weekly: 4, monthly: 12 } },
      'Keeps one version for each of the newest 7 days, 4 weeks and 12 months that have one.',
    ],
    [
      { kind: 'custom', keep: { last: 5, yearly: 2 } },
      'Keeps the newest 5 versions and one version for each of the newest 2 years that have one.',
    ],
    [{ kind: 'custom', keep: {} }, 'Keeps every version for ever, because no number says what to keep.'],
  ])('%j', (retention, words) => {
    expect(describeRetention(Retention.parse(retention))).toBe(words);
  });
});
