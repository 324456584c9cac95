import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findChannel } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] channel',
  description: 'Removes a channel, and its password or access token with it.',
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const channel = await withHost(context, flags, async ({ client }) => {
      const found = await findChannel(client, reference, signal);
      await client.alerts.removeChannel({ id: found.id }, { signal });
      return found;
    });
    if (globals.json) return json.write(channel);
    print.say(`Removed the channel ${printable(channel.name)}.`);
  },
});
