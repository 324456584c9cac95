import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { asleepLines } from '../pause.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Ends a pause: plans start by their schedules again, and what was missed is made up for.',
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, signal } = context;
    const found = await withHost(context, flags, async ({ client, own }) => {
      const before = await client.system.status(undefined, { signal });
      const status = await client.system.resume(undefined, { signal });
      const plans = globals.json ? [] : await client.plans.list(undefined, { signal });
      return { wasPaused: before.pause !== null, status, asleep: asleepLines(own, plans) };
    });
    if (globals.json) return json.write(found.status);
    print.say(found.wasPaused ? 'The pause is over.' : 'There was no pause.');
    for (const line of found.asleep) print.say(line);
  },
});
