/**
 * Keeps to a bandwidth and to a number of calls at once.
 *
 * bucket   fills with bytes at the allowed rate; whoever takes bytes out waits until the level is back at zero
 * pace     buckets of both directions. A storage that is `paced` takes bytes out piece by piece while it sends and reads; for the
 *          others a whole file is taken out at once, so that a single one travels at full speed and the average is what is kept.
 * slot     a place for one call; lists hold one only while they ask, never while their reader works
 */
import { type Clock, systemClock } from '../util/clock.ts';
import { Semaphore } from '../util/semaphore.ts';
import { type Backend, type CallOptions, type FileInfo, type Pace, passOn, type Wrap } from './backend.ts';
import { cancellation, pause, throwIfAborted, totalLength } from './calls.ts';

export interface LimitOptions {
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
  /** Calls at once; what the storage's traits say unless told. */
  readonly connections?: number;
  /** Allowances that are shared with others: all of them are kept to. */
  readonly paces?: readonly Pace[];
  readonly clock?: Clock;
}

export interface Rates {
  /** Bytes per second. */
  readonly uploadBytesPerSecond?: number;
  readonly downloadBytesPerSecond?: number;
}

type Spend = (bytes: number, signal: AbortSignal | undefined) => Promise<void>;

/**
 * So much unused allowance is kept, in seconds: what a late timer cost is made up for. Together with one piece it is a tenth of a
 * second, so that in any second the rate is kept within a tenth.
 */
const BURST_SECONDS = 0.05;

/**
 * `refund`: a wait that is aborted gives its bytes back, for what is paid before it is sent. Otherwise the last small files of
 * a run that was cancelled would wait as long as the packs that it gave up.
 */
function bucket(rate: number | undefined, clock: Clock, { refund }: { readonly refund: boolean }): Spend {
  if (rate === undefined) return async () => undefined;
  const full = rate * BURST_SECONDS;
  let level = full;
  let filled = clock.now();
  return async (bytes, signal) => {
    throwIfAborted(signal);
    const now = clock.now();
    // The clock of the machine may be set back.
    level = Math.min(full, level + (Math.max(0, now - filled) * rate) / 1000);
    filled = now;
    level -= bytes;
    if (level >= 0) return;
    try {
      await pause(clock, (-level / rate) * 1000, signal);
    } catch (e) {
      if (refund) level += bytes;
      throw e;
    }
  };
}

const PIECE = { least: 512, most: 256 << 10, perSecond: 20 } as const;

/** An allowance that several storages may share. */
export function createPace(rates: Rates, clock: Clock = systemClock): Pace {
  const { uploadBytesPerSecond: up, downloadBytesPerSecond: down } = rates;
  const slowest = Math.min(up ?? Number.POSITIVE_INFINITY, down ?? Number.POSITIVE_INFINITY);
  return {
    up: bucket(up, clock, { refund: true }),
    down: bucket(down, clock, { refund: false }),
    piece: Math.max(PIECE.least, Math.min(PIECE.most, Math.floor(slowest / PIECE.perSecond))),
  };
}

/** Keeps to all of them. */
function together(paces: readonly Pace[]): Pace {
  return {
    up: async (bytes, signal) => void (await Promise.all(paces.map((pace) => pace.up(bytes, signal)))),
    down: async (bytes, signal) => void (await Promise.all(paces.map((pace) => pace.down(bytes, signal)))),
    piece: Math.min(PIECE.most, ...paces.map(({ piece }) => piece)),
  };
}

/** Waits for a slot; an abort ends the wait at once, and the slot goes to the next when its turn comes. */
async function takeSlot(slots: Semaphore, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  const mine = slots.acquire();
  if (signal === undefined) return mine;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      void mine.then(() => slots.release());
      reject(cancellation(signal));
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([mine, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function inSlot<T>(
  slots: Semaphore,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  await takeSlot(slots, signal);
  try {
    throwIfAborted(signal);
    return await work();
  } finally {
    slots.release();
  }
}

async function* listInSlots(
  slots: Semaphore,
  files: AsyncIterable<FileInfo>,
  signal: AbortSignal | undefined,
): AsyncGenerator<FileInfo> {
  const iterator = files[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await inSlot(slots, signal, () => iterator.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

export function limit(o: LimitOptions = {}): Wrap {
  const pace = together([createPace(o, o.clock), ...(o.paces ?? [])]);
  return (inner): Backend => {
    const connections = o.connections ?? inner.traits.connections;
    const slots = new Semaphore(connections);
    const paced = inner.traits.paced === true;
    const handDown = <T extends CallOptions>(c: T | undefined) => (paced ? { ...c, pace } : c);
    return {
      location: inner.location,
      traits: { ...inner.traits, connections },
      async save(h, data, c) {
        if (!paced) await pace.up(totalLength(data), c?.signal);
        await inSlot(slots, c?.signal, () => inner.save(h, data, handDown(c)));
      },
      async load(h, c) {
        const bytes = await inSlot(slots, c?.signal, () => inner.load(h, handDown(c)));
        if (!paced) await pace.down(bytes.length, c?.signal);
        return bytes;
      },
      stat: (h, c) => inSlot(slots, c?.signal, () => inner.stat(h, c)),
      list: (type, c) => listInSlots(slots, inner.list(type, c), c?.signal),
      remove: (h, c) => inSlot(slots, c?.signal, () => inner.remove(h, c)),
      ...passOn(inner),
      close: () => inner.close(),
    };
  };
}
