import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findRun } from '../reference.ts';
import { isEnded, runTitle } from '../run-text.ts';

export const command = defineCommand({
  usage: '[flags] run',
  description: 'Stops a run that waits or is under way. It ends as soon as it safely can.',
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const run = await withHost(context, flags, async ({ client }) => {
      const { id } = await findRun(client, reference, signal);
      return client.runs.cancel({ id }, { signal });
    });
    if (globals.json) return json.write(run);
    print.say(isEnded(run) ? `${runTitle(run)} has ended.` : `${runTitle(run)} is being stopped.`);
  },
});
