import { addChannel } from '../channel-add.ts';
import { channelAddress, monitorOptions } from '../channel-flags.ts';
import { defineCommand } from '../command.ts';
import { hostOptions } from '../host-client.ts';
import { findPlan } from '../reference.ts';

export const command = defineCommand({
  usage: '[flags] name address',
  description: `Tells a monitor elsewhere (healthchecks.io and its like) of each backup's start and end, so that it raises the alarm
when nothing comes any more, be it that this computer is gone.`,
  options: { ...hostOptions, ...monitorOptions },
  operands: { least: 2 },
  run: (context, [name = '', address = ''], flags) =>
    addChannel(context, flags, {
      name,
      async target(client) {
        const url = channelAddress(address);
        const plan = flags.plan === undefined ? null : await findPlan(client, flags.plan, context.signal);
        return { kind: 'monitor', url, planId: plan?.plan.id ?? null };
      },
      secretFile: flags.secretFile,
    }),
});
