/** Runs by the day on which they began, on the clock of this computer. */
import type { Run, RunState } from '../../src/api/model/run.ts';

export type DayTone = 'nothing' | 'good' | 'fair' | 'bad' | 'busy' | 'future';

export interface CalendarDay {
  /** Noon of the day: no change of the clock makes another day of it. */
  readonly at: number;
  readonly tone: DayTone;
  readonly count: number;
}

/** The worse, the later. What a person cancelled is no fault. */
const RANK: readonly DayTone[] = ['nothing', 'good', 'busy', 'fair', 'bad'];

const TONE: Readonly<Record<RunState, DayTone>> = {
  queued: 'busy',
  running: 'busy',
  succeeded: 'good',
  warnings: 'fair',
  failed: 'bad',
  cancelled: 'fair',
  interrupted: 'fair',
};

/** The Monday of the first of so many weeks, at midnight. */
export function calendarStart(now: number, weeks: number): number {
  const day = new Date(now);
  const sinceMonday = (day.getDay() + 6) % 7;
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - sinceMonday - 7 * (weeks - 1)).getTime();
}

/** Weeks of seven days from Monday on, the last one with today. */
export function weeksOf(
  runs: readonly Run[],
  now: number,
  weeks: number,
): readonly (readonly CalendarDay[])[] {
  const byDay = new Map<string, Run[]>();
  for (const run of runs) {
    const key = new Date(run.startedAt ?? run.queuedAt).toDateString();
    byDay.set(key, [...(byDay.get(key) ?? []), run]);
  }
  const start = new Date(calendarStart(now, weeks));
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (_, day) => {
      const at = new Date(start.getFullYear(), start.getMonth(), start.getDate() + 7 * week + day, 12);
      return dayOf(at, byDay.get(at.toDateString()) ?? [], now);
    }),
  );
}

function dayOf(at: Date, runs: readonly Run[], now: number): CalendarDay {
  const past = at.getTime() <= now || at.toDateString() === new Date(now).toDateString();
  const worst = runs
    .map((run) => TONE[run.state])
    .reduce((a, b) => (RANK.indexOf(b) > RANK.indexOf(a) ? b : a), 'nothing');
  return { at: at.getTime(), tone: past ? worst : 'future', count: runs.length };
}
