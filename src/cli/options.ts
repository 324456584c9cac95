/**
 * Flags as values.
 *
 * option     a flag and the fold of its occurrences into one value: `initial`, then `accept` for each
 * implied    the text a flag stands for when it is given without `=…`; an option without it needs a value
 * spec       how a flag is written in code and help: `-r, --repo repository`, `--json`
 */
import { EngineError } from '../api/errors.ts';
import { parseClockDuration, parseSize, parseSpan, type Span } from './units.ts';

export interface Option<T> {
  readonly short: string | undefined;
  readonly long: string;
  /** What the value is called in the help; '' for none. */
  readonly valueName: string;
  readonly help: string;
  readonly hidden: boolean;
  readonly implied: string | undefined;
  readonly initial: T;
  /** Throws an EngineError 'usage' for a text that does not fit. */
  // A method, not a property: that lets any Option<T> stand where Option<unknown> is asked for.
  accept(soFar: T, text: string): T;
}

/** Options by the name under which a command reads their values. */
export type OptionSet = Readonly<Record<string, AnyOption>>;
export type AnyOption = Option<unknown>;

export type ValuesOf<S extends OptionSet> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never;
};

const SPEC = /^(?:-([A-Za-z0-9]), )?--([a-z0-9][a-z0-9-]*)(?: (.+))?$/;

interface OptionDetails<T> {
  readonly initial: T;
  readonly accept: (soFar: T, text: string) => T;
  readonly implied?: string;
  readonly hidden?: boolean;
}

/** The general form; the makers below cover all that is usual. */
export function option<T>(spec: string, help: string, details: OptionDetails<T>): Option<T> {
  const match = SPEC.exec(spec);
  if (match === null) throw new EngineError('internal', `"${spec}" is not how a flag is written`);
  return {
    short: match[1],
    long: match[2] ?? '',
    valueName: match[3] ?? '',
    help,
    hidden: details.hidden ?? false,
    implied: details.implied,
    initial: details.initial,
    accept: details.accept,
  };
}

/** `--json`, and `--json=false` to take it back. */
export function flag(spec: string, help: string, initial = false): Option<boolean> {
  return option(spec, help, { initial, implied: 'true', accept: (_, text) => parseBoolean(text) });
}

/** `-v -v`, `-vv`, `--verbose=2`. */
export function count(spec: string, help: string): Option<number> {
  const accept = (n: number, text: string) => (text === '+1' ? n + 1 : parseInteger(text));
  return option(spec, help, { initial: 0, implied: '+1', accept });
}

/** One value, the last one given. */
export function text(spec: string, help: string): Option<string | undefined>;
export function text(spec: string, help: string, initial: string): Option<string>;
export function text(
  spec: string,
  help: string,
  initial?: string,
): Option<string> | Option<string | undefined> {
  const parse = (given: string) => given;
  return initial === undefined ? value(spec, help, parse) : value(spec, help, parse, initial);
}

/** One value of any type, the last one given. */
export function value<T>(spec: string, help: string, parse: (text: string) => T): Option<T | undefined>;
export function value<T>(spec: string, help: string, parse: (text: string) => T, initial: T): Option<T>;
export function value<T>(
  spec: string,
  help: string,
  parse: (text: string) => T,
  initial?: T,
): Option<T> | Option<T | undefined> {
  if (initial !== undefined) return option<T>(spec, help, { initial, accept: (_, given) => parse(given) });
  return option<T | undefined>(spec, help, { initial, accept: (_, given) => parse(given) });
}

/** Every value given, in order. */
export function list(spec: string, help: string): Option<readonly string[]> {
  return values(spec, help, (given) => [given]);
}

/** Every value given, each split at its commas. */
export function commaList(spec: string, help: string): Option<readonly string[]> {
  return values(spec, help, (given) => (given === '' ? [] : given.split(',')));
}

/** Every value given, each parsed into any number of items. */
export function values<T>(
  spec: string,
  help: string,
  parse: (text: string) => readonly T[],
): Option<readonly T[]> {
  return option<readonly T[]>(spec, help, {
    initial: [],
    accept: (soFar, given) => [...soFar, ...parse(given)],
  });
}

/** A whole number, not below `least`. */
export function integer(spec: string, help: string): Option<number | undefined>;
export function integer(spec: string, help: string, initial: number, least?: number): Option<number>;
export function integer(
  spec: string,
  help: string,
  initial?: number,
  least = Number.NEGATIVE_INFINITY,
): Option<number> | Option<number | undefined> {
  const parse = (given: string) => parseInteger(given, least);
  return initial === undefined ? value(spec, help, parse) : value(spec, help, parse, initial);
}

/** Bytes, written as `10M` or `1GiB`. */
export function size(spec: string, help: string): Option<number | undefined> {
  return value(spec, help, parseSize);
}

/** Clock time in milliseconds, written as `5m` or `1h30m`. */
export function duration(spec: string, help: string, initial = 0): Option<number> {
  return value(spec, help, parseClockDuration, initial);
}

/** Calendar time, written as `1y6m`. */
export function span(spec: string, help: string): Option<Span | undefined> {
  return value(spec, help, parseSpan);
}

/** One of a few words. */
export function choice<const C extends string>(
  spec: string,
  help: string,
  words: readonly C[],
): Option<C | undefined>;
export function choice<const C extends string, const I extends C>(
  spec: string,
  help: string,
  words: readonly C[],
  initial: I,
): Option<C>;
export function choice<const C extends string>(
  spec: string,
  help: string,
  words: readonly C[],
  initial?: C,
): Option<C> | Option<C | undefined> {
  const parse = (given: string) => parseChoice(given, words);
  return initial === undefined ? value(spec, help, parse) : value(spec, help, parse, initial);
}

/** The same option, left out of help texts. */
export function hidden<T>(o: Option<T>): Option<T> {
  return { ...o, hidden: true };
}

export function parseChoice<C extends string>(given: string, words: readonly C[]): C {
  const found = words.find((word) => word === given);
  if (found === undefined) {
    throw new EngineError('usage', `"${given}" is none of ${words.join(', ')}`);
  }
  return found;
}

export function parseInteger(given: string, least = Number.NEGATIVE_INFINITY): number {
  const n = /^[+-]?\d+$/.test(given) ? Number(given) : Number.NaN;
  if (!Number.isSafeInteger(n)) throw new EngineError('usage', `"${given}" is not a whole number`);
  if (n < least) throw new EngineError('usage', `${given} is below ${least}`);
  return n;
}

function parseBoolean(given: string): boolean {
  if (/^(1|t|true)$/i.test(given)) return true;
  if (/^(0|f|false)$/i.test(given)) return false;
  throw new EngineError('usage', `"${given}" is neither true nor false`);
}
