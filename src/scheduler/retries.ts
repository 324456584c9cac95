/** What follows when a run has ended: a further try, its continuation, or nothing until the next start. */
import type { Instant } from '../api/model/common.ts';
import type { Outcome, Retry } from './ports.ts';

const MINUTE = 60_000;
/** After so long a further try is made; when all are used up, the next start is waited for. */
const BACK_OFF = [5 * MINUTE, 15 * MINUTE, 60 * MINUTE] as const;
/** No further try is ever put off for longer. */
export const LONGEST_BACK_OFF = BACK_OFF[2];

const pauseAfter = (attempt: number): number => BACK_OFF[attempt - 1] ?? LONGEST_BACK_OFF;

/** After a run whose end is known at `now`. */
export function afterEnd(started: Retry, outcome: Outcome, now: Instant): Retry | null {
  const { attempt } = started;
  if (outcome.state === 'interrupted') return continuation(started, outcome, now);
  if (outcome.state === 'failed' && outcome.awaits) return whenThere(started, outcome, now);
  if (outcome.state !== 'failed' || !outcome.transient || attempt > BACK_OFF.length) return null;
  return {
    at: now + pauseAfter(attempt),
    trigger: 'retry',
    attempt: attempt + 1,
    previousRunId: outcome.runId,
  };
}

/** After a restart: `outcome` is undefined where the run had not been recorded when the process ended, so none ever began. */
export function afterRestart(started: Retry, outcome: Outcome | undefined, now: Instant): Retry | null {
  return outcome ? afterEnd(started, outcome, now) : { ...started, at: now, trigger: 'continue' };
}

/** The job waits by itself until it may begin again. One that fails so again and again has met a new cause each time. */
function whenThere({ attempt }: Retry, { runId }: Outcome, now: Instant): Retry {
  return { at: now, trigger: 'continue', attempt: attempt + 1, previousRunId: runId };
}

/** The first at once; further ones with pauses, for the run itself may be what ends the process. */
function continuation({ attempt }: Retry, { runId }: Outcome, now: Instant): Retry {
  const pause = attempt === 1 ? 0 : pauseAfter(attempt - 1);
  return { at: now + pause, trigger: 'continue', attempt: attempt + 1, previousRunId: runId };
}
