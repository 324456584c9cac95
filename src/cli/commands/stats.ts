import { newStatsCounters, STATS_MODES, type StatsReport, stats } from '../../operations/stats.ts';
import { selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import { choice } from '../options.ts';
import { countLine } from '../progress.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { fixed, formatBytes, plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Counts what is in the snapshots: all of them, those that are named, or those that the filters choose.

  restore-size       what restoring each of them would take
  files-by-contents  files of equal content once
  blobs-per-file     files of equal content once, by their pieces
  raw-data           what it takes in the repository`,
  options: {
    ...snapshotFilterOptions(),
    mode: choice('--mode mode', `one of ${STATS_MODES.join(', ')}`, STATS_MODES, 'restore-size'),
  },
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const { mode } = values;
    const report = await withRepository(context, { lock: 'shared', index: true }, async (session) => {
      const filter = snapshotFilter(values, context.env);
      const snapshots = selectSnapshots(await session.snapshots(), operands, filter);
      const counters = newStatsCounters();
      const progress = context.startProgress({
        lines: (elapsed) => [
          `${countLine(elapsed, counters.snapshots, snapshots.length, 'snapshots')}, ${plural(counters.files, 'file')}, ${formatBytes(counters.bytes)}`,
        ],
      });
      try {
        return await stats(session.indexed, snapshots, { mode, counters, signal: session.signal });
      } finally {
        progress.stop();
      }
    });
    if (context.globals.json) return context.json.write(statsJson(report));
    for (const line of statsLines(report)) context.print.result(line);
  },
});

/** restic's object; what is zero is left out where restic leaves it out. */
export function statsJson({ totalSize, compression: c, files, blobs, snapshots }: StatsReport) {
  const some = (n: number | undefined) => (n === 0 ? undefined : n);
  return {
    total_size: totalSize,
    total_uncompressed_size: some(c?.uncompressedSize),
    compression_ratio: some(c?.ratio),
    compression_progress: some(c?.progress),
    compression_space_saving: some(c?.spaceSaving),
    total_file_count: some(files),
    total_blob_count: some(blobs),
    snapshots_count: snapshots,
  };
}

export function statsLines(report: StatsReport): readonly string[] {
  const { compression: c } = report;
  const line = (label: string, value: string) => `${label.padStart(24)}:  ${value}`;
  const some = (label: string, n: number | undefined, format: (n: number) => string) =>
    n !== undefined && n > 0 ? [line(label, format(n))] : [];
  return [
    `Stats in ${report.mode} mode:`,
    line('Snapshots processed', String(report.snapshots)),
    ...some('Total Blob Count', report.blobs, String),
    ...some('Total File Count', report.files, String),
    ...some('Total Uncompressed Size', c?.uncompressedSize, formatBytes),
    line('Total Size', formatBytes(report.totalSize)),
    ...some('Compression Progress', c?.progress, (n) => `${fixed(n, 2)}%`),
    ...some('Compression Ratio', c?.ratio, (n) => `${fixed(n, 2)}x`),
    ...some('Compression Space Saving', c?.spaceSaving, (n) => `${fixed(n, 2)}%`),
  ];
}
