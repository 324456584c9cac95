import { EngineError } from '../../api/errors.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { copySnapshots, sharesChunks } from '../../operations/copy.ts';
import { selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { fromOptions, namesNone, resolveFromAccess } from '../from-flags.ts';
import { countLine } from '../progress.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { describeSnapshot, shortId } from '../snapshot-table.ts';
import { formatBytes, plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Copies snapshots from another repository (--from-repo) into this one: those that are named, or all that the filters choose. What is here already is not copied again.

Files are not cut anew. They share data with backups made here only if both repositories cut alike: make this one with "init --copy-chunker-params".`,
  options: { ...fromOptions, ...snapshotFilterOptions() },
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const access = resolveFromAccess(values, context.env);
    if (namesNone(access)) {
      throw new EngineError('usage', '`copy` needs a repository to copy from.', {
        hint: 'Name it with --from-repo or --from-repository-file.',
      });
    }
    const filter = snapshotFilter(values, context.env);
    const open = () => context.openRepository(access);
    await withRepository(context, { lock: 'shared', index: true, open }, async (from) => {
      await withRepository(context, { lock: 'shared', mustLock: true, index: true }, async (to) => {
        await copy(context, from, to, selectSnapshots(await from.snapshots(), operands, filter));
      });
    });
  },
});

async function copy(
  context: CommandContext,
  from: IndexedSession,
  to: IndexedSession,
  snapshots: readonly StoredSnapshot[],
): Promise<void> {
  const { print, globals } = context;
  if (!sharesChunks(from.indexed, to.indexed)) {
    print.problem(
      'These repositories cut files at different places: copies share no data with backups that are made here.',
    );
  }
  const counters = { packsDone: 0, packsTotal: 0 };
  const progress = context.startProgress({
    lines: (elapsed) => [countLine(elapsed, counters.packsDone, counters.packsTotal, 'packs copied')],
  });
  try {
    const { copied, skipped } = await copySnapshots(from.indexed, to.indexed, snapshots, {
      signal: AbortSignal.any([from.signal, to.signal]),
      counters,
      onSkipped: (s, existing) =>
        print.more(
          `\n${describeSnapshot(s)}\nskipped: it is here already as snapshot ${shortId(existing.id)}`,
        ),
      onStart: (s) => print.say(`\n${describeSnapshot(s)}\n  copying`),
      onCounted: (_, { blobs, bytes, packs }) =>
        print.more(
          `  ${plural(blobs, 'blob')} with ${formatBytes(bytes)} in ${plural(packs, 'pack')} to copy`,
        ),
      onSaved: (s, id) => print.say(`snapshot ${shortId(id)} saved, a copy of ${shortId(s.id)}`),
    });
    if (!globals.json) print.say(`\ncopied ${plural(copied, 'snapshot')}, ${skipped} were here already`);
  } finally {
    progress.stop();
  }
}
