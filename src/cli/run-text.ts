/** Runs in words: what they are, how far they are, how they ended. */
import { assertNever } from '../api/errors.ts';
import {
  ENDED,
  type LogLine,
  type Progress,
  type Report,
  type Run,
  type RunState,
} from '../api/model/run.ts';
import { SHORT_ID } from './reference.ts';
import { labelled, renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatLocalTime } from './time-format.ts';
import { formatBytes, formatDuration, formatPercent, formatRate, plural } from './units.ts';

export function isEnded(run: Run): boolean {
  return ENDED.includes(run.state);
}

/** `Documents → USB disk`, `check of USB disk`. */
export function runTitle(run: Run): string {
  const destination = printable(run.destinationName ?? 'a destination that is gone');
  switch (run.task.kind) {
    case 'backup':
      return `${printable(run.planName ?? 'a plan that is gone')} → ${destination}`;
    case 'restore':
      return `restore from ${destination}`;
    case 'check':
      return `check of ${destination}`;
    case 'cleanup':
      return `clean-up of ${destination}`;
    case 'copy':
      return `copy from ${destination}`;
    default:
      return assertNever(run.task);
  }
}

const STATE_WORDS: Readonly<Record<RunState, string>> = {
  queued: 'waiting',
  running: 'running',
  succeeded: 'done',
  warnings: 'done with warnings',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
};

export function stateWords(state: RunState): string {
  return STATE_WORDS[state];
}

/** Milliseconds from the start to the end, or to `now`; undefined before the start. */
export function runMilliseconds(run: Run, now: number): number | undefined {
  return run.startedAt === null ? undefined : Math.max(0, (run.endedAt ?? now) - run.startedAt);
}

/** The line of a run that has not ended. `now` in milliseconds since the epoch. */
export function statusLine(run: Run, now: number): string {
  const title = runTitle(run);
  if (run.state === 'queued') return `${title}: ${run.waitingFor ?? 'waiting for its turn'}`;
  const time = `[${formatDuration(runMilliseconds(run, now) ?? 0)}]`;
  return run.progress === null ? `${title}  ${time}` : `${title}  ${time} ${progressText(run.progress)}`;
}

/** `42.86%  3 of 7 files, 1.000 MiB of 2.333 MiB, 150.000 KiB/s, 0:09 left`. */
export function progressText(p: Progress): string {
  const percent = p.bytesTotal ? `${formatPercent(p.bytesDone, p.bytesTotal)}  ` : '';
  const nothing = p.filesDone === 0 && p.bytesDone === 0 && p.filesTotal === null;
  const counts = [
    p.filesTotal === null ? plural(p.filesDone, 'file') : `${p.filesDone} of ${plural(p.filesTotal, 'file')}`,
    p.bytesTotal === null
      ? formatBytes(p.bytesDone)
      : `${formatBytes(p.bytesDone)} of ${formatBytes(p.bytesTotal)}`,
    ...(p.bytesPerSecond > 0 ? [formatRate(p.bytesPerSecond)] : []),
    ...(p.secondsLeft !== null && p.secondsLeft > 0 ? [`${formatDuration(p.secondsLeft * 1000)} left`] : []),
    ...(p.problems > 0 ? [plural(p.problems, 'problem')] : []),
  ];
  return nothing ? p.phase : `${percent}${counts.join(', ')}`;
}

