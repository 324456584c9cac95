import { defineCommand } from '../command.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { text } from '../options.ts';
import { writeNewFile } from '../text-file.ts';
import { printable } from '../text-width.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Prints plans, destinations, channels and settings as YAML, for another computer or to keep. Passwords and tokens are not
part of it.`,
  options: {
    ...hostOptions,
    output: text('--output file', 'write it to this new file (default: the standard output)'),
  },
  async run(context, _operands, flags) {
    const { globals, json, print, signal } = context;
    const config = await withHost(context, flags, ({ client }) =>
      client.config.export(undefined, { signal }),
    );
    if (flags.output !== undefined) await writeNewFile(flags.output, config.yaml);
    if (globals.json) return json.write(flags.output === undefined ? config : { file: flags.output });
    if (flags.output === undefined) return print.result(config.yaml);
    print.say(`The configuration is in ${printable(flags.output)}.`);
  },
});
