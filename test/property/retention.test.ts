import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromEpochNs } from '../../src/format/time.ts';
import { isId, type StoredSnapshot } from '../../src/format/types.ts';
import {
  applyPolicy,
  formatDuration,
  type KeepPolicy,
  parseDuration,
} from '../../src/repository/retention.ts';

/**
 * A model that decides by sets instead of a walk with counters: the newest of each bucket, of those the first n, and
 * the oldest of all where fewer than n buckets exist. Times are whole hours in UTC, so that plain dates serve.
 */
const BUCKETS = {
  last: (hour: number, nr: number) => `${nr} ${hour}`,
  hourly: (hour: number) => iso(hour).slice(0, 13),
  daily: (hour: number) => iso(hour).slice(0, 10),
  // Monday 5 January 1970 began a week.
  weekly: (hour: number) => String(Math.floor((hour - 4 * 24) / (7 * 24))),
  monthly: (hour: number) => iso(hour).slice(0, 7),
  yearly: (hour: number) => iso(hour).slice(0, 4),
} as const;
type Rule = keyof typeof BUCKETS;
const RULES = Object.keys(BUCKETS) as Rule[];

function iso(hour: number): string {
  return new Date(hour * 3_600_000).toISOString();
}

function modelKept(hours: readonly number[], policy: Readonly<Partial<Record<Rule, number>>>): Set<number> {
  const kept = new Set<number>();
  for (const rule of RULES) {
    const count = policy[rule] ?? 0;
    const firsts = hours.flatMap((hour, nr) => {
      const bucket = BUCKETS[rule](hour, nr);
      return hours.findIndex((h, i) => BUCKETS[rule](h, i) === bucket) === nr ? [nr] : [];
    });
    const limit = count === -1 ? firsts.length + 1 : count;
    for (const nr of firsts.slice(0, limit)) kept.add(nr);
    if (limit > firsts.length) kept.add(hours.length - 1);
  }
  return kept;
}

function snapshot(hour: number, nr: number): StoredSnapshot {
  const id = nr.toString(16).padStart(64, '0');
  if (!isId(id)) throw new Error('no id');
  return { id, tree: id, time: fromEpochNs(BigInt(hour) * 3_600_000_000_000n), paths: [] };
}

const EPOCH_HOURS_2020 = 438_288;
/** Newest first, from close together to years apart. */
const hourLists = fc
  .tuple(
    fc.constantFrom(3, 48, 400, 5000),
    fc.array(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 25 }),
  )
  .map(([scale, steps]) => {
    let hour = EPOCH_HOURS_2020;
    return steps.map((step) => {
      hour -= step % scale;
      return hour;
    });
  });
const count = fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 8 }));
const policies = fc.record(
  { last: count, hourly: count, daily: count, weekly: count, monthly: count, yearly: count },
  { requiredKeys: [] },
);
const clock = { now: () => Date.UTC(2026, 0, 1) };

process.env.TZ = 'UTC';

function decide(hours: readonly number[], policy: KeepPolicy) {
  const list = hours.map(snapshot);
  const { keep, remove, reasons } = applyPolicy(list, policy, { clock });
  return { list, keep, remove, reasons };
}

describe('retention', () => {
  it('agrees with the model', () => {
    fc.assert(
      fc.property(hourLists, policies, (hours, policy) => {
        const { list, keep } = decide(hours, policy);
        const kept = modelKept(hours, policy);
        expect(keep).toEqual(list.filter((_, nr) => kept.has(nr)));
      }),
      { numRuns: 3000 },
    );
  });

  it('splits the list, keeps the order and tells a reason for each that stays', () => {
    fc.assert(
      fc.property(hourLists, policies, (hours, policy) => {
        const { list, keep, remove, reasons } = decide(hours, policy);
        expect([...keep, ...remove].sort((a, b) => list.indexOf(a) - list.indexOf(b))).toEqual(list);
        expect(reasons.map((r) => r.snapshot)).toEqual(keep);
        expect(reasons.every((r) => r.matches.length > 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing when applied to what it kept', () => {
    fc.assert(
      fc.property(hourLists, policies, (hours, policy) => {
        const { keep } = decide(hours, policy);
        expect(applyPolicy(keep, policy, { clock }).remove).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps what lies within days and hours of the newest', () => {
    const within = fc.record({ days: fc.nat({ max: 60 }), hours: fc.nat({ max: 60 }) });
    fc.assert(
      fc.property(hourLists, within, (list, w) => {
        const span = w.days * 24 + w.hours;
        fc.pre(span > 0);
        const { list: all, keep } = decide(list, { within: { years: 0, months: 0, ...w } });
        const newest = list[0] ?? 0;
        expect(keep).toEqual(all.filter((_, nr) => (list[nr] ?? 0) > newest - span));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads the lengths of time that it writes', () => {
    const part = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(fc.record({ years: part, months: part, days: part, hours: part }), (d) => {
        expect(parseDuration(formatDuration(d))).toEqual(d);
      }),
    );
  });
});
