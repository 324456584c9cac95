/**
 * What bytes are, told by themselves and not by a file's name.
 *
 * Sources of the signatures: PNG (RFC 2083), JPEG (ITU-T T.81, B.1), GIF89a, WebP (RFC 9649), AVIF (ISO/IEC 23000-22, the brands of
 * its first box), BMP (the sizes of its headers as Windows knows them).
 */

/** How many bytes `imageTypeOf` looks at. */
export const SIGNATURE_BYTES = 64;

const BMP_HEADERS: readonly number[] = [12, 40, 52, 56, 64, 108, 124];

/** The media type of an image that browsers show, by the first bytes of a file; undefined for all else. */
export function imageTypeOf(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SIGNATURE_BYTES));
  const is = (text: string, at = 0) => start.toString('latin1', at, at + text.length) === text;
  if (is('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (is('\xff\xd8\xff')) return 'image/jpeg';
  if (is('GIF87a') || is('GIF89a')) return 'image/gif';
  if (is('RIFF') && is('WEBP', 8)) return 'image/webp';
  if (is('ftyp', 4) && hasAvifBrand(start)) return 'image/avif';
  if (is('BM') && is('\0\0\0\0', 6) && start.length >= 18 && BMP_HEADERS.includes(start.readUInt32LE(14)))
    return 'image/bmp';
  return undefined;
}

/** The box: its length, `ftyp`, the brand, a version, and the brands that it can be read as. */
function hasAvifBrand(start: Buffer): boolean {
  const end = Math.min(start.length, start.readUInt32BE(0));
  for (let at = 8; at + 4 <= end; at += 4) {
    if (at !== 12 && /^avi[fs]$/.test(start.toString('latin1', at, at + 4))) return true;
  }
  return false;
}

/** Of what is no UTF-8: more high bytes are no text of a Western language. */
const MOST_HIGH = 0.3;
/** Control characters that texts do not have; some programs leave one or two in their logs. */
const MOST_CONTROLS = 0.01;

const CONTROLS = /[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f]/g;

/**
 * The text that bytes are: UTF-8, UTF-16 with its mark, else a text of one byte a character as Windows has them in the West.
 * undefined: they are none. `cut`: more follows, so that a character at the end may be incomplete, which is left out.
 */
export function textOf(bytes: Uint8Array, cut: boolean): string | undefined {
  const text = decoded(bytes, cut);
  if (text === undefined || text.includes('\0')) return undefined;
  const controls = text.match(CONTROLS)?.length ?? 0;
  return controls <= text.length * MOST_CONTROLS ? text : undefined;
}

function decoded(bytes: Uint8Array, cut: boolean): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode('utf-16le', bytes, cut);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode('utf-16be', bytes, cut);
  const text = decode('utf-8', bytes, cut);
  if (text !== undefined) return text;
  let high = 0;
  for (const byte of bytes) if (byte >= 0x80) high++;
  return high <= bytes.length * MOST_HIGH ? decode('windows-1252', bytes, cut) : undefined;
}

function decode(encoding: string, bytes: Uint8Array, cut: boolean): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}
