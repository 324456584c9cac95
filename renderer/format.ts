/** Numbers with their units, and moments relative to now. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export interface Formats {
  readonly locale: string;
  /** `3.2 GiB` */
  bytes(n: number): string;
  number(n: number): string;
  /** `2 hours ago`, `in 5 minutes`; `now` within half a minute. */
  relative(at: number, now: number): string;
  /** Day and time, whole. */
  exact(at: number): string;
  /** `14:05` or, on another day, `Tue 14:05` or `3 Mar 14:05`. */
  moment(at: number, now: number): string;
  time(at: number): string;
  /** With seconds. */
  clock(at: number): string;
  date(at: number): string;
  /** `3 Mar` */
  day(at: number): string;
  /** `1 h 20 min`, `45 s` */
  duration(seconds: number): string;
  weekday(index: number, style: 'short' | 'long'): string;
  month(at: number): string;
  /** `March 2026` */
  monthYear(at: number): string;
  /** Day and time in few letters: `03/03/2026, 14:05` */
  short(at: number): string;
  list(items: readonly string[]): string;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From which age on, in seconds, and how long one is. */
const STEPS = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['week', 14 * DAY, 7 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
] as const;

/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1, 12);

export function formatsOf(locale: string): Formats {
  const number = new Intl.NumberFormat(locale);
  const short = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const date = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const exact = date({ dateStyle: 'full', timeStyle: 'medium' });
  const time = date({ hour: '2-digit', minute: '2-digit' });
  const clock = date({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const weekTime = date({ weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const dayTime = date({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const whole = date({ dateStyle: 'long' });
  const day = date({ day: 'numeric', month: 'short' });
  const month = date({ month: 'short' });
  const monthYear = date({ month: 'long', year: 'numeric' });
  const dense = date({ dateStyle: 'short', timeStyle: 'short' });
  const list = new Intl.ListFormat(locale);
  const unit = (name: 'hour' | 'minute' | 'second' | 'day') =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: 0,
    });
  const units = { day: unit('day'), hour: unit('hour'), minute: unit('minute'), second: unit('second') };
  return {
    locale,
    number: (n) => number.format(n),
    bytes: (n) => {
      const step = n < 1 ? 0 : Math.min(BINARY.length - 1, Math.floor(Math.log2(n) / 10));
      const value = n / 1024 ** step;
      return `${(value < 100 && step > 0 ? short : number).format(value < 100 ? value : Math.round(value))} ${BINARY[step]}`;
    },
    relative: (at, now) => {
      const seconds = (at - now) / 1000;
      const size = Math.abs(seconds);
      for (const [name, from, length = from] of STEPS) {
        if (size >= from) return relative.format(Math.trunc(seconds / length), name);
      }
      return size < 30 ? relative.format(0, 'second') : relative.format(Math.trunc(seconds), 'second');
    },
    exact: (at) => exact.format(at),
    moment: (at, now) => {
      if (sameDay(at, now)) return time.format(at);
      return (Math.abs(at - now) < 6 * DAY * 1000 ? weekTime : dayTime).format(at);
    },
    time: (at) => time.format(at),
    clock: (at) => clock.format(at),
    date: (at) => whole.format(at),
    day: (at) => day.format(at),
    duration: (seconds) => {
      if (seconds < MINUTE) return units.second.format(Math.max(1, Math.round(seconds)));
      const minutes = Math.round(seconds / MINUTE);
      if (minutes < 60) return units.minute.format(minutes);
      const hours = Math.floor(minutes / 60);
      if (hours >= 48) return units.day.format(Math.round(hours / 24));
      const rest = minutes % 60;
      return rest === 0
        ? units.hour.format(hours)
        : `${units.hour.format(hours)} ${units.minute.format(rest)}`;
    },
    weekday: (index, style) => date({ weekday: style, timeZone: 'UTC' }).format(MONDAY + index * DAY * 1000),
    month: (at) => month.format(at),
    monthYear: (at) => monthYear.format(at),
    short: (at) => dense.format(at),
    list: (items) => list.format(items),
  };
}

function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
