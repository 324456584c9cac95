/** What there is to know of a run, as names and values. */
import type { Run } from '../../src/api/model/run.ts';
import type { Formats } from '../format.ts';
import type { Say } from '../i18n/languages.ts';

/** How long it took; null while it has not ended. */
export function secondsOf({ startedAt, endedAt }: Run): number | null {
  return startedAt === null || endedAt === null ? null : (endedAt - startedAt) / 1000;
}

/** The one number that says most about it. */
export function amountOf(say: Say, format: Formats, { report }: Run): string {
  switch (report?.kind) {
    case undefined:
      return '';
    case 'backup':
      return say('run.added', { bytes: format.bytes(report.bytesAdded) });
    case 'restore':
      return say('run.written', { bytes: format.bytes(report.bytesWritten) });
    case 'check':
      return say('run.read', { percent: report.percentRead });
    case 'cleanup':
      return say('run.freed', { bytes: format.bytes(report.bytesFreed) });
    case 'copy':
      return say('run.written', { bytes: format.bytes(report.bytesCopied) });
  }
}

type Fact = readonly [string, string];

export function reportFacts(say: Say, format: Formats, report: NonNullable<Run['report']>): readonly Fact[] {
  const { number, bytes } = format;
  switch (report.kind) {
    case 'backup':
      return [
        [say('run.files-new'), number(report.filesNew)],
        [say('run.files-changed'), number(report.filesChanged)],
        [say('run.files-unmodified'), number(report.filesUnmodified)],
        [say('run.bytes-processed'), bytes(report.bytesProcessed)],
        [say('run.bytes-added'), bytes(report.bytesAdded)],
        [say('run.bytes-stored'), bytes(report.bytesStored)],
        [say('run.version'), report.snapshotId?.slice(0, 8) ?? say('common.none')],
      ];
    case 'restore':
      return [
        [say('run.files-restored'), number(report.filesRestored)],
        [say('run.files-unchanged'), number(report.filesUnchanged)],
        [say('run.files-skipped'), number(report.filesSkipped)],
        [say('run.bytes-written'), bytes(report.bytesWritten)],
        [say('run.target'), report.target],
      ];
    case 'check':
      return [
        [say('run.percent-read'), `${number(Math.round(report.percentRead * 10) / 10)} %`],
        [say('run.packs'), number(report.packs)],
      ];
    case 'cleanup':
      return [
        [say('run.versions-kept'), number(report.versionsKept)],
        [say('run.versions-forgotten'), number(report.versionsForgotten)],
        [say('run.bytes-freed'), bytes(report.bytesFreed)],
      ];
    case 'copy':
      return [
        [say('run.versions-copied'), number(report.versionsCopied)],
        [say('run.bytes-copied'), bytes(report.bytesCopied)],
      ];
  }
}

/** What it came to, in one or two sentences; null while it goes on. */
export function reportSentence(say: Say, format: Formats, run: Run): string | null {
  const { report, state } = run;
  const ended = state === 'cancelled' || state === 'interrupted' ? say(`report.${state}`) : null;
  const done = report && doneSentence(say, format, report);
  const sentences = [ended, done].filter((one) => one !== null);
  return sentences.length === 0 ? null : sentences.join(' ');
}

function doneSentence(say: Say, { bytes }: Formats, report: NonNullable<Run['report']>): string {
  switch (report.kind) {
    case 'backup':
      return say('report.backup', {
        fresh: report.filesNew,
        changed: report.filesChanged,
        unmodified: report.filesUnmodified,
        added: bytes(report.bytesAdded),
        stored: bytes(report.bytesStored),
      });
    case 'restore':
      return say('report.restore', {
        restored: report.filesRestored,
        unchanged: report.filesUnchanged,
        skipped: report.filesSkipped,
        bytes: bytes(report.bytesWritten),
      });
    case 'check':
      return report.findings.length === 0
        ? say('report.check.whole', { percent: report.percentRead })
        : say('report.check.damaged', { percent: report.percentRead, count: report.findings.length });
    case 'cleanup':
      return say('report.cleanup', {
        kept: report.versionsKept,
        forgotten: report.versionsForgotten,
        freed: bytes(report.bytesFreed),
      });
    case 'copy':
      return say('report.copy', { count: report.versionsCopied, bytes: bytes(report.bytesCopied) });
  }
}
