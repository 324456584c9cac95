/**
 * Questions to the system that may not come back: while a network drive hangs, nothing can end a call that asks about it, and
 * each such call holds one of the few threads that Node reads files with.
 */
import { EngineError } from '../api/errors.ts';
import { type Clock, systemClock } from '../util/clock.ts';

export interface Waiting {
  /** How long to wait, in milliseconds. */
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** It can be done without: while others hang already, it is not asked. */
  readonly spare?: boolean;
}

/** While so many threads hang, the others are kept for what has to be known. */
const MOST_LATE = 2;

export class Patience {
  readonly #clock: Clock;
  readonly #asked = new Map<string, Promise<unknown>>();
  /** Keys of questions whose time is over, and which have not come back. */
  readonly #late = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What `question` answers. While an earlier one with the same key has not come back it is not asked again: who asks
   * meanwhile shares its answer, so that one thing that hangs holds one thread, however often somebody wants to know. Its
   * signal ends it when the time is over, not when who asked goes away.
   * Errors: its own; 'timeout' after `ms`, of a spare one at once while too much else hangs; the signal's reason.
   */
  async ask<T>(key: string, o: Waiting, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
    o.signal?.throwIfAborted();
    const over = new AbortController();
    const signal = o.signal ? AbortSignal.any([over.signal, o.signal]) : over.signal;
    const late = this.#clock.sleep(o.ms, signal).then(() => {
      throw tooLate();
    });
    try {
      return await Promise.race([this.#once(key, o, question), late]);
    } finally {
      late.catch(() => undefined);
      over.abort();
    }
  }

  /** Whether a question with that key has not come back yet. */
  waitsFor(key: string): boolean {
    return this.#asked.has(key);
  }

  #once<T>(
    key: string,
    { ms, spare = false }: Waiting,
    question: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const under = this.#asked.get(key);
    // The key stands for one question, and with it for one type of answers.
    if (under) return under as Promise<T>;
    if (spare && this.#late.size >= MOST_LATE) return Promise.reject(tooLate());
    const stop = new AbortController();
    const back = new AbortController();
    this.#clock.sleep(ms, back.signal).then(
      () => {
        this.#late.add(key);
        stop.abort(tooLate());
      },
      () => undefined,
    );
    const asked = question(stop.signal).finally(() => {
      back.abort();
      this.#asked.delete(key);
      this.#late.delete(key);
    });
    asked.catch(() => undefined);
    this.#asked.set(key, asked);
    return asked;
  }
}

/** The one of this process, whose threads are all that there are. What hangs does so by the system's clock. */
export const systemPatience = new Patience(systemClock);

function tooLate(): EngineError {
  return new EngineError('timeout', 'The system did not answer in time.', { transient: true });
}
