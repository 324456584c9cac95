import { changePassword } from '../../operations/keys.ts';
import { defineCommand } from '../command.ts';
import { newKeyIdentity, newKeyOptions, readNewKeyPassword } from '../new-key.ts';
import { withRepository } from '../session.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Changes the password: adds a new key, proves that it opens the repository, and removes the key that was used now.

Whoever had the old password and a copy of the repository's keys can still open that copy.`,
  options: newKeyOptions,
  async run(context, _operands, values) {
    await withRepository(context, { lock: 'exclusive', mustLock: true }, async ({ repo, signal }) => {
      const password = await readNewKeyPassword(context, values);
      const id = await changePassword(repo, password, { ...newKeyIdentity(values), signal });
      context.print.say(`saved new key as ${id}`);
    });
  },
});
