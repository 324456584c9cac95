/** Writes docs/commands.md from the program's own help: `node scripts/command-docs.ts`. A test compares the two. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Entry, Registry } from '../src/cli/command.ts';
import { commandHelp, groupHelp, rootHelp } from '../src/cli/help.ts';
import { registry } from '../src/cli/registry.ts';

const FILE = path.join(import.meta.dirname, '..', 'docs', 'commands.md');

const INTRODUCTION = `# Commands

<!-- Made by scripts/command-docs.ts from the program's own help. Change the help there, then run it again. -->

The commands have the names, flags, JSON output and exit codes of restic, wherever restic has them, so existing scripts
keep working. \`holdfast help COMMAND\` prints the same text as below. Errors are explained in [errors.md](errors.md).
`;

/** The whole page. */
export async function commandDocs(entries: Registry): Promise<string> {
  const parts = [
    INTRODUCTION,
    block('## All commands and the flags that each of them takes', rootHelp(entries)),
  ];
  for (const [name, entry] of shown(entries)) parts.push(await section([name], entry));
  return `${parts.join('\n').trimEnd()}\n`;
}

async function section(words: readonly string[], entry: Entry): Promise<string> {
  const heading = `${'#'.repeat(words.length + 1)} ${words.join(' ')}`;
  if (entry.kind === 'command')
    return block(heading, ownHelp(commandHelp(words, (await entry.load()).command)));
  const below = await Promise.all(shown(entry.entries).map(([name, e]) => section([...words, name], e)));
  return [block(heading, groupHelp(words, entry)), ...below].join('\n');
}

/** Without what is the same for every command. */
function ownHelp(help: string): string {
  return help.split('\n\nGlobal flags:')[0] ?? help;
}

function shown(entries: Registry): readonly (readonly [string, Entry])[] {
  return Object.entries(entries).filter(([, entry]) => entry.hidden !== true);
}

function block(heading: string, text: string): string {
  return `${heading}\n\n\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

if (import.meta.main) await writeFile(FILE, await commandDocs(registry));
