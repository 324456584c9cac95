/** Moments as people speak of them: how long ago, how soon. */
import { formatLocalTime } from './time-format.ts';
import { plural } from './units.ts';

const STEPS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 hours ago`, `in 2 days`, `now`; milliseconds since the epoch. */
export function formatAgo(at: number, now: number): string {
  const distance = Math.abs(now - at);
  for (const [unit, size] of STEPS) {
    if (distance < size) continue;
    const span = plural(Math.floor(distance / size), unit);
    return at > now ? `in ${span}` : `${span} ago`;
  }
  return at > now ? 'in a moment' : 'just now';
}

/** `2026-01-31 18:30:00 (3 hours ago)`; `otherwise` where there is no such moment. */
export function formatMoment(at: number | null, now: number, otherwise: string): string {
  return at === null ? otherwise : `${formatLocalTime(at)} (${formatAgo(at, now)})`;
}
