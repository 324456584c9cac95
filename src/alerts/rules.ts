/** What begins and ends an alert: rules for runs that ended, and for plans and destinations as they stand. */
import { needsSignIn } from '../api/errors.ts';
import type { Alert, AlertKind } from '../api/model/alert.ts';
import type { Run } from '../api/model/run.ts';
import type { AlertFacts, DestinationFacts, PlanFacts } from './facts.ts';
import type { Beginning } from './ledger.ts';
import * as messages from './messages.ts';
import { dataSubject, destinationSubject, planSubject, runSubject, subjectIds } from './subjects.ts';

const DAY_MS = 86_400_000;
/** A problem that may pass by itself: a disk that is not plugged in, a network that is elsewhere. */
export const PASSING_GRACE_MS = DAY_MS;
/** Any other: a wrong password, a repository that is gone. */
export const LASTING_GRACE_MS = 3_600_000;
/** Low space is over only this far above the limit, so that an alert does not come and go with every backup. */
export const SPACE_HYSTERESIS = 1.1;

// ---- Runs

function foundDamage(run: Run): boolean {
  if (run.task.kind !== 'check' || run.state !== 'failed') return false;
  const findings = run.report?.kind === 'check' ? run.report.findings : [];
  return run.error?.code === 'damaged' || findings.length > 0;
}

/** In percent, or null where nobody knows. */
function shareRead(run: Run): number | null {
  if (run.report?.kind === 'check') return run.report.percentRead;
  return run.task.kind === 'check' ? run.task.percent : null;
}

function damage(run: Run, destinationId: string): Beginning {
  // The structure is read by every check, the data in shares: only all of it can disprove what one share has shown.
  const subject = shareRead(run) === 0 ? destinationSubject(destinationId) : dataSubject(destinationId);
  return { kind: 'check-failed', subject, wording: messages.damageFound(run), runId: run.id };
}

/** The alert that an ended run begins, if it does; `once`: it is over at once. */
export function beginningOf(run: Run): (Beginning & { readonly once: boolean }) | null {
  if (run.task.kind === 'check' && foundDamage(run)) {
    return { ...damage(run, run.task.destinationId), once: false };
  }
  const held = runSubject(run);
  const common = { subject: held ?? `run:${run.id}`, runId: run.id, once: held === null };
  switch (run.state) {
    case 'failed': {
      // It is told once of the destination, not of each run that meets it.
      if (needsSignIn(run.error)) return null;
      const kind = run.task.kind === 'check' ? 'check-failed' : 'run-failed';
      return { ...common, kind, wording: messages.runFailed(run) };
    }
    case 'warnings':
      return { ...common, kind: 'run-warnings', wording: messages.runWarnings(run) };
    case 'succeeded':
      return { ...common, kind: 'run-succeeded', wording: messages.runSucceeded(run), once: true };
    default:
      return null; // Stopped by a person, or to be continued: neither good news nor bad.
  }
}

type Key = readonly [AlertKind, string];

/** What an ended run proves to be over, the gravest first. */
export function disprovedBy(run: Run): readonly Key[] {
  const subject = runSubject(run);
  if (subject === null || (run.state !== 'succeeded' && run.state !== 'warnings')) return [];
  const clean = run.state === 'succeeded';
  return [
    ...(run.task.kind === 'check' && clean ? damageDisproved(run, run.task.destinationId) : []),
    [run.task.kind === 'check' ? 'check-failed' : 'run-failed', subject],
    ...(clean ? [['run-warnings', subject] satisfies Key] : []),
  ];
}

function damageDisproved(run: Run, destinationId: string): readonly Key[] {
  const all = (shareRead(run) ?? 0) >= 100;
  return [
    ...(all ? [['check-failed', dataSubject(destinationId)] satisfies Key] : []),
    ['check-failed', destinationSubject(destinationId)],
  ];
}

// ---- Facts

