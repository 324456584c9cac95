/** What `prune` and `forget --prune` share: the flags, the work, and its account. */
import { EngineError } from '../api/errors.ts';
import type { Id } from '../format/types.ts';
import {
  applyPrune,
  newPruneCounters,
  type PrunePhase,
  type PruneRules,
  type PruneStats,
  planPrune,
  type UnusedLimit,
} from '../operations/prune.ts';
import type { CommandContext } from './context.ts';
import { flag, hidden, size, type ValuesOf, value } from './options.ts';
import { countLine } from './progress.ts';
import type { Session } from './session.ts';
import { formatBytes, formatPercent, parseSize, plural } from './units.ts';

export const pruneOptions = {
  maxRepackSize: size('--max-repack-size size', 'stop after repacking this much, such as 10G'),
  maxUnused: value<UnusedLimit>(
    '--max-unused limit',
    'how much unused data may stay: a share such as 5%, a size, or unlimited (default: 5%)',
    parseUnusedLimit,
    { percent: 5 },
  ),
  repackCacheableOnly: flag('--repack-cacheable-only', 'repack only what a cache would hold'),
  repackSmall: hidden(flag('--repack-small', 'does nothing: small packs are always repacked')),
  repackSmallerThan: size('--repack-smaller-than size', 'packs below this size are small'),
  repackUncompressed: flag('--repack-uncompressed', 'repack all that is not compressed'),
};

export type PruneFlags = ValuesOf<typeof pruneOptions>;

/** Error: 'usage'. */
export function parseUnusedLimit(text: string): UnusedLimit {
  const given = text.trim();
  if (given === 'unlimited') return given;
  if (!given.endsWith('%')) return { bytes: parseSize(given) };
  const number = given.slice(0, -1).trim();
  const percent = number === '' ? Number.NaN : Number(number);
  if (percent >= 0 && percent < 100) return { percent };
  throw new EngineError('usage', `"${text}" is not a share from 0% to below 100%`);
}

export function pruneRules(flags: PruneFlags): PruneRules {
  const { maxRepackSize, maxUnused, repackCacheableOnly, repackSmallerThan, repackUncompressed } = flags;
  if (repackSmallerThan === 0) {
    throw new EngineError('usage', '--repack-smaller-than needs a size above zero.');
  }
  return {
    maxUnused,
    repackCacheableOnly,
    repackUncompressed,
    ...(maxRepackSize === undefined ? {} : { maxRepackBytes: maxRepackSize }),
    ...(repackSmallerThan === undefined ? {} : { repackSmallerThan }),
  };
}

export interface PruneRun {
  readonly dryRun: boolean;
  /** Snapshots that are, or would be, removed. */
  readonly ignoreSnapshots?: ReadonlySet<Id>;
  readonly unsafeRecovery?: boolean;
}

/** The repository is open and locked exclusively. */
export async function runPrune(
  context: CommandContext,
  { repo, signal }: Pick<Session, 'repo' | 'signal'>,
  rules: PruneRules,
  run: PruneRun,
): Promise<void> {
  const { print, globals, json } = context;
  const counters = newPruneCounters();
  const progress = context.startProgress({
    lines: (elapsed) => [countLine(elapsed, counters.done, counters.total, PHASES[counters.phase])],
  });
  try {
    print.say('finding the data that is still in use');
    const { ignoreSnapshots } = run;
    const plan = await planPrune(repo, {
      ...rules,
      ...(run.unsafeRecovery ? { maxRepackBytes: 0 } : {}),
      ...(ignoreSnapshots ? { ignoreSnapshots } : {}),
      signal,
      counters,
    });
    for (const id of plan.missing) {
      print.problem(`Pack ${id} is gone, but nothing in it was needed; the index will forget it.`);
    }
    if (run.dryRun) print.say('\nWould have made the following changes:');
    if (globals.json) await json.write({ message_type: 'summary', ...plan.stats });
    else printStats(context, plan.stats);
    if (run.dryRun) return tellPlan(context, plan);
    const outcome = await applyPrune(plan, {
      signal,
      counters,
      unsafeRecovery: run.unsafeRecovery === true,
      onKeptPack: (id, e) => print.problem(`Pack ${id} could not be removed: ${e.message}`),
      onNoSpace: () =>
        print.problem('The disk is too full to repack everything at once, so it is done little by little.'),
    });
    print.more(`removed ${outcome.removedPacks} packs`);
    if (outcome.removedLeftovers > 0) {
      print.more(`removed ${plural(outcome.removedLeftovers, 'file')} that killed writers had left behind`);
    }
    print.say('done');
  } finally {
    progress.stop();
  }
}

const PHASES: Readonly<Record<PrunePhase, string>> = {
  snapshots: 'snapshots',
  unreferenced: 'unreferenced packs removed',
  repack: 'packs repacked',
  index: 'index files made anew',
  packs: 'packs removed',
};

function tellPlan(
  { print }: CommandContext,
  plan: { readonly [K in 'unreferenced' | 'repack' | 'remove']: readonly Id[] },
): void {
  const tell = (what: string, ids: readonly Id[]) => {
    if (ids.length > 0) print.more(`Would have ${what}:\n${ids.join('\n')}\n`);
  };
  tell('removed these packs that no index lists', plan.unreferenced);
  tell('repacked and removed these packs', plan.repack);
  tell('removed these packs that are used no more', plan.remove);
}

/** restic's account. */
function printStats({ print }: CommandContext, { blobs, bytes, packfiles }: PruneStats): void {
  const line = (title: string, count: number, size: number) =>
    `${`${title}:`.padEnd(13)} ${String(count).padStart(10)} blobs / ${formatBytes(size)}`;
  const packs = (title: string, count: number, what = 'packs') =>
    `${`${title}:`.padEnd(13)} ${String(count).padStart(10)} ${what}`;
  const waste = bytes.duplicate + bytes.unused;
  print.more(`\n${line('used', blobs.used, bytes.used)}`);
  if (blobs.duplicate > 0) print.more(line('duplicates', blobs.duplicate, bytes.duplicate));
  print.more(line('unused', blobs.unused, bytes.unused));
  if (bytes.unreferenced > 0) {
    print.more(`${'unreferenced:'.padEnd(13)}${' '.repeat(20)}${formatBytes(bytes.unreferenced)}`);
  }
  print.more(line('total', blobs.total, bytes.total));
  print.more(`unused size: ${formatPercent(waste, bytes.total)} of total size`);
  print.say(`\n${line('to repack', blobs.repack, bytes.repack)}`);
  print.say(line('this removes', blobs.repack_remove, bytes.repack_remove));
  print.say(line('to delete', blobs.remove, bytes.remove + bytes.unreferenced));
  print.say(line('total prune', blobs.remove_total, bytes.remove_total));
  if (bytes.uncompressed > 0) {
    print.say(`not yet compressed:${' '.repeat(14)}${formatBytes(bytes.uncompressed)}`);
  }
  print.say(line('remaining', blobs.remaining, bytes.remaining));
  const share = formatPercent(bytes.remaining_unused, bytes.remaining);
  print.say(`unused size after prune: ${formatBytes(bytes.remaining_unused)} (${share} of remaining size)\n`);
  print.more(packs('totally used', packfiles.used));
  print.more(packs('partly used', packfiles.partly_used));
  print.more(packs('unused', packfiles.unused));
  print.more(packs('to keep', packfiles.keep));
  print.more(packs('to repack', packfiles.repack));
  print.more(packs('to delete', packfiles.remove));
  if (packfiles.unreferenced > 0) {
    print.more(packs('to delete', packfiles.unreferenced, 'unreferenced packs'));
  }
}
