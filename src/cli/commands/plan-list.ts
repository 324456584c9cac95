import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { asleepLines } from '../pause.ts';
import { planTable } from '../plan-text.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists the plans: what is backed up where, when it last was, and when it will be.',
  options: hostOptions,
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const [plans, destinations, own] = await withHost(context, flags, ({ client, own: alone }) =>
      Promise.all([
        client.plans.list(undefined, { signal }),
        client.destinations.list(undefined, { signal }),
        alone,
      ]),
    );
    if (globals.json) return json.write(plans);
    if (plans.length === 0) {
      return print.result('There is no plan yet. `holdfast plan add --help` says how to make one.');
    }
    for (const line of planTable(plans, destinations, clock.now())) print.result(line);
    for (const line of asleepLines(own, plans)) print.result(line);
  },
});
