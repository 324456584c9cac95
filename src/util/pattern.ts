/**
 * restic's patterns for files to leave out.
 *
 * pattern     components between slashes; `*`, `?` and `[a-z]` match within one component, `**` any number of them
 * rooted      begins with a slash: matches from the top. Any other pattern may begin at every component.
 * match       the pattern covers the path or one of the folders above it, so a folder takes its content along
 * negation    a leading `!`: takes back what earlier patterns matched; of several that match, the last one decides
 *
 * Source: restic's `internal/filter` and the manual's chapter on excluding files; the components follow Go's
 * `filepath.Match`. All matching is on bytes; only `?` and `[…]` step by whole UTF-8 characters. No pattern can
 * make the matcher backtrack without bound over the characters of a component.
 */
import { posix } from 'node:path';
import { EngineError } from '../api/errors.ts';
import { type ByteString, fromText, rawByteString, toText } from './byte-string.ts';

export interface PatternOptions {
  /** Compare without regard to case. */
  readonly insensitive?: boolean;
}

export interface PatternMatch {
  readonly matched: boolean;
  /** Something below the path might match. */
  readonly childMayMatch: boolean;
  /** The rule that decided, as it was given: the last that changed the answer. Absent where none did. */
  readonly pattern?: string;
  /** The place of that rule in the texts that were parsed. */
  readonly index?: number;
}

export interface PatternList {
  readonly insensitive: boolean;
  readonly patterns: readonly CompiledPattern[];
  readonly hasNegation: boolean;
}

type MatchComponent = (name: string) => boolean;

interface CompiledPattern {
  readonly text: string;
  readonly index: number;
  readonly negated: boolean;
  readonly rooted: boolean;
  /** A matcher for each component; for a rooted pattern the first is that of the marker '/'. */
  readonly parts: readonly Part[];
  /** Where the first `**` stands, or -1. */
  readonly wildcard: number;
}

/** null stands for `**`. */
type Part = MatchComponent | null;

/** Compiles patterns once for many matches. Empty ones are ignored. Error: 'usage', naming the bad pattern. */
export function parsePatterns(texts: readonly string[], o: PatternOptions = {}): PatternList {
  return parsePatternBytes(texts.map(fromText), o);
}

/** `parsePatterns` for patterns that may hold bytes which are no text, such as the lines of a file. */
export function parsePatternBytes(patterns: readonly ByteString[], o: PatternOptions = {}): PatternList {
  const insensitive = o.insensitive === true;
  const compiled = patterns.flatMap((p, index) => (p === '' ? [] : [compile(p, index, insensitive)]));
  return { insensitive, patterns: compiled, hasNegation: compiled.some((p) => p.negated) };
}

function compile(pattern: ByteString, index: number, insensitive: boolean): CompiledPattern {
  const text = toText(pattern);
  const negated = pattern.startsWith('!');
  const folded = insensitive ? lowerCase(pattern) : pattern;
  const components = splitPath(cleanPath(rawByteString(negated ? folded.slice(1) : folded)));
  // An empty component is what remains of the pattern '/'; restic treats it as `**`.
  const parts = components.map((c) => (c === '**' || c === '' ? null : compileComponent(c, text)));
  const rooted = components[0] === '/';
  return { text, index, negated, rooted, parts, wildcard: parts.indexOf(null) };
}

/** The path without `.`, `..` and doubled or trailing slashes, as Go's `filepath.Clean`; '.' for an empty one. */
export function cleanPath(path: ByteString): ByteString {
  const normal = posix.normalize(path);
  return rawByteString(normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal);
}

/** The components of a path; the first of an absolute path is '/'. */
function splitPath(path: string): string[] {
  const components = path.split('/');
  if (components[0] === '') components[0] = '/';
  return components;
}

/**
 * What the list says about a path, which must not be empty. Absolute paths are what rooted patterns are made for.
 */
export function match(list: PatternList, path: ByteString): PatternMatch {
  if (list.patterns.length === 0) return { matched: false, childMayMatch: false };
  if (path === '') throw new EngineError('internal', 'an empty path matches no pattern');
  const names = splitPath(list.insensitive ? lowerCase(path) : path);
  let matched = false;
  let childMayMatch = false;
  let decisive: CompiledPattern | undefined;
  for (const pattern of list.patterns) {
    const hit = covers(pattern.parts, pattern.rooted, pattern.wildcard, names);
    if (hit && matched === pattern.negated) {
      matched = !pattern.negated;
      decisive = pattern;
    }
    childMayMatch = pattern.negated ? childMayMatch && !hit : childMayMatch || mayMatchBelow(pattern, names);
    if (matched && childMayMatch && !list.hasNegation) break;
  }
  if (decisive === undefined) return { matched, childMayMatch };
  return { matched, childMayMatch, pattern: decisive.text, index: decisive.index };
}

