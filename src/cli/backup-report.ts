/**
 * What a backup tells while it runs and at its end: lines for people, or restic's JSON.
 *
 * totals   what the scan that runs ahead has found; they are a goal once it has ended
 */
import type { EngineError } from '../api/errors.ts';
import type { BackupCounters, BackupEvents, ItemEvent } from '../archiver/progress.ts';
import type { BackupResult } from '../operations/backup.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { CommandContext } from './context.ts';
import { goText } from './node-text.ts';
import { createTransferLine, type ProgressView } from './progress.ts';
import { addSample, type Rate, startRate, timeLeft } from './progress-model.ts';
import { shortId } from './snapshot-table.ts';
import { printable } from './text-width.ts';
import { formatBytes, formatDuration, plural } from './units.ts';

export interface BackupReport {
  readonly events: BackupEvents;
  readonly view: ProgressView;
  finish(result: BackupResult, dryRun: boolean): Promise<void>;
}

export function backupReport(context: CommandContext, counters: BackupCounters): BackupReport {
  return context.globals.json ? jsonReport(context, counters) : textReport(context, counters);
}

const MOST_CURRENT_FILES = 4;

function currentFiles({ current }: BackupCounters): readonly string[] {
  return [...current].map(goText).sort();
}

// ---- text

function textReport({ globals, print }: CommandContext, counters: BackupCounters): BackupReport {
  const line = createTransferLine();
  const everything = globals.verbosity >= 3;
  return {
    events: {
      onError: (_, error) => print.problem(`error: ${error.message}`),
      onWarning: (_, sentence) => print.problem(sentence),
      onScanned: () =>
        print.more(
          `scan finished: ${plural(counters.filesTotal, 'file')}, ${formatBytes(counters.bytesTotal)}`,
        ),
      // Left out where nobody reads them: a backup of a million files should not format a million lines.
      ...(everything
        ? {
            onItem: (item: ItemEvent) => print.everything(itemLine(item)),
            onExcluded: (path: ByteString, rule: string) =>
              print.everything(`excluded  ${printable(goText(path))} (${printable(rule)})`),
          }
        : {}),
    },
    view: {
      lines: (elapsed) => [line(elapsed, transferCounts(counters)), ...shownFiles(counters)],
    },
    finish: async (result, dryRun) => {
      for (const text of summaryLines(result, dryRun, globals.verbosity)) print.say(text);
    },
  };
}

function shownFiles(counters: BackupCounters): readonly string[] {
  return currentFiles(counters).slice(0, MOST_CURRENT_FILES);
}

function transferCounts(c: BackupCounters) {
  const totals = c.scanned
    ? {
        totalFiles: Math.max(c.filesTotal, c.filesDone),
        totalBytes: Math.max(c.bytesTotal, c.bytesDone),
      }
    : {};
  return { files: c.filesDone, bytes: c.bytesDone, errors: c.errors, ...totals };
}

const ACTIONS = { new: 'new', changed: 'modified', unmodified: 'unchanged' } as const;

/** `modified  /path, 1.000 MiB added, 300.000 KiB stored`. */
export function itemLine({ path, kind, action, dataBytes, dataStoredBytes }: ItemEvent): string {
  const start = `${ACTIONS[action].padEnd(9)} ${printable(goText(path))}`;
  if (action === 'unmodified') return start;
  const what = kind === 'dir' ? 'metadata ' : '';
  return `${start}, ${formatBytes(dataBytes)} ${what}added, ${formatBytes(dataStoredBytes)} stored`;
}

/** What was done, in a few lines; with more verbosity also the blobs. */
export function summaryLines(
  { snapshotId, summary, errors }: BackupResult,
  dryRun: boolean,
  verbosity: number,
): readonly string[] {
  const s = summary;
  const counts = (created: number, changed: number, unmodified: number) =>
    [
      `${String(created).padStart(5)} new`,
      `${String(changed).padStart(5)} changed`,
      `${String(unmodified).padStart(5)} unmodified`,
    ].join(', ');
  const added = `${formatBytes(s.data_added)} (${formatBytes(s.data_added_packed)} stored)`;
  return [
    '',
    `Files:       ${counts(s.files_new, s.files_changed, s.files_unmodified)}`,
    `Dirs:        ${counts(s.dirs_new, s.dirs_changed, s.dirs_unmodified)}`,
    ...(verbosity >= 2
      ? [
          `Data Blobs:  ${String(s.data_blobs).padStart(5)} new`,
          `Tree Blobs:  ${String(s.tree_blobs).padStart(5)} new`,
        ]
      : []),
    `${dryRun ? 'Would add' : 'Added'} to the repository: ${added}`,
    '',
    `${dryRun ? 'looked at' : 'processed'} ${plural(s.total_files_processed, 'file')}, ${formatBytes(s.total_bytes_processed)} in ${formatDuration(durationOf(s))}`,
    ...(errors > 0 ? [`${plural(errors, 'problem')}: what could not be read is not in this backup`] : []),
    ...outcome(snapshotId, dryRun),
  ];
}

