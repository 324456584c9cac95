/**
 * POSIX ACLs as text, the form in which tar carries them.
 * Source: acl(5) for the text, the Linux kernel's `posix_acl_xattr.h` for the bytes of the attribute.
 */

const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;

const TAGS: Readonly<Record<number, string>> = {
  1: 'user:',
  2: 'user',
  4: 'group:',
  8: 'group',
  16: 'mask:',
  32: 'other:',
};
/** Of these the entry names who is meant. */
const NAMED: ReadonlySet<number> = new Set([2, 8]);

/** The text of an ACL attribute's value, a line for each entry; undefined where it is no ACL of a known kind. */
export function aclText(value: Uint8Array): string | undefined {
  const bytes = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.length < HEADER || (value.length - HEADER) % ENTRY !== 0) return undefined;
  if (bytes.getUint32(0, true) !== VERSION) return undefined;
  let text = '';
  for (let at = HEADER; at < value.length; at += ENTRY) {
    const tag = bytes.getUint16(at, true);
    const word = TAGS[tag];
    if (word === undefined) return undefined;
    const who = NAMED.has(tag) ? `:${bytes.getUint32(at + 4, true)}` : '';
    text += `${word}${who}:${permissions(bytes.getUint16(at + 2, true))}\n`;
  }
  return text;
}

function permissions(bits: number): string {
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;
}
