/** From counters to what a screen shows: rate and time left, a few times a second. */
import type { Phase, Progress } from '../api/model/run.ts';
import type { Clock } from '../util/clock.ts';

/** What the parts of a run count. */
export type Sample = Omit<Progress, 'bytesPerSecond' | 'secondsLeft' | 'problems'>;

export const SAMPLE_MS = 250;
/** A change of speed is believed after so long: shorter and the time left jumps, longer and it lies. */
const SMOOTHING_MS = 8000;

/** `phase` as a sentence. */
export function idle(phaseCode: Phase, phase: string): Sample {
  return { phase, phaseCode, filesDone: 0, filesTotal: null, bytesDone: 0, bytesTotal: null, current: [] };
}

/** The speed of something that is counted, smoothed by an exponential mean over time. */
export class RateMeter {
  #at: number | undefined;
  #bytes = 0;
  #rate: number | undefined;

  /** `at` in milliseconds. A count that shrinks, or a clock that is set back, starts anew. */
  add(at: number, bytes: number): number {
    const elapsed = at - (this.#at ?? at);
    if (this.#at === undefined || bytes < this.#bytes || elapsed < 0) {
      this.#rate = undefined;
    } else if (elapsed > 0) {
      const now = ((bytes - this.#bytes) * 1000) / elapsed;
      const weight = this.#rate === undefined ? 1 : 1 - Math.exp(-elapsed / SMOOTHING_MS);
      this.#rate = (this.#rate ?? 0) + (now - (this.#rate ?? 0)) * weight;
    }
    this.#at = at;
    this.#bytes = bytes;
    return this.#rate ?? 0;
  }
}

export function progressOf(sample: Sample, rate: number, problems: number): Progress {
  const left = sample.bytesTotal === null ? null : Math.max(0, sample.bytesTotal - sample.bytesDone);
  const secondsLeft = left === 0 ? 0 : left === null || rate < 1 ? null : left / rate;
  return { ...sample, bytesPerSecond: rate, secondsLeft, problems };
}

/**
 * Calls `take` now and then until the signal aborts. Never rejects.
 */
export async function sampleUntil(clock: Clock, signal: AbortSignal, take: () => void): Promise<void> {
  while (!signal.aborted) {
    take();
    await clock.sleep(SAMPLE_MS, signal).catch(() => undefined);
  }
}
