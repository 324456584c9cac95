import { EngineError } from '../../api/errors.ts';
import type { BlobType, Id, StoredSnapshot } from '../../format/types.ts';
import {
  blobsOfPacks,
  findIds,
  findNames,
  type IdQuery,
  type NameQuery,
  packOf,
  WantedIds,
} from '../../operations/find.ts';
import type { IndexedRepository } from '../../repository/repository.ts';
import { newestFirst, selectSnapshots } from '../../repository/snapshot-filter.ts';
import { parsePatternBytes } from '../../util/pattern.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { damageReporter } from '../damage.ts';
import { EXIT } from '../exit-codes.ts';
import { type FindOutput, findOutput } from '../find-output.ts';
import { flag, list, type ValuesOf, value } from '../options.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { shortId } from '../snapshot-table.ts';
import { parseMoment } from '../time-format.ts';

const options = {
  ...snapshotFilterOptions(),
  blob: flag('--blob', 'the operands are ids of blobs'),
  humanReadable: flag('--human-readable', 'sizes with units'),
  ignoreCase: flag('-i, --ignore-case', 'no regard to case'),
  long: flag('-l, --long', 'with mode, owner, size and time'),
  newest: value('-N, --newest time', 'only what was changed at this time or before', parseMoment),
  oldest: value('-O, --oldest time', 'only what was changed at this time or later', parseMoment),
  pack: flag('--pack', 'the operands are ids of packs'),
  reverse: flag('-R, --reverse', 'oldest snapshot first'),
  showPackId: flag('--show-pack-id', 'also tell in which pack a blob or tree is (with --blob or --tree)'),
  snapshot: list('-s, --snapshot id', 'only in this snapshot (can be given several times)'),
  tree: flag('--tree', 'the operands are ids of trees'),
};

type Flags = ValuesOf<typeof options>;

export const command = defineCommand({
  usage: '[flags] pattern …',
  description: `Finds files and folders by their names in all snapshots, newest snapshot first.

Patterns are those of --exclude: * and ? stand for any characters of a name, ** for any folders. Blobs, trees and
packs are found by the beginnings of their ids.`,
  options,
  operands: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(context, operands, flags) {
    refuseContradictions(flags, operands);
    const damaged = await withRepository(context, { lock: 'shared', index: true }, async (session) => {
      const filter = snapshotFilter(flags, context.env);
      const selected = selectSnapshots(await session.snapshots(), flags.snapshot, filter);
      const snapshots = flags.reverse ? newestFirst(selected).reverse() : newestFirst(selected);
      const output = findOutput(context, flags);
      const ids = idQuery(session.indexed, operands, flags);
      const count = ids
        ? await searchIds(context, session, snapshots, ids, output)
        : await searchNames(context, session, snapshots, nameQuery(operands, flags), output);
      await output.end();
      if (ids && flags.showPackId) tellPacks(context, session.indexed, ids);
      return count;
    });
    return damaged > 0 ? EXIT.fatal : undefined;
  },
});

function refuseContradictions(flags: Flags, operands: readonly string[]): void {
  const kinds = [flags.blob, flags.tree, flags.pack].filter((given) => given).length;
  if (kinds > 1) throw new EngineError('usage', 'Only one of --blob, --tree and --pack can be given.');
  const odd = kinds === 1 ? operands.find((id) => !/^[0-9a-f]{1,64}$/.test(id)) : undefined;
  if (odd !== undefined) throw new EngineError('usage', `"${odd}" is no id, nor the beginning of one.`);
  const { oldest, newest } = flags;
  if (oldest !== undefined && newest !== undefined && oldest > newest) {
    throw new EngineError('usage', '--oldest must be a time before --newest.');
  }
}

function nameQuery(operands: readonly string[], flags: Flags): NameQuery {
  const nanoseconds = (ms: number | undefined) => (ms === undefined ? undefined : BigInt(ms) * 1_000_000n);
  return {
    patterns: parsePatternBytes(operands.map(argumentBytes), { insensitive: flags.ignoreCase }),
    oldest: nanoseconds(flags.oldest),
    newest: nanoseconds(flags.newest),
  };
}

function idQuery(repo: IndexedRepository, operands: readonly string[], flags: Flags): IdQuery | undefined {
  if (flags.pack) return blobsOfPacks(repo, operands);
  if (!flags.blob && !flags.tree) return undefined;
  return {
    blobs: new WantedIds(flags.blob ? operands : []),
    trees: new WantedIds(flags.tree ? operands : []),
  };
}

/** How many folders could not be searched. */
async function searchNames(
  context: CommandContext,
  { indexed, signal }: IndexedSession,
  snapshots: readonly StoredSnapshot[],
  query: NameQuery,
  output: FindOutput,
): Promise<number> {
  let damaged = 0;
  for (const snapshot of snapshots) {
    const damage = damageReporter(context, ` of snapshot ${shortId(snapshot.id)}`);
    const onMatch = (item: Parameters<FindOutput['node']>[0]) => output.node(item, snapshot);
    await findNames(indexed, snapshot, query, { onMatch, onDamaged: damage.report }, { signal });
    damaged += damage.count();
  }
  return damaged;
}

async function searchIds(
  context: CommandContext,
  { indexed, signal }: IndexedSession,
  snapshots: readonly StoredSnapshot[],
  query: IdQuery,
  output: FindOutput,
): Promise<number> {
  let damaged = 0;
  for (const snapshot of snapshots) {
    const damage = damageReporter(context, ` of snapshot ${shortId(snapshot.id)}`);
    await findIds(indexed, snapshot, query, { onMatch: output.object, onDamaged: damage.report }, { signal });
    damaged += damage.count();
  }
  return damaged;
}

function tellPacks({ print }: CommandContext, repo: IndexedRepository, { blobs, trees }: IdQuery): void {
  const tell = (type: BlobType, id: Id) => {
    const at = packOf(repo, type, id);
    print.say(
      at === undefined
        ? `The ${type} blob ${id} is in no pack that the index knows.`
        : `The ${type} blob ${id} is in pack ${at.pack}, ${at.length} bytes at ${at.offset}.`,
    );
  };
  for (const id of blobs.found) tell('data', id);
  for (const id of trees.found) tell('tree', id);
}
