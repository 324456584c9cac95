import { EngineError } from '../../api/errors.ts';
import {
  applyIndexRepair,
  type IndexRepairPlan,
  type IndexRepairReport,
  needsIndexRepair,
  planIndexRepair,
  type Reread,
} from '../../operations/repair-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag } from '../options.ts';
import { countLine } from '../progress.ts';
import { withRepository } from '../session.ts';
import { plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Makes the index fit the packs that are there: packs that are in no index are added, those that are gone are
dropped, and index files that can't be read are replaced. The new index is written before the old one goes.`,
  options: {
    readAllPacks: flag('--read-all-packs', 'trust no index and read the header of every pack'),
  },
  async run(context, _operands, { readAllPacks }) {
    const report = await withRepository(context, { lock: 'exclusive', mustLock: true }, ({ repo, signal }) =>
      repairIndex(context, repo, { readAllPacks, signal }),
    );
    if (report.unread.length === 0) return;
    throw new EngineError('io', `${plural(report.unread.length, 'pack')} could not be read.`, {
      hint: 'What was known of them stays in the index. Run it again when the storage gives them.',
    });
  },
});

/** Plans, tells, applies and tells; `recover` begins with it as well. Errors: the operation's. */
export async function repairIndex(
  context: CommandContext,
  repo: Repository,
  o: { readonly readAllPacks: boolean; readonly signal: AbortSignal },
): Promise<IndexRepairReport> {
  const { print } = context;
  print.say('Comparing the index with the packs.');
  const plan = await planIndexRepair(repo, o);
  tellPlan(context, plan);
  let done = 0;
  const progress = context.startProgress({
    lines: (elapsed) =>
      plan.reread.length > 0 ? [countLine(elapsed, done, plan.reread.length, 'packs')] : [],
  });
  try {
    const report = await applyIndexRepair(repo, plan, {
      signal: o.signal,
      onPack: () => {
        done++;
      },
    });
    progress.stop();
    tellReport(context, report);
    return report;
  } finally {
    progress.stop();
  }
}

const REASONS = {
  unlisted: 'is in no index',
  size: 'has another size than its index says',
  contradicted: 'is described differently by several index files',
  asked: 'is read',
} as const satisfies Record<Reread['reason'], string>;

function tellPlan({ print }: CommandContext, plan: IndexRepairPlan): void {
  if (!needsIndexRepair(plan)) return print.say('The index fits the packs; there is nothing to repair.');
  for (const id of plan.damagedIndexes) print.say(`Index file ${id} can't be read and is replaced.`);
  for (const { pack, reason } of plan.reread) {
    (reason === 'asked' ? print.more : print.say)(`Pack ${pack} ${REASONS[reason]}.`);
  }
  for (const pack of plan.gone) print.say(`Pack ${pack} is gone and is dropped from the index.`);
  for (const pack of plan.listedTwice) print.more(`Pack ${pack} is listed by several index files.`);
}

function tellReport({ print }: CommandContext, report: IndexRepairReport): void {
  for (const pack of report.kept) {
    print.problem(`The header of pack ${pack} can't be read. What the index says of it stays.`);
  }
  if (report.kept.length > 0) {
    print.problem(`To save what is in them: holdfast repair packs ${report.kept.join(' ')}`);
  }
  for (const pack of report.unusable) {
    print.problem(`Pack ${pack} is in no index and its header can't be read: it can't be used.`);
  }
  for (const { pack, error } of report.unread) {
    print.problem(`Pack ${pack} could not be read: ${error.message}`);
  }
  const { written, removed } = report.indexFiles;
  print.say(`Wrote ${plural(written, 'index file')}, removed ${removed}.`);
}
