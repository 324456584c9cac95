/**
 * The host's events for whoever listens. A slow listener never slows the host: of a run's progress it gets only the
 * latest, and when too much else waits for it, it is cut off and subscribes anew, beginning with the status.
 */
import { EngineError } from '../api/errors.ts';
import type { HostEvent } from '../api/model/event.ts';

/** The contract's stream of events, as an iterator that ends with its signal. */
export type EventStream = AsyncGenerator<HostEvent, undefined, void>;

export class EventHub {
  readonly #listeners = new Set<LatestQueue>();
  readonly #bound: number;
  #closed = false;

  /** `bound`: events that may wait for one listener. */
  constructor(bound = 2000) {
    this.#bound = bound;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  publish(event: HostEvent): void {
    for (const queue of this.#listeners) queue.push(event);
  }

  /**
   * Events published from now on, after `first`. Ends when the signal aborts, when the listener returns and when the hub
   * closes. Error: 'timeout' (transient) for a listener that is too far behind.
   */
  subscribe(signal?: AbortSignal, first: readonly HostEvent[] = []): EventStream {
    const queue = new LatestQueue(this.#bound, () => this.#listeners.delete(queue));
    for (const event of first) queue.push(event);
    const onAbort = () => queue.end();
    queue.onEnd(() => signal?.removeEventListener('abort', onAbort));
    if (this.#closed || signal?.aborted) queue.end();
    else {
      this.#listeners.add(queue);
      signal?.addEventListener('abort', onAbort, { once: true });
    }
    return queue;
  }

  /** Ends all streams, once what waits has been taken. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#listeners) queue.end();
  }
}

type Result = IteratorResult<HostEvent, undefined>;
const DONE: Result = { done: true, value: undefined };

/**
 * A queue in which a run's progress takes the place of its progress before, at the end: a map in order of insertion, so
 * that both are found at once.
 */
class LatestQueue implements EventStream {
  readonly #bound: number;
  readonly #waiting = new Map<number | string, HostEvent>();
  readonly #takers: ((result: Result) => void)[] = [];
  readonly #onEnd: (() => void)[];
  #count = 0;
  #ended = false;
  #failure: EngineError | undefined;

  constructor(bound: number, onEnd: () => void) {
    this.#bound = bound;
    this.#onEnd = [onEnd];
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  push(event: HostEvent): void {
    if (this.#ended) return;
    const taker = this.#takers.shift();
    if (taker) return taker({ done: false, value: event });
    const key = event.kind === 'progress' ? event.runId : this.#count++;
    this.#waiting.delete(key);
    this.#waiting.set(key, event);
    if (this.#waiting.size > this.#bound) this.#overflow();
  }

  #overflow(): void {
    this.#waiting.clear();
    this.#failure = new EngineError('timeout', 'The listener fell too far behind; it has to start over.', {
      transient: true,
    });
    this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const taker of this.#takers.splice(0)) taker(DONE);
    for (const listener of this.#onEnd) listener();
  }

  next(): Promise<Result> {
    const [entry] = this.#waiting;
    if (entry) {
      this.#waiting.delete(entry[0]);
      return Promise.resolve({ done: false, value: entry[1] });
    }
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  async return(): Promise<Result> {
    this.#waiting.clear();
    this.end();
    return DONE;
  }

  async throw(error: unknown): Promise<never> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): EventStream {
    return this;
  }
}
