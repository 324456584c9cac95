import { addKey } from '../../repository/keys.ts';
import { defineCommand } from '../command.ts';
import { newKeyIdentity, newKeyOptions, readNewKeyPassword } from '../new-key.ts';
import { withRepository } from '../session.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Adds a password: a new key that opens the repository as well.',
  options: newKeyOptions,
  async run(context, _operands, values) {
    await withRepository(context, { lock: 'shared', mustLock: true }, async ({ repo, signal }) => {
      const password = await readNewKeyPassword(context, values);
      const id = await addKey(repo.backend, repo.key.master, password, { ...newKeyIdentity(values), signal });
      context.print.say(`saved new key with ID ${id}`);
    });
  },
});
