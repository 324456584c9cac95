import { RUN_KINDS, RUN_STATES, type RunKind } from '../../api/model/run.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { integer, parseChoice, text, values } from '../options.ts';
import { findDestination, findPlan } from '../reference.ts';
import { runTable } from '../run-text.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Lists what was done and what is being done, the newest first.',
  options: {
    ...hostOptions,
    kind: values('--kind kinds', `only these kinds: ${RUN_KINDS.join(', ')}`, (given) =>
      given.split(',').map((word): RunKind => parseChoice(word, RUN_KINDS)),
    ),
    state: values('--state states', `only in these states: ${RUN_STATES.join(', ')}`, (given) =>
      given.split(',').map((word) => parseChoice(word, RUN_STATES)),
    ),
    plan: text('--plan name', 'only of this plan'),
    destination: text('--destination name', 'only at this destination'),
    limit: integer('--limit n', 'at most so many', 50, 1),
  },
  async run(context, _operands, flags) {
    const { globals, json, print, clock, signal } = context;
    const runs = await withHost(context, flags, async ({ client }) => {
      const { plan, destination } = flags;
      return client.runs.list(
        {
          limit: Math.min(flags.limit, 500),
          ...(flags.kind.length === 0 ? {} : { kinds: [...flags.kind] }),
          ...(flags.state.length === 0 ? {} : { states: [...flags.state] }),
          ...(plan === undefined ? {} : { planId: (await findPlan(client, plan, signal)).plan.id }),
          ...(destination === undefined
            ? {}
            : { destinationId: (await findDestination(client, destination, signal)).id }),
        },
        { signal },
      );
    });
    if (globals.json) return json.write(runs);
    if (runs.length === 0) return print.result('There are no such runs.');
    for (const line of runTable(runs, clock.now())) print.result(line);
  },
});
