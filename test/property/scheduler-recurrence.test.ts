import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Recurrence, WEEKDAYS } from '../../src/api/model/plan.ts';
import { latestUpTo, nextAfter, upcoming } from '../../src/scheduler/recurrence.ts';

/** An oracle that knows nothing of calendars: it walks from minute to minute and reads the clock on the wall. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface WallMinute {
  readonly at: number;
  /** Counts local days. */
  readonly day: number;
  readonly minuteOfDay: number;
}

const readers = new Map<
  string,
  { readonly format: Intl.DateTimeFormat; readonly read: Map<number, number> }
>();

/** What the clock of the zone is ahead of UTC, in ms. Asked for every quarter of an hour: no zone changes in between. */
function offsetAt(zone: string, at: number): number {
  let reader = readers.get(zone);
  if (reader === undefined) {
    const two = '2-digit' as const;
    const fields = {
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      hourCycle: 'h23',
    } as const;
    const format = new Intl.DateTimeFormat('en', { timeZone: zone, calendar: 'iso8601', ...fields });
    reader = { format, read: new Map() };
    readers.set(zone, reader);
  }
  let offset = reader.read.get(at);
  if (offset === undefined) {
    const part: Record<string, number> = {};
    for (const { type, value } of reader.format.formatToParts(at)) part[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
    offset = Date.UTC(year, month - 1, day, hour, minute) - at;
    reader.read.set(at, offset);
  }
  return offset;
}

function* walk(zone: string, from: number, to: number): Generator<WallMinute> {
  for (let block = from; block < to; block += 15 * MINUTE) {
    const offset = offsetAt(zone, block);
    for (let at = block; at < Math.min(to, block + 15 * MINUTE); at += MINUTE) {
      const local = at + offset;
      yield { at, day: Math.floor(local / DAY), minuteOfDay: Math.floor((local % DAY) / MINUTE) };
    }
  }
}

const minuteOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** The times (minutes of the day) on a local day. */
function timesOn(when: Recurrence, day: number): readonly number[] {
  const date = new Date(day * DAY);
  const lastOfMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  switch (when.kind) {
    case 'daily':
      return when.at.map(minuteOf);
    case 'weekly':
      return when.days.includes(WEEKDAYS[(date.getUTCDay() + 6) % 7]!) ? [minuteOf(when.at)] : [];
    case 'monthly': {
      const wanted = when.day === 'last' ? lastOfMonth : Math.min(when.day, lastOfMonth);
      return date.getUTCDate() === wanted ? [minuteOf(when.at)] : [];
    }
    case 'hourly':
      return Array.from({ length: 24 }, (_, hour) => hour)
        .filter((hour) => hour % when.every === 0)
        .map((hour) => hour * 60 + when.minute);
    default:
      throw new Error('not in this oracle');
  }
}

/**
 * Times come when the clock first reaches them or passes them, on their day. Every hour: whenever the clock shows the minute.
 */
function oracle(when: Recurrence, zone: string, from: number, to: number): readonly number[] {
  const everyHour = when.kind === 'hourly' && when.every === 1;
  const starts: number[] = [];
  let day = Number.NaN;
  let open: readonly number[] = [];
  // A day earlier, so that the first local day is whole.
  for (const minute of walk(zone, from - 2 * DAY, to)) {
    if (everyHour) {
      if (minute.minuteOfDay % 60 === when.minute) starts.push(minute.at);
      continue;
    }
    if (minute.day !== day) {
      day = minute.day;
      open = timesOn(when, day);
    }
    if (open.length === 0) continue;
    const reached = open.filter((time) => time <= minute.minuteOfDay);
    if (reached.length === 0) continue;
    starts.push(minute.at);
    open = open.filter((time) => time > minute.minuteOfDay);
  }
  return starts.filter((at) => at >= from);
}

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'] as const;
/** Days of changes of the clock in those zones. */
const CHANGES = ['2026-03-29', '2026-10-25', '2027-03-14', '2027-11-07', '2026-04-04', '2026-10-03'].map(
  (day) => Date.parse(`${day}T00:00Z`),
);

const minutes = fc.nat({ max: 59 });
const two = (n: number) => String(n).padStart(2, '0');
/** Times of day, many of them in the hours in which clocks change. */
const times = fc
  .tuple(fc.oneof(fc.nat({ max: 23 }), fc.integer({ min: 1, max: 3 })), minutes)
  .map(([hour, minute]) => `${two(hour)}:${two(minute)}`);
const recurrences: fc.Arbitrary<Recurrence> = fc.oneof(
  fc.record({
    kind: fc.constant('hourly' as const),
    every: fc.integer({ min: 1, max: 12 }),
    minute: minutes,
  }),
  fc.record({ kind: fc.constant('daily' as const), at: fc.array(times, { minLength: 1, maxLength: 4 }) }),
  fc.record({
    kind: fc.constant('weekly' as const),
    days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1, maxLength: 7 }),
    at: times,
  }),
  fc.record({
    kind: fc.constant('monthly' as const),
    day: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const)),
    at: times,
  }),
);
const zones = fc.constantFrom(...ZONES);
/** Where a walk begins: anywhere in six years, or just before a change of the clock. */
const begins = fc
  .oneof(
    fc.integer({ min: Date.UTC(2024, 0, 1) / MINUTE, max: Date.UTC(2030, 0, 1) / MINUTE }),
    fc
      .tuple(fc.constantFrom(...CHANGES), fc.nat({ max: 4 * 24 * 60 }))
      .map(([at, back]) => at / MINUTE - back),
  )
  // On a quarter of an hour, as the oracle wants it.
  .map((minute) => Math.floor(minute / 15) * 15 * MINUTE);