function outcome(snapshotId: string | undefined, dryRun: boolean): readonly string[] {
  if (dryRun) return ['Nothing was written: this was a dry run.'];
  if (snapshotId === undefined) return ['Nothing has changed since the last snapshot; no new one was made.'];
  return [`snapshot ${shortId(snapshotId)} saved`];
}

/** Milliseconds. */
function durationOf(s: BackupResult['summary']): number {
  return Math.max(0, Date.parse(s.backup_end) - Date.parse(s.backup_start));
}

// ---- JSON

function jsonReport(context: CommandContext, counters: BackupCounters): BackupReport {
  const { globals, json, terminal, clock } = context;
  const start = clock.now();
  let rate: Rate = startRate(0);
  const verbose = globals.verbosity >= 2;
  const write = (value: unknown) => void json.write(value);
  return {
    events: {
      onError: (path, error) => terminal.error(JSON.stringify(errorJson(path, error))),
      onWarning: (path, sentence) =>
        terminal.error(JSON.stringify({ message_type: 'warning', message: sentence, item: goText(path) })),
      ...(verbose
        ? {
            onItem: (item: ItemEvent) => write(itemJson(item)),
            onExcluded: (path: ByteString, rule: string) =>
              write({ message_type: 'excluded_item', item: goText(path), rule }),
            onScanned: () => write(scannedJson(counters, clock.now() - start)),
          }
        : {}),
    },
    view: {
      lines: () => [],
      json: (elapsed) => {
        rate = addSample(rate, elapsed, counters.bytesDone);
        return statusJson(counters, elapsed, rate);
      },
    },
    finish: (result, dryRun) => json.write(summaryJson(result, dryRun)),
  };
}

/** restic leaves out what is zero. */
function unlessZero(n: number): number | undefined {
  return n === 0 ? undefined : n;
}

export function statusJson(c: BackupCounters, elapsed: number, rate: Rate) {
  const left = c.scanned ? timeLeft(rate, c.bytesTotal) : undefined;
  const files = currentFiles(c);
  return {
    message_type: 'status',
    seconds_elapsed: unlessZero(Math.floor(elapsed / 1000)),
    seconds_remaining: unlessZero(Math.floor((left ?? 0) / 1000)),
    percent_done: c.bytesTotal > 0 ? Math.min(1, c.bytesDone / c.bytesTotal) : 0,
    total_files: unlessZero(c.filesTotal),
    files_done: unlessZero(c.filesDone),
    total_bytes: unlessZero(c.bytesTotal),
    bytes_done: unlessZero(c.bytesDone),
    error_count: unlessZero(c.errors),
    current_files: files.length > 0 ? files : undefined,
  };
}

export function errorJson(path: ByteString, { message }: EngineError) {
  return { message_type: 'error', error: { message }, during: 'archival', item: goText(path) };
}

/** restic tells of no time for what it did not have to save. */
export function itemJson({ path, kind, action, dataBytes, dataStoredBytes, ms }: ItemEvent) {
  const isFile = kind === 'file';
  return {
    message_type: 'verbose_status',
    action: ACTIONS[action],
    item: goText(path),
    duration: action === 'unmodified' ? 0 : ms / 1000,
    data_size: isFile ? dataBytes : 0,
    data_size_in_repo: isFile ? dataStoredBytes : 0,
    metadata_size: isFile ? 0 : dataBytes,
    metadata_size_in_repo: isFile ? 0 : dataStoredBytes,
    total_files: 0,
  };
}

function scannedJson(c: BackupCounters, elapsed: number) {
  return {
    message_type: 'verbose_status',
    action: 'scan_finished',
    item: '',
    duration: elapsed / 1000,
    data_size: c.bytesTotal,
    data_size_in_repo: 0,
    metadata_size: 0,
    metadata_size_in_repo: 0,
    total_files: c.filesTotal,
  };
}

export function summaryJson({ snapshotId, summary }: BackupResult, dryRun: boolean) {
  const { backup_start, backup_end, ...counts } = summary;
  return {
    message_type: 'summary',
    ...counts,
    total_duration: durationOf(summary) / 1000,
    backup_start,
    backup_end,
    snapshot_id: snapshotId,
    dry_run: dryRun ? true : undefined,
  };
}