function covers(
  parts: readonly Part[],
  rooted: boolean,
  wildcard: number,
  names: readonly string[],
): boolean {
  if (wildcard >= 0) return coversExpanded(parts, rooted, wildcard, names);
  const last = names.length - parts.length;
  if (parts.length === 0) return names.length === 0;
  if (rooted) return last >= 0 && fits(parts, parts.length, names, 0);
  const first = names[0] === '/' ? 1 : 0;
  for (let offset = last; offset >= first; offset--) {
    if (fits(parts, parts.length, names, offset)) return true;
  }
  return false;
}

/**
 * Tries `**` as zero, one, two … single wildcards. The bound counts each further `**` as one component, so that,
 * as in restic, a pattern with two of them needs a path long enough for that.
 */
function coversExpanded(
  parts: readonly Part[],
  rooted: boolean,
  wildcard: number,
  names: readonly string[],
): boolean {
  const before = parts.slice(0, wildcard);
  const after = parts.slice(wildcard + 1);
  const room = names.length - parts.length + 1;
  for (let count = 0; count <= room; count++) {
    const expanded = [...before, ...Array<Part>(count).fill(anyName), ...after];
    if (covers(expanded, rooted, expanded.indexOf(null), names)) return true;
  }
  return false;
}

function fits(parts: readonly Part[], count: number, names: readonly string[], offset: number): boolean {
  for (let i = count - 1; i >= 0; i--) {
    const name = names[offset + i];
    if (name === undefined || !parts[i]?.(name)) return false;
  }
  return true;
}

/** Only a rooted pattern can rule out what lies below: by its components before any `**`. */
function mayMatchBelow(pattern: CompiledPattern, names: readonly string[]): boolean {
  if (!pattern.rooted) return true;
  const fixed = pattern.wildcard >= 0 ? pattern.wildcard : pattern.parts.length;
  return fits(pattern.parts, Math.min(fixed, names.length), names, 0);
}

// ---- one component

/** The marker '/' of the root is no name: `*` does not match it. */
function anyName(name: string): boolean {
  return name !== '/';
}

