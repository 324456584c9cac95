/** What a restore tells while it runs and at its end: lines for people, or restic's JSON. */
import type { EngineError } from '../api/errors.ts';
import { showPath } from '../fs/errors.ts';
import { summaryFields } from '../operations/restore.ts';
import type { RestoreAction, RestoreCounters, RestoreEvents, RestoreReport } from '../restorer/progress.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { CommandContext } from './context.ts';
import { goText } from './node-text.ts';
import { createTransferLine, type ProgressView } from './progress.ts';
import { printable } from './text-width.ts';
import { formatBytes, formatDuration, plural } from './units.ts';

export interface RestoreReporter {
  readonly events: RestoreEvents;
  readonly view: ProgressView;
  finish(report: RestoreReport, milliseconds: number): Promise<void>;
}

export function restoreReporter(
  context: CommandContext,
  counters: RestoreCounters,
  dryRun: boolean,
): RestoreReporter {
  return context.globals.json ? jsonReporter(context, counters) : textReporter(context, counters, dryRun);
}

function textReporter(
  { globals, print }: CommandContext,
  c: RestoreCounters,
  dryRun: boolean,
): RestoreReporter {
  const line = createTransferLine();
  const everything = globals.verbosity >= 3;
  return {
    events: {
      onError: (path, error) => print.problem(`error: ${named(path, error)}`),
      onWarning: (path, warning) => print.problem(`warning: ${named(path, warning)}`),
      ...(everything
        ? { onItem: (action: RestoreAction, path: ByteString) => print.everything(itemLine(action, path)) }
        : {}),
    },
    view: { lines: (elapsed) => [line(elapsed, transferCounts(c))] },
    finish: async ({ errors }, milliseconds) => {
      for (const text of summaryLines(c, errors, milliseconds, dryRun)) print.say(text);
    },
  };
}

/** The sentence with the path in front, where it does not name it itself. */
function named(path: ByteString, { message }: EngineError): string {
  const shown = showPath(path);
  return message.includes(shown) ? message : `${shown}: ${message}`;
}

function itemLine(action: RestoreAction, path: ByteString): string {
  return `${action.padEnd(9)} ${printable(goText(path))}`;
}

function transferCounts(c: RestoreCounters) {
  const totals = c.totalsKnown ? { totalFiles: c.filesTotal, totalBytes: c.bytesTotal } : {};
  return { files: c.filesRestored, bytes: c.bytesRestored, errors: c.filesFailed, ...totals };
}

/** What was done, in words. */
export function summaryLines(
  c: Readonly<RestoreCounters>,
  errors: number,
  milliseconds: number,
  dryRun: boolean,
): readonly string[] {
  const whole = c.filesRestored === c.filesTotal;
  const count = whole
    ? plural(c.filesTotal, 'item')
    : `${c.filesRestored} of ${plural(c.filesTotal, 'item')}`;
  const verb = dryRun ? 'Would restore' : 'Restored';
  const more = [
    ...(c.filesSkipped > 0 ? [`left ${c.filesSkipped} as they were (${formatBytes(c.bytesSkipped)})`] : []),
    ...(c.filesDeleted > 0 ? [`${dryRun ? 'would delete' : 'deleted'} ${c.filesDeleted}`] : []),
    ...(c.filesVerified > 0 ? [`verified ${plural(c.filesVerified, 'file')}`] : []),
  ];
  return [
    `${[`${verb} ${count}, ${formatBytes(c.bytesRestored)}`, ...more].join(', ')} in ${formatDuration(milliseconds)}`,
    ...(errors > 0
      ? [`${plural(errors, 'problem')}: what is named above could not be restored as it was`]
      : []),
    ...(dryRun ? ['Nothing was written: this was a dry run.'] : []),
  ];
}

function jsonReporter(context: CommandContext, c: RestoreCounters): RestoreReporter {
  const { globals, json, terminal } = context;
  const write = (value: unknown) => void json.write(value);
  const itemEvents = {
    onItem: (action: RestoreAction, path: ByteString, size: number) =>
      write({ message_type: 'verbose_status', action, item: goText(path), size }),
  };
  return {
    events: {
      onError: (path, error) => terminal.error(JSON.stringify(errorJson(path, error))),
      onWarning: (path, { message }) =>
        terminal.error(JSON.stringify({ message_type: 'warning', message, item: goText(path) })),
      ...(globals.verbosity >= 3 ? itemEvents : {}),
    },
    view: { lines: () => [], json: (elapsed) => statusJson(c, elapsed) },
    finish: (_, milliseconds) =>
      json.write({ message_type: 'summary', ...summaryFields(c, milliseconds / 1000) }),
  };
}

function errorJson(path: ByteString, { message }: EngineError) {
  return { message_type: 'error', error: { message }, during: 'restore', item: goText(path) };
}

function statusJson(c: RestoreCounters, elapsed: number) {
  const { seconds_elapsed, ...counts } = summaryFields(c, elapsed / 1000);
  const percent_done = c.bytesTotal > 0 ? c.bytesRestored / c.bytesTotal : 0;
  return { message_type: 'status', seconds_elapsed, percent_done, ...counts };
}
