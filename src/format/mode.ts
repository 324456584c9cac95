/**
 * Go's `os.FileMode`, which restic stores: permission bits as Unix has them, and type and special bits from the top
 * downwards. Values are unsigned 32-bit numbers.
 */
import type { Node, NodeType } from './types.ts';

const bit = (n: number): number => 2 ** n;

export const MODE_DIR = bit(31);
export const MODE_SYMLINK = bit(27);
export const MODE_DEVICE = bit(26);
export const MODE_NAMED_PIPE = bit(25);
export const MODE_SOCKET = bit(24);
export const MODE_SETUID = bit(23);
export const MODE_SETGID = bit(22);
export const MODE_CHAR_DEVICE = bit(21);
export const MODE_STICKY = bit(20);
export const MODE_IRREGULAR = bit(19);
/** The nine rwx bits. */
export const MODE_PERMISSIONS = 0o777;

const MODE_TYPE =
  MODE_DIR + MODE_SYMLINK + MODE_DEVICE + MODE_NAMED_PIPE + MODE_SOCKET + MODE_CHAR_DEVICE + MODE_IRREGULAR;

/** `S_IFMT` of Unix and the types below it. */
const UNIX_TYPE = 0o170000;
const UNIX_REGULAR = 0o100000;
const UNIX_TO_GO: ReadonlyMap<number, number> = new Map([
  [0o040000, MODE_DIR],
  [0o120000, MODE_SYMLINK],
  [0o060000, MODE_DEVICE],
  [0o020000, MODE_DEVICE + MODE_CHAR_DEVICE],
  [0o010000, MODE_NAMED_PIPE],
  [0o140000, MODE_SOCKET],
]);
const GO_TO_UNIX = new Map([...UNIX_TO_GO].map(([unix, go]) => [go, unix]));

const SPECIAL_BITS = [
  [0o4000, MODE_SETUID],
  [0o2000, MODE_SETGID],
  [0o1000, MODE_STICKY],
] as const;

function has(mode: number, mask: number): boolean {
  return (mode & mask) !== 0;
}

/** `st_mode` of Unix as Go's `os.Lstat` reports it. */
export function goModeFromUnix(stMode: number): number {
  let mode = (stMode & MODE_PERMISSIONS) | (UNIX_TO_GO.get(stMode & UNIX_TYPE) ?? 0);
  for (const [unix, go] of SPECIAL_BITS) if (has(stMode, unix)) mode |= go;
  return mode >>> 0;
}

/** `st_mode` of Unix, type included (a regular file where Go has no type bit). */
export function unixModeFromGo(mode: number): number {
  const type = (mode & MODE_TYPE) >>> 0;
  let unix = (mode & MODE_PERMISSIONS) | (GO_TO_UNIX.get(type) ?? UNIX_REGULAR);
  for (const [special, go] of SPECIAL_BITS) if (has(mode, go)) unix |= special;
  return unix;
}

const TYPE_MODES: Readonly<Record<NodeType, number>> = {
  file: 0,
  dir: MODE_DIR,
  symlink: MODE_SYMLINK,
  dev: MODE_DEVICE,
  chardev: MODE_DEVICE + MODE_CHAR_DEVICE,
  fifo: MODE_NAMED_PIPE,
  socket: MODE_SOCKET,
  irregular: MODE_IRREGULAR,
  '': 0,
};

/** The node type that restic gives to a mode; '' for a mix of types that it does not know. */
export function nodeTypeOfMode(mode: number): NodeType {
  const type = (mode & MODE_TYPE) >>> 0;
  for (const [name, bits] of Object.entries(TYPE_MODES)) if (bits === type) return name as NodeType;
  return '';
}

/** Letters of the bits from 31 down to 19, then of the permissions: Go's `FileMode.String`. */
const LETTERS = 'dalTLDpSugct?';
const RWX = 'rwxrwxrwx';

/** Type and permissions as `ls -l` of restic prints them, such as `drwxr-xr-x` or `Dcrw-rw----`. */
export function modeString(node: Pick<Node, 'type' | 'mode'>): string {
  const mode = node.mode | (node.type === 'irregular' ? 0 : TYPE_MODES[node.type]);
  const letters = [...LETTERS].filter((_, i) => has(mode, 1 << (31 - i))).join('');
  const permissions = [...RWX].map((letter, i) => (has(mode, 1 << (8 - i)) ? letter : '-')).join('');
  return (letters === '' ? '-' : letters) + permissions;
}
