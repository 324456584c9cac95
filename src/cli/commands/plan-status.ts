import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { asleepLines } from '../pause.ts';
import { statusLines } from '../plan-text.ts';
import { findNamed } from '../reference.ts';

export const command = defineCommand({
  usage: '[flags] [plan …]',
  description: 'Says of plans, or of all, when each destination got its last backup, and what comes next.',
  options: hostOptions,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, references, flags) {
    const { globals, json, print, clock, signal } = context;
    const [plans, destinations, own] = await withHost(context, flags, ({ client, own: alone }) =>
      Promise.all([
        client.plans.list(undefined, { signal }),
        client.destinations.list(undefined, { signal }),
        alone,
      ]),
    );
    const all = plans.map(({ plan }) => plan);
    const wanted = new Set(references.map((reference) => findNamed(all, reference, 'plan').id));
    const shown = references.length === 0 ? plans : plans.filter(({ plan }) => wanted.has(plan.id));
    if (globals.json) return json.write(shown);
    if (shown.length === 0) return print.result('There is no plan yet.');
    for (const status of shown) {
      for (const line of statusLines(status, destinations, clock.now())) print.result(line);
    }
    for (const line of asleepLines(own, shown)) print.result(line);
  },
});
