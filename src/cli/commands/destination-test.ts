import process from 'node:process';
import { EngineError, isEngineError } from '../../api/errors.ts';
import type { Destination } from '../../api/model/destination.ts';
import type { Client } from '../../transport/client.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { absoluteLocation } from '../destination-flags.ts';
import { testLines } from '../destination-text.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { isPrompted, readPassword } from '../password.ts';
import { findNamed } from '../reference.ts';
import { loginInFile, loginOptions } from '../storage-login.ts';

export const command = defineCommand({
  usage: '[flags] destination-or-location',
  description: `Tries out a place for backups: whether it answers, whether there is a repository, whether files can be written.
Nothing stays there. A password from the usual flags is tried as well.`,
  options: { ...hostOptions, loginFile: loginOptions.loginFile },
  operands: { least: 1 },
  async run(context, [reference = ''], flags) {
    const { globals, json, print, signal } = context;
    const found = await withHost(context, flags, async ({ client }) => {
      const known = await knownOne(client, reference, signal);
      const login = await loginInFile(flags, signal);
      const password = await passwordOf(context);
      // By its own login and password, unless others are to be tried.
      if (known && !login && password.password === undefined)
        return client.destinations.retest({ id: known.id }, { signal });
      const location = known?.location ?? absoluteLocation(reference, process.cwd());
      const options = { ...known?.options, ...Object.fromEntries(globals.storageOptions) };
      return client.destinations.test(
        { location, options, ...(login ? { login } : {}), ...password },
        { signal },
      );
    });
    const problem = found.problem === null ? undefined : EngineError.fromWire(found.problem);
    if (globals.json) await json.write(found);
    else for (const line of testLines(found)) print.result(line);
    if (problem === undefined) return EXIT.ok;
    if (!globals.json) print.problem([problem.message, ...(problem.hint ? [problem.hint] : [])].join('\n'));
    return exitCodeOf(problem);
  },
});

async function knownOne(
  client: Client,
  reference: string,
  signal: AbortSignal,
): Promise<Destination | undefined> {
  try {
    return findNamed(await client.destinations.list(undefined, { signal }), reference, 'destination');
  } catch (e) {
    if (!isEngineError(e, 'not-found')) throw e;
    return undefined;
  }
}

/** Only what a flag or a variable says; nobody is asked. */
async function passwordOf(context: CommandContext): Promise<{ readonly password?: string }> {
  const { globals, terminal, signal } = context;
  if (globals.access.insecureNoPassword || isPrompted(globals.access, { ...terminal, isInteractive: true })) {
    return {};
  }
  return { password: await readPassword(globals.access, { terminal, signal }) };
}
