/** From a command line to an exit code. Everything that belongs to the process comes in as a part. */
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { Clock } from '../util/clock.ts';
import type { Command, CommandEntry, Entry, Registry } from './command.ts';
import { createContext, type Host } from './context.ts';
import type { Environment } from './environment.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { type Globals, globalOptions, resolveGlobals } from './globals.ts';
import { commandHelp, groupHelp, helpOption, rootHelp } from './help.ts';
import type { Hosting } from './hosting.ts';
import { jsonLines } from './json-lines.ts';
import { flag } from './options.ts';
import { type CommandWord, findCommandWord, type Parsed, parseFlags } from './parse.ts';
import { createPrinter } from './printer.ts';
import { type ProgressParts, progressInterval, startProgress } from './progress.ts';
import { suggestions } from './suggest.ts';
import type { Terminal } from './terminal.ts';

export interface AppParts {
  readonly env: Environment;
  readonly clock: Clock;
  readonly terminal: Terminal;
  /** Its reason is an EngineError 'cancelled'. */
  readonly signal: AbortSignal;
  readonly registry: Registry;
  readonly loadHost: () => Promise<Host>;
  readonly hosting: Hosting;
  readonly every: ProgressParts['every'];
  readonly onProgressRequest: ProgressParts['onRequest'];
}

/** Never throws: what goes wrong is printed and becomes the code. */
export async function runCommandLine(argv: readonly string[], parts: AppParts): Promise<ExitCode> {
  try {
    return await dispatch(argv, parts);
  } catch (e) {
    return reportFailure(e, argv, parts);
  }
}

const rootOptions = { ...globalOptions, ...helpOption, version: flag('--version', 'print the version') };

async function dispatch(argv: readonly string[], parts: AppParts): Promise<ExitCode> {
  const word = findCommandWord(argv, rootOptions);
  if (word !== undefined) return dispatchWord(argv, word, parts);
  const { values, operands } = parseFlags(argv, rootOptions);
  if (operands[0] !== undefined) throw unknownCommand([], operands[0], parts.registry);
  if (values.version) return runCommandLine(['version', ...argv.filter((a) => a !== '--version')], parts);
  return printText(rootHelp(parts.registry), parts);
}

async function dispatchWord(argv: readonly string[], word: CommandWord, parts: AppParts): Promise<ExitCode> {
  const rest = argv.toSpliced(word.index, 1);
  if (word.word === 'help') return printHelp(rest, parts);
  const found = findEntry(parts.registry, [word.word]);
  return runEntry(found.path, found.entry, rest, parts);
}

interface Found {
  readonly path: readonly string[];
  readonly entry: Entry;
}

/** Follows the words down the registry, as far as there are groups. Error: 'usage' for a word that is not there. */
function findEntry(registry: Registry, words: readonly string[], above: readonly string[] = []): Found {
  let entries = registry;
  const path = [...above];
  for (const word of words) {
    const found = Object.entries(entries).find(
      ([name, entry]) => name === word || entry.aliases?.includes(word),
    );
    if (found === undefined) throw unknownCommand(path, word, entries);
    const [name, entry] = found;
    path.push(name);
    if (entry.kind === 'command') return { path, entry };
    entries = entry.entries;
    if (path.length === above.length + words.length) return { path, entry };
  }
  throw new EngineError('usage', 'no command is given');
}

async function runEntry(
  path: readonly string[],
  entry: Entry,
  argv: readonly string[],
  parts: AppParts,
): Promise<ExitCode> {
  if (entry.kind === 'command') return runEntryCommand(path, entry, argv, parts);
  const word = findCommandWord(argv, rootOptions);
  if (word === undefined) {
    if (entry.usual !== undefined && !wantsHelp(argv))
      return runEntry(path, entry, [entry.usual, ...argv], parts);
    parseFlags(argv, rootOptions);
    return printText(groupHelp(path, entry), parts);
  }
  const below = findEntry(entry.entries, [word.word], path);
  return runEntry(below.path, below.entry, argv.toSpliced(word.index, 1), parts);
}

function wantsHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

async function runEntryCommand(
  path: readonly string[],
  entry: CommandEntry,
  argv: readonly string[],
  parts: AppParts,
): Promise<ExitCode> {
  const { command } = await entry.load();
  const parsed = parseWithHint(path, argv, command);
  if (parsed.values.help === true) return printText(commandHelp(path, command), parts);
  checkOperands(path, parsed.operands, command);
  // The flags of the set include the global ones under their own names.
  const globals = resolveGlobals(
    parsed.values as unknown as Parsed<typeof globalOptions>['values'],
    parts.env,
  );
  const context = contextFor(globals, parts);
  const code = await command.run(context, parsed.operands, parsed.values, parsed.given);
  if (code === undefined) parts.signal.throwIfAborted();
  return code ?? EXIT.ok;
}

