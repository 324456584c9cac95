/**
 * A queue for each channel: what one channel cannot take delays neither the others nor who has something to tell.
 * Transient failures are tried again with growing pauses, a few hours in all; a queue that grows too long loses its oldest.
 */
import { asEngineError, type EngineError } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';

export interface OutboxPorts<M> {
  readonly clock: Clock;
  /** One try. */
  readonly deliver: (channelId: string, message: M, signal: AbortSignal) => Promise<void>;
  /** Whether later tries make sense. */
  readonly worthRetrying: (message: M) => boolean;
  /** A message that nobody will hear: the last try failed, or (`error` null) the queue was full. */
  readonly onLost: (channelId: string, message: M, error: EngineError | null) => void;
}

export interface Outbox<M> {
  /** Returns at once. */
  add(channelId: string, message: M): void;
  /** Resolves when no try is under way: each queue is empty or waits to try again. */
  settled(): Promise<void>;
  /** Gives up what waits and what is under way. */
  close(): Promise<void>;
}

/** The pauses before further tries: a channel that is back after a few hours offline still gets its messages. */
export const RETRY_PAUSES_MS: readonly number[] = [30_000, 120_000, 600_000, 3_600_000, 14_400_000];
/** Messages that wait in one queue. */
export const QUEUE_LIMIT = 100;

interface Queue<M> {
  readonly waiting: M[];
  work: Promise<void> | null;
}

export function createOutbox<M>(ports: OutboxPorts<M>): Outbox<M> {
  const queues = new Map<string, Queue<M>>();
  const closing = new AbortController();
  const under = countUnderWay();
  // Never rejects: nobody waits for it who could do better than go on with the next message.
  const drain = async (channelId: string, queue: Queue<M>): Promise<void> => {
    under.enter();
    for (let message = queue.waiting.shift(); message !== undefined; message = queue.waiting.shift()) {
      const error = await tryAll(ports, under, channelId, message, closing.signal);
      if (error && !closing.signal.aborted)
        await tryOnce(async () => ports.onLost(channelId, message, error));
    }
    queues.delete(channelId);
    under.leave();
  };
  return {
    add(channelId, message) {
      if (closing.signal.aborted) return;
      const queue = queues.get(channelId) ?? { waiting: [], work: null };
      queues.set(channelId, queue);
      queue.waiting.push(message);
      const lost = queue.waiting.length > QUEUE_LIMIT ? queue.waiting.shift() : undefined;
      if (lost !== undefined) ports.onLost(channelId, lost, null);
      queue.work ??= drain(channelId, queue);
    },
    settled: under.none,
    async close() {
      closing.abort();
      for (const queue of queues.values()) queue.waiting.length = 0;
      await Promise.all([...queues.values()].map((queue) => queue.work));
    },
  };
}

interface UnderWay {
  enter(): void;
  leave(): void;
  /** Resolves when as many have left as have entered. */
  none(): Promise<void>;
}

function countUnderWay(): UnderWay {
  let count = 0;
  let waiting: (() => void)[] = [];
  return {
    enter() {
      count++;
    },
    leave() {
      if (--count > 0) return;
      for (const go of waiting) go();
      waiting = [];
    },
    none: () =>
      new Promise((resolve) => {
        if (count === 0) resolve();
        else waiting.push(resolve);
      }),
  };
}

/** Tries until it works, patience ends or `signal` aborts. Never rejects: answers the last error. */
async function tryAll<M>(
  ports: OutboxPorts<M>,
  under: UnderWay,
  channelId: string,
  message: M,
  signal: AbortSignal,
): Promise<EngineError | null> {
  for (let failed = 0; ; failed++) {
    const error = await tryOnce(() => ports.deliver(channelId, message, signal));
    const pauseMs = RETRY_PAUSES_MS[failed];
    if (!error?.transient || pauseMs === undefined || !ports.worthRetrying(message)) return error;
    const { retryAfterSeconds } = error.context;
    const asked = typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
    under.leave();
    const stopped = await tryOnce(() => ports.clock.sleep(Math.max(pauseMs, asked), signal));
    under.enter();
    if (stopped) return error;
  }
}

async function tryOnce(work: () => Promise<void>): Promise<EngineError | null> {
  try {
    await work();
    return null;
  } catch (e) {
    return asEngineError(e);
  }
}
