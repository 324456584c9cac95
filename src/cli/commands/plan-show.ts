import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { planLines } from '../plan-text.ts';
import { findPlan } from '../reference.ts';

export const command = defineCommand({
  usage: '[flags] plan',
  description: 'Shows all of a plan, which is named by its name or by the beginning of its id.',
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, clock, signal } = context;
    const [status, destinations] = await withHost(context, flags, ({ client }) =>
      Promise.all([findPlan(client, reference, signal), client.destinations.list(undefined, { signal })]),
    );
    if (globals.json) return json.write(status);
    for (const line of planLines(status, destinations, clock.now())) print.result(line);
  },
});