function parseWithHint(path: readonly string[], argv: readonly string[], command: Command) {
  try {
    return parseFlags(argv, { ...globalOptions, ...helpOption, ...command.options });
  } catch (e) {
    if (!isEngineError(e, 'usage') || e.hint !== undefined) throw e;
    throw new EngineError('usage', e.message, { hint: seeHelp(path) });
  }
}

function checkOperands(path: readonly string[], operands: readonly string[], command: Command): void {
  const { least = 0, most = least } = command.operands ?? {};
  if (operands.length >= least && operands.length <= most) return;
  const name = path.join(' ');
  const message =
    operands.length < least
      ? `\`${name}\` needs ${least === 1 ? 'an operand' : `${least} operands`}.`
      : most === 0
        ? `\`${name}\` takes flags only, but was given "${operands[0]}".`
        : `\`${name}\` was given too many operands.`;
  throw new EngineError('usage', message, {
    hint: `It is called as \`holdfast ${name} ${command.usage}\`. ${seeHelp(path)}`,
  });
}

function seeHelp(path: readonly string[]): string {
  return `\`holdfast help ${path.join(' ')}\` lists its flags.`;
}

function unknownCommand(path: readonly string[], word: string, entries: Registry): EngineError {
  const shown = Object.keys(entries).filter((name) => entries[name]?.hidden !== true);
  const near = suggestions(word, shown);
  const help = ['holdfast', 'help', ...path].join(' ');
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `\`${help}\` lists all commands.`;
  return new EngineError('usage', `There is no command "${[...path, word].join(' ')}".`, { hint });
}

async function printHelp(argv: readonly string[], parts: AppParts): Promise<ExitCode> {
  const { operands } = parseFlags(argv, rootOptions);
  if (operands.length === 0) return printText(rootHelp(parts.registry), parts);
  const { path, entry } = findEntry(parts.registry, operands);
  if (entry.kind === 'group') return printText(groupHelp(path, entry), parts);
  return printText(commandHelp(path, (await entry.load()).command), parts);
}

function printText(text: string, parts: AppParts): ExitCode {
  parts.terminal.print(text);
  return EXIT.ok;
}

function contextFor(globals: Globals, parts: AppParts) {
  const { env, clock, signal, terminal } = parts;
  const json = jsonLines(terminal.stdout);
  const { canUpdateStatus } = terminal;
  const intervalMs = progressInterval({ quiet: globals.quiet, json: globals.json, canUpdateStatus, env });
  return createContext({
    globals,
    env,
    clock,
    signal,
    terminal,
    json,
    print: createPrinter(terminal, globals),
    host: parts.loadHost,
    hosting: parts.hosting,
    startProgress: (view) =>
      startProgress(
        {
          terminal,
          clock,
          intervalMs,
          json: globals.json ? json : undefined,
          every: parts.every,
          onRequest: parts.onProgressRequest,
        },
        view,
      ),
    invoke: (argv) => runCommandLine(argv, parts),
  });
}

function reportFailure(thrown: unknown, argv: readonly string[], parts: AppParts): ExitCode {
  const { terminal, env } = parts;
  const error = isAbort(thrown, parts.signal) ? asEngineError(parts.signal.reason) : asEngineError(thrown);
  const code = exitCodeOf(error);
  terminal.setStatus([]);
  // Its cause was told already, or is that nobody listens.
  if (error.context.reason === 'output-closed') return code;
  const message = error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  if (wantsJson(argv)) {
    terminal.error(JSON.stringify({ message_type: 'exit_error', code, message }));
    return code;
  }
  terminal.error(message);
  if (error.code === 'internal') terminal.error(faultReport(error, env));
  return code;
}

/** Work that is stopped may say so in its own words, or in those of the library it was in. */
function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return (
    thrown === signal.reason ||
    isEngineError(thrown, 'cancelled') ||
    (thrown instanceof Error && thrown.name === 'AbortError')
  );
}

function faultReport(error: EngineError, env: Environment): string {
  const stack = (error.cause instanceof Error ? error.cause : error).stack ?? '';
  return env.HOLDFAST_DEBUG
    ? stack
    : 'This is a fault of Holdfast itself. Set HOLDFAST_DEBUG=1 and run it again to see where it is.';
}

/** Read from the bare words, since the flags may be what is wrong. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--json' || word === '--json=true');
}
