/**
 * What storages and decorators share about a call.
 *
 * span    the bytes of a file that a load asks for, checked against the file's size
 */
import { EngineError, messageOf } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';
import type { Handle, LoadOptions } from './backend.ts';

/** The error of an aborted call: the reason itself where that is an EngineError (a lost lock), else 'cancelled'. */
export function cancellation(signal: AbortSignal): EngineError {
  const { reason } = signal;
  if (reason instanceof EngineError) return reason;
  const text = reason instanceof DOMException ? 'cancel' : messageOf(reason);
  return new EngineError(
    'cancelled',
    'The work was stopped.',
    { context: { reason: text } },
    { cause: reason },
  );
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancellation(signal);
}

/** What the work gives, unless the abort comes first: then 'cancelled' at once, while the work goes on by itself. */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(cancellation(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Sleeps; an abort before or during the sleep is a 'cancelled' error. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  try {
    await clock.sleep(ms, signal);
  } catch (e) {
    throwIfAborted(signal);
    throw e;
  }
  throwIfAborted(signal);
}

/** What can be asked of a storage, for logs and reports. */
export type Operation = 'save' | 'load' | 'stat' | 'list' | 'remove';

export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** How a file is called in a sentence. */
export function describe(h: Handle): string {
  return h.type === 'config' ? 'the config file' : `the ${h.type} file ${h.name}`;
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

/** The bytes that `o` asks for in a file of `size` bytes. Errors: range, and usage for what is not a count. */
export function spanOf(h: Handle, size: number, o: LoadOptions | undefined): Span {
  const offset = o?.offset ?? 0;
  const length = o?.length ?? Math.max(0, size - offset);
  if (!isCount(offset) || !isCount(length)) {
    throw new EngineError('usage', `Offset ${offset} and length ${length} are not counts of bytes.`);
  }
  if (offset + length > size) throw outOfRange(h, size, { offset, length });
  return { offset, length };
}

export function outOfRange(h: Handle, size: number, { offset, length }: Span): EngineError {
  const message = `In the storage, ${describe(h)} has ${size} bytes; ${length} from ${offset} were asked for.`;
  return new EngineError('range', message, { context: { type: h.type, name: h.name, size, offset, length } });
}

export function notFound(h: Handle, cause?: unknown): EngineError {
  return new EngineError(
    'not-found',
    `The storage does not hold ${describe(h)}.`,
    { context: { type: h.type, name: h.name } },
    { cause },
  );
}

export function totalLength(data: readonly Uint8Array[]): number {
  return data.reduce((sum, d) => sum + d.length, 0);
}
