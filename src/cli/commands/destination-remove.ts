import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: `Forgets a destination that no plan uses. The repository with all its versions stays where it is; make sure that you
have its password or its recovery key.`,
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const removed = await withHost(context, flags, async ({ client }) => {
      const found = await findDestination(client, reference, signal);
      await client.destinations.remove({ id: found.id }, { signal });
      return found;
    });
    if (globals.json) return json.write(removed);
    print.say(
      `Forgot the destination ${printable(removed.name)}. The repository stays at ${printable(removed.location)}.`,
    );
  },
});
