/** Rates as people write them, and as the host takes them: bytes per second. */

/** Bytes per second of one. Providers speak of megabits, in thousands; programs of mebibytes. */
export const RATE_UNITS = { 'KiB/s': 1024, 'MiB/s': 1024 ** 2, 'Mbit/s': 125_000 } as const;
export type RateUnit = keyof typeof RATE_UNITS;

/** 'empty': no limit is wanted. 'wrong': not a positive number. */
export type ParsedRate = number | 'empty' | 'wrong';

/** Takes the comma of many languages as the point. In whole bytes per second, at least 1. */
export function parseRate(text: string, unit: RateUnit): ParsedRate {
  const plain = text.trim().replace(',', '.');
  if (plain === '') return 'empty';
  const value = /^\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : 0;
  return value > 0 ? Math.max(1, Math.round(value * RATE_UNITS[unit])) : 'wrong';
}

/** One in which few digits say the rate exactly, if there is one. */
export function unitFor(bytesPerSecond: number | null): RateUnit {
  if (bytesPerSecond === null) return 'MiB/s';
  const large = bytesPerSecond >= RATE_UNITS['MiB/s'];
  if (large && parseRate(rateText(bytesPerSecond, 'MiB/s'), 'MiB/s') === bytesPerSecond) return 'MiB/s';
  const whole = (unit: RateUnit) => Number.isInteger(bytesPerSecond / RATE_UNITS[unit]);
  return (['Mbit/s', 'KiB/s'] as const).find(whole) ?? (large ? 'MiB/s' : 'KiB/s');
}

/** With up to three digits after the point, which is written as a point, so that `parseRate` reads it in any language. */
export function rateText(bytesPerSecond: number | null, unit: RateUnit): string {
  if (bytesPerSecond === null) return '';
  return String(Math.round((bytesPerSecond / RATE_UNITS[unit]) * 1000) / 1000);
}