describe('recurrences against a walk by the minute', () => {
  it('has the starts of the walk, each once, in order', () => {
    fc.assert(
      fc.property(recurrences, zones, begins, (when, zone, from) => {
        const want = oracle(when, zone, from, from + 40 * DAY);
        expect(upcoming(when, zone, from - 1, want.length)).toEqual(want);
        expect(nextAfter(when, zone, want.at(-1) ?? from)).toBeGreaterThanOrEqual(from + 40 * DAY);
      }),
      { numRuns: 100 },
    );
  });

  it('finds the newest start up to any instant, at the millisecond', () => {
    const nudges = fc.constantFrom(-MINUTE, -1, 0, 1, 999, MINUTE);
    fc.assert(
      fc.property(recurrences, zones, begins, nudges, fc.nat(), (when, zone, from, nudge, pick) => {
        const starts = oracle(when, zone, from, from + 40 * DAY);
        if (starts.length === 0) return;
        const instant = starts[pick % starts.length]! + nudge;
        const want = starts.filter((at) => at <= instant).at(-1) ?? null;
        expect(latestUpTo(when, zone, instant, from)).toBe(want);
        if (want !== null) {
          expect(latestUpTo(when, zone, instant, want)).toBe(want);
          expect(latestUpTo(when, zone, instant, want + 1)).toBeNull();
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each(ZONES)('agrees with the walk through three years in %s', (zone) => {
    const from = Date.UTC(2026, 0, 1);
    const to = Date.UTC(2029, 0, 1);
    const samples: readonly Recurrence[] = [
      { kind: 'hourly', every: 6, minute: 15 },
      { kind: 'daily', at: ['02:15', '12:30'] },
      { kind: 'weekly', days: ['sun'], at: '02:30' },
      { kind: 'monthly', day: 30, at: '23:59' },
    ];
    for (const when of samples) {
      const want = oracle(when, zone, from, to);
      expect(upcoming(when, zone, from - 1, want.length)).toEqual(want);
    }
  });

  it('takes cron expressions of the simple forms for the same', () => {
    const cron = (expression: string): Recurrence => ({ kind: 'cron', expression });
    fc.assert(
      fc.property(zones, begins, fc.nat({ max: 23 }), minutes, (zone, from, hour, minute) => {
        const at = `${two(hour)}:${two(minute)}`;
        const pairs: readonly (readonly [Recurrence, Recurrence])[] = [
          [cron(`${minute} ${hour} * * *`), { kind: 'daily', at: [at] }],
          [cron(`${minute} * * * *`), { kind: 'hourly', every: 1, minute }],
          [
            cron(`${minute} ${hour} * * MON-FRI`),
            { kind: 'weekly', days: ['mon', 'tue', 'wed', 'thu', 'fri'], at },
          ],
        ];
        for (const [one, other] of pairs) {
          expect(upcoming(one, zone, from, 20)).toEqual(
            oracle(other, zone, from, from + 40 * DAY)
              .filter((start) => start > from)
              .slice(0, 20),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});
