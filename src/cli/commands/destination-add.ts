import process from 'node:process';
import { EngineError, isEngineError, needsSignIn } from '../../api/errors.ts';
import type { NewDestination } from '../../api/model/destination.ts';
import type { Client } from '../../transport/client.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { absoluteLocation, changedDestination, destinationOptions } from '../destination-flags.ts';
import { recoveryKeyLines } from '../destination-text.ts';
import { hostOptions, withHost } from '../host-client.ts';
import { flag } from '../options.ts';
import { isPrompted, PROMPT_TRIES, readPassword } from '../password.ts';
import { SHORT_ID } from '../reference.ts';
import {
  browserKind,
  type Entry,
  kindOf,
  type LoginFlags,
  loginInFile,
  loginOptions,
  signInAtHost,
  withEntry,
} from '../storage-login.ts';
import { printable } from '../text-width.ts';
import { plural } from '../units.ts';

export const command = defineCommand({
  usage: '[flags] name location',
  description: `Adds a place for backups: a folder, or kind:… as for --repo. A repository that is there is taken; else a new one is
made.

With --read-only, the repository of somebody else, or one on a medium that takes no writes, can be looked into and restored
from, and is otherwise left alone.

Settings of the storage are given with -o and kept with the destination. The login comes from --login-file, or by
--sign-in in a browser (gdrive:… and dropbox:…), or is asked for; it is kept among Holdfast's secrets.

The password comes from --password-file, --password-command or HOLDFAST_PASSWORD. Without one, a new repository gets a
random password that Holdfast keeps, and for a repository that is there it is asked for. The recovery key of a new
repository is printed once.`,
  options: {
    ...hostOptions,
    ...destinationOptions,
    ...loginOptions,
    signIn: flag('--sign-in', 'sign in to the cloud in a browser'),
    readOnly: flag('--read-only', 'only get files back from it: nothing is ever written there'),
  },
  operands: { least: 2 },
  async run(context, [name = '', place = ''], flags) {
    const { globals, json, print } = context;
    const location = absoluteLocation(place, process.cwd());
    const { readOnly, warnBelow } = flags;
    const changed = changedDestination(undefined, flags, { name, location });
    const options = Object.fromEntries(globals.storageOptions);
    const settings = { ...changed, options, readOnly, warnBelowBytes: warnBelow };
    const added = await withHost(context, flags, async ({ client }) => {
      const entry = await entryOf(context, client, location, flags);
      return withEntry(context, location, entry, (tried) => add(context, client, settings, tried));
    });
    if (globals.json) return json.write(added);
    const { destination, recoveryKey, restoredPlans } = added;
    print.say(`Added the destination ${printable(destination.name)} (${destination.id.slice(0, SHORT_ID)}).`);
    if (restoredPlans > 0) print.say(`${plural(restoredPlans, 'plan')} came back with it.`);
    if (recoveryKey !== null) for (const line of ['', ...recoveryKeyLines(recoveryKey)]) print.result(line);
  },
});

/** Errors: 'usage' for a sign-in where there is none, those of the file and of signing in. */
async function entryOf(
  context: CommandContext,
  client: Client,
  location: string,
  flags: LoginFlags & { readonly signIn: boolean },
): Promise<Entry> {
  const login = await loginInFile(flags, context.signal);
  if (!flags.signIn) return login ? { login } : {};
  const kind = browserKind(kindOf(location));
  if (kind && !login) return signInAtHost(context, client, kind, flags);
  throw new EngineError(
    'usage',
    kind ? 'Give either --login-file or --sign-in.' : `There is no sign-in for ${location}.`,
    {
      hint: '--sign-in is for gdrive: and dropbox:.',
    },
  );
}

async function add(context: CommandContext, client: Client, settings: NewDestination, entry: Entry) {
  const { signal, globals, terminal, print } = context;
  const io = { terminal, signal };
  const addWith = (password: string | undefined) =>
    client.destinations.add(
      { ...settings, ...entry, ...(password === undefined ? {} : { password }) },
      { signal },
    );
  if (globals.access.insecureNoPassword) {
    throw new EngineError('usage', 'A destination needs a password.', {
      hint: 'Leave out --insecure-no-password: without a password a random one is made.',
    });
  }
  if (isGiven(context)) return addWith(await readPassword(globals.access, io));
  // To find out whether a repository is there, a file is written: not where nothing may be.
  const isThere = () => settings.readOnly || isRepository(client, settings, entry, signal);
  if (!terminal.isInteractive || !(await isThere())) {
    return addWith(undefined);
  }
  for (let tries = PROMPT_TRIES; ; tries--) {
    try {
      return await addWith(
        await readPassword(globals.access, io, `Password of ${printable(settings.name)}: `),
      );
    } catch (e) {
      if (tries <= 1 || !isEngineError(e, 'wrong-password')) throw e;
      print.problem(`${e.message} Try again.`);
    }
  }
}

/** By a flag or a variable, so that nobody needs to be asked. */
function isGiven({ globals, terminal }: CommandContext): boolean {
  return !isPrompted(globals.access, { ...terminal, isInteractive: true });
}

async function isRepository(
  client: Client,
  { location, options }: NewDestination,
  entry: Entry,
  signal: AbortSignal,
): Promise<boolean> {
  const { repository, problem } = await client.destinations.test({ location, options, ...entry }, { signal });
  // Without being let in nobody can tell.
  if (needsSignIn(problem)) throw EngineError.fromWire(problem!);
  return repository;
}
