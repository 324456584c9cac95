import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: 'Unmounts the disk of a destination, so that it can be unplugged.',
  options: hostOptions,
  operands: { least: 1, most: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const changed = await withHost(context, flags, async ({ client }) => {
      const { id } = await findDestination(client, reference, signal);
      return client.destinations.eject({ id }, { signal });
    });
    if (globals.json) return json.write(changed);
    print.say(`The disk of ${printable(changed.name)} can be unplugged now.`);
  },
});
