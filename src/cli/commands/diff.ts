import { type Change, type DiffCounts, type DiffReport, diff } from '../../operations/diff.ts';
import { findSnapshot } from '../../repository/snapshot-filter.ts';
import { findFolder } from '../../restorer/find-tree.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { damageReporter } from '../damage.ts';
import { EXIT } from '../exit-codes.ts';
import { goText } from '../node-text.ts';
import { flag } from '../options.ts';
import { writeLine } from '../output.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { shortId } from '../snapshot-table.ts';
import { printable } from '../text-width.ts';
import { formatBytes } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] snapshotID snapshotID',
  description: `Shows what changed from the first snapshot to the second.

  +  added          M  other content       U  other metadata (with --metadata)
  -  removed        T  other type          ?  other content although nothing else changed: perhaps damage

"id:folder" compares folders. Where --ignore-inode or --ignore-ctime was used for a backup, metadata tells less.`,
  options: { metadata: flag('--metadata', 'also show changes of metadata alone') },
  operands: { least: 2, most: 2 },
  async run(context, [first = '', second = ''], { metadata }) {
    const damaged = await withRepository(context, { lock: 'shared', index: true }, async (session) => {
      const { indexed, signal } = session;
      const [before, after] = await treesOf(session, [first, second]);
      if (!context.globals.json) {
        context.print.say(`from snapshot ${before.name} to ${after.name}:\n`);
      }
      const damage = damageReporter(context);
      const events = {
        onChange: (change: Change) => show(context, change),
        onDamaged: damage.report,
        onUnknownBlob: (type: string, id: string) =>
          context.print.problem(`The size of the ${type} blob ${id} is not known.`),
      };
      const report = await diff(indexed, before.tree, after.tree, events, { metadata, signal });
      await showReport(context, report, first, second);
      return damage.count();
    });
    return damaged > 0 ? EXIT.fatal : undefined;
  },
});

interface NamedTree {
  readonly name: string;
  readonly tree: Parameters<typeof diff>[1];
}

async function treesOf(
  session: IndexedSession,
  references: readonly [string, string],
): Promise<readonly [NamedTree, NamedTree]> {
  const { indexed, signal } = session;
  const snapshots = await session.snapshots();
  const treeOf = async (reference: string): Promise<NamedTree> => {
    const { snapshot, subfolder } = findSnapshot(snapshots, reference);
    const tree = await findFolder(indexed, snapshot.tree, argumentBytes(subfolder), { signal });
    return { name: shortId(snapshot.id), tree };
  };
  return [await treeOf(references[0]), await treeOf(references[1])];
}

async function show({ globals, json, terminal }: CommandContext, change: Change): Promise<void> {
  if (globals.quiet) return;
  const path = goText(change.path);
  const { modifier } = change;
  if (globals.json) return json.write({ message_type: 'change', path, modifier });
  await writeLine(terminal.stdout, `${modifier.padEnd(5)}${printable(path)}`);
}

async function showReport(
  { globals, json, print }: CommandContext,
  { added, removed, changedFiles }: DiffReport,
  source: string,
  target: string,
): Promise<void> {
  if (globals.json) {
    return json.write({
      message_type: 'statistics',
      source_snapshot: source,
      target_snapshot: target,
      changed_files: changedFiles,
      added: countsJson(added),
      removed: countsJson(removed),
    });
  }
  const line = (what: string, plus: number, minus: number, more = '') =>
    print.result(
      `${what.padEnd(12)} ${String(plus).padStart(5)} new, ${String(minus).padStart(5)} removed${more}`,
    );
  print.result('');
  line('Files:', added.files, removed.files, `, ${String(changedFiles).padStart(5)} changed`);
  line('Dirs:', added.dirs, removed.dirs);
  line('Others:', added.others, removed.others);
  line('Data Blobs:', added.dataBlobs, removed.dataBlobs);
  line('Tree Blobs:', added.treeBlobs, removed.treeBlobs);
  print.result(`  Added:   ${formatBytes(added.bytes)}`);
  print.result(`  Removed: ${formatBytes(removed.bytes)}`);
}

function countsJson(counts: DiffCounts) {
  const { files, dirs, others, dataBlobs, treeBlobs, bytes } = counts;
  return { files, dirs, others, data_blobs: dataBlobs, tree_blobs: treeBlobs, bytes };
}
