/** Snapshots as people and programs read them: restic's table and restic's JSON. */
import type { StoredSnapshot } from '../format/types.ts';
import type { GroupKey } from '../repository/grouping.ts';
import { compareTimes } from '../repository/snapshot-filter.ts';
import { renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatLocalTime } from './time-format.ts';
import { formatBytes, plural } from './units.ts';

export interface SnapshotTableOptions {
  /** Without paths, and with a tag a line. */
  readonly compact?: boolean;
  /** Why `forget` keeps each of them. */
  readonly reasons?: ReadonlyMap<StoredSnapshot, readonly string[]>;
}

const SHORT_ID = 8;

export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}

/** A snapshot in a line: `snapshot 4bba301e of [/home] at 2026-01-31 18:30:00 by ada@host`. */
export function describeSnapshot(s: StoredSnapshot): string {
  const who = `${printable(s.username ?? '')}@${printable(s.hostname ?? '')}`;
  const paths = s.paths.map(printable).join(' ');
  return `snapshot ${shortId(s.id)} of [${paths}] at ${formatLocalTime(s.time)} by ${who}`;
}

/** The lines of the table, oldest snapshot first. */
export function snapshotTable(
  snapshots: readonly StoredSnapshot[],
  o: SnapshotTableOptions = {},
): readonly string[] {
  const columns = columnsFor(snapshots, o);
  const rows = snapshots
    .toSorted((a, b) => compareTimes(a.time, b.time))
    .map((snapshot) => columns.map((column) => column.cell(snapshot)));
  const tall = o.compact !== true && snapshots.some((s) => s.paths.length > 1);
  return renderTable({
    columns: columns.map((column) => column.heading),
    rows: tall ? rows.flatMap((row, i) => (i === 0 ? [row] : [[], row])) : rows,
    footer: [`Times are in ${zoneName()}`, plural(snapshots.length, 'snapshot')],
  });
}

interface Column {
  readonly heading: string;
  readonly cell: (snapshot: StoredSnapshot) => string;
}

function columnsFor(snapshots: readonly StoredSnapshot[], o: SnapshotTableOptions): readonly Column[] {
  const { compact = false, reasons } = o;
  const lines = (texts: readonly string[] | undefined, glue: string) =>
    (texts ?? []).map(printable).join(glue);
  return [
    { heading: 'ID', cell: (s) => shortId(s.id) },
    { heading: 'Time', cell: (s) => formatLocalTime(s.time) },
    { heading: compact ? 'Host' : 'Host      ', cell: (s) => printable(s.hostname ?? '') },
    { heading: compact ? 'Tags  ' : 'Tags      ', cell: (s) => lines(s.tags, compact ? '\n' : ',') },
    ...(reasons && !compact
      ? [{ heading: 'Reasons', cell: (s: StoredSnapshot) => (reasons.get(s) ?? []).join('\n') }]
      : []),
    ...(compact ? [] : [{ heading: 'Paths', cell: (s: StoredSnapshot) => lines(s.paths, '\n') }]),
    ...(snapshots.some((s) => s.summary) ? [{ heading: 'Size', cell: sizeOf }] : []),
  ];
}

function sizeOf({ summary }: StoredSnapshot): string {
  return summary ? formatBytes(summary.total_bytes_processed) : '';
}

function zoneName(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time';
}

/** The line above a group; '' for the group of all. */
export function groupHeading(key: GroupKey): string {
  const list = (texts: readonly string[]) => texts.map(printable).join(', ');
  const parts = [
    ...(key.hostname === '' ? [] : [`host [${printable(key.hostname)}]`]),
    ...(key.tags === null ? [] : [`tags [${list(key.tags)}]`]),
    ...(key.paths === null ? [] : [`paths [${list(key.paths)}]`]),
  ];
  return parts.length === 0 ? '' : `snapshots for (${parts.join(', ')}):`;
}

/** The snapshot with its id, as restic's JSON has it. */
export function snapshotJson({ id, ...snapshot }: StoredSnapshot) {
  return { ...snapshot, id, short_id: shortId(id) };
}
