/**
 * UTF-8 as Go reads it, over byte strings: overlong forms, surrogates and code points beyond U+10FFFF are invalid,
 * and each byte that starts nothing valid is invalid for itself.
 */
import type { ByteString } from '../util/byte-string.ts';

/** What `runeAt` answers for an invalid byte. */
export const INVALID = -1;

/** The code point at `at`, or INVALID (then exactly one byte is used up). */
export function runeAt(s: ByteString, at: number): number {
  const lead = s.charCodeAt(at);
  if (lead < 0x80) return lead;
  if (lead < 0xc2 || lead > 0xf4) return INVALID;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + size > s.length) return INVALID;
  let rune = lead & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const next = s.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return INVALID;
    rune = (rune << 6) | (next & 0x3f);
  }
  return isEncodable(rune, size) ? rune : INVALID;
}

function isEncodable(rune: number, size: number): boolean {
  if (size === 3) return rune >= 0x800 && (rune < 0xd800 || rune > 0xdfff);
  return size === 2 || (rune >= 0x10000 && rune <= 0x10ffff);
}

/** How many bytes the UTF-8 form of a valid code point takes. */
export function runeSize(rune: number): number {
  if (rune < 0x80) return 1;
  if (rune < 0x800) return 2;
  return rune < 0x10000 ? 3 : 4;
}
