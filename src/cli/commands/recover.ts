import { identity } from '../../fs/platform.ts';
import { recover } from '../../operations/recover.ts';
import { defineCommand } from '../command.ts';
import { countLine } from '../progress.ts';
import { withRepository } from '../session.ts';
import { plural } from '../units.ts';
import { VERSION } from '../version.ts';
import { repairIndex } from './repair-index.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Makes a snapshot of all folders that are in the repository and in no snapshot. It brings back what was
forgotten by mistake, as long as no prune has removed it.`,
  options: {},
  async run(context) {
    const { print } = context;
    await withRepository(context, { lock: 'exclusive', mustLock: true }, async ({ repo, signal }) => {
      await repairIndex(context, repo, { readAllPacks: false, signal });
      const indexed = await repo.loadIndex({ signal });
      const counts = { done: 0, total: 0 };
      const progress = context.startProgress({
        lines: (elapsed) => [countLine(elapsed, counts.done, counts.total, 'folders')],
      });
      try {
        const { roots, snapshotId } = await recover(indexed, {
          ...identity(),
          programVersion: `holdfast ${VERSION}`,
          clock: context.clock,
          signal,
          onTrees: (total) => {
            counts.total = total;
          },
          onTree: () => {
            counts.done++;
          },
          onDamagedTree: (id) => print.problem(`Tree ${id} can't be read and is left out.`),
          onDamagedSnapshot: (id) => print.problem(`Snapshot ${id} can't be read.`),
        });
        progress.stop();
        print.say(`Found ${plural(roots.length, 'folder')} that no snapshot has.`);
        if (snapshotId) print.say(`Saved as snapshot ${snapshotId.slice(0, 8)}.`);
        else print.say('There is nothing to recover.');
      } finally {
        progress.stop();
      }
    });
  },
});
