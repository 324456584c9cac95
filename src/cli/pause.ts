/** How long a pause lasts, as it is written and as it is told; and that nothing starts by itself where no host runs. */
import process from 'node:process';
import { EngineError } from '../api/errors.ts';
import type { PlanStatus } from '../api/model/plan.ts';
import type { Pause } from '../api/model/status.ts';
import { formatMoment } from './ago.ts';
import { formatLocalTime } from './time-format.ts';
import { parseClockDuration } from './units.ts';

/** Whoever sleeps through the night of a pause finds a backup of the new day. */
const MORNING_HOUR = 6;
/** What lasts longer than this is meant to last until somebody ends it. */
const LONGEST_MS = 366 * 86_400_000;

/**
 * When a pause that begins at `now` ends, in milliseconds since the epoch: `30m` and `1h30m` from now, `tomorrow` at 06:00
 * of the next day on this computer's clock; null for `forever`. Error: 'usage'.
 */
export function parsePause(text: string, now: number): number | null {
  if (text === 'forever') return null;
  if (text === 'tomorrow') return tomorrowMorning(now);
  const length = lengthOf(text);
  if (length >= 1 && length <= LONGEST_MS) return Math.round(now + length);
  const more = length > LONGEST_MS;
  throw new EngineError('usage', `${text} is ${more ? 'longer than a year' : 'no time at all'}.`, {
    hint: more ? 'Write `holdfast pause forever`.' : HINT,
  });
}

const HINT = 'Write 30m, 1h, tomorrow or forever.';

function lengthOf(text: string): number {
  try {
    return parseClockDuration(text);
  } catch (e) {
    throw new EngineError('usage', `"${text}" does not say how long to pause.`, { hint: HINT }, { cause: e });
  }
}

/** By the calendar, not in 24 hours: days on which the clocks change are shorter and longer. */
function tomorrowMorning(now: number): number {
  const today = new Date(now);
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1, MORNING_HOUR).getTime();
}

/** `until resumed`, `until 2026-01-31 06:00:00 (in 9 hours)`. */
export function pauseText({ until }: Pause, now: number): string {
  return until === null ? 'until resumed' : `until ${formatMoment(until, now, '')}`;
}

/** The same without how long that is, for who has just said so. */
export function pauseEnd({ until }: Pause): string {
  return until === null ? 'until you resume them' : `until ${formatLocalTime(until)}`;
}

/** Said instead of silence where plans have schedules and no host runs that would keep them; else nothing. */
export function asleepLines(own: boolean, plans: readonly PlanStatus[]): readonly string[] {
  const waits = plans.some(({ plan }) => plan.enabled && plan.schedule.when.kind !== 'manual');
  return own && waits ? [`Plans don't start by themselves now: no host is running. ${howToServe()}`] : [];
}

function howToServe(): string {
  return process.platform === 'linux'
    ? '`holdfast serve` starts one, `holdfast service install` keeps one running.'
    : '`holdfast serve` starts one.';
}
