import { EngineError } from '../../api/errors.ts';
import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { parseInteger, value } from '../options.ts';
import { findDestination } from '../reference.ts';
import { carryOut, waitOptions } from '../run-follow.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: `Checks that all versions at a destination are whole. It reads the next share of the data, as large as the destination's
maintenance says, or as much as --percent says.`,
  options: {
    ...hostOptions,
    ...waitOptions,
    percent: value('--percent n', 'how much of the data to read, from 0 to 100', parsePercent),
  },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { signal } = context;
    return withHost(context, flags, async (reached) => {
      const { id } = await findDestination(reached.client, reference, signal);
      const percent = flags.percent ?? null;
      return carryOut(context, reached, flags, async () => [
        await reached.client.destinations.check({ id, percent }, { signal }),
      ]);
    });
  },
});

function parsePercent(text: string): number {
  const percent = parseInteger(text.replace(/%$/, ''), 0);
  if (percent > 100) throw new EngineError('usage', `${text} is more than all of it`);
  return percent;
}