/** What facts say of an alert. `moot`: nobody need hear of it any more. `unknown`: it stays as it is. */
export type Finding =
  | { readonly state: 'holds' | 'over'; readonly wording: messages.Wording }
  | { readonly state: 'moot' | 'unknown' };

export interface Examined {
  readonly kind: AlertKind;
  readonly subject: string;
  readonly held: Alert | undefined;
  readonly finding: Finding;
}

const MOOT: Finding = { state: 'moot' };
const UNKNOWN: Finding = { state: 'unknown' };

/** All alerts that facts decide about. `find` gives the one that holds. */
export function examine(
  facts: AlertFacts,
  find: (kind: AlertKind, subject: string) => Alert | undefined,
): readonly Examined[] {
  const one = (kind: AlertKind, subject: string, look: (held: Alert | undefined) => Finding): Examined => {
    const held = find(kind, subject);
    return { kind, subject, held, finding: look(held) };
  };
  return [
    ...facts.plans.map((p) => one('no-backup', planSubject(p.id), (held) => backupFinding(p, facts, held))),
    ...facts.destinations.flatMap((d) => [
      one('space-low', destinationSubject(d.id), (held) => spaceFinding(d, held)),
      one('destination-unreachable', destinationSubject(d.id), (held) => reachFinding(d, facts.now, held)),
    ]),
  ];
}

function backupFinding(plan: PlanFacts, facts: AlertFacts, held: Alert | undefined): Finding {
  if (!plan.enabled || facts.alertAfterDays === 0) return MOOT;
  const age = facts.now - (plan.lastSuccessAt ?? plan.createdAt);
  if (age >= facts.alertAfterDays * DAY_MS) {
    return { state: 'holds', wording: messages.noBackup(plan, facts.now) };
  }
  if (!held) return MOOT;
  if (facts.now < held.startedAt) return UNKNOWN; // Somebody set the clock back.
  // When the alert began, the newest backup was a day old at least. Is it still that one, then only the limit has changed.
  const isNew = plan.lastSuccessAt !== null && plan.lastSuccessAt > held.startedAt - DAY_MS;
  return isNew ? { state: 'over', wording: messages.backupAgain(held, plan) } : MOOT;
}

function spaceFinding(d: DestinationFacts, held: Alert | undefined): Finding {
  if (d.warnBelowBytes === 0) return MOOT;
  if (d.space === null) return UNKNOWN;
  if (d.space.free < d.warnBelowBytes) return { state: 'holds', wording: messages.spaceLow(d) };
  if (d.space.free < d.warnBelowBytes * SPACE_HYSTERESIS) return UNKNOWN;
  return held ? { state: 'over', wording: messages.spaceAgain(d) } : MOOT;
}

function reachFinding(d: DestinationFacts, now: number, held: Alert | undefined): Finding {
  if (d.problem === null) return held ? { state: 'over', wording: messages.reachable(held, d) } : MOOT;
  // That only a person mends this is no news tomorrow.
  if (needsSignIn(d.problem)) return { state: 'holds', wording: messages.signInNeeded(d) };
  const isDisk = d.problem.code === 'unreachable' && d.problem.context?.disk !== undefined;
  const passes = d.problem.transient || isDisk;
  const grace = passes ? PASSING_GRACE_MS : LASTING_GRACE_MS;
  const lasted = now - (d.problemSince ?? now);
  return lasted >= grace ? { state: 'holds', wording: messages.unreachable(d, now) } : UNKNOWN;
}

/** Whether the plan or a destination that the alert is about is gone, or the plan switched off. */
export function isOrphan(alert: Alert, facts: AlertFacts): boolean {
  const { planId, destinationId, toDestinationId } = subjectIds(alert.subject);
  const noPlan = planId !== undefined && !facts.plans.some((p) => p.id === planId && p.enabled);
  const gone = (id: string | undefined) => id !== undefined && !facts.destinations.some((d) => d.id === id);
  return noPlan || gone(destinationId) || gone(toDestinationId);
}
