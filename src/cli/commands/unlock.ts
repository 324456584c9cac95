import { currentHolder } from '../../operations/holder.ts';
import { removeLocks } from '../../repository/locks.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options.ts';
import { withRepository } from '../session.ts';
import { plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Removes locks that were left behind: older than half an hour, or of a process of this computer that no
longer runs.

With --remove-all every lock goes. Use it only when nothing else works with the repository: what a running backup
has not finished could be taken for garbage.`,
  options: { removeAll: flag('--remove-all', 'remove all locks, also those that may be in use') },
  async run(context, _operands, { removeAll }) {
    const removed = await withRepository(context, { lock: 'none' }, ({ repo, signal }) =>
      removeLocks(repo.files, { all: removeAll, holder: currentHolder(), clock: context.clock, signal }),
    );
    context.print.say(removed > 0 ? `Removed ${plural(removed, 'lock')}.` : 'There was no lock to remove.');
  },
});
