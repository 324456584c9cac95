import { EngineError } from '../../api/errors.ts';
import { fromEpochNs } from '../../format/time.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { type RewriteOptions, type RewriteOutcome, rewriteSnapshot } from '../../operations/rewrite.ts';
import { rewriteRules } from '../../operations/rewrite-rules.ts';
import { selectSnapshots } from '../../repository/snapshot-filter.ts';
import { toText } from '../../util/byte-string.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, list, text, type ValuesOf, value } from '../options.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { describeSnapshot, shortId } from '../snapshot-table.ts';
import { parseLocalTime } from '../time-format.ts';
import { plural } from '../units.ts';

const options = {
  exclude: list('-e, --exclude pattern', 'leave out what matches (can be repeated)'),
  excludeFile: list('--exclude-file file', 'read such patterns from a file (can be repeated)'),
  iexclude: list('--iexclude pattern', 'the same as --exclude, whatever the case of letters'),
  iexcludeFile: list('--iexclude-file file', 'the same as --exclude-file, whatever the case of letters'),
  include: list('-i, --include pattern', 'keep only what matches (can be repeated)'),
  includeFile: list('--include-file file', 'read such patterns from a file (can be repeated)'),
  iinclude: list('--iinclude pattern', 'the same as --include, whatever the case of letters'),
  iincludeFile: list('--iinclude-file file', 'the same as --include-file, whatever the case of letters'),
  newHost: text('--new-host name', 'let the new snapshots be of this host', ''),
  newTime: value(
    '--new-time time',
    'let the new snapshots be of this time, 2026-01-31 18:30:00',
    parseLocalTime,
  ),
  forget: flag('--forget', 'remove the old snapshots'),
  dryRun: flag('-n, --dry-run', 'only tell what would be done'),
  snapshotSummary: flag('-s, --snapshot-summary', 'add the number of files and bytes where it is missing'),
  ...snapshotFilterOptions(),
};

type Flags = ValuesOf<typeof options>;

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Makes new snapshots from old ones: without some files, or with another host or time.

The new ones stand beside the old ones with the tag "rewrite"; with --forget they take their place. Without ids and filters, all snapshots are rewritten. The data that was left out stays until "prune".`,
  options,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const { print } = context;
    const rewrite = optionsOf(context, values);
    const { dryRun, forget } = values;
    const lock = dryRun ? 'none' : forget ? 'exclusive' : 'shared';
    await withRepository(context, { lock, mustLock: true, index: true }, async (session) => {
      const all = await session.snapshots();
      let changed = 0;
      for (const snapshot of selectSnapshots(all, operands, snapshotFilter(values, context.env))) {
        print.say(`\n${describeSnapshot(snapshot)}`);
        if (await rewriteOne(context, session, snapshot, { ...rewrite, existing: all })) changed++;
      }
      const how = dryRun ? ['would be', 'would modify'] : ['were', 'modified'];
      print.say(
        changed === 0 ? `\nno snapshots ${how[0]} modified` : `\n${how[1]} ${plural(changed, 'snapshot')}`,
      );
    });
  },
});

function optionsOf(context: CommandContext, flags: Flags): RewriteOptions {
  const { newHost, newTime, forget, dryRun, snapshotSummary: summary } = flags;
  const rules = rewriteRules({ ...flags, env: context.env }, (path, kept) => {
    context.print.everything(`${kept ? 'including' : 'excluding'} ${toText(path)}`);
  });
  if (!rules && !summary && newHost === '' && newTime === undefined) {
    throw new EngineError('usage', 'There is nothing to do.', {
      hint: 'Say what to leave out (--exclude), what to keep (--include), or what to change (--new-host, --new-time).',
    });
  }
  return {
    ...rules,
    ...{ forget, dryRun, summary },
    ...(newHost === '' ? {} : { newHost }),
    ...(newTime === undefined ? {} : { newTime: fromEpochNs(BigInt(newTime) * 1_000_000n) }),
  };
}

async function rewriteOne(
  context: CommandContext,
  { indexed, signal }: IndexedSession,
  snapshot: StoredSnapshot,
  rewrite: RewriteOptions,
): Promise<boolean> {
  const outcome = await rewriteSnapshot(indexed, snapshot, { ...rewrite, signal });
  for (const line of tell(snapshot, outcome, rewrite)) context.print.say(line);
  return outcome.kind !== 'unchanged';
}

function tell(snapshot: StoredSnapshot, outcome: RewriteOutcome, o: RewriteOptions): readonly string[] {
  if (outcome.kind === 'unchanged') return [];
  const old = `snapshot ${shortId(snapshot.id)}`;
  if (outcome.kind === 'removed') return [`${o.dryRun ? 'would remove' : 'removed'} empty ${old}`];
  const { id, snapshot: next } = outcome;
  const saved = id === undefined ? 'would save a new snapshot' : `saved new snapshot ${shortId(id)}`;
  return [
    ...(o.newTime === undefined ? [] : [`${o.dryRun ? 'would set' : 'setting'} time to ${next.time}`]),
    ...(o.newHost === undefined ? [] : [`${o.dryRun ? 'would set' : 'setting'} host to ${next.hostname}`]),
    saved,
    ...(o.forget ? [`${o.dryRun ? 'would remove' : 'removed'} old ${old}`] : []),
  ];
}
