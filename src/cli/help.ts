/** Help texts, made from the registry and the flags themselves. */
import type { Command, GroupEntry, Registry } from './command.ts';
import { globalOptions } from './globals.ts';
import type { AnyOption, OptionSet } from './options.ts';
import { flag } from './options.ts';
import { displayWidth, padEnd } from './text-width.ts';

/** `-h` belongs to every command. */
export const helpOption = { help: flag('-h, --help', 'print this help') };

const PROGRAM = 'holdfast';
const WIDTH = 100;

export function rootHelp(registry: Registry): string {
  return paragraphs([
    'Holdfast makes backups that you can always get back. Its repositories are in the restic format.',
    section('Usage:', [`  ${PROGRAM} command [flags] [operands]`]),
    section('Commands:', commandLines(registry)),
    section('Flags:', flagLines({ ...globalOptions, ...helpOption })),
    ENVIRONMENT,
    `Use "${PROGRAM} command --help" for more about a command.`,
  ]);
}

const ENVIRONMENT = `Most flags have a variable as well, with the prefix HOLDFAST_ or RESTIC_: REPOSITORY,
REPOSITORY_FILE, PASSWORD, PASSWORD_FILE, PASSWORD_COMMAND, KEY_HINT, CACHE_DIR, COMPRESSION,
PACK_SIZE, READ_CONCURRENCY, PROGRESS_FPS, HOST.`;

/** `path` is the words that lead to the group: ['key']. */
export function groupHelp(path: readonly string[], { summary, entries, usual }: GroupEntry): string {
  const name = [PROGRAM, ...path].join(' ');
  return paragraphs([
    summary,
    section('Usage:', [`  ${name} command`]),
    section('Commands:', commandLines(entries)),
    usual === undefined ? '' : `"${name}" alone is "${name} ${usual}".`,
    `Use "${name} command --help" for more about a command.`,
  ]);
}

export function commandHelp(path: readonly string[], command: Command): string {
  const usage = [PROGRAM, ...path, command.usage].join(' ').trimEnd();
  return paragraphs([
    command.description.trim(),
    section('Usage:', [`  ${usage}`]),
    section('Flags:', flagLines({ ...command.options, ...helpOption })),
    section('Global flags:', flagLines(globalOptions)),
    EXIT_CODES,
  ]);
}

const EXIT_CODES = `Exit codes: 0 done; 1 failed; 3 done in part; 10 no repository there; 11 the repository is locked;
12 wrong password; 130 interrupted.`;

function paragraphs(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [title, ...lines].join('\n');
}

function commandLines(entries: Registry): readonly string[] {
  const shown = Object.entries(entries).filter(([, entry]) => entry.hidden !== true);
  return columns(shown.map(([name, entry]) => [name, entry.summary] as const));
}

function flagLines(set: OptionSet): readonly string[] {
  const shown = Object.values(set).filter((o) => !o.hidden);
  shown.sort((a, b) => (a.long < b.long ? -1 : 1));
  return columns(shown.map((o) => [flagName(o), helpText(o)] as const));
}

function flagName(o: AnyOption): string {
  const short = o.short === undefined ? '    ' : `-${o.short}, `;
  const implied = o.implied === undefined || o.valueName === '' ? ` ${o.valueName}` : `[=${o.valueName}]`;
  return `${short}--${o.long}${implied}`.trimEnd();
}

function helpText(o: AnyOption): string {
  const { initial } = o;
  const worthSaying =
    (typeof initial === 'string' || typeof initial === 'number') && initial !== '' && initial !== 0;
  return worthSaying && !o.help.includes('(default') ? `${o.help} (default: ${initial})` : o.help;
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const left = rows.reduce((w, [name]) => Math.max(w, displayWidth(name)), 0);
  return rows.flatMap(([name, help]) =>
    wrap(help, WIDTH - left - 5).map((line, i) =>
      `  ${padEnd(i === 0 ? name : '', left)}   ${line}`.trimEnd(),
    ),
  );
}

/** Lines of whole words, each at most `cells` wide where the words allow it. */
function wrap(text: string, cells: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > cells) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
