/**
 * The spelling of file names in trees: Go's `strconv.Quote` without its outer quotes. Printable text stands for
 * itself, everything else, and each byte that is not UTF-8, is escaped, so that a name of any bytes survives JSON.
 */
import { EngineError } from '../api/errors.ts';
import { type ByteString, fromText, rawByteString } from '../util/byte-string.ts';
import { isPrintable } from './go-printable.ts';
import { INVALID, runeAt, runeSize } from './utf8.ts';

const PLAIN = /^[ !#-[\]-~]*$/;

const SHORT: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** The name as Go's `strconv.Quote` prints it, without the quotes around. */
export function goQuote(name: ByteString): string {
  if (PLAIN.test(name)) return name;
  let out = '';
  for (let at = 0; at < name.length; ) {
    const rune = runeAt(name, at);
    out += rune === INVALID ? `\\x${hex(name.charCodeAt(at), 2)}` : quoteRune(rune);
    at += rune === INVALID ? 1 : runeSize(rune);
  }
  return out;
}

function quoteRune(rune: number): string {
  const short = SHORT[rune];
  if (short !== undefined) return short;
  if (isPrintable(rune)) return String.fromCodePoint(rune);
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** One escape, or one stretch of text without any. */
const PIECE =
  /\\([abfnrtv\\"])|\\x([0-9a-fA-F]{2})|\\([0-3][0-7]{2})|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|([^\\"\n]+)/y;

const LONG: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** The bytes of a name that `goQuote`, or any writer of Go's escapes, spelled. Error: damaged. */
export function goUnquote(quoted: string): ByteString {
  if (PLAIN.test(quoted)) return rawByteString(quoted);
  let out = '';
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < quoted.length) {
    const piece = PIECE.exec(quoted);
    if (piece === null) throw malformed();
    out += unquotePiece(piece);
  }
  return rawByteString(out);
}

function unquotePiece(piece: RegExpExecArray): string {
  const [, short, byte, octal, four, eight, text] = piece;
  if (text !== undefined) return fromText(text);
  if (short !== undefined) return LONG[short]!;
  if (byte !== undefined) return String.fromCharCode(Number.parseInt(byte, 16));
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
  const rune = Number.parseInt(four ?? eight!, 16);
  if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) throw malformed();
  return fromText(String.fromCodePoint(rune));
}

function malformed(): EngineError {
  return new EngineError('damaged', 'a file name in a directory listing has a malformed escape');
}
