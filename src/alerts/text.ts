/** How numbers, times and names read in messages. */

const SIZES = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const;

/** `4.2 GiB`; below 1 KiB a whole number of bytes. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of SIZES) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return counted(bytes, 'byte');
}

const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** The largest unit only, rounded down: `3 days`, `1 hour`, `20 seconds`. */
export function spanText(ms: number): string {
  for (const [unit, size] of SPANS) {
    if (ms >= size) return counted(Math.floor(ms / size), unit);
  }
  return counted(Math.max(0, Math.floor(ms / 1000)), 'second');
}

/** `1 file`, `2 files`. */
export function counted(n: number, one: string): string {
  return `${n} ${n === 1 ? one : `${one}s`}`;
}

/** `Tuesday, 24 November 2026 at 10:48 UTC`. @param timeZone IANA name; the computer's own unless told */
export function timeText(instant: number, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone,
  }).format(instant);
}

/** Line breaks, other control characters and marks that turn the direction of writing; none has a place in a name. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** One line of printable text of at most `most` code points, whatever a name or an error message holds. */
export function line(text: string, most = 500): string {
  return cut(text.toWellFormed().replace(UNPRINTABLE, ' ').trim(), most);
}

/** At most `most` code points; what is longer ends in “…”. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const points = [...text];
  return points.length <= most ? text : `${points.slice(0, most - 1).join('')}…`;
}

/** “Documents”. */
export function quoted(name: string): string {
  return `“${line(name, 120)}”`;
}

/** Ends in a full stop, or in what does that job. */
export function sentence(text: string): string {
  const one = line(text);
  return /[.!?…]$/.test(one) ? one : `${one}.`;
}
