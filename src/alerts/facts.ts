/** What the host knows of plans and destinations when it has alerts looked at. */
import type { WireError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { Space } from '../api/model/destination.ts';

export interface PlanFacts {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly createdAt: Instant;
  /** Of the newest backup that ended well or with warnings; null: there was none yet. */
  readonly lastSuccessAt: Instant | null;
}

export interface DestinationFacts {
  readonly id: string;
  readonly name: string;
  /** null: not known, which changes nothing. */
  readonly space: Space | null;
  readonly warnBelowBytes: number;
  /** Why it cannot be used; null: it can. */
  readonly problem: WireError | null;
  readonly problemSince: Instant | null;
}

/** All plans and destinations there are: what is not named here is gone, and so are its alerts. */
export interface AlertFacts {
  readonly now: Instant;
  readonly plans: readonly PlanFacts[];
  readonly destinations: readonly DestinationFacts[];
  /** "No backup for N days"; 0: never. */
  readonly alertAfterDays: number;
}
