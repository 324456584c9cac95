/**
 * What people are told. Every text has three lines: what happened, what it means for the data, and the next step.
 * Names and error messages come from outside, so they pass through `line` before they become part of a text.
 */
import type { ErrorCode, WireError } from '../api/errors.ts';
import type { Alert } from '../api/model/alert.ts';
import type { Report, Run } from '../api/model/run.ts';
import type { Fix } from '../api/model/status.ts';
import type { DestinationFacts, PlanFacts } from './facts.ts';
import { subjectIds } from './subjects.ts';
import { counted, line, quoted, sentence, sizeText, spanText, timeText } from './text.ts';

export interface Wording {
  /** One line. */
  readonly title: string;
  /** Lines: what happened, what it means, the next step. */
  readonly text: string;
}

function wording(title: string, ...lines: readonly string[]): Wording {
  return { title: line(title, 300), text: lines.filter((one) => one !== '').join('\n') };
}

const planOf = (run: Run): string => quoted(run.planName ?? 'a plan that is gone');
const destinationOf = (run: Run): string => quoted(run.destinationName ?? 'a destination that is gone');

/** The run as the subject of a sentence. */
function subject(run: Run): string {
  const at = destinationOf(run);
  const words = {
    backup: `The backup of ${planOf(run)} to ${at}`,
    restore: `The restore from ${at}`,
    check: `The check of ${at}`,
    cleanup: `The clean-up of ${at}`,
    copy: `The copy of versions from ${at}`,
  } satisfies Record<Run['task']['kind'], string>;
  return words[run.task.kind];
}

// ---- Runs that failed

/** What a failure of each kind of run leaves behind. */
const MEANING = {
  backup:
    'What has changed since the last backup that went well is not safe there yet. Earlier versions are untouched.',
  restore: 'Not everything was restored. The versions at the destination are untouched.',
  check: 'Until a check goes well there, it is not known whether everything is whole.',
  cleanup: 'All versions are still there, but no space was freed.',
  copy: 'Not every version has arrived at the other destination yet. Those that were copied from are untouched.',
} satisfies Record<Run['task']['kind'], string>;

/** How those steps end that prepare for another run; of a destination by itself there is none. */
const AGAIN = ', then run it again';

/** The next step where the error itself names none. */
const NEXT = {
  usage: 'Open the plan or the destination in Holdfast and correct its settings.',
  'repository-missing':
    'See whether the right disk or account is connected; if the backups were moved, add the destination again at its new place.',
  'repository-exists': 'Open the destination in Holdfast and use the repository that is there.',
  'wrong-password': 'Open the destination in Holdfast and enter its password or recovery key.',
  locked: 'Wait until the other program has finished with the destination, then run it again.',
  'lock-lost': 'See whether the computer slept or the connection broke meanwhile, then run it again.',
  damaged: 'Open the destination in Holdfast and check it.',
  'not-found': 'Open the destination in Holdfast and check it.',
  range: 'Open the destination in Holdfast and check it.',
  'snapshot-missing': 'Choose another version.',
  ambiguous: 'Name the version in full.',
  'path-missing': 'Choose the files anew in the version.',
  'no-space': 'Free some space there, or keep fewer versions and clean up.',
  permission: 'See whether you may read and write there, then run it again.',
  'read-only': 'See whether the disk is write-protected, then run it again.',
  unreachable: 'Connect the disk or the network, then run it again.',
  timeout: 'See whether the network is slow or the server is busy, then run it again.',
  'rate-limited': 'Wait for a while, then run it again.',
  'auth-expired': 'Open the destination in Holdfast and sign in again.',
  'host-unverified':
    'Open the destination in Holdfast and compare the fingerprint of the server with the one that its owner knows.',
  'source-missing': 'Connect the disk that holds the source, or take the source out of the plan.',
  'source-emptied':
    'See whether the source is really meant to be empty; if so, run the backup again by hand.',
  'source-unreadable': 'Open the run in Holdfast to see which files, and allow Holdfast to read them.',
  conflict: 'Open the run in Holdfast to see what is in the way.',
  unsupported: 'See whether there is a newer version of Holdfast.',
  cancelled: 'Run it again when it suits you.',
  io: 'See whether the disk is all right, then run it again.',
  internal: 'Run it again; if it fails again, please report it with the log of the run.',
} satisfies Record<ErrorCode, string>;

