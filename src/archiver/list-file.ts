/** Files that people write for a backup: lists of paths and of patterns, a line each. Bytes in, bytes out. */
import { readFileSync } from 'node:fs';
import { EngineError, messageOf } from '../api/errors.ts';
import { errnoName } from '../fs/errors.ts';
import { type ByteString, fromBytes, fromText, rawByteString } from '../util/byte-string.ts';

/** The content of a list that `flag` names. Error: 'usage'. */
export function readListFile(path: string, flag: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (e) {
    const why = READ_FAULTS[errnoName(e)] ?? messageOf(e);
    throw new EngineError('usage', `${flag}: the file ${path} can't be read: ${why}`, {}, { cause: e });
  }
}

const READ_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist.',
  EACCES: 'this user may not read it.',
  EPERM: 'this user may not read it.',
  EISDIR: 'it is a folder.',
};

/** Lines without their ends (LF or CRLF), and without a byte order mark; one in UTF-16 makes them UTF-8. */
export function linesOf(data: Uint8Array): ByteString[] {
  const lines = withoutMark(data).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => rawByteString(line.endsWith('\r') ? line.slice(0, -1) : line));
}

function withoutMark(data: Uint8Array): ByteString {
  const [a, b, c] = data;
  if (a === 0xef && b === 0xbb && c === 0xbf) return fromBytes(data.subarray(3));
  if (a === 0xff && b === 0xfe) return fromText(new TextDecoder('utf-16le').decode(data));
  if (a === 0xfe && b === 0xff) return fromText(new TextDecoder('utf-16be').decode(data));
  return fromBytes(data);
}

/** Unicode's white space in UTF-8. A plain `trim` would take bytes from within letters. */
const BLANK = String.raw`(?:[\t-\r ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)`;
const LEADING = new RegExp(`^${BLANK}+`);
const TRAILING = new RegExp(`(?<!${BLANK})${BLANK}+$`);
const ALL_BLANK = new RegExp(`^${BLANK}*$`);

/** The line without blanks around it. */
export function trimBlanks(line: ByteString): ByteString {
  if (ALL_BLANK.test(line)) return rawByteString('');
  return rawByteString(line.replace(LEADING, '').replace(TRAILING, ''));
}

/** Trimmed lines that are neither empty nor begin with `#`. */
export function meaningfulLines(data: Uint8Array): ByteString[] {
  return linesOf(data)
    .map(trimBlanks)
    .filter((line) => line !== '' && !line.startsWith('#'));
}
