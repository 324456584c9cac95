/**
 * What a command is.
 *
 * command   a file in commands/ that exports `command = defineCommand({…})`: its flags, its help, its body
 * entry     its line in registry.ts: name, summary and how to load the file, so that nothing is loaded in vain
 * group     an entry with further words below it: `key add`
 */
import type { CommandContext } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import type { OptionSet, ValuesOf } from './options.ts';

export interface Command<S extends OptionSet = OptionSet> {
  /** What follows the name: `[flags] [snapshotID …]`. */
  readonly usage: string;
  /** Paragraphs for the help: what it does, and what to know. */
  readonly description: string;
  readonly options: S;
  /** How many operands it takes; the default is none. */
  readonly operands?: { readonly least?: number; readonly most?: number };
  // A method, not a property: that lets a command with any options stand where Command is asked for.
  /**
   * Does the work. Without a value the process ends with 0, or with 130 if the person stopped it; an error thrown
   * is printed and mapped to its exit code.
   */
  run(
    context: CommandContext,
    operands: readonly string[],
    values: ValuesOf<S>,
    given: ReadonlySet<string>,
    // biome-ignore lint/suspicious/noConfusingVoidType: a body that returns nothing is the usual case
  ): Promise<ExitCode | void>;
}

/** Gives `run` the types of the options. */
export function defineCommand<const S extends OptionSet>(command: Command<S>): Command<S> {
  return command;
}

export interface CommandEntry {
  readonly kind: 'command';
  readonly summary: string;
  readonly hidden?: boolean;
  readonly aliases?: readonly string[];
  readonly load: () => Promise<{ readonly command: Command }>;
}

export interface GroupEntry {
  readonly kind: 'group';
  readonly summary: string;
  readonly hidden?: boolean;
  readonly aliases?: readonly string[];
  readonly entries: Registry;
  /** The word that is meant where none is given; without one, the help is. */
  readonly usual?: string;
}

export type Entry = CommandEntry | GroupEntry;
export type Registry = Readonly<Record<string, Entry>>;
