import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { findDestination } from '../reference.ts';
import { carryOut, waitOptions } from '../run-follow.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: 'Forgets at a destination the versions that its plans let go, and frees their space.',
  options: { ...hostOptions, ...waitOptions },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { signal } = context;
    return withHost(context, flags, async (reached) => {
      const { id } = await findDestination(reached.client, reference, signal);
      return carryOut(context, reached, flags, async () => [
        await reached.client.destinations.cleanUp({ id }, { signal }),
      ]);
    });
  },
});
