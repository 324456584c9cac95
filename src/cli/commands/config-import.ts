import { EngineError } from '../../api/errors.ts';
import type { Login } from '../../api/model/destination.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { values } from '../options.ts';
import { readPassword } from '../password.ts';
import { loginInFile } from '../storage-login.ts';
import { decodeText, readTextFile } from '../text-file.ts';
import { plural } from '../units.ts';

interface NamedFile {
  readonly name: string;
  readonly file: string;
}

/** As much as the host takes. */
const MOST_BYTES = 4_000_000;

export const command = defineCommand({
  usage: '[flags] file',
  description: `Takes over plans, destinations, channels and settings from a file that \`config export\` made, or from the standard input
for "-". What has the name of something that is there changes it, all else is new; nothing is removed. If anything in the
file is wrong, nothing is changed.

A destination that is new here needs its password: --destination-password-file 'USB disk=usb.txt', and one on a server or in
a cloud its login: --destination-login-file 'Server=login.json'.`,
  options: {
    ...hostOptions,
    destinationPasswordFile: values(
      '--destination-password-file name=file',
      'file with the password of a new destination (can be given several times)',
      (given) => [parseNamedFile(given)],
    ),
    destinationLoginFile: values(
      '--destination-login-file name=file',
      'JSON file with the login of a new destination (can be given several times)',
      (given) => [parseNamedFile(given)],
    ),
  },
  operands: { least: 1 },
  async run(context, [file = ''], flags) {
    const { globals, json, print, signal } = context;
    const yaml = file === '-' ? await readInput(context) : await readTextFile(file, signal);
    const passwords: Record<string, string> = Object.fromEntries(
      await Promise.all(
        flags.destinationPasswordFile.map(
          async (named) => [named.name, await passwordIn(context, named)] as const,
        ),
      ),
    );
    const logins: Record<string, Login> = {};
    for (const { name, file: loginFile } of flags.destinationLoginFile) {
      logins[name] = (await loginInFile({ loginFile }, signal)) ?? {};
    }
    const counts = await withHost(context, flags, ({ client }) =>
      client.config.import({ yaml, passwords, logins }, { signal }),
    );
    if (globals.json) return json.write(counts);
    print.say(`Added ${plural(counts.created, 'item')}, changed ${plural(counts.updated, 'item')}.`);
  },
});

function parseNamedFile(text: string): NamedFile {
  // A name may hold an equals sign, a file hardly ever does.
  const equals = text.lastIndexOf('=');
  if (equals < 1 || equals === text.length - 1) {
    throw new EngineError('usage', `"${text}" is not a name and a file`, {
      hint: "Write 'name of the destination=file'.",
    });
  }
  return { name: text.slice(0, equals), file: text.slice(equals + 1) };
}

function passwordIn({ terminal, signal }: CommandContext, { file }: NamedFile): Promise<string> {
  const access = {
    password: undefined,
    passwordFile: file,
    passwordCommand: undefined,
    insecureNoPassword: false,
  };
  return readPassword(access, { terminal, signal });
}

async function readInput({ terminal, signal }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of terminal.input.raw) {
    signal.throwIfAborted();
    const part = Buffer.from(chunk);
    chunks.push(part);
    bytes += part.length;
    if (bytes > MOST_BYTES)
      throw new EngineError('usage', 'The standard input is too long for a configuration.');
  }
  return decodeText(Buffer.concat(chunks));
}
