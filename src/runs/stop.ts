/** Why a run is stopped: the reason of its signal, which decides how the run is remembered. */
import { EngineError, isEngineError } from '../api/errors.ts';

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
