/** Lets at most `limit` units of work be under way; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: { readonly units: number; readonly go: () => void }[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Waits for `units` (not more than the limit, or it waits for ever). */
  async acquire(units = 1): Promise<void> {
    if (this.#waiting.length === 0 && this.#free >= units) {
      this.#free -= units;
      return;
    }
    await new Promise<void>((go) => this.#waiting.push({ units, go }));
  }

  release(units = 1): void {
    this.#free += units;
    while (this.#waiting[0] && this.#free >= this.#waiting[0].units) {
      const next = this.#waiting.shift()!;
      this.#free -= next.units;
      next.go();
    }
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }
}

/**
 * Runs `work` over all items, at most `limit` at once. The first failure stops the taking of new items; it is
 * thrown when those under way have ended.
 */
export async function forEachLimit<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const slots = new Semaphore(limit);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const item of items) {
    await slots.acquire();
    if (failure) break;
    const one = work(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        running.delete(one);
        slots.release();
      });
    running.add(one);
  }
  await Promise.all(running);
  if (failure) throw failure.error;
}
