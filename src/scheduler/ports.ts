/**
 * What the scheduler decides about, and what it needs from others.
 *
 * job      something that recurs: a plan's backup to one destination, or the clean-up or check of a destination
 * due      the newest start by the job's schedule that is not in the future
 * handled  the newest due start that led to a run or was let go; everything up to it is over
 */
import type { Instant } from '../api/model/common.ts';
import type { Schedule } from '../api/model/plan.ts';
import type { RunState, Task, Trigger } from '../api/model/run.ts';
import type { Conditions, Pause } from '../api/model/status.ts';
import type { Clock } from '../util/clock.ts';

export interface Job {
  /** Stable over restarts: `backup:<plan>:<destination>`, `cleanup:<destination>`, `check:<destination>`. */
  readonly key: string;
  readonly task: Task;
  readonly schedule: Schedule;
  /** Starts before this (when the plan was made or its schedule changed) were never due. */
  readonly since: Instant;
  readonly enabled: boolean;
  readonly onBattery: 'run' | 'wait';
  readonly onMetered: 'run' | 'wait';
  /** All repositories it needs. */
  readonly destinationIds: readonly string[];
}

/** A further try of a run that failed for a reason that may pass, or the continuation of one that was interrupted. */
export interface Retry {
  readonly at: Instant;
  readonly trigger: Trigger;
  readonly attempt: number;
  readonly previousRunId: string | null;
}

/** What is remembered of a job, by its key. */
export interface JobState {
  readonly handled: Instant;
  readonly retry: Retry | null;
  /** The run that has been begun and of whose end the scheduler has not heard; `at`: just before it was. */
  readonly started: Retry | null;
}

export interface Outcome {
  readonly runId: string;
  readonly state: Extract<RunState, 'succeeded' | 'warnings' | 'failed' | 'cancelled' | 'interrupted'>;
  /** The cause may pass by itself. */
  readonly transient: boolean;
  /** It failed for want of a login or a disk: it is continued when that is there (see `SchedulerPorts.waitsFor`). */
  readonly awaits?: boolean;
}

export interface StartRequest {
  readonly job: Job;
  readonly trigger: Trigger;
  readonly attempt: number;
  readonly previousRunId: string | null;
}

export interface SchedulerPorts {
  readonly clock: Clock;
  /** 0 ≤ x < 1, for the jitter. */
  readonly random: () => number;
  jobs(): readonly Job[];
  state(key: string): JobState | undefined;
  /** On disk when it returns: on this rests that a killed process neither repeats nor loses a start. */
  setState(key: string, state: JobState): void;
  /**
   * How the job's newest run ended that was queued at `since` or later; undefined: there is none. Asked after a restart. Runs
   * that the last process left unfinished must be marked 'interrupted' before `Scheduler.start`.
   */
  outcomeOf(job: Job, since: Instant): Outcome | undefined;
  conditions(): Conditions;
  pause(): Pause | null;
  /** Whether the destination answers now. */
  reachable(destinationId: string, signal: AbortSignal): Promise<boolean>;
  /**
   * What a destination is known to be waiting for. 'sign-in': it is not even asked until a person has signed in. 'disk': it is asked
   * as any other that does not answer.
   */
  waitsFor?(destinationId: string): 'sign-in' | 'disk' | null;
  /** Records and queues a run before it returns; resolves when that has ended. Never rejects. */
  start(request: StartRequest): Promise<Outcome>;
  /** Something that a person can see has changed: what waits, why, and what comes next. */
  onChange(): void;
}
