import { currentHolder } from '../../operations/holder.ts';
import { removeLeftovers } from '../../operations/leftovers.ts';
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
has not finished could be taken for garbage.

In a repository on a disk, what killed backups left half written a week ago or earlier goes as well.`,
  options: { removeAll: flag('--remove-all', 'remove all locks, also those that may be in use') },
  async run(context, _operands, { removeAll }) {
    const { print, clock } = context;
    await withRepository(context, { lock: 'none' }, async ({ repo, signal }) => {
      const o = { all: removeAll, holder: currentHolder(), clock, signal };
      const locks = await removeLocks(repo.files, o);
      print.say(locks > 0 ? `Removed ${plural(locks, 'lock')}.` : 'There was no lock to remove.');
      // Others may be at work, so that only what is a week old is surely nobody's.
      const files = await removeLeftovers(repo.backend, { signal, now: clock.now() });
      if (files > 0) print.say(`Removed ${plural(files, 'file')} that killed writers had left behind.`);
    });
  },
});
