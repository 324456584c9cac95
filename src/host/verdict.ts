/**
 * The one verdict over everything. It says "protected" only where every enabled plan has a recent backup at each of its
 * destinations, one of which is not on the sources' own disk, and every repository has been read lately: no news is no good news.
 *
 * problem  stands against "protected"
 * advice   is worth knowing
 */
import { needsSignIn } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { Run } from '../api/model/run.ts';
import type { Pause, Reason, Verdict } from '../api/model/status.ts';

export interface VerdictFacts {
  readonly now: Instant;
  readonly plans: readonly Plan[];
  readonly destinations: readonly Destination[];
  readonly pause: Pause | null;
  /** How old the newest backup may be, in days; 0: any age. */
  readonly alertAfterDays: number;
  /** The newest backup that ended well or with warnings. */
  lastSuccess(planId: string, destinationId: string): Run | undefined;
  /** The newest ended backup, however it ended. */
  lastEnded(planId: string, destinationId: string): Run | undefined;
}

const DAY_MS = 24 * 3600 * 1000;
/** A repository that nobody has read for so long is not proven any more. */
const CHECK_DAYS = 35;

export function verdictOf(f: VerdictFacts): Verdict {
  const plans = f.plans.filter((plan) => plan.enabled);
  const reasons = [
    ...(f.plans.length === 0 ? [NO_PLAN] : []),
    ...f.plans.filter((plan) => !plan.enabled).map(switchedOff),
    ...(f.pause ? [paused(f.pause)] : []),
    ...plans.flatMap((plan) => reasonsOfPlan(f, plan)),
    ...destinationsOf(f, plans).flatMap((destination) => reasonsOfDestination(f, destination)),
  ];
  const proven = plans.some((plan) => plan.destinations.some((id) => f.lastSuccess(plan.id, id)));
  const problems = reasons.some((reason) => reason.level === 'problem');
  return { state: !proven ? 'none' : problems ? 'attention' : 'protected', reasons };
}

const NO_PLAN: Reason = {
  level: 'problem',
  code: 'no-plan',
  sentence: 'Nothing is backed up yet.',
  fix: { kind: 'create-plan' },
};

function switchedOff(plan: Plan): Reason {
  return {
    level: 'advice',
    code: 'plan-disabled',
    sentence: `“${plan.name}” is switched off.`,
    fix: { kind: 'edit-plan', planId: plan.id },
  };
}

function paused(pause: Pause): Reason {
  const sentence =
    pause.until === null ? 'Backups are paused until you resume them.' : 'Backups are paused for a while.';
  return { level: 'problem', code: 'paused', sentence, fix: { kind: 'resume' } };
}

function destinationsOf(f: VerdictFacts, plans: readonly Plan[]): readonly Destination[] {
  const used = new Set(plans.flatMap((plan) => plan.destinations));
  // What is only read holds no backup of this computer's plans.
  return f.destinations.filter(({ id, readOnly }) => used.has(id) && !readOnly);
}

function reasonsOfPlan(f: VerdictFacts, plan: Plan): readonly Reason[] {
  const destinations = destinationsOf(f, [plan]);
  const missing = plan.destinations.length > destinations.length || destinations.length === 0;
  return [
    ...(missing ? [withoutDestination(plan)] : []),
    ...destinations.flatMap((destination) => reasonsOfBackup(f, plan, destination)),
    ...(destinations.length > 0 && destinations.every((d) => d.embedded) ? [sameDisk(plan)] : []),
  ];
}

function withoutDestination(plan: Plan): Reason {
  return {
    level: 'problem',
    code: 'destination-missing',
    sentence: `“${plan.name}” has a destination that is gone.`,
    fix: { kind: 'edit-plan', planId: plan.id },
  };
}

function sameDisk(plan: Plan): Reason {
  return {
    level: 'problem',
    code: 'same-disk',
    sentence: `“${plan.name}” is kept on the computer's own disk only. That protects from mistakes, but not from a broken or stolen disk.`,
    fix: { kind: 'add-destination' },
  };
}

function reasonsOfBackup(f: VerdictFacts, plan: Plan, destination: Destination): readonly Reason[] {
  const success = f.lastSuccess(plan.id, destination.id);
  const ended = f.lastEnded(plan.id, destination.id);
  return [
    ...age(f, plan, destination, success),
    ...(ended?.state === 'failed' && !saidAlready(destination, ended)
      ? [failed(plan, destination, ended)]
      : []),
    ...(ended?.state === 'warnings' ? [withWarnings(plan, ended)] : []),
  ];
}

function age(
  f: VerdictFacts,
  plan: Plan,
  destination: Destination,
  success: Run | undefined,
): readonly Reason[] {
  const fix = { kind: 'run-plan', planId: plan.id } as const;
  if (!success) {
    const sentence = `“${plan.name}” has no backup at “${destination.name}” yet.`;
    return [{ level: 'problem', code: 'no-backup-yet', sentence, fix }];
  }
  const days = Math.floor((f.now - (success.startedAt ?? success.queuedAt)) / DAY_MS);
  if (f.alertAfterDays === 0 || days < f.alertAfterDays) return [];
  const sentence = `The newest backup of “${plan.name}” at “${destination.name}” is ${days} ${days === 1 ? 'day' : 'days'} old.`;
  return [{ level: 'problem', code: 'backup-old', sentence, fix }];
}

/** What only a sign-in at the destination mends is said of the destination. */
function saidAlready({ problem }: Destination, { error }: Run): boolean {
  return needsSignIn(problem) && needsSignIn(error);
}

function failed(plan: Plan, destination: Destination, run: Run): Reason {
  return {
    level: 'problem',
    code: 'run-failed',
    sentence: `The last backup of “${plan.name}” to “${destination.name}” failed${run.error ? `: ${run.error.message}` : '.'}`,
    fix: { kind: 'open-run', runId: run.id },
  };
}

function withWarnings(plan: Plan, run: Run): Reason {
  const files = run.problemCount === 1 ? 'One file' : `${run.problemCount} files`;
  return {
    level: 'advice',
    code: 'run-warnings',
    sentence: `${files} could not be read by the last backup of “${plan.name}”.`,
    fix: { kind: 'open-run', runId: run.id },
  };
}

function reasonsOfDestination(f: VerdictFacts, d: Destination): readonly Reason[] {
  const open = { kind: 'open-destination', destinationId: d.id } as const;
  const check = { kind: 'check-destination', destinationId: d.id } as const;
  const reasons: Reason[] = [];
  const say = (code: string, sentence: string, fix: Reason['fix']) =>
    reasons.push({ level: 'problem', code, sentence, fix });
  if (d.problem && needsSignIn(d.problem)) {
    say('sign-in', `“${d.name}” lets nobody in: ${d.problem.message}`, {
      kind: 'sign-in',
      destinationId: d.id,
    });
  } else if (d.problem)
    say('destination-problem', `“${d.name}” could not be used: ${d.problem.message}`, open);
  if (d.lastCheck && !d.lastCheck.ok) {
    const fix = { kind: 'open-run', runId: d.lastCheck.runId } as const;
    say('check-failed', `The last check of “${d.name}” found damage.`, fix);
  }
  const proof = d.lastCheck?.at ?? d.createdAt;
  const days = Math.floor((f.now - proof) / DAY_MS);
  if (days >= CHECK_DAYS) say('check-old', `“${d.name}” has not been checked for ${days} days.`, check);
  if (d.space && d.space.free < d.warnBelowBytes) say('space-low', `“${d.name}” is nearly full.`, open);
  return reasons;
}
