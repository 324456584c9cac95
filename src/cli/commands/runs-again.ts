import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findRun } from '../reference.ts';
import { carryOut, waitOptions } from '../run-follow.ts';

export const command = defineCommand({
  usage: '[flags] run',
  description: 'Does again what a run did, and shows how far it is.',
  options: { ...hostOptions, ...waitOptions },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { signal } = context;
    return withHost(context, flags, async (reached) => {
      const { id } = await findRun(reached.client, reference, signal);
      return carryOut(context, reached, flags, async () => [
        await reached.client.runs.again({ id }, { signal }),
      ]);
    });
  },
});
