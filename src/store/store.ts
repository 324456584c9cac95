/**
 * The host's diary and cache in one SQLite file. Nothing in it is needed to get data back: with the file deleted, adding a
 * destination again brings back versions, plans and history from the repository. No secret is ever in it.
 */
import type { Alert, Channel } from '../api/model/alert.ts';
import type { Instant } from '../api/model/common.ts';
import type { SpaceSample } from '../api/model/computer.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { LogLine, Problem, Run, RunKind, RunState } from '../api/model/run.ts';
import type { Settings } from '../api/model/settings.ts';

/** Things by id, in the order in which they were first put. */
export interface Collection<T extends { readonly id: string }> {
  list(): readonly T[];
  get(id: string): T | undefined;
  /** Adds or replaces. */
  put(item: T): void;
  /** Absent: success. */
  remove(id: string): void;
}

export interface RunFilter {
  readonly kinds?: readonly RunKind[] | undefined;
  readonly states?: readonly RunState[] | undefined;
  readonly planId?: string | undefined;
  readonly destinationId?: string | undefined;
  /** Queued before. */
  readonly before?: Instant | undefined;
}

export interface RunQuery extends RunFilter {
  readonly limit: number;
}

export interface RunStore {
  /** Adds or replaces; progress is not kept. */
  put(run: Run): void;
  get(id: string): Run | undefined;
  /** Newest first. */
  list(query: RunQuery): readonly Run[];
  /** How many there are, without reading them. */
  count(query: RunFilter): number;
  /** Queued or running when it was last written, oldest first. */
  unfinished(): readonly Run[];
  /** The newest backup of a plan to a destination that ended well or with warnings. */
  lastSuccess(planId: string, destinationId: string): Run | undefined;
  addLog(runId: string, line: LogLine): void;
  /** In the order of `addLog`. */
  log(runId: string): readonly LogLine[];
  addProblem(runId: string, problem: Problem): void;
  problems(runId: string, offset: number, limit: number): readonly Problem[];
  countProblems(runId: string): number;
  /** Drops ended runs that were queued before, with logs and problems, save each plan's last success per destination. */
  dropBefore(instant: Instant): number;
}

export interface AlertStore {
  /** Adds or replaces. */
  put(alert: Alert): void;
  /** Those that hold, oldest first. */
  open(): readonly Alert[];
  /** Newest first. */
  list(limit: number): readonly Alert[];
}

/** Room at destinations over time: of each day (of UTC) the last sample. */
export interface SpaceStore {
  /** Replaces the day's. One of a destination that is not there is not kept: samples go with it. */
  add(destinationId: string, sample: SpaceSample): void;
  /** Oldest first. */
  list(destinationId: string): readonly SpaceSample[];
  /** Drops those taken before. */
  dropBefore(instant: Instant): number;
}

export interface Store {
  readonly plans: Collection<Plan>;
  readonly destinations: Collection<Destination>;
  readonly channels: Collection<Channel>;
  readonly runs: RunStore;
  readonly alerts: AlertStore;
  readonly space: SpaceStore;
  readonly settings: { get(): Settings; set(settings: Settings): void };
  /** Small things that outlive the process: the scheduler's state, the pause, the rotation of checks. */
  readonly values: {
    get(key: string): string | undefined;
    set(key: string, value: string): void;
    remove(key: string): void;
  };
  /** All or nothing. Not to be nested. */
  transaction<T>(work: () => T): T;
  /** Writes a copy to `path`, whole even while others write. */
  backup(path: string): Promise<void>;
  close(): void;
}
