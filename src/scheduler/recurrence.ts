/**
 * When something recurs, on the clock of a time zone.
 *
 * start        an instant at which it is to begin
 * skipped hour clocks go forward: a time of day that does not exist that day starts at the moment of the change, once
 * doubled hour clocks go back: a time of day that comes twice starts the first time only; what recurs every hour or with a
 *              wildcard (cron: a field with a star) goes by elapsed time instead and starts in both
 *
 * The calendar is croner's; its `no-wildcard` rule for changes of the clock is the one described here.
 */
import { Cron } from 'croner';
import { assertNever, EngineError, messageOf } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import { type Recurrence, WEEKDAYS, type Weekday } from '../api/model/plan.ts';

/**
 * The first start later than `after`; null: none ever.
 * @param timeZone IANA name; null: the computer's own.
 * @throws EngineError 'usage' for a cron expression or a time zone that is none.
 */
export function nextAfter(when: Recurrence, timeZone: string | null, after: Instant): Instant | null {
  return extreme(Math.min, calendarsOf(when, timeZone), (cron) => cron.nextRun(new Date(after)));
}

/**
 * The newest start that is not later than `instant` nor earlier than `since`; null: none.
 * @throws As nextAfter.
 */
export function latestUpTo(
  when: Recurrence,
  timeZone: string | null,
  instant: Instant,
  since: Instant,
): Instant | null {
  const calendars = calendarsOf(when, timeZone);
  const latest = extreme(Math.max, calendars, (cron) => cron.previousRuns(1, new Date(instant + 1))[0]);
  return latest === null || latest < since ? null : latest;
}

/**
 * The next `count` starts later than `after`, or fewer where no more come.
 * @throws As nextAfter.
 */
export function upcoming(
  when: Recurrence,
  timeZone: string | null,
  after: Instant,
  count: number,
): readonly Instant[] {
  const starts: Instant[] = [];
  for (let at = nextAfter(when, timeZone, after); at !== null && starts.length < count; ) {
    starts.push(at);
    at = nextAfter(when, timeZone, at);
  }
  return starts;
}

function extreme(
  choose: (a: number, b: number) => number,
  calendars: readonly Cron[],
  startOf: (cron: Cron) => Date | null | undefined,
): Instant | null {
  let best: number | null = null;
  for (const cron of calendars) {
    const at = startOf(cron)?.getTime();
    if (at !== undefined) best = best === null ? at : choose(best, at);
  }
  return best;
}

const known = new Map<string, readonly Cron[]>();
const KNOWN_LIMIT = 200;

/** To read an expression costs more than to ask for its next start, and the scheduler asks for the same ones again and again. */
function calendarsOf(when: Recurrence, timeZone: string | null): readonly Cron[] {
  const name = JSON.stringify([when, timeZone]);
  let calendars = known.get(name);
  if (calendars === undefined) {
    checkTimeZone(timeZone);
    calendars = expressionsOf(when).map((expression) => calendarOf(expression, timeZone));
    if (known.size >= KNOWN_LIMIT) known.clear();
    known.set(name, calendars);
  }
  return calendars;
}

/** Cron expressions whose starts together are those of the recurrence. */
function expressionsOf(when: Recurrence): readonly string[] {
  switch (when.kind) {
    case 'manual':
      return [];
    case 'hourly':
      return [`${when.minute} ${hoursOf(when.every)} * * *`];
    case 'daily':
      return when.at.map((at) => `${minuteAndHour(at)} * * *`);
    case 'weekly':
      return [`${minuteAndHour(when.at)} * * ${when.days.map((day) => WEEKDAYS.indexOf(day) + 1).join(',')}`];
    case 'monthly':
      return monthDays(when.day).map((days) => `${minuteAndHour(when.at)} ${days} *`);
    case 'cron':
      checkCron(when.expression);
      return [when.expression];
    default:
      return assertNever(when);
  }
}

/** Listed, not by a step: every two hours is by the times on the clock, so the doubled hour counts once. */
function hoursOf(every: number): string {
  if (every === 1) return '*';
  return Array.from({ length: Math.ceil(24 / every) }, (_, nr) => nr * every).join(',');
}

