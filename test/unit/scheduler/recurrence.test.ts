import { afterEach, describe, expect, it } from 'vitest';
import type { EngineError } from '../../../src/api/errors.ts';
import type { Recurrence } from '../../../src/api/model/plan.ts';
import { describeRecurrence, latestUpTo, nextAfter, upcoming } from '../../../src/scheduler/recurrence.ts';

const at = (date: string) => Date.parse(date);
const dates = (instants: readonly number[]) =>
  instants.map((instant) => new Date(instant).toISOString().slice(0, 16));
const daily = (...times: string[]): Recurrence => ({ kind: 'daily', at: times });

function fault(work: () => unknown): EngineError {
  try {
    work();
  } catch (error) {
    return error as EngineError;
  }
  throw new Error('nothing was thrown');
}

const ownZone = process.env.TZ;
afterEach(() => {
  if (ownZone === undefined) delete process.env.TZ;
  else process.env.TZ = ownZone;
});

describe('changes of the clock', () => {
  it('starts what lies in the skipped hour once, at the change', () => {
    const starts = upcoming(daily('02:30'), 'Europe/Berlin', at('2026-03-28T00:00Z'), 3);
    expect(dates(starts)).toEqual(['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30']);
  });

  it('starts what lies in the doubled hour once', () => {
    const starts = upcoming(daily('02:30'), 'Europe/Berlin', at('2026-10-24T12:00Z'), 2);
    expect(dates(starts)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  });

  it('makes two times in the skipped hour one start', () => {
    const starts = upcoming(daily('02:10', '02:50'), 'Europe/Berlin', at('2026-03-29T00:00Z'), 2);
    expect(dates(starts)).toEqual(['2026-03-29T01:00', '2026-03-30T00:10']);
  });

  it('stays hourly through both', () => {
    const hourly: Recurrence = { kind: 'hourly', every: 1, minute: 0 };
    for (const day of ['2026-03-28T20:00Z', '2026-10-24T20:00Z']) {
      const starts = upcoming(hourly, 'Europe/Berlin', at(day), 12);
      expect(starts.map((start) => start - at(day))).toEqual(
        Array.from({ length: 12 }, (_, nr) => (nr + 1) * 3_600_000),
      );
    }
  });

  it('goes by the clock on the wall every two hours, so that none comes twice', () => {
    const when: Recurrence = { kind: 'hourly', every: 2, minute: 0 };
    const autumn = upcoming(when, 'Europe/Berlin', at('2026-10-24T21:00Z'), 4);
    expect(dates(autumn)).toEqual([
      '2026-10-24T22:00',
      '2026-10-25T00:00',
      '2026-10-25T03:00',
      '2026-10-25T05:00',
    ]);
    const spring = upcoming(when, 'Europe/Berlin', at('2026-03-28T22:00Z'), 3);
    expect(dates(spring)).toEqual(['2026-03-28T23:00', '2026-03-29T01:00', '2026-03-29T02:00']);
  });

  it("follows the computer's own zone where none is given", () => {
    process.env.TZ = 'Europe/Berlin';
    expect(dates(upcoming(daily('02:31'), null, at('2026-03-28T12:00Z'), 2))).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:31',
    ]);
    process.env.TZ = 'Asia/Kolkata';
    expect(dates(upcoming(daily('02:31'), null, at('2026-03-28T12:00Z'), 1))).toEqual(['2026-03-28T21:01']);
  });
});

describe('months', () => {
  const monthly = (day: number | 'last'): Recurrence => ({ kind: 'monthly', day, at: '03:00' });
  const days = (day: number | 'last', from: string, count: number) =>
    dates(upcoming(monthly(day), 'UTC', at(from), count)).map((date) => date.slice(5, 10));

  it('takes the last day of a month that is shorter', () => {
    expect(days(31, '2026-01-01T00:00Z', 4)).toEqual(['01-31', '02-28', '03-31', '04-30']);
    expect(days('last', '2028-01-31T12:00Z', 2)).toEqual(['02-29', '03-31']);
    expect(days(30, '2026-01-01T00:00Z', 4)).toEqual(['01-30', '02-28', '03-30', '04-30']);
    expect(days(29, '2028-01-30T00:00Z', 2)).toEqual(['02-29', '03-29']);
    expect(days(29, '2027-01-30T00:00Z', 2)).toEqual(['02-28', '03-29']);
    expect(days(28, '2028-01-30T00:00Z', 2)).toEqual(['02-28', '03-28']);
  });
});

