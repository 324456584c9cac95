import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { text } from '../options.ts';
import { findDestination } from '../reference.ts';
import { writeNewFile } from '../text-file.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags] destination',
  description: `Makes the recovery kit of a destination: a page (HTML) to print, with where the repository is and how to get everything
back. It holds the recovery key, so remove the file when it is printed.`,
  options: {
    ...hostOptions,
    output: text('--output file', 'write it to this new file (default: the standard output)'),
  },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const kit = await withHost(context, flags, async ({ client }) => {
      const { id } = await findDestination(client, reference, signal);
      return client.destinations.recoveryKit({ id }, { signal });
    });
    if (flags.output !== undefined) await writeNewFile(flags.output, kit.html);
    if (globals.json) return json.write(flags.output === undefined ? kit : { file: flags.output });
    if (flags.output === undefined) return print.result(kit.html);
    print.say(`The recovery kit is in ${printable(flags.output)}. Print it, then remove the file.`);
  },
});
