import { EngineError } from '../../api/errors.ts';
import type { Destination } from '../../api/model/destination.ts';
import type { Client } from '../../transport/client.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import {
  browserKind,
  type Entry,
  type LoginFlags,
  loginInFile,
  loginOptions,
  signInAtHost,
  typedLogin,
  withEntry,
} from '../storage-login.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: `Signs in at a destination again: in a browser for clouds, else with what --login-file holds or is typed. What the file
does not name stays as it was. Backups that waited for it go on.`,
  options: { ...hostOptions, ...loginOptions },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const changed = await withHost(context, flags, async ({ client }) => {
      const found = await findDestination(client, reference, signal);
      const entry = await entryFor(context, client, found, flags);
      return withEntry(context, found.location, entry, (tried) =>
        client.destinations.setLogin({ id: found.id, ...tried }, { signal }),
      );
    });
    if (globals.json) return json.write(changed);
    print.say(`The login of ${printable(changed.name)} is accepted.`);
  },
});

async function entryFor(
  context: CommandContext,
  client: Client,
  { name, kind }: Destination,
  flags: LoginFlags,
): Promise<Entry> {
  const inFile = await loginInFile(flags, context.signal);
  if (inFile) return { login: inFile };
  const cloud = browserKind(kind);
  if (cloud) return signInAtHost(context, client, cloud, flags);
  const typed = context.terminal.isInteractive ? await typedLogin(kind, context) : undefined;
  if (typed) return { login: typed };
  throw new EngineError('usage', `No login is given for “${name}”.`, { hint: 'Give it with --login-file.' });
}
