import { EngineError } from '../../api/errors.ts';
import type { Id, StoredSnapshot } from '../../format/types.ts';
import {
  type RepairedSnapshot,
  repairSnapshots,
  type SnapshotChange,
} from '../../operations/repair-snapshots.ts';
import type { Repository } from '../../repository/repository.ts';
import { selectSnapshots } from '../../repository/snapshot-filter.ts';
import { toText } from '../../util/byte-string.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, type ValuesOf } from '../options.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { printable } from '../text-width.ts';
import { formatLocalTime } from '../time-format.ts';
import { plural } from '../units.ts';

const options = {
  dryRun: flag('-n, --dry-run', 'change nothing, only print what would be done'),
  forget: flag('--forget', 'remove the damaged snapshots once the new ones are made'),
  ...snapshotFilterOptions(),
};

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Makes new snapshots out of damaged ones, without what is lost: folders that can't be read become empty, files
keep the parts that are there. Snapshots that are whole stay as they are.

This gives up what is lost for good. Run "repair index" first; and if the files are still there, a new backup may
bring the missing parts back, which is better.

A snapshot file that can't be read at all is removed if it is named and --forget is given.`,
  options,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const lock = values.dryRun ? 'none' : 'exclusive';
    const left = await withRepository(context, { lock, mustLock: true }, ({ repo, signal }) =>
      run(context, repo, operands, values, signal),
    );
    if (left.length === 0) return;
    throw new EngineError('damaged', `${plural(left.length, 'snapshot')} can't be repaired.`, {
      hint: `\`holdfast repair snapshots --forget ${left.join(' ')}\` removes what can't be read.`,
    });
  },
});

type Values = ValuesOf<typeof options>;

/** Returns the snapshots that stay damaged. */
async function run(
  context: CommandContext,
  repo: Repository,
  operands: readonly string[],
  values: Values,
  signal: AbortSignal,
): Promise<readonly Id[]> {
  // What a part of the index does not list would be taken for lost.
  const indexed = await repo.loadIndex({ signal });
  const unreadable: Id[] = [];
  const readable = await repo.snapshots({ signal, onDamaged: (id) => unreadable.push(id) });
  const named = (id: Id) => operands.some((prefix) => id.startsWith(prefix));
  const rest = operands.filter((prefix) => !unreadable.some((id) => id.startsWith(prefix)));
  const snapshots =
    operands.length > 0 && rest.length === 0
      ? []
      : selectSnapshots(readable, rest, snapshotFilter(values, context.env));
  const concerned = operands.length === 0 ? unreadable : unreadable.filter(named);
  const left = await removeUnreadable(context, repo, concerned, values, named);
  const { results } = await repairSnapshots(indexed, {
    snapshots,
    forget: values.forget,
    dryRun: values.dryRun,
    signal,
    onSnapshot: (snapshot) => context.print.say(titleOf(snapshot)),
    onChange: (change) => context.print.say(`  ${sentenceOf(change)}`),
    onResult: (result) => tellResult(context, result, values),
  });
  const changed = results.filter(({ outcome }) => outcome === 'repaired').length;
  const would = values.dryRun ? 'Would repair' : 'Repaired';
  context.print.say(changed === 0 ? 'No snapshot needs repair.' : `${would} ${plural(changed, 'snapshot')}.`);
  const lost = results.filter(({ outcome, removed }) => outcome === 'lost' && !removed && !values.dryRun);
  return [...left, ...lost.map(({ snapshot }) => snapshot.id)];
}

async function removeUnreadable(
  { print }: CommandContext,
  repo: Repository,
  ids: readonly Id[],
  { forget, dryRun }: Values,
  named: (id: Id) => boolean,
): Promise<readonly Id[]> {
  const left: Id[] = [];
  for (const id of ids) {
    if (!forget || !named(id)) {
      left.push(id);
      print.problem(`Snapshot file ${id} can't be read.`);
    } else if (dryRun) print.say(`Would remove the snapshot file ${id}, which can't be read.`);
    else {
      await repo.files.remove('snapshot', id);
      print.say(`Removed the snapshot file ${id}, which can't be read.`);
    }
  }
  return left;
}

function titleOf({ id, time, paths, username, hostname }: StoredSnapshot): string {
  const by = `${username ?? ''}@${hostname ?? ''}`;
  return printable(`Snapshot ${id.slice(0, 8)} of ${paths.join(', ')} at ${formatLocalTime(time)} by ${by}`);
}

function sentenceOf(change: SnapshotChange): string {
  const path = printable(toText(change.path));
  switch (change.kind) {
    case 'folder-emptied':
      return `${path}: the folder can't be read and is left empty`;
    case 'content-removed':
      return `${path}: ${plural(change.blobs.length, 'part')} of the file can't be read and is left out`;
    case 'size-corrected':
      return `${path}: the size is corrected to ${change.size} bytes`;
    case 'entry-removed':
      return `${path}: removed, it has the unknown type "${change.type}"`;
    case 'entry-renamed':
      return `${path}: renamed to ${printable(toText(change.name))}`;
    case 'entries-sorted':
      return `${path}: the entries are put in order`;
  }
}

function tellResult({ print }: CommandContext, result: RepairedSnapshot, { dryRun, forget }: Values): void {
  const { outcome, newId, removed, snapshot } = result;
  const short = snapshot.id.slice(0, 8);
  if (outcome === 'intact') return print.more('  is whole');
  if (outcome === 'lost') print.problem(`The root folder of snapshot ${short} can't be read.`);
  if (dryRun && outcome === 'repaired') print.say('  would save a new snapshot');
  if (dryRun && forget) print.say('  would remove the old snapshot');
  if (newId) print.say(`  saved as snapshot ${newId.slice(0, 8)}`);
  if (removed) print.say(`  removed snapshot ${short}`);
}
