import { EngineError, isEngineError } from '../../api/errors.ts';
import type { Id, StoredSnapshot } from '../../format/types.ts';
import { changeTags, type TagChange } from '../../operations/tag.ts';
import { parseTagList, selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { values } from '../options.ts';
import { type Session, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { shortId } from '../snapshot-table.ts';
import { plural } from '../units.ts';

const tags = (spec: string, help: string) => values(spec, help, parseTagList);

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Changes the tags of the snapshots that are named, or of all that the filters choose.

A snapshot gets a new id thereby; its first id is kept in it.`,
  options: {
    set: tags('--set tag[,tag…]', 'replace all tags by these; "" for none (can be repeated)'),
    add: tags('--add tag[,tag…]', 'add these tags (can be repeated)'),
    remove: tags('--remove tag[,tag…]', 'take these tags away (can be repeated)'),
    ...snapshotFilterOptions(),
  },
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, flags) {
    const change = changeOf(flags);
    const { globals, print, json } = context;
    await withRepository(context, { lock: 'exclusive', mustLock: true }, async (session) => {
      const all = await session.snapshots();
      let changed = 0;
      for (const snapshot of selectSnapshots(all, operands, snapshotFilter(flags, context.env))) {
        const id = await tagOne(context, session, snapshot, change, all);
        if (id === undefined) continue;
        changed++;
        print.more(`snapshot ${snapshot.id} is now ${id}`);
        if (!globals.json) continue;
        await json.write({ message_type: 'changed', old_snapshot_id: snapshot.id, new_snapshot_id: id });
      }
      if (globals.json) await json.write({ message_type: 'summary', changed_snapshots: changed });
      else
        print.say(changed === 0 ? 'no snapshots were modified' : `modified ${plural(changed, 'snapshot')}`);
    });
  },
});

/** One that can't be changed does not keep the others from it. */
async function tagOne(
  { print }: CommandContext,
  { repo, signal }: Session,
  snapshot: StoredSnapshot,
  change: TagChange,
  existing: readonly StoredSnapshot[],
): Promise<Id | undefined> {
  try {
    return await changeTags(repo, snapshot, change, { signal, existing });
  } catch (e) {
    signal.throwIfAborted();
    if (!isEngineError(e)) throw e;
    print.problem(`The tags of snapshot ${shortId(snapshot.id)} could not be changed: ${e.message}`);
    return undefined;
  }
}

interface TagFlags {
  readonly set: readonly string[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

function changeOf({ set, add, remove }: TagFlags): TagChange {
  if (set.length + add.length + remove.length === 0) {
    throw new EngineError('usage', 'There is nothing to do.', { hint: 'Give --set, --add or --remove.' });
  }
  if (set.length === 0) return { add, remove };
  if (add.length + remove.length > 0) {
    throw new EngineError('usage', '--set replaces all tags, so it does not go with --add or --remove.');
  }
  return { set };
}
