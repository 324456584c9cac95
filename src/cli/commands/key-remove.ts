import { findKey } from '../../operations/keys.ts';
import { removeKey } from '../../repository/keys.ts';
import { defineCommand } from '../command.ts';
import { withRepository } from '../session.ts';

export const command = defineCommand({
  usage: '[flags] id',
  description: 'Removes a key, so that its password opens the repository no more. The key in use now stays.',
  options: {},
  operands: { least: 1, most: 1 },
  async run(context, [prefix = '']) {
    await withRepository(context, { lock: 'exclusive', mustLock: true }, async ({ repo, signal }) => {
      const id = await findKey(repo, prefix, { signal });
      await removeKey(repo.backend, id, repo.key.id, { signal });
      context.print.say(`removed key ${id}`);
    });
  },
});
