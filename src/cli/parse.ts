/**
 * Arguments into values, by the rules that restic's users know (GNU long options as Go's pflag reads them): flags
 * and operands in any order, `--flag value` and `--flag=value`, `-vv`, `-rPATH`, `-r=PATH`, repeats, and `--` as the
 * end of flags. A flag with an implied value (`--json`, `-v`) takes another one only after `=`.
 */
import { EngineError, isEngineError, messageOf } from '../api/errors.ts';
import type { AnyOption, OptionSet, ValuesOf } from './options.ts';

export interface Parsed<S extends OptionSet> {
  readonly values: ValuesOf<S>;
  readonly operands: readonly string[];
  /** The names, as in the set, of the options that were given. */
  readonly given: ReadonlySet<string>;
}

/** Error: 'usage' that names the flag. */
export function parseFlags<S extends OptionSet>(argv: readonly string[], set: S): Parsed<S> {
  const names = indexOptions(set);
  const collected = new Map<string, unknown>(Object.entries(set).map(([key, o]) => [key, o.initial]));
  const given = new Set<string>();
  const operands: string[] = [];
  for (const token of tokens(argv, names)) {
    if (token.kind === 'operand') {
      operands.push(token.text);
      continue;
    }
    given.add(token.key);
    collected.set(token.key, acceptValue(token, collected.get(token.key)));
  }
  return { values: Object.fromEntries(collected) as ValuesOf<S>, operands, given };
}

interface OperandToken {
  readonly kind: 'operand';
  readonly text: string;
}

interface FlagToken {
  readonly kind: 'flag';
  readonly key: string;
  readonly option: AnyOption;
  readonly written: string;
  readonly text: string;
}

interface Named {
  readonly key: string;
  readonly option: AnyOption;
}

/** By `--long` and `-s`. */
type Names = ReadonlyMap<string, Named>;

function indexOptions(set: OptionSet): Names {
  const names = new Map<string, Named>();
  for (const [key, o] of Object.entries(set)) {
    names.set(`--${o.long}`, { key, option: o });
    if (o.short !== undefined) names.set(`-${o.short}`, { key, option: o });
  }
  return names;
}

function* tokens(argv: readonly string[], names: Names): Generator<OperandToken | FlagToken> {
  const rest = argv[Symbol.iterator]();
  for (let step = rest.next(); !step.done; step = rest.next()) {
    const word = step.value;
    if (word === '--') break;
    if (word.startsWith('--')) yield longFlag(word, names, rest);
    else if (word.startsWith('-') && word !== '-') yield* shortFlags(word, names, rest);
    else yield { kind: 'operand', text: word };
  }
  for (const text of { [Symbol.iterator]: () => rest }) yield { kind: 'operand', text };
}

function longFlag(word: string, names: Names, rest: Iterator<string>): FlagToken {
  const equals = word.indexOf('=');
  const written = equals < 0 ? word : word.slice(0, equals);
  const named = names.get(written);
  if (named === undefined) throw new EngineError('usage', `unknown flag: ${written}`);
  const text = equals < 0 ? valueAfter(named, written, rest) : word.slice(equals + 1);
  return { kind: 'flag', ...named, written, text };
}

/** `-qv`, `-rPATH`, `-r=PATH`, `-r PATH`: the first flag that needs a value takes what is left of the word. */
function* shortFlags(word: string, names: Names, rest: Iterator<string>): Generator<FlagToken> {
  for (let i = 1; i < word.length; i++) {
    const written = `-${word[i]}`;
    const named = names.get(written);
    if (named === undefined) throw new EngineError('usage', `unknown shorthand flag: ${written} in ${word}`);
    const tail = word.slice(i + 1);
    if (tail.startsWith('=')) return yield { kind: 'flag', ...named, written, text: tail.slice(1) };
    if (named.option.implied === undefined && tail !== '') {
      return yield { kind: 'flag', ...named, written, text: tail };
    }
    yield { kind: 'flag', ...named, written, text: valueAfter(named, written, rest) };
  }
}

function valueAfter(named: Named, written: string, rest: Iterator<string>): string {
  if (named.option.implied !== undefined) return named.option.implied;
  const step = rest.next();
  if (step.done) throw new EngineError('usage', `flag needs a value: ${written}`);
  return step.value;
}

function acceptValue(token: FlagToken, soFar: unknown): unknown {
  try {
    // Only values that this very option produced come back to it.
    return token.option.accept(soFar, token.text);
  } catch (e) {
    const hint = isEngineError(e) ? e.hint : undefined;
    throw new EngineError('usage', `invalid value for ${token.written}: ${messageOf(e)}`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

export interface CommandWord {
  /** Where in the arguments the word stands. */
  readonly index: number;
  readonly word: string;
}

/**
 * The first word that is neither a flag nor a flag's value. A flag that is not in the set belongs to the command;
 * as its kind is not known yet, it is read as one that has its value after `=` or none.
 */
export function findCommandWord(argv: readonly string[], set: OptionSet): CommandWord | undefined {
  const names = indexOptions(set);
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-') || word === '-') return { index, word };
    if (takesNext(word, names)) index++;
  }
  return undefined;
}

function takesNext(word: string, names: Names): boolean {
  if (word.startsWith('--')) {
    const named = names.get(word);
    return named !== undefined && named.option.implied === undefined;
  }
  for (let i = 1; i < word.length; i++) {
    const named = names.get(`-${word[i]}`);
    if (named === undefined || word[i + 1] === '=') return false;
    if (named.option.implied === undefined) return i === word.length - 1;
  }
  return false;
}
