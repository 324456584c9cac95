import { alertLines } from '../alert-text.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists what is wrong now and since when, and below it what is over.',
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const [alerts, channels] = await withHost(context, flags, ({ client }) =>
      Promise.all([client.alerts.list(undefined, { signal }), client.alerts.channels(undefined, { signal })]),
    );
    if (globals.json) return json.write(alerts);
    for (const line of alertLines(alerts, clock.now())) print.result(line);
    if (channels.length > 0) return;
    print.say('Nobody is told: there is no channel. `holdfast alerts add --help` says how to add one.');
  },
});
