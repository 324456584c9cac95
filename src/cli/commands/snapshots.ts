import type { StoredSnapshot } from '../../format/types.ts';
import { compareText, groupSnapshots, parseGroupBy, type SnapshotGroup } from '../../repository/grouping.ts';
import { compareTimes, selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, hidden, integer, value } from '../options.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { groupHeading, snapshotJson, snapshotTable } from '../snapshot-table.ts';

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: 'Lists the snapshots of the repository, or those that are named.',
  options: {
    ...snapshotFilterOptions(),
    compact: flag('-c, --compact', 'a narrower table'),
    groupBy: value(
      '-g, --group-by fields',
      'group by host, paths and tags, separated by commas',
      parseGroupBy,
    ),
    last: hidden(flag('--last', 'the same as --latest 1')),
    latest: integer('--latest n', 'only the last n snapshots of each host and paths', 0, 0),
  },
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const selected = await withRepository(context, { lock: 'shared' }, async ({ snapshots }) =>
      selectSnapshots(await snapshots(), operands, snapshotFilter(values, context.env)).map(withOrderedPaths),
    );
    const latest = values.latest > 0 ? values.latest : values.last ? 1 : 0;
    const by = values.groupBy;
    const grouped = by !== undefined && (by.host || by.paths || by.tags);
    const groups = grouped
      ? groupSnapshots(selected, by).map((g) => ({ ...g, snapshots: newest(g.snapshots, latest) }))
      : [{ key: { hostname: '', paths: null, tags: null }, snapshots: newestOfEach(selected, latest) }];
    if (context.globals.json) return printJson(context, groups, grouped);
    for (const { key, snapshots } of groups)
      printGroup(context, groupHeading(key), snapshots, values.compact);
  },
});

/** As restic lists them; the order in which they were given has no meaning. */
function withOrderedPaths(snapshot: StoredSnapshot): StoredSnapshot {
  return { ...snapshot, paths: [...snapshot.paths].sort(compareText) };
}

/** The last n, oldest first; 0 for all. */
function newest(snapshots: readonly StoredSnapshot[], n: number): readonly StoredSnapshot[] {
  const ordered = snapshots.toSorted((a, b) => compareTimes(a.time, b.time));
  return n === 0 ? ordered : ordered.slice(-n);
}

/** The last n of each host and set of paths. */
function newestOfEach(snapshots: readonly StoredSnapshot[], n: number): readonly StoredSnapshot[] {
  if (n === 0) return newest(snapshots, 0);
  const groups = groupSnapshots(snapshots, { host: true, paths: true, tags: false });
  const kept = new Set(groups.flatMap((group) => newest(group.snapshots, n)));
  return newest(
    snapshots.filter((s) => kept.has(s)),
    0,
  );
}

function printGroup(
  { print }: CommandContext,
  heading: string,
  snapshots: readonly StoredSnapshot[],
  compact: boolean,
): void {
  if (heading !== '') print.result(heading);
  for (const line of snapshotTable(snapshots, { compact })) print.result(line);
}

async function printJson(
  { json }: CommandContext,
  groups: readonly SnapshotGroup<StoredSnapshot>[],
  grouped: boolean,
): Promise<void> {
  if (!grouped) return json.write(groups.flatMap((g) => g.snapshots.map(snapshotJson)));
  await json.write(
    groups.map(({ key, snapshots }) => ({ group_key: key, snapshots: snapshots.map(snapshotJson) })),
  );
}
