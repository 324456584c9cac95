import { describe, expect, it } from 'vitest';
import { calendarStart, weeksOf } from '../../../renderer/components/calendar-days.ts';
import { isAbsolute } from '../../../renderer/components/paths.ts';
import { formatsOf } from '../../../renderer/format.ts';
import {
  defaultRetention,
  defaultWhen,
  missingKeep,
  missingWhen,
  newDraft,
} from '../../../renderer/screens/plan-wizard/draft.ts';
import { PlanInput, Recurrence } from '../../../src/api/model/plan.ts';
import { backupRunOf } from '../../helpers/host-values.ts';

const en = formatsOf('en-GB');
const de = formatsOf('de-DE');
const NOW = new Date(2026, 2, 18, 15, 0).getTime(); // a Wednesday
const HOUR = 3_600_000;

describe('sizes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [150 * 1024, '150 KiB'],
    [3.25 * 1024 ** 3, '3.3 GiB'],
    [5000 * 1024 ** 5, '5,000 PiB'],
  ])('%d is %s', (bytes, text) => {
    expect(en.bytes(bytes)).toBe(text);
  });

  it('are written as the language does', () => {
    expect(de.bytes(1536)).toBe('1,5 KiB');
  });
});

describe('times', () => {
  it.each([
    [0, 'now'],
    [-45_000, '45 seconds ago'],
    [-90 * 60_000, '1 hour ago'],
    [5 * 60_000, 'in 5 minutes'],
    [-26 * HOUR, 'yesterday'],
    [-9 * 24 * HOUR, '9 days ago'],
    [-15 * 24 * HOUR, '2 weeks ago'],
    [-800 * 24 * HOUR, '2 years ago'],
  ])('%d ms from now are %s', (ms, text) => {
    expect(en.relative(NOW + ms, NOW)).toBe(text);
  });

  it.each([
    [0.2, '1 sec'],
    [59, '59 secs'],
    [90, '2 mins'],
    [3600, '1 hr'],
    [3600 * 1.5, '1 hr 30 mins'],
    [3600 * 72, '3 days'],
  ])('%d seconds take %s', (seconds, text) => {
    expect(en.duration(seconds)).toBe(text);
  });

  it('begin the week on Monday', () => {
    expect([0, 6].map((day) => de.weekday(day, 'long'))).toEqual(['Montag', 'Sonntag']);
  });
});

describe('the calendar', () => {
  const run = (at: Date, state: 'succeeded' | 'failed' | 'warnings') =>
    backupRunOf('plan', 'disk', { state, startedAt: at.getTime() });

  it('ends with the week of today, and shows no day to come', () => {
    const weeks = weeksOf([], NOW, 3);
    expect(weeks.map((week) => week.map(({ tone }) => tone === 'future'))).toEqual([
      Array(7).fill(false),
      Array(7).fill(false),
      [false, false, false, true, true, true, true],
    ]);
    expect(new Date(calendarStart(NOW, 3)).toDateString()).toBe('Mon Mar 02 2026');
  });

  it('colours a day by the worst of its runs', () => {
    const day = (hour: number) => new Date(2026, 2, 17, hour);
    const [week] = weeksOf(
      [run(day(1), 'succeeded'), run(day(2), 'failed'), run(day(23), 'warnings')],
      NOW,
      1,
    );
    expect(week?.map(({ tone, count }) => [tone, count])[1]).toEqual(['bad', 3]);
    expect(week?.[0]).toMatchObject({ tone: 'nothing', count: 0 });
  });

  it('has each day once, also where the clock changes', () => {
    const days = weeksOf([], new Date(2026, 10, 20).getTime(), 40).flat();
    expect(new Set(days.map(({ at }) => new Date(at).toDateString())).size).toBe(280);
  });
});

describe('a draft of a plan', () => {
  it('is whole but for sources and destinations', () => {
    const { input } = newDraft('My files');
    const parsed = PlanInput.safeParse(input);
    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual(['sources', 'destinations']);
  });

  it.each(Recurrence.options.map(({ shape }) => shape.kind.value))('has a whole schedule for %s', (kind) => {
    expect(Recurrence.safeParse(defaultWhen(kind)).success).toBe(true);
    expect(missingWhen(defaultWhen(kind))).toBeUndefined();
  });

  it('does not let a plan keep nothing', () => {
    const custom = defaultRetention('custom');
    expect(missingKeep(custom)).toBe(false);
    const nothing = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
    expect(missingKeep({ kind: 'custom', keep: nothing })).toBe(true);
  });

  it.each([
    ['/home', true],
    ['C:\\Users', true],
    ['\\\\nas\\share', true],
    ['documents', false],
    ['~/documents', false],
    ['', false],
  ])('knows whether %s is a whole path', (path, whole) => {
    expect(isAbsolute(path)).toBe(whole);
  });
});
