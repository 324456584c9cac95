/** What the scheduler remembers of a job, as text for the diary. */
import { z } from 'zod';
import { Instant } from '../api/model/common.ts';
import { Trigger } from '../api/model/run.ts';
import type { JobState } from './ports.ts';

const Retry = z.object({
  at: Instant,
  trigger: Trigger,
  attempt: z.int().min(1),
  previousRunId: z.string().nullable(),
});
const State = z.object({
  handled: Instant,
  retry: Retry.nullable().default(null),
  started: Retry.nullable().default(null),
}) satisfies z.ZodType<JobState>;

export function encodeJobState(state: JobState): string {
  return JSON.stringify(state);
}

/** Text that is none means that nothing is known: a start that was missed, or handled, is then run once more. */
export function decodeJobState(text: string | undefined): JobState | undefined {
  if (text === undefined) return undefined;
  try {
    return State.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