/** "07:30" as "30 7". */
function minuteAndHour(at: string): string {
  const [hour, minute] = at.split(':').map(Number);
  return `${minute} ${hour}`;
}

/** Fields for day and month. Only February lacks the 29th and 30th; `L` is the last day of each month. */
function monthDays(day: number | 'last'): readonly string[] {
  if (day === 'last' || day === 31) return ['L *'];
  return day > 28 ? [`${day} *`, 'L 2'] : [`${day} *`];
}

const CRON_HINT =
  'Write five fields: minute, hour, day of the month, month, day of the week. "30 12 * * 1-5" is half past twelve on weekdays.';

/** What croner would take but is not among the five fields: nicknames (@daily) and `?`, the moment at which it is read. */
function checkCron(expression: string): void {
  if (expression.trim().split(/\s+/).length !== 5 || /[?@]/.test(expression)) {
    throw new EngineError('usage', `"${expression}" is no cron expression.`, { hint: CRON_HINT });
  }
}

function checkTimeZone(timeZone: string | null): void {
  if (timeZone === null) return;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    const hint = 'Use a name such as Europe/Berlin, America/New_York or UTC.';
    throw new EngineError('usage', `There is no time zone "${timeZone}".`, { hint }, { cause });
  }
}

/** Any instant serves to find out whether an expression has starts at all. */
const SOME_TIME = new Date(Date.UTC(2026, 0, 1));

function calendarOf(expression: string, timeZone: string | null): Cron {
  try {
    const cron = new Cron(expression, {
      mode: '5-part',
      fixedTimeRule: 'no-wildcard',
      ...(timeZone === null ? {} : { timezone: timeZone }),
    });
    if (cron.nextRun(SOME_TIME) !== null) return cron;
  } catch (cause) {
    const message = `"${expression}" is no cron expression: ${messageOf(cause).replace(/^\w+: /, '')}`;
    throw new EngineError('usage', message, { hint: CRON_HINT }, { cause });
  }
  const hint = 'It names a day that no month of it has.';
  throw new EngineError('usage', `The cron expression "${expression}" never starts anything.`, { hint });
}

const DAY_NAMES: Readonly<Record<Weekday, string>> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

/** In English words: "Every day at 12:30". */
export function describeRecurrence(when: Recurrence): string {
  switch (when.kind) {
    case 'manual':
      return 'Only by hand';
    case 'hourly':
      return describeHourly(when.every, when.minute);
    case 'daily':
      return `Every day at ${listed([...new Set(when.at)].sort())}`;
    case 'weekly':
      return `${describeDays(when.days)} at ${when.at}`;
    case 'monthly':
      return `Every month on the ${describeMonthDay(when.day)} at ${when.at}`;
    case 'cron':
      return `By the cron expression ${when.expression}`;
    default:
      return assertNever(when);
  }
}

function describeHourly(every: number, minute: number): string {
  const often = every === 1 ? 'Every hour' : `Every ${every} hours`;
  if (minute === 0) return often;
  return `${often}, ${minute} ${minute === 1 ? 'minute' : 'minutes'} past the hour`;
}

function describeDays(days: readonly Weekday[]): string {
  const chosen = WEEKDAYS.filter((day) => days.includes(day));
  if (chosen.length === WEEKDAYS.length) return 'Every day';
  const names = chosen.join(' ');
  if (names === 'mon tue wed thu fri') return 'Monday to Friday';
  if (names === 'sat sun') return 'Saturday and Sunday';
  return `Every ${listed(chosen.map((day) => DAY_NAMES[day]))}`;
}

function describeMonthDay(day: number | 'last'): string {
  if (day === 'last' || day === 31) return 'last day';
  return day > 28 ? `${ordinal(day)}, or the last day of a shorter month,` : ordinal(day);
}

function ordinal(day: number): string {
  const ending = day > 10 && day < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th');
  return `${day}${ending}`;
}

function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
