/** When a destination will be full, as far as its past tells. Pure: screens and the host share it. */
import type { SpaceSample } from './model/computer.ts';

const DAY_MS = 86_400_000;
/** Older samples say little about what is backed up now. */
const PAST_DAYS = 90;
/** A line through less would be a guess: what the first backup brings comes once. */
const LEAST_SAMPLES = 4;
const LEAST_DAYS = 3;
/** Nobody plans further ahead, and no such line means anything. */
const FARTHEST_DAYS = 3650;

/**
 * Days from the newest sample on until nothing is free, as a whole number, 0 for a disk that is full; null where free space does not shrink,
 * too little is known, or it would take more than ten years. `samples` oldest first, as `destinations.trend` gives them, at most one
 * a day. What a clean-up frees, or a larger disk brings, is no growth: the falls of the stretches between such jumps count
 * together, by least squares over the last 90 days.
 */
export function daysUntilFull(samples: readonly SpaceSample[]): number | null {
  const newest = samples.at(-1);
  if (!newest) return null;
  if (newest.free <= 0) return 0;
  const past = samples.filter(({ at }) => newest.at - at <= PAST_DAYS * DAY_MS);
  const days = (newest.at - past[0]!.at) / DAY_MS;
  if (past.length < LEAST_SAMPLES || days < LEAST_DAYS) return null;
  const perDay = fallPerDay(past);
  if (perDay === null || perDay <= 0) return null;
  const left = Math.ceil(newest.free / perDay);
  return left > FARTHEST_DAYS ? null : left;
}

/** Bytes; null where all samples are of one moment. One slope over all stretches, each around its own middle. */
function fallPerDay(samples: readonly SpaceSample[]): number | null {
  let [together, spread] = [0, 0];
  for (const stretch of stretchesOf(samples)) {
    const days = stretch.map(({ at }) => at / DAY_MS);
    const free = stretch.map((sample) => sample.free);
    const [middleDay, middleFree] = [mean(days), mean(free)];
    for (const [i, day] of days.entries()) {
      together += (day - middleDay) * (free[i]! - middleFree);
      spread += (day - middleDay) ** 2;
    }
  }
  return spread === 0 ? null : -together / spread;
}

/** Cut where more became free, or the disk is another one. */
function stretchesOf(samples: readonly SpaceSample[]): readonly (readonly SpaceSample[])[] {
  const stretches: SpaceSample[][] = [];
  let last: SpaceSample | undefined;
  for (const sample of samples) {
    const goesOn = last !== undefined && sample.total === last.total && sample.free <= last.free;
    if (goesOn) stretches.at(-1)?.push(sample);
    else stretches.push([sample]);
    last = sample;
  }
  return stretches;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
