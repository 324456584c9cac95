/** Streams of events that end when the one who listens, or the connection, has gone. */

export interface GuardOptions {
  /** Its abort fails a waiting `next` at once and makes the source return. */
  readonly signal?: AbortSignal | undefined;
  /** Of whatever the source, or the signal, fails with. */
  readonly translate: (e: unknown) => unknown;
  /** Once, however it ends. */
  readonly onEnd?: () => void;
}

export function isAsyncIterator(x: unknown): x is AsyncIterator<unknown> {
  return typeof x === 'object' && x !== null && Symbol.asyncIterator in x && 'next' in x;
}

type Outcome = { readonly error: unknown } | { readonly done: true };
type Settle = (outcome: Outcome) => void;

/**
 * The values of `source`. Unlike a generator, it can be ended while a `next` waits: whoever waits is let go, and the
 * source hears `return` without being waited for.
 */
export function guarded<T>(source: AsyncIterator<T>, options: GuardOptions): AsyncIterableIterator<T> {
  return new Guarded(source, options);
}

class Guarded<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #options: GuardOptions;
  readonly #waiting = new Set<Settle>();
  #ended: Outcome | undefined;
  readonly #onAbort = () => {
    const { signal, translate } = this.#options;
    this.#leave({ error: translate(signal?.reason) });
  };

  constructor(source: AsyncIterator<T>, options: GuardOptions) {
    this.#source = source;
    this.#options = options;
    if (options.signal?.aborted) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  next(): Promise<IteratorResult<T>> {
    return new Promise((resolve, reject) => {
      const settle: Settle = (outcome) =>
        'error' in outcome ? reject(outcome.error) : resolve({ done: true, value: undefined });
      if (this.#ended) return settle(this.#ended);
      this.#waiting.add(settle);
      this.#source.next().then(
        (result) => {
          this.#waiting.delete(settle);
          if (result.done) this.#end({ done: true });
          resolve(result);
        },
        (e: unknown) => {
          this.#waiting.delete(settle);
          // Before the end, which aborts the call's own signal and would make it look cancelled.
          reject(this.#options.translate(e));
          this.#end({ done: true });
        },
      );
    });
  }

  async return(): Promise<IteratorResult<T>> {
    this.#leave({ done: true });
    return { done: true, value: undefined };
  }

  async throw(e: unknown): Promise<IteratorResult<T>> {
    this.#leave({ done: true });
    throw e;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = outcome;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    for (const settle of this.#waiting) settle(outcome);
    this.#waiting.clear();
    this.#options.onEnd?.();
  }

  /** Ends before the source does. */
  #leave(outcome: Outcome): void {
    if (this.#ended) return;
    this.#end(outcome);
    void Promise.resolve(this.#source.return?.()).catch(() => {});
  }
}
