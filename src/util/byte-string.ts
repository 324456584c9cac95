/**
 * File names and paths are bytes, not text. A `ByteString` holds them as a JavaScript string with one character
 * (0…255) per byte: cheap to keep, to compare (the order of its characters is the order of its bytes), to
 * concatenate and to use as a key, and free of loss for names that are not UTF-8.
 */
export type ByteString = string & { readonly __bytes: unique symbol };

const ASCII = /^[\x00-\x7f]*$/;

/** Takes the characters of `s`, each 0…255, for bytes. The caller vouches for the range. */
export function rawByteString(s: string): ByteString {
  return s as ByteString;
}

/** The UTF-8 bytes of a text. */
export function fromText(text: string): ByteString {
  if (ASCII.test(text)) return text as ByteString;
  return Buffer.from(text, 'utf8').toString('latin1') as ByteString;
}

export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1') as ByteString;
}

export function toBytes(s: ByteString): Buffer {
  return Buffer.from(s, 'latin1');
}

/** The bytes with a closing NUL, as C functions want paths. */
export function toCString(s: ByteString): Buffer {
  return Buffer.from(`${s}\0`, 'latin1');
}

/** Text for people and JSON: UTF-8 where it is valid, U+FFFD in place of each byte that is not. */
export function toText(s: ByteString): string {
  return ASCII.test(s) ? s : Buffer.from(s, 'latin1').toString('utf8');
}

export function isValidUtf8(s: ByteString): boolean {
  if (ASCII.test(s)) return true;
  return Buffer.from(Buffer.from(s, 'latin1').toString('utf8'), 'utf8').toString('latin1') === s;
}

/** Byte order: what Go's `<` on strings and restic's trees use. */
export function compareBytes(a: ByteString, b: ByteString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `dir/name`, with the root's own slash not doubled. */
export function joinPath(dir: ByteString, name: ByteString): ByteString {
  return (dir === '/' ? `/${name}` : dir === '' ? name : `${dir}/${name}`) as ByteString;
}
