/**
 * What would be lost, and how long getting back would take, as far as that is known.
 *
 * age    of the newest good version of a plan at a destination
 * goal   how old it may become before somebody is told: the setting `alertAfterDays`
 */
import type { Destination } from '../../../src/api/model/destination.ts';
import type { PlanStatus } from '../../../src/api/model/plan.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { secondsOf } from '../../components/run-facts.ts';

const DAY = 86_400_000;

export type Standing = 'good' | 'late' | 'none' | 'no-goal';

export interface Outlook {
  readonly planId: string;
  readonly plan: string;
  readonly destinationId: string;
  readonly destination: string | null;
  /** When the newest good version was begun; null: there is none. */
  readonly at: number | null;
  /** The backup that made it. */
  readonly runId: string | null;
  readonly standing: Standing;
}

/** A row for each plan and each of its destinations; `destination` is null where it is gone. */
export function outlookOf(
  plans: readonly PlanStatus[],
  destinations: readonly Destination[],
  now: number,
  goalDays: number,
): readonly Outlook[] {
  return plans.flatMap(({ plan, lastSuccess }) =>
    plan.destinations.map((destinationId): Outlook => {
      const last = lastSuccess.find((one) => one.destinationId === destinationId);
      const at = last?.at ?? null;
      return {
        planId: plan.id,
        plan: plan.name,
        destinationId,
        destination: destinations.find(({ id }) => id === destinationId)?.name ?? null,
        at,
        runId: last?.runId ?? null,
        standing: standingOf(at, now, goalDays),
      };
    }),
  );
}

function standingOf(at: number | null, now: number, goalDays: number): Standing {
  if (at === null) return 'none';
  if (goalDays === 0) return 'no-goal';
  return now - at < goalDays * DAY ? 'good' : 'late';
}

/** Below that a restore says nothing of the rate: opening the repository takes longer than reading. */
const LEAST_BYTES = 16 * 1024 ** 2;

/** Bytes per second of a restore; null where it was too small to tell, or there was none. */
export function rateOf(restore: Run | null | undefined): number | null {
  if (restore?.report?.kind !== 'restore') return null;
  const seconds = secondsOf(restore);
  const { bytesWritten } = restore.report;
  return seconds === null || seconds <= 0 || bytesWritten < LEAST_BYTES ? null : bytesWritten / seconds;
}

/** Of all that a backup has seen; null for what made no report. */
export function sizeOf(backup: Run | undefined): number | null {
  return backup?.report?.kind === 'backup' ? backup.report.bytesProcessed : null;
}
