import { EngineError } from '../../api/errors.ts';
import { openInBrowser } from '../browser.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { dataFolder, hostOptions } from '../host-client.ts';
import { flag, parseInteger, text, value } from '../options.ts';
import { readNewPassword, readPassword } from '../password.ts';

export const command = defineCommand({
  usage: '[flags]',
  description: `Runs Holdfast without a window: plans run by their schedules, and a browser can show and change everything. It prints
an address that signs a browser in once, and stays until it is stopped (Ctrl-C, SIGTERM); a backup that is under way ends
safely first. A second signal stops at once.

To be reached from other computers it needs a password: \`holdfast serve --set-password\` asks for one, keeps it and ends.
HOLDFAST_WEB_PASSWORD_FILE names a file that holds it; it is read at each start.`,
  options: {
    ...hostOptions,
    listen: text('--host address', 'name or address to listen at', '127.0.0.1'),
    port: value('--port number', 'port to listen at, 0 for any that is free', parsePort, 8484),
    open: flag('--open', 'open it in the browser'),
    setPassword: flag('--set-password', 'ask for the password for use beyond this machine, and end'),
  },
  async run(context, _operands, flags) {
    const { hosting, globals, json, print, signal } = context;
    const dataDir = dataFolder(context, flags);
    const open = { dataDir, warn: print.problem };
    if (flags.setPassword) {
      await hosting.setWebPassword(open, await newWebPassword(context));
      return print.say('The password is set.');
    }
    const password = await configuredPassword(context);
    const serving = await hosting.serve({ ...open, host: flags.listen, port: flags.port, password });
    try {
      if (globals.json) await json.write({ url: serving.url });
      else print.result(`Holdfast is ready at ${serving.url}`);
      await using browser = flags.open ? await openInBrowser(serving.url, dataDir, print) : undefined;
      void browser;
      await aborted(signal);
    } finally {
      await serving.close();
    }
    return EXIT.ok;
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function fileAccess(context: CommandContext) {
  const passwordFile = context.env.HOLDFAST_WEB_PASSWORD_FILE || undefined;
  return { password: undefined, passwordFile, passwordCommand: undefined, insecureNoPassword: false };
}

async function configuredPassword(context: CommandContext): Promise<string | undefined> {
  const access = fileAccess(context);
  if (access.passwordFile === undefined) return undefined;
  return longEnough(await readPassword(access, context));
}

async function newWebPassword(context: CommandContext): Promise<string> {
  return longEnough(await readNewPassword(fileAccess(context), context, 'Password for the browser: '));
}

const SHORTEST = 8;

function longEnough(password: string): string {
  if (password.length >= SHORTEST) return password;
  throw new EngineError('usage', `The password for the browser needs at least ${SHORTEST} characters.`);
}

function parsePort(given: string): number {
  const port = parseInteger(given, 0);
  if (port > 65_535)
    throw new EngineError('usage', `${given} is not a port`, { hint: 'Ports end at 65535.' });
  return port;
}
