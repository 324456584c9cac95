/** What recurs, as the scheduler sees it: made anew from plans and destinations each time it asks. */
import type { Instant } from '../api/model/common.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan, Recurrence, Schedule } from '../api/model/plan.ts';
import type { Job } from '../scheduler/ports.ts';

export interface JobFacts {
  readonly now: Instant;
  readonly plans: readonly Plan[];
  readonly destinations: readonly Destination[];
  /** Small things that outlive the process; see Store. */
  readonly values: { get(key: string): string | undefined; set(key: string, value: string): void };
}

export const backupKey = (planId: string, destinationId: string) => `backup:${planId}:${destinationId}`;
export const cleanUpKey = (destinationId: string) => `cleanup:${destinationId}`;
export const checkKey = (destinationId: string) => `check:${destinationId}`;

export function jobsOf(f: JobFacts): readonly Job[] {
  const writable = f.destinations.filter((destination) => !destination.readOnly);
  const known = new Set(writable.map(({ id }) => id));
  return [
    ...f.plans.flatMap((plan) =>
      plan.destinations.filter((id) => known.has(id)).map((id) => backupJob(f, plan, id)),
    ),
    ...writable.flatMap((destination) => maintenanceJobs(f, destination)),
  ];
}

function backupJob(f: JobFacts, plan: Plan, destinationId: string): Job {
  const key = backupKey(plan.id, destinationId);
  return {
    key,
    task: { kind: 'backup', planId: plan.id, destinationId },
    schedule: plan.schedule,
    since: sinceOf(f, key, [plan.enabled, plan.schedule.when, plan.schedule.timeZone]),
    enabled: plan.enabled,
    onBattery: plan.options.onBattery,
    onMetered: plan.options.onMetered,
    destinationIds: [destinationId],
  };
}

/** They wait for power and a cheap network: nothing is lost meanwhile. */
function maintenanceJobs(f: JobFacts, { id, maintenance }: Destination): readonly Job[] {
  const users = f.plans.filter((plan) => plan.destinations.includes(id));
  const forgets = users.some((plan) => plan.retention.kind !== 'everything');
  const job = (key: string, task: Job['task'], when: Recurrence, enabled: boolean): Job => ({
    key,
    task,
    schedule: maintenanceSchedule(when),
    since: sinceOf(f, key, [enabled, when]),
    enabled,
    onBattery: 'wait',
    onMetered: 'wait',
    destinationIds: [id],
  });
  return [
    job(cleanUpKey(id), { kind: 'cleanup', destinationId: id }, maintenance.cleanUp, forgets),
    job(
      checkKey(id),
      { kind: 'check', destinationId: id, percent: null },
      maintenance.check,
      users.length > 0,
    ),
  ];
}

function maintenanceSchedule(when: Recurrence): Schedule {
  return { when, timeZone: null, jitterMinutes: 0, catchUp: true, onConnect: true };
}

/**
 * Since when a job recurs as it does now. A schedule that is changed, or switched on again, has missed nothing before that.
 */
function sinceOf({ now, values }: JobFacts, key: string, schedule: unknown): Instant {
  const name = `since:${key}`;
  const fingerprint = JSON.stringify(schedule);
  const [at, ...rest] = values.get(name)?.split(' ') ?? [];
  if (at !== undefined && /^\d+$/.test(at) && rest.join(' ') === fingerprint) return Number(at);
  values.set(name, `${now} ${fingerprint}`);
  return now;
}
