/** What `npm start` shows: the way to the first backup. */
import { homedir } from 'node:os';
import path from 'node:path';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';

const WINDOW =
  'The Holdfast window arrives in a later version; until then everything works from this command line.';

export const command = defineCommand({
  usage: '[flags]',
  description: 'Says how to make the first backup and, at a terminal, asks which folder it should be.',
  options: {},
  async run(context) {
    const where = (await context.location()) ?? (await defaultLocation(context));
    return where === undefined ? firstBackup(context) : nextSteps(where, context);
  },
});

async function defaultLocation(context: CommandContext): Promise<string | undefined> {
  const host = await context.host();
  return (await host.findDefaultRepository(context.signal))?.location;
}

function nextSteps(where: string, { print }: CommandContext): void {
  print.result(`Holdfast is set up with the repository ${withoutSecret(where)}.

  npx holdfast backup <folder>     back up a folder
  npx holdfast snapshots           see what is backed up
  npx holdfast restore latest --target <folder>
                                   get it back

${WINDOW}`);
}

async function firstBackup(context: CommandContext): Promise<ExitCode | undefined> {
  const { print, signal, terminal } = context;
  print.result(`Welcome to Holdfast. Your first backup is one command away:

  npx holdfast backup <folder>

It is kept in Holdfast's own data folder until you choose another place with --repo.
${WINDOW}`);
  if (!terminal.isInteractive) return undefined;
  const answer = await terminal.input.readLine(
    '\nWhich folder do you want to back up? (Enter for none) ',
    signal,
  );
  const folder = (answer ?? '').trim();
  return folder === '' ? undefined : context.invoke(['backup', '--', absolute(folder)]);
}

/** What people type at a prompt has met no shell: `~` is still theirs to use. */
function absolute(folder: string): string {
  return path.resolve(folder.replace(/^~(?=$|[/\\])/, () => homedir()));
}

/** A location may hold a password: `rest:https://user:secret@host/`. */
function withoutSecret(location: string): string {
  return location.replace(/(:\/\/[^/@:]*):[^/@]*@/, '$1:***@');
}
