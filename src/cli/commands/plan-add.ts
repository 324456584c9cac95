import process from 'node:process';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { newPlan, planOptions } from '../plan-flags.ts';
import { describeRecurrence } from '../recurrence.ts';
import { findNamed, SHORT_ID } from '../reference.ts';
import { warnOfMissingSources } from '../source-check.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] name',
  description: `Makes a plan: what is backed up, where to, when, and how long it is kept.

Without a schedule it runs daily at 12:30, without --keep it keeps a balanced choice of versions. A destination is named by
its name or by the beginning of its id.

  holdfast plan add Documents --source ~/Documents --destination 'USB disk' --daily 18:00`,
  options: { ...hostOptions, ...planOptions },
  operands: { least: 1 },
  async run(context, [name = ''], flags, given) {
    const { globals, json, print, signal } = context;
    const plan = await withHost(context, flags, async ({ client }) => {
      const all = await client.destinations.list(undefined, { signal });
      const destinations = flags.destination.map((reference) => findNamed(all, reference, 'destination').id);
      const settings = newPlan({ flags, given }, { name, destinations, cwd: process.cwd() });
      await warnOfMissingSources(settings.sources, print);
      return client.plans.create(settings, { signal });
    });
    if (globals.json) return json.write(plan);
    const when = describeRecurrence(plan.schedule.when);
    print.say(`Made the plan ${printable(plan.name)} (${plan.id.slice(0, SHORT_ID)}): ${when}.`);
    print.say(`Start it now with \`holdfast plan run ${plan.id.slice(0, SHORT_ID)}\`.`);
  },
});
