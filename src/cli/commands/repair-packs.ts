import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EngineError, messageOf } from '../../api/errors.ts';
import { type Id, isId } from '../../format/types.ts';
import { type PacksRepairReport, repairPacks } from '../../operations/repair-packs.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { countLine } from '../progress.ts';
import { withRepository } from '../session.ts';
import { plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] packID …',
  description: `Saves what is still good in damaged packs: every blob that opens goes into a new pack, then the damaged
packs are removed. "check" names the packs. A copy of each is left in the current folder as pack-ID.

Afterwards "repair snapshots --forget" removes what was lost from the snapshots; a backup before that may bring
some of it back.`,
  options: {},
  operands: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(context, operands) {
    const ids = parsePackIds(operands);
    await withRepository(context, { lock: 'exclusive', mustLock: true }, async ({ repo, signal }) => {
      // A part of the index would not do: its packs could not be told from lost ones.
      const indexed = await repo.loadIndex({ signal });
      let done = 0;
      const progress = context.startProgress({
        lines: (elapsed) => [countLine(elapsed, done, ids.length, 'packs')],
      });
      try {
        const onPack = () => {
          done++;
        };
        const report = await repairPacks(indexed, ids, { saveCopy, onPack, signal });
        progress.stop();
        tell(context, report);
      } finally {
        progress.stop();
      }
    });
  },
});

/** Error: 'usage' for what is no whole id. */
function parsePackIds(words: readonly string[]): Id[] {
  const wrong = words.find((word) => !isId(word));
  if (wrong !== undefined) {
    throw new EngineError('usage', `"${wrong}" is not the id of a pack.`, {
      hint: 'Give whole ids, 64 hexadecimal digits, as "check" prints them.',
    });
  }
  return [...new Set(words.filter(isId))];
}

async function saveCopy(pack: Id, content: Uint8Array): Promise<void> {
  const name = path.resolve(`pack-${pack}`);
  try {
    await writeFile(name, content, { flag: 'wx' });
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const message = exists
      ? `There is already a file ${name}.`
      : `The copy ${name} can't be written: ${messageOf(cause)}`;
    const hint = 'Nothing was changed. Run it in another folder.';
    throw new EngineError(exists ? 'conflict' : 'io', message, { hint }, { cause });
  }
}

function tell({ print }: CommandContext, report: PacksRepairReport): void {
  for (const pack of report.withoutCopy)
    print.problem(`Pack ${pack} could not be read, so there is no copy.`);
  for (const pack of report.unknown) print.problem(`Nothing tells what was in pack ${pack}.`);
  for (const { pack, type, blob, elsewhere } of report.lost) {
    const note = elsewhere ? '; another pack has it' : '';
    print.problem(`The ${type} blob ${blob} of pack ${pack} can't be saved${note}.`);
  }
  for (const pack of report.leftover) print.problem(`Pack ${pack} could not be removed; "prune" does it.`);
  const { salvaged, removed } = report;
  print.say(`Saved ${plural(salvaged, 'blob')}; removed ${plural(removed.length, 'damaged pack')}.`);
  if (report.lost.some(({ elsewhere }) => !elsewhere)) {
    print.problem('`holdfast repair snapshots --forget` removes what is lost from the snapshots.');
  }
}
