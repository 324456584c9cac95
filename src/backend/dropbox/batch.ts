/**
 * Changes of names, collected: Dropbox takes one lock of the account for each call that changes any, and refuses what meets it.
 * While one call is under way the next changes wait, and all that wait go with the next call.
 *
 * again   a change that met somebody else's; it waits for a later call, some times
 */
import { asEngineError, type EngineError } from '../../api/errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { Semaphore } from '../../util/semaphore.ts';
import { cancellation, throwIfAborted } from '../calls.ts';
import { isWriteConflict } from './errors.ts';

export interface BatchParts<T> {
  /** One call at a time, shared by all batches of an account. */
  readonly writing: Semaphore;
  readonly clock: Clock;
  /** 0 … 1, evenly. */
  readonly random: () => number;
  /** Resolves when calls may leave; what waits until then can still be called off. */
  readonly ready: () => Promise<void>;
  /** What became of each, in the same order. An error thrown is that of all. */
  readonly run: (items: readonly T[]) => Promise<readonly (EngineError | undefined)[]>;
}

interface Waiting<T> {
  readonly path: string;
  readonly item: T;
  readonly done: PromiseWithResolvers<void>;
  tries: number;
}

/** Dropbox's own bound for a call. */
const MOST = 1000;
const TRIES = 6;
const BACK_OFF = { firstMs: 250, mostMs: 8_000 } as const;

export class Batch<T> {
  readonly #parts: BatchParts<T>;
  #waiting: Waiting<T>[] = [];
  #working = false;

  constructor(parts: BatchParts<T>) {
    this.#parts = parts;
  }

  /** An abort counts until the change is under way. Errors: 'cancelled', and those of `run`. */
  async add(path: string, item: T, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    const one: Waiting<T> = { path, item, done: Promise.withResolvers(), tries: 0 };
    const onAbort = () => {
      if (!signal || !this.#waiting.includes(one)) return;
      this.#waiting = this.#waiting.filter((other) => other !== one);
      one.done.reject(cancellation(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(one);
    void this.#work();
    try {
      await one.done.promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#waiting.length > 0) {
      await this.#parts.ready();
      const again = await this.#parts.writing.run(() => this.#carryOut(this.#take()));
      await this.#backOff(again);
    }
    this.#working = false;
  }

  /** Only one change of each path: their order in a call tells nothing. */
  #take(): readonly Waiting<T>[] {
    const taken = new Map<string, Waiting<T>>();
    for (const one of this.#waiting) {
      if (taken.size === MOST) break;
      if (!taken.has(one.path)) taken.set(one.path, one);
    }
    const all = new Set(taken.values());
    this.#waiting = this.#waiting.filter((one) => !all.has(one));
    return [...all];
  }

  /** How often those have been tried that wait again, at most; 0: none does. */
  async #carryOut(taken: readonly Waiting<T>[]): Promise<number> {
    if (taken.length === 0) return 0;
    const outcomes = await this.#outcomes(taken);
    const again: Waiting<T>[] = [];
    for (const [i, one] of taken.entries()) {
      const error = outcomes[i];
      one.tries++;
      if (error === undefined) one.done.resolve();
      else if (one.tries < TRIES && isWriteConflict(String(error.context.reason))) again.push(one);
      else one.done.reject(error);
    }
    this.#waiting.unshift(...again);
    return Math.max(0, ...again.map(({ tries }) => tries));
  }

  async #outcomes(taken: readonly Waiting<T>[]): Promise<readonly (EngineError | undefined)[]> {
    try {
      return await this.#parts.run(taken.map(({ item }) => item));
    } catch (e) {
      return taken.map(() => asEngineError(e));
    }
  }

  async #backOff(tries: number): Promise<void> {
    if (tries === 0) return;
    const { clock, random } = this.#parts;
    const base = Math.min(BACK_OFF.mostMs, BACK_OFF.firstMs * 2 ** (tries - 1));
    await clock.sleep(base * (0.5 + random()));
  }
}
