/** Why a run is stopped: the reason of its signal, which decides how the run is remembered. */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';

/** A person does not want it any more. */
export function cancelled(): EngineError {
  return new EngineError('cancelled', 'The run was cancelled.', { context: { reason: 'person' } });
}

/** Holdfast ends; the run is to be continued. */
export function shuttingDown(): EngineError {
  return new EngineError('cancelled', 'Holdfast was shut down before the run had ended.', {
    transient: true,
    context: { reason: 'shutdown' },
  });
}

export function isShutdown(reason: unknown): boolean {
  return isEngineError(reason, 'cancelled') && reason.context.reason === 'shutdown';
}

/** The reason of an aborted signal as an error of ours. */
export function reasonOf(signal: AbortSignal): EngineError {
  return signal.reason instanceof EngineError ? signal.reason : cancelled();
}

/**
 * What the work gives, or undefined where it has not settled so long after the signal aborted: calls into the system do not
 * return while a disk or a network drive hangs, and nothing can end them. The work is then left behind, its error unheard.
 */
export async function orLeave<T>(
  work: Promise<T>,
  o: { readonly clock: Clock; readonly signal: AbortSignal; readonly graceMs: number },
): Promise<T | undefined> {
  const over = new AbortController();
  const left = Promise.withResolvers<undefined>();
  const onAbort = () =>
    o.clock.sleep(o.graceMs, over.signal).then(
      () => left.resolve(undefined),
      () => undefined,
    );
  if (o.signal.aborted) onAbort();
  else o.signal.addEventListener('abort', onAbort, { once: true, signal: over.signal });
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    over.abort();
  }
}
