/**
 * How fast work goes and how long it still takes, from samples of a counter. Pure: time comes in with the samples.
 *
 * The rate is an exponentially weighted mean over time, so that a burst fades instead of dropping out of a window
 * at once. Dividing by the weight seen so far keeps the first seconds unbiased; a steady counter gives exactly its
 * own rate however irregular the samples are.
 */
export interface Rate {
  /** Milliseconds, of the last sample. */
  readonly at: number;
  readonly done: number;
  /** The weighted amount, and the weighted time in milliseconds that it took. */
  readonly amount: number;
  readonly weight: number;
}

/** Older work counts 1/e of newer work after this many milliseconds. */
const MEMORY_MS = 20_000;
/** A forecast from less than this is noise. */
const ENOUGH_MS = 1000;

export function startRate(at: number, done = 0): Rate {
  return { at, done, amount: 0, weight: 0 };
}

/** The rate with one more sample. Samples of the same instant are added to the next one. */
export function addSample(rate: Rate, at: number, done: number): Rate {
  const elapsed = at - rate.at;
  if (elapsed <= 0) return rate;
  const fade = Math.exp(-elapsed / MEMORY_MS);
  const fresh = MEMORY_MS * (1 - fade);
  const speed = Math.max(0, done - rate.done) / elapsed;
  return { at, done, amount: rate.amount * fade + speed * fresh, weight: rate.weight * fade + fresh };
}

/** Units per second; 0 before the first sample. */
export function perSecond(rate: Rate): number {
  return rate.weight > 0 ? (1000 * rate.amount) / rate.weight : 0;
}

/** Milliseconds until `total` is done; undefined while that can't be told. */
export function timeLeft(rate: Rate, total: number): number | undefined {
  if (rate.done >= total) return total > 0 ? 0 : undefined;
  const speed = perSecond(rate);
  if (speed <= 0 || rate.weight < MEMORY_MS * (1 - Math.exp(-ENOUGH_MS / MEMORY_MS))) return undefined;
  return (1000 * (total - rate.done)) / speed;
}
