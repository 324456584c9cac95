import { EngineError } from '../../api/errors.ts';
import { defineCommand } from '../command.ts';
import { flag, text } from '../options.ts';
import { pruneOptions, pruneRules, runPrune } from '../prune-run.ts';
import { withRepository } from '../session.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Removes the data that no snapshot needs any more.

Packs that hold nothing needed are removed; packs that hold some are repacked if much would stay unused otherwise.`,
  options: {
    ...pruneOptions,
    dryRun: flag('-n, --dry-run', 'only tell what would be done'),
    unsafeRecoverNoFreeSpace: text(
      '--unsafe-recover-no-free-space id',
      "for a disk that is full to the last byte; needs the repository's id. Try --max-repack-size 0 first: this one removes the index before it writes it anew",
    ),
  },
  async run(context, _operands, values) {
    const rules = pruneRules(values);
    const { dryRun, unsafeRecoverNoFreeSpace: named } = values;
    refuseNoLock(context.globals.noLock, dryRun, 'prune');
    await withRepository(context, { lock: 'exclusive', mustLock: !dryRun }, async (session) => {
      const { id } = session.repo;
      if (named !== undefined && named !== id) {
        throw new EngineError('usage', '--unsafe-recover-no-free-space needs the id of the repository.', {
          hint: `If you know what you do: its id is ${id}.`,
        });
      }
      await runPrune(context, session, rules, { dryRun, unsafeRecovery: named !== undefined });
    });
  },
});

/** What removes data must know that nobody else is at work. */
export function refuseNoLock(noLock: boolean, dryRun: boolean, name: string): void {
  if (!noLock || dryRun) return;
  throw new EngineError('usage', `\`${name}\` takes --no-lock only together with --dry-run.`);
}
