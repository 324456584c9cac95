import process from 'node:process';
import { EngineError } from '../../api/errors.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { text } from '../options.ts';
import { changedPlan, planOptions } from '../plan-flags.ts';
import { findNamed, findPlan } from '../reference.ts';
import { warnOfMissingSources } from '../source-check.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] plan',
  description: `Changes a plan. Only what is given changes; a list that is given (sources, destinations, rules, hooks, tags)
takes the place of the one that was there, and an empty value empties it: --exclude ''. To switch it on again, say
--disable=false.`,
  options: { ...hostOptions, ...planOptions, name: text('--name name', 'a new name') },
  operands: { least: 1 },
  async run(context, [reference = ''], flags, given) {
    const { globals, json, print, signal } = context;
    const changes = Object.keys(planOptions).some((key) => given.has(key)) || given.has('name');
    if (!changes) {
      throw new EngineError('usage', 'Nothing is given that would change the plan.', {
        hint: '`holdfast help plan edit` lists what can be changed.',
      });
    }
    const plan = await withHost(context, flags, async ({ client }) => {
      const { plan: before } = await findPlan(client, reference, signal);
      const all = given.has('destination') ? await client.destinations.list(undefined, { signal }) : [];
      const destinations = given.has('destination')
        ? flags.destination.map((wanted) => findNamed(all, wanted, 'destination').id)
        : before.destinations;
      const parts = { name: flags.name ?? before.name, destinations, cwd: process.cwd() };
      const settings = changedPlan(before, { flags, given }, parts);
      if (given.has('source')) await warnOfMissingSources(settings.sources, print);
      return client.plans.update({ ...settings, id: before.id }, { signal });
    });
    if (globals.json) return json.write(plan);
    print.say(`Changed the plan ${printable(plan.name)}.`);
  },
});
