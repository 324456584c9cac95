/**
 * What an alert is about, as a text that outlives the process: `plan:<id>`, `destination:<id>`, or a path below one of them
 * for one of several things that can be wrong with it.
 */
import { assertNever } from '../api/errors.ts';
import type { Run } from '../api/model/run.ts';

export const planSubject = (planId: string): string => `plan:${planId}`;
export const destinationSubject = (destinationId: string): string => `destination:${destinationId}`;
/** Damage that a check found in data which not every check reads. */
export const dataSubject = (destinationId: string): string => `destination:${destinationId}/data`;

/** What the runs of one sort have in common, so that the success of one ends the alert of another; null: a run by itself. */
export function runSubject(run: Run): string | null {
  const { task } = run;
  switch (task.kind) {
    case 'backup':
      return `${planSubject(task.planId)}/destination:${task.destinationId}`;
    case 'check':
    case 'cleanup':
      return `${destinationSubject(task.destinationId)}/${task.kind}`;
    case 'copy':
      return `${destinationSubject(task.destinationId)}/copy-to:${task.toDestinationId}`;
    case 'restore':
      return null;
    default:
      return assertNever(task);
  }
}

export interface SubjectIds {
  readonly planId: string | undefined;
  readonly destinationId: string | undefined;
  readonly toDestinationId: string | undefined;
}

export function subjectIds(subject: string): SubjectIds {
  const id = (word: string) => new RegExp(`(?:^|/)${word}:([^/]+)`).exec(subject)?.[1];
  return { planId: id('plan'), destinationId: id('destination'), toDestinationId: id('copy-to') };
}
