import { defineCommand } from '../command.ts';
import { destinationTable } from '../destination-text.ts';
import { hostOptions, withHost } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists the destinations: where they are, how full they are, and when they were last checked.',
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const all = await withHost(context, flags, ({ client }) =>
      client.destinations.list(undefined, { signal }),
    );
    if (globals.json) return json.write(all);
    if (all.length === 0) {
      return print.result(
        'There is no destination yet. `holdfast destination add --help` says how to add one.',
      );
    }
    for (const line of destinationTable(all, clock.now())) print.result(line);
  },
});
