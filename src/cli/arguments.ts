/**
 * Arguments are bytes. Node hands them over as text with U+FFFD for bytes that are not UTF-8, and a file of such a
 * name could then not be named at all. Where the system still has the bytes, each odd one is kept as a lone
 * surrogate U+DC80…U+DCFF (Python's "surrogateescape", PEP 383), and `argumentBytes` turns it back.
 */
import { readFileSync } from 'node:fs';
import { type ByteString, fromText, rawByteString } from '../util/byte-string.ts';

/** The arguments after the program's, loss-free on Linux. */
export function programArguments(argv: readonly string[]): readonly string[] {
  const own = argv.slice(2);
  if (!own.some((word) => word.includes('\uFFFD'))) return own;
  try {
    return lossless(own, readFileSync('/proc/self/cmdline', 'latin1'));
  } catch {
    return own;
  }
}

/** `commandLine` holds every word of the process, one character per byte, each closed with a NUL. */
export function lossless(own: readonly string[], commandLine: string): readonly string[] {
  const words = commandLine.split('\0').slice(0, -1).slice(-own.length);
  return own.map((word, i) => (word.includes('\uFFFD') ? escapeBytes(words[i] ?? '', word) : word));
}

function escapeBytes(bytes: string, otherwise: string): string {
  const raw = Buffer.from(bytes, 'latin1');
  // What decodes to another text is another word: the process title was overwritten.
  if (raw.toString('utf8') !== otherwise) return otherwise;
  let text = '';
  for (let i = 0; i < raw.length; ) {
    const length = sequenceLength(raw, i);
    text += length === 0 ? String.fromCharCode(0xdc00 + (raw[i] ?? 0)) : raw.toString('utf8', i, i + length);
    i += Math.max(1, length);
  }
  return text;
}

/** Bytes of the UTF-8 sequence at `i`; 0 where there is none. */
function sequenceLength(raw: Buffer, i: number): number {
  const lead = raw[i] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  const sequence = raw.subarray(i, i + length);
  return length > 0 && Buffer.from(sequence.toString('utf8'), 'utf8').equals(sequence) ? length : 0;
}

const ESCAPED = /[\uDC80-\uDCFF]/u;

/** The bytes that the person wrote. */
export function argumentBytes(argument: string): ByteString {
  if (!ESCAPED.test(argument)) return fromText(argument);
  let bytes = '';
  for (const character of argument) {
    bytes += ESCAPED.test(character)
      ? String.fromCharCode(character.charCodeAt(0) - 0xdc00)
      : fromText(character);
  }
  return rawByteString(bytes);
}