function nextStep(error: WireError | null): string {
  if (!error) return 'Open the run in Holdfast to see its log.';
  const step = error.hint ? sentence(error.hint) : NEXT[error.code];
  return error.transient ? `The cause may pass by itself. If it does not: ${step}` : step;
}

/** A run of any kind that did not end well, other than a check that found damage. */
export function runFailed(run: Run): Wording {
  const what = subject(run);
  const cause = run.error ? `${what} failed: ${sentence(run.error.message)}` : `${what} failed.`;
  return wording(`${what} failed`, cause, MEANING[run.task.kind], nextStep(run.error));
}

function firstFinding(report: Report | null): string {
  const finding = report?.kind === 'check' ? report.findings[0] : undefined;
  return finding === undefined ? '' : sentence(finding);
}

/** A check that read the repository and found it not whole. */
export function damageFound(run: Run): Wording {
  const at = destinationOf(run);
  const finding = firstFinding(run.report) || (run.error ? sentence(run.error.message) : '');
  return wording(
    `${at} is damaged`,
    `The check of ${at} found damage. ${finding}`.trim(),
    'Some files of some versions may not come back from there. Other destinations are not affected.',
    'Open the check in Holdfast and repair the destination, then check all of its data: this alert ends when that goes well.',
  );
}

// ---- Runs that ended

function problemsText(run: Run): string {
  return run.problemCount > 0 ? `with ${counted(run.problemCount, 'problem')}` : 'with warnings';
}

export function runWarnings(run: Run): Wording {
  const what = subject(run);
  if (run.task.kind !== 'backup') {
    const text = `${what} ended ${problemsText(run)}.`;
    return wording(text.slice(0, -1), text, '', 'Open the run in Holdfast to see what they are.');
  }
  const files = run.problemCount > 0 ? counted(run.problemCount, 'file') : 'some files';
  return wording(
    `${what} left out ${files}`,
    `${what} ended, but ${files} could not be read.`,
    'Everything else is safe. What could not be read is missing from this version.',
    'Open the run in Holdfast to see which files; close programs that hold them, or leave them out by a rule.',
  );
}

function reportText(report: Report | null): string {
  switch (report?.kind) {
    case undefined:
      return '';
    case 'backup':
      return `${counted(report.filesNew, 'new file')}, ${report.filesChanged} changed, ${report.filesUnmodified} as before; ${sizeText(report.bytesStored)} stored.`;
    case 'restore':
      return `${counted(report.filesRestored, 'file')} restored, ${sizeText(report.bytesWritten)}.`;
    case 'check':
      return `${report.percentRead} % of the data was read.`;
    case 'cleanup':
      return `${counted(report.versionsKept, 'version')} kept, ${report.versionsForgotten} forgotten; ${sizeText(report.bytesFreed)} freed.`;
    case 'copy':
      return `${counted(report.versionsCopied, 'version')} copied, ${sizeText(report.bytesCopied)}.`;
  }
}

const PROOF = {
  backup: 'Your files are safe there as they were at its start.',
  restore: 'The files are where you wanted them.',
  check: 'What was read is whole.',
  cleanup: 'The versions that you want to keep are still there.',
  copy: 'The versions are at both destinations.',
} satisfies Record<Run['task']['kind'], string>;

export function runSucceeded(run: Run): Wording {
  const what = subject(run);
  const took = run.startedAt !== null && run.endedAt !== null ? run.endedAt - run.startedAt : null;
  const ended = took === null ? `${what} went well.` : `${what} went well in ${spanText(took)}.`;
  return wording(
    `${what} went well`,
    `${ended} ${reportText(run.report)}`.trim(),
    PROOF[run.task.kind],
    'There is nothing to do.',
  );
}

/** The end of an alert that a run began, told by the run that ended it. */
export function runRecovered(alert: Alert, run: Run): Wording {
  const what = subject(run);
  const title =
    alert.kind === 'check-failed' ? `${destinationOf(run)} passed its check` : `${what} went well again`;
  const clean = run.state === 'succeeded' ? '' : ` It ended ${problemsText(run)}.`;
  return wording(
    title,
    `This is over: ${sentence(alert.title)} It had begun on ${timeText(alert.startedAt)}.${clean}`,
    PROOF[run.task.kind],
    'There is nothing left to do.',
  );
}

// ---- States of plans and destinations

