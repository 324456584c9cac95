import type { StoredSnapshot } from '../../format/types.ts';
import {
  applyForget,
  type ForgetGroup,
  type ForgetPlan,
  type KeepPolicy,
  planForget,
  planForgetNamed,
} from '../../operations/forget.ts';
import { DEFAULT_GROUP_BY, parseGroupBy } from '../../repository/grouping.ts';
import { describePolicy, isEmptyPolicy } from '../../repository/retention.ts';
import { isEmptyFilter, parseTagList, selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, hidden, list, parseInteger, span, type ValuesOf, value, values } from '../options.ts';
import { countLine } from '../progress.ts';
import { pruneOptions, pruneRules, runPrune } from '../prune-run.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { groupHeading, shortId, snapshotJson, snapshotTable } from '../snapshot-table.ts';
import { plural } from '../units.ts';
import { refuseNoLock } from './prune.ts';

const keepOptions = {
  keepLast: keep('-l, --keep-last n', 'keep the last n snapshots'),
  keepHourly: keep('-H, --keep-hourly n', 'keep the last snapshot of each of the last n hours'),
  keepDaily: keep('-d, --keep-daily n', 'keep the last snapshot of each of the last n days'),
  keepWeekly: keep('-w, --keep-weekly n', 'keep the last snapshot of each of the last n weeks'),
  keepMonthly: keep('-m, --keep-monthly n', 'keep the last snapshot of each of the last n months'),
  keepYearly: keep('-y, --keep-yearly n', 'keep the last snapshot of each of the last n years'),
  keepWithin: span('--keep-within time', 'keep what is newer than that before the newest, such as 1y5m7d2h'),
  keepWithinHourly: span('--keep-within-hourly time', 'keep hourly snapshots of that time'),
  keepWithinDaily: span('--keep-within-daily time', 'keep daily snapshots of that time'),
  keepWithinWeekly: span('--keep-within-weekly time', 'keep weekly snapshots of that time'),
  keepWithinMonthly: span('--keep-within-monthly time', 'keep monthly snapshots of that time'),
  keepWithinYearly: span('--keep-within-yearly time', 'keep yearly snapshots of that time'),
  keepTag: values('--keep-tag tag[,tag…]', 'keep snapshots with all of these tags (can be repeated)', (t) => [
    parseTagList(t),
  ]),
};

const options = {
  ...keepOptions,
  unsafeAllowRemoveAll: flag('--unsafe-allow-remove-all', 'remove all that --host, --tag or --path choose'),
  // -H is --keep-hourly here.
  ...snapshotFilterOptions({ shorthand: false }),
  hostname: hidden(list('--hostname host', 'the same as --host')),
  compact: flag('-c, --compact', 'narrower tables'),
  groupBy: value(
    '-g, --group-by fields',
    'apply the rules to each group: by host, paths and tags, separated by commas; "" for none',
    parseGroupBy,
    DEFAULT_GROUP_BY,
  ),
  dryRun: flag('-n, --dry-run', 'only tell what would be done'),
  prune: flag('--prune', 'then remove the data that is needed no more'),
  ...pruneOptions,
};

type Flags = ValuesOf<typeof options>;

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Removes the snapshots that are named, or all but those that the rules keep.

