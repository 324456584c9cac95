/**
 * The recovery key: twelve English words from BIP-39's list, 128 bits and a checksum of 4. People can copy, read out and
 * type them. As a password they are lower case with single spaces, so that any restic opens the repository with them.
 * Source: BIP-39 (the list and the checksum; the words' seed is not used).
 */
import { generateMnemonic, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { EngineError, isEngineError } from '../api/errors.ts';

const WORDS = 12;
const BITS = 128;
/** BIP-39 words are unlike each other in so many first letters. */
const PREFIX = 4;

const known = new Set(wordlist);

export function newRecoveryWords(): string {
  return generateMnemonic(wordlist, BITS);
}

/**
 * The password that a recovery key, as a person types or pastes it, stands for: case, numbers before words, commas, line breaks and
 * words cut off after their fourth letter do not matter. Errors: 'usage' naming the word that is none and the nearest that
 * is one, the wrong count, or a checksum that does not fit.
 */
export function normalizeRecoveryWords(text: string): string {
  const words = lettersOf(text).map(asWord);
  if (words.length !== WORDS) {
    throw mistaken(`A recovery key has ${WORDS} words; ${countText(words.length)}.`);
  }
  const key = words.join(' ');
  if (validateMnemonic(key, wordlist)) return key;
  throw mistaken('These words are no recovery key together: one of them is another word, or their order is.');
}

/** The same, or undefined for a text that is no recovery key: it may be a password. */
export function asRecoveryWords(text: string): string | undefined {
  try {
    return normalizeRecoveryWords(text);
  } catch (e) {
    if (isEngineError(e, 'usage')) return undefined;
    throw e;
  }
}

function lettersOf(text: string): readonly string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/\p{L}+/gu) ?? []
  );
}

function asWord(typed: string): string {
  if (known.has(typed)) return typed;
  const meant = typed.length < PREFIX ? [] : wordlist.filter((word) => word.startsWith(typed));
  if (meant.length === 1) return meant[0]!;
  throw mistaken(`“${typed}” is no word of a recovery key. The nearest is “${nearest(typed)}”.`);
}

function countText(found: number): string {
  return found === 1 ? 'this is 1' : `these are ${found}`;
}

function mistaken(message: string): EngineError {
  return new EngineError('usage', message, { hint: 'Compare it word by word with the recovery kit.' });
}

function nearest(typed: string): string {
  // A long text is no slip of the finger; its beginning is enough.
  const start = typed.slice(0, 24);
  const distances = wordlist.map((word) => distance(start, word));
  return wordlist[distances.indexOf(Math.min(...distances))]!;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(rows[i - 1]![j - 1]! + same, rows[i - 1]![j]! + 1, row[j - 1]! + 1, swap));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
