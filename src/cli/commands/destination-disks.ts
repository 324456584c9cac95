import { defineCommand } from '../command.ts';
import { diskTable } from '../disk-text.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: 'Lists the disks of a destination: which is plugged in, and when the others were seen last.',
  options: hostOptions,
  operands: { least: 1, most: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, clock, signal } = context;
    const { disks } = await withHost(context, flags, ({ client }) =>
      findDestination(client, reference, signal),
    );
    if (globals.json) return json.write(disks);
    if (disks.length === 0) return print.result('It lies on no disk that comes and goes.');
    for (const line of diskTable(disks, clock.now())) print.result(line);
  },
});
