import path from 'node:path';
import { defineCommand } from '../command.ts';
import { diskTable } from '../disk-text.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination folder',
  description: `Makes a further disk part of a destination: a set of disks of which any one may be plugged in.

The folder lies on that disk. A repository is made there, with the password and the recovery key of the others, or the
one that is there is taken.`,
  options: hostOptions,
  operands: { least: 2, most: 2 },
  async run(context, [reference = '', folder = ''], flags) {
    const { globals, json, print, clock, signal } = context;
    const changed = await withHost(context, flags, async ({ client }) => {
      const { id } = await findDestination(client, reference, signal);
      return client.destinations.addDisk({ id, path: path.resolve(folder) }, { signal });
    });
    if (globals.json) return json.write(changed);
    print.say(`${printable(changed.name)} is on these disks now:`);
    for (const line of diskTable(changed.disks, clock.now())) print.result(line);
  },
});