/** What came of it, as the end of a sentence: `12 new and 3 changed files, 1.200 MiB added`. */
export function reportText(report: Report): string {
  switch (report.kind) {
    case 'backup':
      return [
        `${report.filesNew} new and ${report.filesChanged} changed of ${plural(fileCount(report), 'file')}`,
        `${formatBytes(report.bytesAdded)} added (${formatBytes(report.bytesStored)} stored)`,
        ...(report.snapshotId === null ? [] : [`version ${report.snapshotId.slice(0, SHORT_ID)}`]),
      ].join(', ');
    case 'restore':
      return `${plural(report.filesRestored, 'file')} restored, ${report.filesUnchanged} unchanged, ${report.filesSkipped} skipped, ${formatBytes(report.bytesWritten)} written to ${printable(report.target)}`;
    case 'check':
      return `${report.percentRead}% of the data read, ${report.findings.length === 0 ? 'no damage found' : plural(report.findings.length, 'finding')}`;
    case 'cleanup':
      return `${plural(report.versionsKept, 'version')} kept, ${report.versionsForgotten} forgotten, ${formatBytes(report.bytesFreed)} freed`;
    case 'copy':
      return `${plural(report.versionsCopied, 'version')} copied, ${formatBytes(report.bytesCopied)}`;
    default:
      return assertNever(report);
  }
}

type BackupCounts = Extract<Report, { readonly kind: 'backup' }>;

function fileCount(report: BackupCounts): number {
  return report.filesNew + report.filesChanged + report.filesUnmodified;
}

/** `Documents → USB disk: done in 0:07. 12 new …`. Why it failed stands in place of the report. */
export function outcomeLine(run: Run): string {
  const took = runMilliseconds(run, run.endedAt ?? 0);
  const time =
    took === undefined ? '' : ` ${run.state === 'failed' ? 'after' : 'in'} ${formatDuration(took)}`;
  const told = run.error === null ? undefined : printable(run.error.message);
  const what = told ?? (run.report === null ? undefined : reportText(run.report));
  const end = what === undefined ? '.' : `: ${what.replace(/\.$/, '')}.`;
  return `${runTitle(run)}: ${stateWords(run.state)}${time}${end}`;
}

export function runTable(runs: readonly Run[], now: number): readonly string[] {
  const rows = runs.map((run) => {
    const took = runMilliseconds(run, now);
    return [
      run.id.slice(0, SHORT_ID),
      formatLocalTime(run.startedAt ?? run.queuedAt),
      runTitle(run),
      stateWords(run.state),
      took === undefined ? '' : formatDuration(took),
      resultText(run),
    ];
  });
  const columns = ['ID', 'Start', 'What', 'State', 'Time', 'Result'];
  return renderTable({ columns, rows, footer: [plural(runs.length, 'run')] });
}

function resultText(run: Run): string {
  if (run.error !== null) return printable(run.error.message);
  if (run.report !== null) return reportText(run.report);
  if (run.progress !== null) return progressText(run.progress);
  return run.waitingFor ?? '';
}

/** All of a run but its problems and its log. */
export function runLines(run: Run, now: number): readonly string[] {
  const took = runMilliseconds(run, now);
  const at = (time: number | null) => (time === null ? [] : [formatLocalTime(time)]);
  return [
    runTitle(run),
    ...labelled([
      ['ID', [run.id]],
      ['State', [stateWords(run.state)]],
      ['Started by', [run.attempt > 1 ? `${run.trigger}, attempt ${run.attempt}` : run.trigger]],
      ['Queued', at(run.queuedAt)],
      ['Start', at(run.startedAt)],
      ['End', at(run.endedAt)],
      ['Time', took === undefined ? [] : [formatDuration(took)]],
      ['Waiting', run.waitingFor === null ? [] : [run.waitingFor]],
      ['Progress', run.progress === null ? [] : [progressText(run.progress)]],
      ['Result', run.report === null ? [] : [reportText(run.report)]],
      ['Findings', run.report?.kind === 'check' ? run.report.findings.map(printable) : []],
      [
        'Error',
        run.error === null ? [] : [run.error.message, run.error.hint ?? ''].filter(Boolean).map(printable),
      ],
      ['Problems', run.problemCount === 0 ? [] : [String(run.problemCount)]],
    ]),
  ];
}

/** `18:30:00 warning: …`; information has no such word. */
export function logLine({ at, level, text }: LogLine): string {
  const prefix = level === 'info' ? '' : `${level}: `;
  return `${formatLocalTime(at)} ${prefix}${printable(text)}`;
}
