/** Plans as people make and change them, and what is known of each. */
import { EngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import { Plan, type PlanSettings, type PlanStatus } from '../api/model/plan.ts';
import { refuseReadOnly } from '../runs/read-only.ts';
import { nextAfter } from '../scheduler/recurrence.ts';
import type { JobPlan } from '../scheduler/scheduler.ts';
import type { Store } from '../store/store.ts';
import { backupKey } from './jobs.ts';

export interface PlanPorts {
  readonly store: Store;
  now(): Instant;
  newId(): string;
  /** What the scheduler says of a job; undefined for one it does not know yet. */
  outlook(jobKey: string): JobPlan | undefined;
}

/** Errors: 'not-found'. */
export function planNamed(store: Store, id: string): Plan {
  const found = store.plans.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such plan any more.');
  return found;
}

/** Errors: 'usage' for what can't work, 'conflict' for a name that another plan has. */
export function createPlan(ports: PlanPorts, said: PlanSettings): Plan {
  const plan = Plan.parse({ ...said, id: ports.newId(), createdAt: ports.now(), updatedAt: ports.now() });
  refuseImpossible(ports, plan);
  ports.store.plans.put(plan);
  return plan;
}

/** Errors: those of `createPlan`, 'not-found'. */
export function updatePlan(ports: PlanPorts, id: string, said: PlanSettings): Plan {
  const before = planNamed(ports.store, id);
  const plan = Plan.parse({ ...said, id, createdAt: before.createdAt, updatedAt: ports.now() });
  refuseImpossible(ports, plan);
  ports.store.plans.put(plan);
  return plan;
}

function refuseImpossible({ store, now }: PlanPorts, plan: Plan): void {
  const twin = store.plans.list().find((p) => p.id !== plan.id && p.name === plan.name);
  if (twin) throw new EngineError('conflict', `There is a plan called “${plan.name}” already.`);
  const unknown = plan.destinations.find((id) => !store.destinations.get(id));
  if (unknown !== undefined) {
    throw new EngineError('usage', 'The plan names a destination that does not exist.', {
      hint: 'Add the destination first.',
      context: { destinationId: unknown },
    });
  }
  for (const id of plan.destinations) refuseReadOnly(store.destinations.get(id)!);
  refuseNonsense(plan, now());
}

/** What no diary could make right: a destination twice, a source that is nowhere, a schedule that is none. Error: 'usage'. */
export function refuseNonsense(
  { destinations, sources, schedule }: Pick<PlanSettings, 'destinations' | 'sources' | 'schedule'>,
  now: Instant,
): void {
  if (new Set(destinations).size < destinations.length) {
    throw new EngineError('usage', 'The plan names a destination twice.');
  }
  for (const source of sources) {
    if (source.kind === 'path' && !isAbsolute(source.path)) {
      throw new EngineError('usage', `The source "${source.path}" is no absolute path.`, {
        hint: 'Give the whole path, from the root on.',
      });
    }
  }
  // Throws for an expression or a time zone that is none.
  nextAfter(schedule.when, schedule.timeZone, now);
}

/** Of any system: a plan may have been made on another one. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[a-z]:[\\/]/i.test(path) || path.startsWith('\\\\');
}

export function statusOf(ports: PlanPorts, plan: Plan): PlanStatus {
  const outlooks = plan.destinations.map((id) => ports.outlook(backupKey(plan.id, id)));
  const times = outlooks.map((o) => o?.nextAt ?? null).filter((at) => at !== null);
  const runs = ports.store.runs.list({ kinds: ['backup'], planId: plan.id, limit: 1 });
  const waiting = outlooks.find((o) => o && o.waitingFor !== null);
  return {
    plan,
    nextAt: times.length > 0 ? Math.min(...times) : null,
    lastSuccess: plan.destinations.flatMap((destinationId) => {
      const run = ports.store.runs.lastSuccess(plan.id, destinationId);
      if (!run) return [];
      const snapshotId = run.report?.kind === 'backup' ? run.report.snapshotId : null;
      return [{ destinationId, at: run.startedAt ?? run.queuedAt, runId: run.id, snapshotId }];
    }),
    lastRunId: runs[0]?.id ?? null,
    waitingFor: waiting?.waitingFor ?? null,
    waitingCode: waiting?.waitingCode ?? null,
  };
}
