/**
 * JSON as Go's `encoding/json` writes it, and reading that keeps 64-bit numbers exact.
 *
 * Ids are hashes of these bytes, so every escape matters: `<`, `>`, `&`, U+2028 and U+2029 are escaped, control
 * characters have the short forms of Go 1.22 and later, and invalid text becomes the escape `\ufffd`.
 */
import { EngineError } from '../api/errors.ts';
import type { ByteString } from '../util/byte-string.ts';
import { INVALID, runeAt, runeSize } from './utf8.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Node's longest string has a few more characters; no tree, snapshot or key of sane size comes near. */
const MAX_BYTES = 0x1fff_0000;
/** restic's own files nest five levels; the rest is room for attributes to come. */
const MAX_DEPTH = 64;

const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const SPECIAL = /["\\\x00-\x1f<>&\u2028\u2029]|\p{Surrogate}/gu;

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A text as a JSON string, quotes included. */
export function jsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(SPECIAL, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  return code >= 0xd800 && code <= 0xdfff ? '\\ufffd' : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Bytes as a JSON string, quotes included: as `jsonString` where they are UTF-8, `\ufffd` for each byte that is not. */
export function jsonStringOfBytes(bytes: ByteString): string {
  if (PLAIN.test(bytes)) return `"${bytes}"`;
  let out = '"';
  for (let at = 0; at < bytes.length; ) {
    const rune = runeAt(bytes, at);
    out += rune === INVALID ? '\\ufffd' : String.fromCodePoint(rune).replace(SPECIAL, escapeCharacter);
    at += rune === INVALID ? 1 : runeSize(rune);
  }
  return `${out}"`;
}

/** Standard base64 with padding, as a JSON string; `null` for an absent value. */
export function jsonBase64(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null';
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
}

/** Any parsed JSON value, in the order of its own keys. Numbers must be integers or shortest decimals. */
export function jsonValue(value: unknown): string {
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonValue).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${jsonString(key)}:${jsonValue(member)}`);
  return `{${members.join(',')}}`;
}

/** A long integer where a value can start; the rare match inside a string only costs time. */
const LONG_INTEGER = /(?:^|[:,[])\s*-?\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * The value of a whole JSON text. Integers that a double can't hold exactly are bigints.
 * Errors: 'damaged' for bytes that are not JSON, nest too deep or are too many; `what` names them in the sentence.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_BYTES) throw damaged(what, 'is too large to be read');
  checkDepth(bytes, what);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    return LONG_INTEGER.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
  } catch (cause) {
    throw damaged(what, 'is not valid JSON', cause);
  }
}

function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

/** Keeps a bomb of brackets from the recursive parts of the reader. */
function checkDepth(bytes: Uint8Array, what: string): void {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const c = bytes[at]!;
    if (c === 0x22) at = closingQuote(bytes, at + 1);
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) throw damaged(what, 'is nested too deep');
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
}

function closingQuote(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0x22) at += bytes[at] === 0x5c ? 2 : 1;
  return at;
}

/** The error of every reader in this folder. */
export function damaged(what: string, problem: string, cause?: unknown): EngineError {
  return new EngineError('damaged', `${what} ${problem}`, {}, cause === undefined ? {} : { cause });
}
