import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findPlan } from '../reference.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] plan',
  description: 'Removes a plan. Its versions stay where they are and can still be restored.',
  options: hostOptions,
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const plan = await withHost(context, flags, async ({ client }) => {
      const found = await findPlan(client, reference, signal);
      await client.plans.remove({ id: found.plan.id }, { signal });
      return found.plan;
    });
    if (globals.json) return json.write(plan);
    print.say(`Removed the plan ${printable(plan.name)}. Its versions stay where they are.`);
  },
});
