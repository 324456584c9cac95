import { channelTable } from '../alert-text.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists the channels: who is told, of what, and how it went the last time.',
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const all = await withHost(context, flags, ({ client }) => client.alerts.channels(undefined, { signal }));
    if (globals.json) return json.write(all);
    if (all.length === 0) {
      return print.result('There is no channel yet. `holdfast alerts add --help` says how to add one.');
    }
    for (const line of channelTable(all, clock.now())) print.result(line);
  },
});
