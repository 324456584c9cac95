/**
 * A clock that a test moves. Wall time and the time that timers count are two things, as in a computer: the first can be set
 * and goes on while the computer sleeps; timers only ever count forwards, and on some systems stand still during sleep.
 */
import type { Clock } from '../../src/util/clock.ts';

interface Timer {
  readonly at: number;
  readonly nr: number;
  readonly fire: () => void;
}

export interface VirtualClockOptions {
  /** Awaited after timers have fired, so that what they woke can go on. Default: one turn of the event loop. */
  readonly settle?: () => Promise<void>;
}

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualClock implements Clock {
  readonly #settle: () => Promise<void>;
  readonly #timers = new Set<Timer>();
  /** What timers count. */
  #elapsed = 0;
  /** Wall time minus `#elapsed`. */
  #offset: number;
  #count = 0;

  /** @param start Milliseconds since the epoch, or a date as `Date.parse` takes it. */
  constructor(start: number | string, options: VirtualClockOptions = {}) {
    this.#offset = typeof start === 'string' ? Date.parse(start) : start;
    this.#settle = options.settle ?? oneTurn;
  }

  now(): number {
    return this.#offset + this.#elapsed;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#timers.delete(timer);
        reject(signal?.reason);
      };
      const fire = () => {
        this.#timers.delete(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const timer: Timer = { at: this.#elapsed + Math.max(0, ms), nr: this.#count++, fire };
      this.#timers.add(timer);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** How many sleeps are under way. */
  get sleepers(): number {
    return this.#timers.size;
  }

  /** Lets so much time pass: each timer fires at its time, and what it wakes goes on before the next one fires. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await this.#settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#fireDue();
      await this.#settle();
    }
    this.#elapsed = end;
  }

  /** Lets time pass until the wall clock shows `instant` (a date: as `Date.parse` takes it). In the past: nothing happens. */
  async runUntil(instant: number | string): Promise<void> {
    const at = typeof instant === 'string' ? Date.parse(instant) : instant;
    await this.advance(Math.max(0, at - this.now()));
  }

  /**
   * The computer sleeps for so long: nothing fires meanwhile. Then all fire at once whose time has come; with `timers`
   * 'stand-still', as on Linux, those that were under way have as long to go as before.
   */
  async suspend(ms: number, timers: 'count' | 'stand-still' = 'count'): Promise<void> {
    if (timers === 'count') this.#elapsed += ms;
    else this.#offset += ms;
    this.#fireDue();
    await this.#settle();
  }

  /** Somebody sets the wall clock; timers do not notice. */
  async set(instant: number | string): Promise<void> {
    const at = typeof instant === 'string' ? Date.parse(instant) : instant;
    this.#offset = at - this.#elapsed;
    await this.#settle();
  }

  /** Moves the wall clock by so much, backwards if negative. */
  async shift(ms: number): Promise<void> {
    await this.set(this.now() + ms);
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }

  #fireDue(): void {
    const due = [...this.#timers].filter((timer) => timer.at <= this.#elapsed);
    for (const timer of due.sort((a, b) => a.at - b.at || a.nr - b.nr)) timer.fire();
  }
}