describe('bounds', () => {
  it('knows no start by hand', () => {
    expect(nextAfter({ kind: 'manual' }, null, 0)).toBeNull();
    expect(latestUpTo({ kind: 'manual' }, null, at('2026-01-01T00:00Z'), 0)).toBeNull();
    expect(upcoming({ kind: 'manual' }, null, 0, 5)).toEqual([]);
  });

  it('starts strictly after, and up to and with', () => {
    const noon = at('2026-01-05T12:00Z');
    const day = 86_400_000;
    expect(nextAfter(daily('12:00'), 'UTC', noon)).toBe(noon + day);
    expect(nextAfter(daily('12:00'), 'UTC', noon - 1)).toBe(noon);
    expect(latestUpTo(daily('12:00'), 'UTC', noon, 0)).toBe(noon);
    expect(latestUpTo(daily('12:00'), 'UTC', noon - 1, 0)).toBe(noon - day);
    expect(latestUpTo(daily('12:00'), 'UTC', noon - 1, noon - day + 1)).toBeNull();
  });
});

describe('what is refused', () => {
  it.each([
    ['61 * * * *'],
    ['* * * * * *'],
    ['@annually'],
    ['every day'],
    ['? 12 * * *'],
    ['0 12 * * FOO'],
    ['0 12 31 2 *'],
    ['12 * * * x'],
  ])('refuses the expression %j', (expression) => {
    const error = fault(() => nextAfter({ kind: 'cron', expression }, 'UTC', 0));
    expect(error.code).toBe('usage');
    expect(error.message).toContain(`"${expression}"`);
    expect(error.hint).toBeTruthy();
  });

  it('refuses a zone that is none, whatever recurs', () => {
    for (const when of [daily('12:00'), { kind: 'manual' } as const]) {
      const error = fault(() => nextAfter(when, 'Europe/Atlantis', 0));
      expect(error.code).toBe('usage');
      expect(error.message).toBe('There is no time zone "Europe/Atlantis".');
      expect(error.hint).toContain('Europe/Berlin');
    }
  });
});

describe('describeRecurrence', () => {
  const cases: readonly (readonly [Recurrence, string])[] = [
    [{ kind: 'manual' }, 'Only by hand'],
    [{ kind: 'hourly', every: 1, minute: 0 }, 'Every hour'],
    [{ kind: 'hourly', every: 1, minute: 1 }, 'Every hour, 1 minute past the hour'],
    [{ kind: 'hourly', every: 4, minute: 15 }, 'Every 4 hours, 15 minutes past the hour'],
    [daily('12:30'), 'Every day at 12:30'],
    [daily('20:00', '07:15', '12:30', '07:15'), 'Every day at 07:15, 12:30 and 20:00'],
    [{ kind: 'weekly', days: ['mon'], at: '08:00' }, 'Every Monday at 08:00'],
    [{ kind: 'weekly', days: ['sun', 'wed'], at: '08:00' }, 'Every Wednesday and Sunday at 08:00'],
    [{ kind: 'weekly', days: ['fri', 'thu', 'wed', 'tue', 'mon'], at: '08:00' }, 'Monday to Friday at 08:00'],
    [{ kind: 'weekly', days: ['sun', 'sat'], at: '08:00' }, 'Saturday and Sunday at 08:00'],
    [
      { kind: 'weekly', days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], at: '08:00' },
      'Every day at 08:00',
    ],
    [{ kind: 'monthly', day: 1, at: '04:00' }, 'Every month on the 1st at 04:00'],
    [{ kind: 'monthly', day: 12, at: '04:00' }, 'Every month on the 12th at 04:00'],
    [{ kind: 'monthly', day: 23, at: '04:00' }, 'Every month on the 23rd at 04:00'],
    [
      { kind: 'monthly', day: 30, at: '04:00' },
      'Every month on the 30th, or the last day of a shorter month, at 04:00',
    ],
    [{ kind: 'monthly', day: 31, at: '04:00' }, 'Every month on the last day at 04:00'],
    [{ kind: 'monthly', day: 'last', at: '04:00' }, 'Every month on the last day at 04:00'],
    [{ kind: 'cron', expression: '*/5 * * * *' }, 'By the cron expression */5 * * * *'],
  ];
  it.each(cases)('%j', (when, words) => expect(describeRecurrence(when)).toBe(words));
});
