import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { generatedBytes } from '../helpers/tree.ts';

/** What the benchmark backs up. Everything is a function of its arguments, so that rounds and machines compare. */
const PIECE = 4 << 20;
const WORDS = 20_000;
const CONSONANTS = [
  'b',
  'c',
  'd',
  'f',
  'g',
  'h',
  'l',
  'm',
  'n',
  'p',
  'r',
  's',
  't',
  'v',
  'w',
  'st',
  'th',
  'ch',
  'pr',
];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ea', 'ou', 'y'];
const ENDINGS = ['', '', '', 's', 'n', 'r', 't', 'ed', 'ing', 'ly', 'tion'];

/** xorshift32 (Marsaglia, 2003). */
function randomSource(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Invented words, the more frequent the shorter, and set phrases among them, each with a space after it. */
function vocabulary(next: () => number): readonly Buffer[] {
  const pick = (list: readonly string[]): string => list[next() % list.length]!;
  const words: string[] = [];
  const phrase = (): string => `${pick(words)}${pick(words)}${pick(words)}`;
  const word = (rank: number): string => {
    const syllables = rank < 40 ? 1 : rank < 2000 ? 1 + (next() % 2) : 2 + (next() % 2);
    const stem = Array.from({ length: syllables }, () => pick(CONSONANTS) + pick(VOWELS)).join('');
    return `${stem}${rank < 40 ? '' : pick(ENDINGS)}${rank % 97 === 96 ? '.\n' : ' '}`;
  };
  for (let rank = 0; rank < WORDS; rank++) words.push(rank > 100 && rank % 9 === 0 ? phrase() : word(rank));
  return words.map((text) => Buffer.from(text));
}

/** Ranks to draw from evenly so that the word of rank r comes about 1/(r+3) as often as all others (Zipf). */
function zipfTable(): Uint16Array {
  const weights = Array.from({ length: WORDS }, (_, rank) => 1 / (rank + 3));
  const total = weights.reduce((a, b) => a + b, 0);
  const table = new Uint16Array(1 << 18);
  let [filled, sum] = [0, 0];
  weights.forEach((weight, rank) => {
    sum += weight;
    const end = Math.round((sum / total) * table.length);
    table.fill(rank, filled, end);
    filled = end;
  });
  return table;
}

/** Pseudo-English of `size` bytes in pieces of at most 4 MiB: word statistics of a language, no repeated blocks. */
export function* textBytes(seed: number, size: number): Generator<Buffer> {
  const next = randomSource(seed);
  const words = vocabulary(next);
  const table = zipfTable();
  for (let left = size; left > 0; left -= PIECE) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, left));
    for (let at = 0; at < piece.length; ) at += words[table[next() >>> 14]!]!.copy(piece, at);
    yield piece;
  }
}

function writePieces(path: string, pieces: Iterable<Uint8Array>): void {
  const fd = fs.openSync(path, 'wx');
  try {
    for (const piece of pieces) fs.writeFileSync(fd, piece);
  } finally {
    fs.closeSync(fd);
  }
}

/** Case a: two files of 1 GiB each at scale 1, one that can't be compressed and one of text. */
export function writeTwoFiles(folder: string, scale: number): void {
  const size = Math.round((1 << 30) * scale);
  writePieces(join(folder, 'random.bin'), generatedBytes({ seed: 42, size }));
  writePieces(join(folder, 'text.txt'), textBytes(42, size));
}

const BIG_FILE = 1 << 20;

/**
 * Case b: copies of an installed `node_modules` until there are 50,000 files at scale 1. The first copy is
 * exact. In the others every second file gets a line more, as other versions of the same packages would differ,
 * and files over 1 MiB are left out, or a few programs would outweigh everything else.
 */
export function writePackages(folder: string, installed: string, scale: number): void {
  const files = listFiles(installed);
  if (files.length === 0) throw new Error(`${installed} holds no files; run npm ci first`);
  const wanted = Math.ceil(50_000 * scale);
  for (let [copy, written] = [0, 0]; written < wanted; copy++) {
    for (const [i, path] of files.entries()) {
      if (copy > 0 && path.size > BIG_FILE) continue;
      if (written++ >= wanted) return;
      const to = join(folder, `project-${copy}`, 'node_modules', path.name);
      fs.mkdirSync(join(to, '..'), { recursive: true });
      fs.copyFileSync(join(installed, path.name), to);
      if (copy > 0 && (i + copy) % 2 === 0) fs.appendFileSync(to, `\n// ${copy} ${path.name}\n`);
    }
  }
}

interface Found {
  readonly name: string;
  readonly size: number;
}

function listFiles(root: string): readonly Found[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ name: relative(root, path), size: fs.statSync(path).size }));
}

export interface Extent {
  readonly files: number;
  readonly bytes: number;
}

export function extentOf(folder: string): Extent {
  const files = listFiles(folder);
  return { files: files.length, bytes: files.reduce((sum, f) => sum + f.size, 0) };
}

/** Reads everything once, so that the first tool doesn't warm the cache for the others. */
export function readAll(folder: string): void {
  const piece = Buffer.alloc(PIECE);
  for (const { name } of listFiles(folder)) {
    const fd = fs.openSync(join(folder, name), 'r');
    while (fs.readSync(fd, piece) > 0);
    fs.closeSync(fd);
  }
}
