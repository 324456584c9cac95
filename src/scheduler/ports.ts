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

/** What is remembered of a job, by its key. */
export interface JobState {
  readonly handled: Instant;
  /** A further try after a transient failure. */
  readonly retry: { readonly at: Instant; readonly attempt: number; readonly previousRunId: string } | null;
}

export interface Outcome {
  readonly runId: string;
  readonly state: Extract<RunState, 'succeeded' | 'warnings' | 'failed' | 'cancelled' | 'interrupted'>;
  /** The cause may pass by itself. */
  readonly transient: boolean;
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
  setState(key: string, state: JobState): void;
  conditions(): Conditions;
  pause(): Pause | null;
  /** Whether the destination answers now. */
  reachable(destinationId: string, signal: AbortSignal): Promise<boolean>;
  /** Queues a run; resolves when it has ended. Never rejects. */
  start(request: StartRequest): Promise<Outcome>;
  /** Something that a person can see has changed: what waits, why, and what comes next. */
  onChange(): void;
}