Snapshots are grouped by host and paths, and the rules are applied to each group by itself. The data stays until "prune", or --prune here, removes what no other snapshot needs.`,
  options,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, flags) {
    const rules = pruneRules(flags);
    refuseNoLock(context.globals.noLock, flags.dryRun, 'forget');
    return withRepository(
      context,
      { lock: 'exclusive', mustLock: !flags.dryRun },
      async ({ repo, signal, snapshots }) => {
        const plan = makePlan(context, await snapshots(), operands, flags);
        if (!context.globals.json) printPlan(context, plan, flags);
        const failed = flags.dryRun ? [] : await apply(context, plan, { repo, signal });
        if (context.globals.json && plan.groups.length > 0) {
          await context.json.write(plan.groups.map(groupJson));
        }
        if (failed.length > 0) return EXIT.incomplete;
        if (flags.prune && plan.remove.length > 0) {
          const { dryRun } = flags;
          const ignoreSnapshots = new Set(plan.remove.map((s) => s.id));
          const what = dryRun ? 'would have removed' : 'removed';
          context.print.say(`${what} ${plural(plan.remove.length, 'snapshot')}; now the data`);
          await runPrune(context, { repo, signal }, rules, { dryRun, ignoreSnapshots });
        }
        return undefined;
      },
    );
  },
});

function keep(spec: string, help: string) {
  return value(spec, help, parseCount, 0);
}

/** -1 for all. Error: 'usage'. */
function parseCount(text: string): number {
  return text === 'unlimited' ? -1 : parseInteger(text, 0);
}

function policyOf(flags: Flags): KeepPolicy {
  const all = {
    last: flags.keepLast,
    hourly: flags.keepHourly,
    daily: flags.keepDaily,
    weekly: flags.keepWeekly,
    monthly: flags.keepMonthly,
    yearly: flags.keepYearly,
    within: flags.keepWithin,
    withinHourly: flags.keepWithinHourly,
    withinDaily: flags.keepWithinDaily,
    withinWeekly: flags.keepWithinWeekly,
    withinMonthly: flags.keepWithinMonthly,
    withinYearly: flags.keepWithinYearly,
    tags: flags.keepTag,
  };
  return Object.fromEntries(Object.entries(all).filter(([, rule]) => rule !== undefined));
}

function makePlan(
  context: CommandContext,
  all: readonly StoredSnapshot[],
  operands: readonly string[],
  flags: Flags,
): ForgetPlan {
  const filter = snapshotFilter({ ...flags, host: [...flags.host, ...flags.hostname] }, context.env);
  const selected = selectSnapshots(all, operands, filter);
  if (operands.length > 0) return planForgetNamed(selected);
  const policy = policyOf(flags);
  const { groupBy, unsafeAllowRemoveAll } = flags;
  const filtered = !isEmptyFilter(filter);
  const plan = planForget(selected, {
    ...{ policy, groupBy, unsafeAllowRemoveAll, filtered },
    clock: context.clock,
  });
  context.print.say(
    isEmptyPolicy(policy) ? 'Keeping nothing.' : `Applying the rules: ${describePolicy(policy)}`,
  );
  return plan;
}

function printPlan(context: CommandContext, plan: ForgetPlan, flags: Flags): void {
  for (const group of plan.groups) printGroup(context, group, flags.compact);
  if (flags.dryRun && plan.remove.length > 0) {
    const ids = plan.remove.map((s) => shortId(s.id)).join(' ');
    context.print.say(`Would have removed these snapshots:\n${ids}\n`);
  }
}

function printGroup(
  { print }: CommandContext,
  { key, keep, remove, reasons }: ForgetGroup,
  compact: boolean,
): void {
  const heading = groupHeading(key);
  if (heading !== '') print.say(heading);
  const why = new Map(reasons.map(({ snapshot, matches }) => [snapshot, matches]));
  const table = (title: string, snapshots: readonly StoredSnapshot[], more: { reasons?: typeof why }) => {
    if (snapshots.length === 0) return;
    print.say(`${title} ${plural(snapshots.length, 'snapshot')}:`);
    for (const line of snapshotTable(snapshots, { compact, ...more })) print.say(line);
    print.say('');
  };
  table('keep', keep, { reasons: why });
  table('remove', remove, {});
}

/** The ids that could not be removed. */
async function apply(
  context: CommandContext,
  plan: ForgetPlan,
  { repo, signal }: { readonly repo: Parameters<typeof applyForget>[0]; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { print } = context;
  const counters = { done: 0 };
  const progress = context.startProgress({
    lines: (elapsed) => [countLine(elapsed, counters.done, plan.remove.length, 'snapshots removed')],
  });
  try {
    const { failed, removed } = await applyForget(repo, plan, {
      signal,
      counters,
      onRemoved: (id) => print.everything(`removed snapshot ${id}`),
      onFailed: (id, e) => print.problem(`Snapshot ${shortId(id)} could not be removed: ${e.message}`),
    });
    if (plan.groups.length === 0) print.say(`removed ${plural(removed.length, 'snapshot')}`);
    return failed;
  } finally {
    progress.stop();
  }
}

/** restic's form; what it has none of, it writes as null. */
function groupJson({ key, keep, remove, reasons }: ForgetGroup) {
  const orNull = <T>(items: readonly T[]) => (items.length === 0 ? null : items);
  return {
    tags: key.tags,
    host: key.hostname,
    paths: key.paths,
    keep: orNull(keep.map(snapshotJson)),
    remove: orNull(remove.map(snapshotJson)),
    reasons: orNull(reasons.map(({ snapshot, matches }) => ({ snapshot: snapshotJson(snapshot), matches }))),
  };
}
