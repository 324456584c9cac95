/** What the run manager needs from others. The host binds these to the engine, the scheduler's queue and the diary. */

import type { EngineError } from '../api/errors.ts';
import type { Destination, Space } from '../api/model/destination.ts';
import type { HostEvent } from '../api/model/event.ts';
import type { Plan, Retention } from '../api/model/plan.ts';
import type { Task } from '../api/model/run.ts';
import type { Settings } from '../api/model/settings.ts';
import type { Selection } from '../archiver/archiver.ts';
import type { Repository } from '../repository/repository.ts';
import type { KeepPolicy } from '../repository/retention.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';

/** Bytes per second; 0: no limit. */
export interface Limits {
  readonly upload: number;
  readonly download: number;
}

export interface OpenForRun {
  readonly signal: AbortSignal;
  /** Told of what goes wrong and is tried again. */
  readonly warn: (sentence: string) => void;
  readonly limits: Limits;
}

/** Why a run waits in the queue. */
export interface QueueWait {
  /** 1 is the one that came first. */
  readonly position: number;
  /** The run that must end first; null: as many as may are under way. */
  readonly behind: string | null;
  /** It is not to begin during a pause. */
  readonly held: boolean;
}

/** One run at a time for each repository; the others wait in order. */
export interface RunQueuePort {
  /**
   * Carries out `work` once no other work needs one of the destinations. Rejects with the signal's reason where that
   * comes first, else settles as `work` does. `onWait` is told why it waits, whenever that changes.
   */
  enqueue<T>(
    id: string,
    destinationIds: readonly string[],
    work: (signal: AbortSignal) => Promise<T>,
    o: {
      readonly signal: AbortSignal;
      readonly onWait: (wait: QueueWait) => void;
      /** Not to begin while this holds. */
      readonly held: () => boolean;
    },
  ): Promise<T>;
}

export interface RunPorts {
  readonly store: Store;
  /** Read only to keep passwords and tokens out of logs. */
  readonly secrets: Pick<Secrets, 'names' | 'get'>;
  readonly clock: Clock;
  readonly queue: RunQueuePort;
  /** Of Holdfast, for the snapshots. */
  readonly version: string;
  /** As it stands in snapshots and decides which of them are this computer's. */
  readonly hostname: string;
  newId(): string;
  emit(event: HostEvent): void;
  settings(): Settings;
  /** Whether what nobody asked for by hand is to wait. */
  paused(): boolean;
  /** Errors: those of opening a repository. */
  openRepository(destination: Destination, o: OpenForRun): Promise<Repository>;
  /** What of the sources a plan leaves out. Errors: 'usage'. */
  selectionOf(plan: Plan, warn: (sentence: string) => void): Selection;
  /** undefined: keep everything. */
  keepPolicyOf(retention: Retention): KeepPolicy | undefined;
  /** The room where a destination lies; null where that is not known. Errors: none that matter. */
  spaceOf(destination: Destination): Promise<Space | null>;
  /** What a run failed by, as a person should hear it: that its disk was pulled out, say. */
  explain?(task: Task, error: EngineError): Promise<EngineError>;
  /** Folders of Holdfast itself, which no backup takes along: the data folder, the cache. Absolute. */
  readonly ownFolders: readonly string[];
  /** For hooks and commands, with what they may not see taken out. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
