import type { Client } from '../../transport/client.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { list } from '../options.ts';
import { findNamed } from '../reference.ts';
import { carryOut, waitOptions } from '../run-follow.ts';

export const command = defineCommand({
  usage: '[flags] plan …',
  description: `Backs up now what plans say, and shows how far it is. Ctrl-C stops the backup.

Ends with 0 if all went well, 3 if some files could not be read, 130 if it was stopped, and otherwise with the code of
the first error. With --json it prints events, a line each: {"kind":"run",…} and {"kind":"progress",…}; the last ones hold
the reports.`,
  options: {
    ...hostOptions,
    ...waitOptions,
    destination: list('--destination name', 'back up to this destination only (can be given several times)'),
  },
  operands: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(context, references, flags) {
    const { signal } = context;
    return withHost(context, flags, async (reached) => {
      const { client } = reached;
      const plans = (await client.plans.list(undefined, { signal })).map(({ plan }) => plan);
      const ids = new Set(references.map((reference) => findNamed(plans, reference, 'plan').id));
      const to = await destinationsOf(client, flags.destination, signal);
      return carryOut(context, reached, flags, async () => {
        const started = [...ids].map((id) => client.plans.run({ id, ...to }, { signal }));
        return (await Promise.all(started)).flat();
      });
    });
  },
});

async function destinationsOf(
  client: Client,
  references: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly destinationIds?: string[] }> {
  if (references.length === 0) return {};
  const all = await client.destinations.list(undefined, { signal });
  return { destinationIds: references.map((reference) => findNamed(all, reference, 'destination').id) };
}