export function noBackup(plan: PlanFacts, now: number): Wording {
  const name = quoted(plan.name);
  const span = spanText(now - (plan.lastSuccessAt ?? plan.createdAt));
  const since =
    plan.lastSuccessAt === null
      ? `${name} has not been backed up since it was made ${span} ago.`
      : `The last backup of ${name} that went well was on ${timeText(plan.lastSuccessAt)}, ${span} ago.`;
  return wording(
    `No backup of ${name} for ${span}`,
    since,
    'What has changed since then would be lost with this computer.',
    'Connect its destinations and run the plan. If it is paused, resume it; if it fails, open its last run in Holdfast.',
  );
}

export function backupAgain(alert: Alert, plan: PlanFacts): Wording {
  const name = quoted(plan.name);
  const at = plan.lastSuccessAt === null ? '' : ` on ${timeText(plan.lastSuccessAt)}`;
  return wording(
    `${name} is backed up again`,
    `A backup of ${name} went well${at}. The alert had begun on ${timeText(alert.startedAt)}.`,
    'Your files are safe as they were then.',
    'There is nothing left to do.',
  );
}

export function spaceLow(destination: DestinationFacts): Wording {
  const name = quoted(destination.name);
  const free = sizeText(destination.space?.free ?? 0);
  return wording(
    `${name} is nearly full`,
    `${name} has ${free} left; you wanted to be told below ${sizeText(destination.warnBelowBytes)}.`,
    'Backups go on until it is full. Then they fail, but versions that are there stay safe.',
    'Free some space there, keep fewer versions and clean up, or add another destination.',
  );
}

export function spaceAgain(destination: DestinationFacts): Wording {
  const name = quoted(destination.name);
  return wording(
    `${name} has enough space again`,
    `${name} has ${sizeText(destination.space?.free ?? 0)} left.`,
    'Backups can go on.',
    'There is nothing left to do.',
  );
}

export function unreachable(destination: DestinationFacts, now: number): Wording {
  const name = quoted(destination.name);
  const span = spanText(now - (destination.problemSince ?? now));
  const { problem } = destination;
  return wording(
    `${name} could not be used for ${span}`,
    `${name} could not be used for ${span}${problem ? `: ${sentence(problem.message)}` : '.'}`,
    'Nothing new is backed up there meanwhile. What is there could not be looked at.',
    problem?.hint ? sentence(problem.hint) : NEXT[problem?.code ?? 'unreachable'].replace(AGAIN, ''),
  );
}

export function signInNeeded({ name, problem }: DestinationFacts): Wording {
  const code = problem?.code === 'host-unverified' ? 'host-unverified' : 'auth-expired';
  return wording(
    `${quoted(name)} lets nobody in`,
    `${quoted(name)} can't be used: ${sentence(problem?.message ?? '')}`,
    'Nothing new is backed up there meanwhile. What is there is untouched; the backups that wait go on afterwards.',
    problem?.hint ? sentence(problem.hint) : NEXT[code],
  );
}

export function reachable(alert: Alert, destination: DestinationFacts): Wording {
  const name = quoted(destination.name);
  return wording(
    `${name} can be used again`,
    `${name} answers again. The alert had begun on ${timeText(alert.startedAt)}.`,
    'Backups that waited for it are made up for.',
    'There is nothing left to do.',
  );
}

// ---- The rest

export function testMessage(hostname: string): Wording {
  return wording(
    'This is a test',
    `Holdfast on ${line(hostname, 120)} can reach you here.`,
    'It says nothing about your backups.',
    'There is nothing to do.',
  );
}

/** The few words that a monitor keeps with a ping. */
export function pingText(run: Run): string {
  const what = subject(run);
  if (run.state === 'running' || run.state === 'queued') return `${what} has started.`;
  if (run.state === 'failed')
    return run.error ? `${what} failed: ${sentence(run.error.message)}` : `${what} failed.`;
  const how = run.state === 'warnings' ? `ended ${problemsText(run)}` : 'went well';
  return `${what} ${how}. ${reportText(run.report)}`.trim();
}

/** The button that belongs to an alert. */
export function fixOf(alert: Alert): Fix | null {
  if (alert.runId !== null) return { kind: 'open-run', runId: alert.runId };
  const { planId, destinationId } = subjectIds(alert.subject);
  if (alert.kind === 'no-backup' && planId !== undefined) return { kind: 'run-plan', planId };
  return destinationId === undefined ? null : { kind: 'open-destination', destinationId };
}
