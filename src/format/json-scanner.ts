/**
 * A pull reader for JSON that is too big for objects: it walks over the bytes and hands out only what is asked for.
 * Strings that matter here (keys, ids, types) are compared or copied as bytes. Every fault is 'damaged'.
 */
import { damaged } from './go-json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Values that nobody asked for may nest this deep. */
const MAX_DEPTH = 64;
const ID_DIGITS = 64;

/** The four bits that a lowercase hexadecimal digit stands for, 255 for every other byte. */
const NIBBLES = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) NIBBLES[i.toString(16).charCodeAt(0)] = i;

/** A number, `true`, `false` or `null`. */
const WORD = /^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|true|false|null)$/;
const MAX_WORD = 400;

export class JsonScanner {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at: number;

  constructor(bytes: Uint8Array, what: string, at = 0) {
    this.#bytes = bytes;
    this.#what = what;
    this.#at = at;
  }

  /** Where the next value begins; a scanner made with it reads from there. */
  get position(): number {
    return this.#at;
  }

  fail(problem: string): never {
    throw damaged(this.#what, problem);
  }

  /** The next byte that is not white space, without taking it; -1 at the end. */
  peek(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    while (at < bytes.length && isSpace(bytes[at]!)) at++;
    this.#at = at;
    return at < bytes.length ? bytes[at]! : -1;
  }

  #accept(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#accept(byte)) this.fail('is not valid JSON');
  }

  startsList(): boolean {
    return this.peek() === OPEN_LIST;
  }

  expectEnd(): void {
    if (this.peek() !== -1) this.fail('goes on after its end');
  }

  /** Calls `member` with each key of the object, the scanner standing before the value, which it must take. */
  object(member: (key: string) => void): void {
    this.#expect(OPEN_OBJECT);
    if (this.#accept(CLOSE_OBJECT)) return;
    do {
      const key = this.text();
      this.#expect(COLON);
      member(key);
    } while (this.#accept(COMMA));
    this.#expect(CLOSE_OBJECT);
  }

  /** Calls `item` with the scanner standing before each value of the list; `null` is a list without values. */
  list(item: () => void): void {
    if (this.#acceptNull()) return;
    this.#expect(OPEN_LIST);
    if (this.#accept(CLOSE_LIST)) return;
    do item();
    while (this.#accept(COMMA));
    this.#expect(CLOSE_LIST);
  }

  #acceptNull(): boolean {
    if (this.peek() !== 0x6e) return false;
    this.skip();
    return true;
  }

  /** A string's raw characters, with escapes as they stand: enough to compare with plain words. */
  text(): string {
    this.#expect(QUOTE);
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    let text = '';
    for (; at < bytes.length && bytes[at] !== QUOTE; at++) {
      if (bytes[at]! < 0x20) this.fail('is not valid JSON');
      if (bytes[at] === BACKSLASH) at++;
    }
    if (at >= bytes.length) this.fail('ends within a string');
    for (let i = from; i < Math.min(at, from + MAX_WORD); i++) text += String.fromCharCode(bytes[i]!);
    this.#at = at + 1;
    return text;
  }

  /** An id, as its 32 bytes, into `target`. */
  id(target: Uint8Array): void {
    this.#expect(QUOTE);
    const bytes = this.#bytes;
    const from = this.#at;
    if (bytes[from + ID_DIGITS] !== QUOTE) this.fail('has something that is not an id');
    let worst = 0;
    for (let i = 0, at = from; at < from + ID_DIGITS; i++, at += 2) {
      const high = NIBBLES[bytes[at]!]!;
      const low = NIBBLES[bytes[at + 1]!]!;
      worst |= high | low;
      target[i] = (high << 4) | low;
    }
    if (worst > 15) this.fail('has something that is not an id');
    this.#at = from + ID_DIGITS + 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const first = this.peek();
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    for (let digit = first - 0x30; digit >= 0 && digit <= 9 && at - this.#at < 11; ) {
      value = value * 10 + digit;
      digit = ++at < bytes.length ? bytes[at]! - 0x30 : -1;
    }
    const leadingZero = first === 0x30 && at > this.#at + 1;
    if (at === this.#at || leadingZero || value > 0xffff_ffff || continuesNumber(bytes[at])) {
      this.fail('has a number that is not whole or out of its range');
    }
    this.#at = at;
    return value;
  }

  /** Passes over the next value, whatever it is. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) this.fail('is nested too deep');
    const first = this.peek();
    if (first === QUOTE) this.text();
    else if (first === OPEN_OBJECT) this.object(() => this.skip(depth + 1));
    else if (first === OPEN_LIST) this.list(() => this.skip(depth + 1));
    else this.#skipWord();
  }

  #skipWord(): void {
    const from = this.#at;
    let at = from;
    let word = '';
    while (at < this.#bytes.length && at - from < MAX_WORD && isWord(this.#bytes[at]!)) {
      word += String.fromCharCode(this.#bytes[at++]!);
    }
    if (!WORD.test(word)) this.fail('is not valid JSON');
    this.#at = at;
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isWord(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x2b && byte <= 0x39 && byte !== COMMA) || byte === 0x45;
}

/** `.`, `e` and `E` after digits make a number that is not whole, one more digit makes it too long. */
function continuesNumber(byte: number | undefined): boolean {
  return (
    byte === 0x2e || byte === 0x65 || byte === 0x45 || (byte !== undefined && byte >= 0x30 && byte <= 0x39)
  );
}
