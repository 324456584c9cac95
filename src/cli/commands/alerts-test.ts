import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findChannel } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] channel',
  description:
    'Sends a message by a channel, to try it out, and says how that went. Ends with 1 where it failed.',
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const result = await withHost(context, flags, async ({ client }) => {
      const { id } = await findChannel(client, reference, signal);
      return client.alerts.testChannel({ id }, { signal });
    });
    if (globals.json) await json.write(result);
    else if (result.ok) print.result(printable(result.message));
    else print.problem(printable(result.message));
    return result.ok ? EXIT.ok : EXIT.fatal;
  },
});