const WILD = /[\\[*?]/;
const STARS_ONLY = /^[^\\[?]*$/;

/**
 * A matcher for names, from a pattern without slashes in the syntax of Go's `filepath.Match`. Error: 'usage'; it
 * names `whole`, the pattern that the person wrote.
 */
export function compileComponent(pattern: string, whole: string): MatchComponent {
  if (!WILD.test(pattern)) return (name) => name === pattern;
  if (STARS_ONLY.test(pattern)) return compileStars(pattern.split(/\*+/));
  const chunks = parseChunks(pattern, whole);
  return (name) => matchChunks(chunks, name);
}

/** `literals` stand between the stars of a pattern. */
function compileStars(literals: readonly string[]): MatchComponent {
  const head = literals[0] ?? '';
  const tail = literals.at(-1) ?? '';
  const middle = literals.slice(1, -1);
  if (middle.length === 0) {
    const least = head.length + tail.length;
    if (least === 0) return anyName;
    return (name) => name.length >= least && name.endsWith(tail) && name.startsWith(head);
  }
  return (name) => name.startsWith(head) && endsAfter(name, head.length, middle, tail);
}

function endsAfter(name: string, from: number, middle: readonly string[], tail: string): boolean {
  let at = from;
  for (const literal of middle) {
    const found = name.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}

/** Where the match of one element that began at `at` ends, or -1. */
type Step = (name: string, at: number) => number;

/** A run of elements that each match one character, perhaps after a star. */
interface Chunk {
  readonly star: boolean;
  readonly steps: readonly Step[];
}

/** Go's way: each chunk takes the first place where it fits, and only the last must reach the end of the name. */
function matchChunks(chunks: readonly Chunk[], name: string): boolean {
  let at = 0;
  for (const [i, chunk] of chunks.entries()) {
    const last = i === chunks.length - 1;
    if (chunk.star && chunk.steps.length === 0) return name !== '/';
    at = placeChunk(chunk, name, at, last);
    if (at < 0) return false;
  }
  return at === name.length;
}

function placeChunk(chunk: Chunk, name: string, from: number, last: boolean): number {
  const furthest = chunk.star && name !== '/' ? name.length : from;
  for (let at = from; at <= furthest; at++) {
    const end = takeChunk(chunk.steps, name, at);
    if (end >= 0 && (!last || end === name.length)) return end;
  }
  return -1;
}

function takeChunk(steps: readonly Step[], name: string, from: number): number {
  let at = from;
  for (const step of steps) {
    if (at >= name.length) return -1;
    at = step(name, at);
    if (at < 0) return -1;
  }
  return at;
}

function parseChunks(pattern: string, whole: string): Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  while (at < pattern.length) {
    const star = pattern[at] === '*';
    while (pattern[at] === '*') at++;
    const steps: Step[] = [];
    while (at < pattern.length && pattern[at] !== '*') {
      const element = parseElement(pattern, at, whole);
      steps.push(element.step);
      at = element.next;
    }
    chunks.push({ star, steps });
  }
  return chunks;
}

interface Element {
  readonly step: Step;
  readonly next: number;
}

function parseElement(pattern: string, at: number, whole: string): Element {
  switch (pattern[at]) {
    case '?':
      return { step: anyCharacter, next: at + 1 };
    case '[':
      return parseClass(pattern, at + 1, whole);
    case '\\':
      if (at + 1 >= pattern.length) throw invalid(whole);
      return { step: literal(pattern[at + 1]), next: at + 2 };
    default:
      return { step: literal(pattern[at]), next: at + 1 };
  }
}

function literal(byte: string | undefined): Step {
  return (name, at) => (name[at] === byte ? at + 1 : -1);
}

function anyCharacter(name: string, at: number): number {
  return name[at] === '/' ? -1 : at + decodeRune(name, at).width;
}

/** What stands behind `[`, up to its `]`. */
function parseClass(pattern: string, start: number, whole: string): Element {
  const negated = pattern[start] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = negated ? start + 1 : start;
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = parseClassCharacter(pattern, at, whole);
    at = low.next;
    let high = low;
    if (pattern[at] === '-') {
      high = parseClassCharacter(pattern, at + 1, whole);
      at = high.next;
    }
    ranges.push([low.rune, high.rune]);
  }
  const step: Step = (name, position) => {
    const { rune, width } = decodeRune(name, position);
    return ranges.some(([low, high]) => low <= rune && rune <= high) === negated ? -1 : position + width;
  };
  return { step, next: at + 1 };
}

function parseClassCharacter(pattern: string, at: number, whole: string) {
  if (at >= pattern.length || pattern[at] === '-' || pattern[at] === ']') throw invalid(whole);
  const start = pattern[at] === '\\' ? at + 1 : at;
  if (start >= pattern.length) throw invalid(whole);
  const { rune, width } = decodeRune(pattern, start);
  const next = start + width;
  // A class that never closes is an error wherever it breaks off.
  if ((rune === REPLACEMENT && width === 1) || next >= pattern.length) throw invalid(whole);
  return { rune, next };
}

function invalid(whole: string): EngineError {
  return new EngineError('usage', `"${whole}" is not a valid pattern.`, {
    hint: 'A "[" needs its "]" before the next slash, a "\\" a character behind it. Write "\\[" for a plain "[".',
    context: { pattern: whole },
  });
}

// ---- characters

const REPLACEMENT = 0xfffd;
/** The least rune that needs that many bytes. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000] as const;

interface Rune {
  readonly rune: number;
  /** Bytes. */
  readonly width: number;
}

/** The UTF-8 character at `at`; a byte that begins none is U+FFFD with width 1, as in Go. */
function decodeRune(s: string, at: number): Rune {
  const first = s.charCodeAt(at);
  if (first < 0x80) return { rune: first, width: 1 };
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  let rune = first & (0x7f >> width);
  for (let i = 1; i < width; i++) {
    const next = s.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return { rune: REPLACEMENT, width: 1 };
    rune = (rune << 6) | (next & 0x3f);
  }
  const surrogate = rune >= 0xd800 && rune <= 0xdfff;
  const valid = first >= 0xc2 && first <= 0xf4 && rune >= (LEAST[width] ?? 0) && rune <= 0x10ffff;
  return valid && !surrogate ? { rune, width } : { rune: REPLACEMENT, width: 1 };
}

const ASCII = /^[\x00-\x7f]*$/;

/** Lower case character by character, as Go's `strings.ToLower`: bytes that are no text become U+FFFD. */
function lowerCase(s: ByteString): ByteString {
  if (ASCII.test(s)) return rawByteString(s.toLowerCase());
  let text = '';
  for (let at = 0; at < s.length; ) {
    const { rune, width } = decodeRune(s, at);
    text += lowerRune(String.fromCodePoint(rune));
    at += width;
  }
  return fromText(text);
}

/** JavaScript keeps the dot of a capital İ as a character of its own, Go drops it. */
function lowerRune(character: string): string {
  return character === 'İ' ? 'i' : character.toLowerCase();
}
