/**
 * Numbers as people read and write them, in restic's notation: sizes in powers of 1024 with three decimals,
 * elapsed times as `1:02:03`, spans of calendar time as `2y5m7d3h`.
 */
import { EngineError } from '../api/errors.ts';

const SIZE_STEPS = [
  ['TiB', 1024 ** 4],
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const;

/** `5.500 MiB`; below 1 KiB a whole number of bytes, `1023 B`. */
export function formatBytes(bytes: number | bigint): string {
  const n = Number(bytes);
  for (const [unit, size] of SIZE_STEPS) {
    if (n >= size) return `${fixed(n / size, 3)} ${unit}`;
  }
  return `${Math.trunc(n)} B`;
}

/** `42.86%`, never above 100; '' when there is nothing to divide by. */
export function formatPercent(part: number | bigint, whole: number | bigint): string {
  const denominator = Number(whole);
  if (denominator === 0) return '';
  return `${fixed(Math.min(100, (100 * Number(part)) / denominator), 2)}%`;
}

/** `0:07`, `12:30`, and from an hour on `1:02:03`. Parts of a second are dropped. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A speed: `12.500 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** `1 file`, `2 files`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/**
 * `x` with that many decimals, ties to the even digit as C and Go print them (`toFixed` rounds ties up), so that
 * the same number reads the same in both programs.
 */
export function fixed(x: number, decimals: number): string {
  const nearest = x.toFixed(decimals);
  const tail = x.toFixed(Math.min(100, decimals + 60)).slice(nearest.length);
  if (!/^50*$/.test(tail)) return nearest;
  const down = x.toFixed(decimals + 1).slice(0, -1);
  return Number(down.at(-1)) % 2 === 0 ? down : nearest;
}

const SIZE = /^(\d+)(?:([kmgt])(?:i?b)?|b)?$/i;

/**
 * Bytes from `1024`, `10M`, `1GiB`, `512k`: powers of 1024 whatever the case and the spelling of the unit.
 * Error: 'usage'.
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  if (match === null)
    throw usage(`"${text}" is not a size`, 'Write a whole number with B, K, M, G or T, such as 10M.');
  const power = 'kmgt'.indexOf((match[2] ?? '').toLowerCase());
  const bytes = BigInt(match[1] ?? '') * 1024n ** BigInt(match[2] === undefined ? 0 : power + 1);
  if (bytes > 2n ** 63n - 1n) throw usage(`"${text}" is more than any storage holds`);
  return Number(bytes);
}

/** A length of calendar time: what a month or a year is depends on where it is counted from. */
export interface Span {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const SPAN_FIELDS = { y: 'years', m: 'months', d: 'days', h: 'hours' } as const;

/** restic's notation for `--keep-within` and its like: `2y5m7d3h`, each part optional. Error: 'usage'. */
export function parseSpan(text: string): Span {
  const span = { years: 0, months: 0, days: 0, hours: 0 };
  const trimmed = text.trim();
  if (!/^(-?\d+[ymdh])*$/.test(trimmed)) {
    throw usage(
      `"${text}" is not a span of time`,
      'Write years, months, days and hours, such as 1y6m or 7d12h.',
    );
  }
  for (const part of trimmed.matchAll(/(-?\d+)([ymdh])/g)) {
    const unit = part[2] as keyof typeof SPAN_FIELDS;
    span[SPAN_FIELDS[unit]] = Number(part[1]);
  }
  return span;
}

export function formatSpan(span: Span): string {
  return Object.entries(SPAN_FIELDS)
    .map(([unit, field]) => (span[field] === 0 ? '' : `${span[field]}${unit}`))
    .join('');
}

const CLOCK_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds from a length of clock time: `90s`, `5m`, `1h30m`, `1.5h`, `0`. Error: 'usage'. */
export function parseClockDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) {
    throw usage(
      `"${text}" is not a length of time`,
      'Write hours, minutes and seconds, such as 90s, 5m or 1h30m.',
    );
  }
  let total = 0;
  for (const part of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(part[1]) * (CLOCK_UNITS[part[2] ?? ''] ?? 0);
  }
  return text.startsWith('-') ? -total : total;
}

function usage(message: string, hint?: string): EngineError {
  return new EngineError('usage', message, hint === undefined ? {} : { hint });
}
