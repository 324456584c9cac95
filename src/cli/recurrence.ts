/** When something recurs, as it is written in flags and told to people. */
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { Recurrence, WEEKDAYS, type Weekday } from '../api/model/plan.ts';
import { plural } from './units.ts';

/** `7:30` or `07:30` as "07:30". Error: 'usage'. */
function parseTime(text: string): string {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  const [hour, minute] = [Number(match?.[1] ?? 99), Number(match?.[2] ?? 99)];
  if (hour > 23 || minute > 59) throw usage(`"${text}" is not a time of day`, 'Write it as 07:30 or 18:00.');
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** `12:30` or `07:00,19:00`. Error: 'usage', as of all below. */
export function parseDaily(text: string): Recurrence {
  return checked({ kind: 'daily', at: text.split(',').map(parseTime) });
}

/** `6`, or `6@15` for a quarter past every sixth hour. */
export function parseHourly(text: string): Recurrence {
  const [every = '', minute = '0', ...more] = text.split('@');
  if (more.length > 0 || !/^\d+$/.test(every) || !/^\d+$/.test(minute)) {
    throw usage(
      `"${text}" is not a number of hours`,
      'Write 6, or 6@15 for a quarter past every sixth hour.',
    );
  }
  return checked({ kind: 'hourly', every: Number(every), minute: Number(minute) });
}

/** `mon,fri@18:00`, `mon-fri@18:00`. */
export function parseWeekly(text: string): Recurrence {
  const [days, at] = atTime(text, 'Write the days and the time, such as mon,fri@18:00 or mon-fri@18:00.');
  const named = new Set(days.split(',').flatMap(weekdays));
  return checked({ kind: 'weekly', days: WEEKDAYS.filter((day) => named.has(day)), at });
}

/** `1@03:00`, `last@03:00`. */
export function parseMonthly(text: string): Recurrence {
  const [day, at] = atTime(text, 'Write the day and the time, such as 1@03:00 or last@03:00.');
  if (day !== 'last' && !/^\d+$/.test(day)) {
    throw usage(`"${day}" is not a day of the month`, 'Write a number from 1 to 31, or last.');
  }
  return checked({ kind: 'monthly', day: day === 'last' ? day : Number(day), at });
}

/** Five fields; what they say is the host's to judge. */
export function parseCron(text: string): Recurrence {
  const expression = text.trim().replace(/\s+/g, ' ');
  if (expression.split(' ').length !== 5) {
    const hint = "Write minute, hour, day, month and weekday, such as '30 12 * * 1-5'.";
    throw usage(`"${text}" is not a cron expression of five fields`, hint);
  }
  return checked({ kind: 'cron', expression });
}

const MANUAL: Recurrence = { kind: 'manual' };

const PARSERS: Readonly<Record<string, (text: string) => Recurrence>> = {
  hourly: parseHourly,
  daily: parseDaily,
  weekly: parseWeekly,
  monthly: parseMonthly,
  cron: parseCron,
};

/** All forms in one value: `manual`, `hourly`, `hourly=6`, `daily=12:30`, `weekly=sun@04:00`, `cron=…`. */
export function parseRecurrence(text: string): Recurrence {
  const [kind = '', ...rest] = text.split('=');
  const value = rest.join('=');
  if (kind === 'manual' && rest.length === 0) return MANUAL;
  if (kind === 'hourly' && rest.length === 0) return parseHourly('1');
  const parse = Object.hasOwn(PARSERS, kind) ? PARSERS[kind] : undefined;
  if (parse !== undefined && value !== '') return parse(value);
  throw usage(
    `"${text}" does not say when`,
    'Write manual, hourly=6, daily=12:30, weekly=mon,fri@18:00, monthly=1@03:00 or cron=….',
  );
}

/** What `parseRecurrence` reads back. */
export function formatRecurrence(when: Recurrence): string {
  switch (when.kind) {
    case 'manual':
      return 'manual';
    case 'hourly':
      return `hourly=${when.every}@${when.minute}`;
    case 'daily':
      return `daily=${when.at.join(',')}`;
    case 'weekly':
      return `weekly=${when.days.join(',')}@${when.at}`;
    case 'monthly':
      return `monthly=${when.day}@${when.at}`;
    case 'cron':
      return `cron=${when.expression}`;
  }
}

const DAY_NAMES: Readonly<Record<Weekday, string>> = {
  mon: 'Mon',
  tue: 'Tue',
  wed: 'Wed',
  thu: 'Thu',
  fri: 'Fri',
  sat: 'Sat',
  sun: 'Sun',
};

/** `daily at 12:30`, `every 6 hours`, `Mon, Fri at 18:00`. */
export function describeRecurrence(when: Recurrence): string {
  switch (when.kind) {
    case 'manual':
      return 'by hand';
    case 'hourly': {
      const every = when.every === 1 ? 'every hour' : `every ${plural(when.every, 'hour')}`;
      return when.minute === 0 ? every : `${every} at minute ${when.minute}`;
    }
    case 'daily':
      return `daily at ${when.at.join(', ')}`;
    case 'weekly':
      return `${when.days.map((day) => DAY_NAMES[day]).join(', ')} at ${when.at}`;
    case 'monthly':
      return when.day === 'last'
        ? `on the last day of the month at ${when.at}`
        : `monthly on day ${when.day} at ${when.at}`;
    case 'cron':
      return `cron ${when.expression}`;
  }
}

function weekdays(text: string): readonly Weekday[] {
  const names: readonly string[] = WEEKDAYS;
  const [first = '', last = first, ...more] = text.trim().toLowerCase().split('-');
  const [from, to] = [first, last].map((day) => names.indexOf(day));
  if (from === undefined || to === undefined || from < 0 || to < 0 || more.length > 0) {
    throw usage(
      `"${text}" is not a day of the week`,
      `The days are ${WEEKDAYS.join(', ')}; mon-fri is a range.`,
    );
  }
  // A range may go over the end of the week: fri-mon.
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, i) => WEEKDAYS[(from + i) % 7] ?? 'mon');
}

function atTime(text: string, hint: string): readonly [string, string] {
  const [before, after, ...more] = text.split('@');
  if (!before || !after || more.length > 0) throw usage(`"${text}" does not say when`, hint);
  return [before.trim(), parseTime(after)];
}

function checked(value: z.input<typeof Recurrence>): Recurrence {
  const result = Recurrence.safeParse(value);
  if (result.success) return result.data;
  throw usage(z.prettifyError(result.error).replace(/^✖ /gm, ''));
}

function usage(message: string, hint?: string): EngineError {
  return new EngineError('usage', message, hint === undefined ? {} : { hint });
}
