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

type Settle = (result: { readonly error: unknown } | { readonly done: true }) => void;

/**
 * The values of `source`. Unlike a generator, it can be ended while a `next` waits: whoever waits is let go, and the
 * source hears `return` without being waited for.
 */
export function guarded<T>(source: AsyncIterator<T>, options: GuardOptions): AsyncIterableIterator<T> {
  const waiting = new Set<Settle>();
  let ended: Parameters<Settle>[0] | undefined;

  const end = (how: NonNullable<typeof ended>): void => {
    if (ended) return;
    ended = how;
    options.signal?.removeEventListener('abort', onAbort);
    for (const settle of waiting) settle(how);
    waiting.clear();
    options.onEnd?.();
  };
  const endSource = () => void Promise.resolve(source.return?.()).catch(() => {});
  const onAbort = (): void => {
    end({ error: options.translate(options.signal?.reason) });
    endSource();
  };

  const next = () =>
    new Promise<IteratorResult<T>>((resolve, reject) => {
      const settle: Settle = (how) =>
        'error' in how ? reject(how.error) : resolve({ done: true, value: undefined });
      if (ended) return settle(ended);
      waiting.add(settle);
      source.next().then(
        (result) => {
          waiting.delete(settle);
          if (result.done) end({ done: true });
          resolve(result);
        },
        (e: unknown) => {
          waiting.delete(settle);
          const error = options.translate(e);
          end({ done: true });
          reject(error);
        },
      );
    });

  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });

  const finish = async (): Promise<IteratorResult<T>> => {
    const first = !ended;
    end({ done: true });
    if (first) endSource();
    return { done: true, value: undefined };
  };
  return {
    next,
    return: finish,
    throw: async (e) => {
      await finish();
      throw e;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
