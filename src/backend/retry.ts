/**
 * Makes failed calls again, while the error says that this may help (`transient`) and patience lasts.
 *
 * The pauses double from `initialDelayMs` to `maxDelayMs`, each spread by half around that value so that many
 * clients do not come back in step. A storage that names its own pause (context.retryAfterSeconds) is given at
 * least that.
 */
import { asEngineError, type EngineError } from '../api/errors.ts';
import type { FileType } from '../format/types.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { type Backend, type CallOptions, type FileInfo, passOn, type Wrap } from './backend.ts';
import { type Operation, pause, throwIfAborted } from './calls.ts';

export interface RetryNotice {
  readonly operation: Operation;
  readonly type: FileType;
  /** '' for the config and for lists. */
  readonly name: string;
  /** How many tries have failed: 1 before the first repetition. */
  readonly failed: number;
  readonly delayMs: number;
  readonly error: EngineError;
}

export interface RetryOptions {
  /** Tries in all; no bound unless told. */
  readonly attempts?: number;
  /** No try but the second begins later than this after the first; 15 minutes unless told. */
  readonly maxElapsedMs?: number;
  readonly initialDelayMs?: number;
  readonly maxDelayMs?: number;
  readonly clock?: Clock;
  /** 0 … 1, evenly. */
  readonly random?: () => number;
  readonly onRetry?: (notice: RetryNotice) => void;
}

type Policy = Required<RetryOptions>;
type Call = Pick<RetryNotice, 'operation' | 'type' | 'name'>;

const DEFAULTS: Policy = {
  attempts: Number.POSITIVE_INFINITY,
  maxElapsedMs: 15 * 60_000,
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
  clock: systemClock,
  random: Math.random,
  onRetry: () => undefined,
};

function delayAfter(failed: number, error: EngineError, p: Policy): number {
  const base = Math.min(p.maxDelayMs, p.initialDelayMs * 2 ** (failed - 1));
  const { retryAfterSeconds } = error.context;
  const asked = typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1000 : 0;
  return Math.max(base * (0.5 + p.random()), asked);
}

/** Returns what to do with a failure of `call`: sleeps until the next try is due, or throws the failure. */
function patience(p: Policy, call: Call, signal: AbortSignal | undefined): (e: unknown) => Promise<void> {
  const started = p.clock.now();
  let failed = 0;
  return async (e) => {
    failed++;
    const error = asEngineError(e);
    if (!error.transient) throw e;
    throwIfAborted(signal);
    const delayMs = delayAfter(failed, error, p);
    // A first try that itself took very long (a big upload) still earns a second.
    const second = failed === 1 && delayMs <= p.maxDelayMs;
    const late = !second && p.clock.now() - started + delayMs > p.maxElapsedMs;
    if (late || failed >= p.attempts) throw e;
    p.onRetry({ ...call, failed, delayMs, error });
    await pause(p.clock, delayMs, signal);
  };
}

async function again<T>(
  p: Policy,
  call: Call,
  o: CallOptions | undefined,
  work: () => Promise<T>,
): Promise<T> {
  throwIfAborted(o?.signal);
  const failure = patience(p, call, o?.signal);
  for (;;) {
    try {
      return await work();
    } catch (e) {
      await failure(e);
    }
  }
}

/** Begins a broken list anew and leaves out what was already given. */
async function* listAgain(
  p: Policy,
  inner: Backend,
  type: FileType,
  o: CallOptions | undefined,
): AsyncGenerator<FileInfo> {
  throwIfAborted(o?.signal);
  const failure = patience(p, { operation: 'list', type, name: '' }, o?.signal);
  const given = new Set<string>();
  for (;;) {
    try {
      for await (const file of inner.list(type, o)) {
        if (given.has(file.name)) continue;
        given.add(file.name);
        yield file;
      }
      return;
    } catch (e) {
      await failure(e);
    }
  }
}

export function retry(o: RetryOptions = {}): Wrap {
  const p: Policy = { ...DEFAULTS, ...o };
  return (inner) => ({
    location: inner.location,
    traits: inner.traits,
    save: (h, data, c) => again(p, { operation: 'save', ...h }, c, () => inner.save(h, data, c)),
    load: (h, c) => again(p, { operation: 'load', ...h }, c, () => inner.load(h, c)),
    stat: (h, c) => again(p, { operation: 'stat', ...h }, c, () => inner.stat(h, c)),
    list: (type, c) => listAgain(p, inner, type, c),
    remove: (h, c) => again(p, { operation: 'remove', ...h }, c, () => inner.remove(h, c)),
    ...passOn(inner),
    close: () => inner.close(),
  });
}
