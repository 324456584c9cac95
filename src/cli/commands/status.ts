import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { statusText } from '../status-text.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Says whether everything is protected, and if not, why and what to do. Ends with 0 where the answer could be given,
whatever it is; scripts read verdict.state of --json.`,
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const facts = await withHost(context, flags, async ({ client, own }) => {
      const status = await client.system.status(undefined, { signal });
      if (globals.json) return { status, plans: [], own, names: new Map<string, string>(), runs: [] };
      const [plans, destinations, under] = await Promise.all([
        client.plans.list(undefined, { signal }),
        client.destinations.list(undefined, { signal }),
        client.runs.list({ states: ['running', 'queued'] }, { signal }),
      ]);
      const named = [...plans.map(({ plan }) => plan), ...destinations];
      const names = new Map(named.map(({ id, name }) => [id, name]));
      return { status, plans, own, names, runs: under };
    });
    if (globals.json) return json.write(facts.status);
    for (const line of statusText({ ...facts, now: clock.now() })) print.result(line);
  },
});
