/**
 * What the operating system tells about a file, with exact times.
 *
 * kind    the node type; 'irregular' for what restic does not know
 * mode    Go's FileMode, as trees hold it
 * times   whole seconds since 1970 (negative before) and 0…999,999,999 nanoseconds after that second
 */
import { type BigIntStats, fstatSync, lstatSync, statSync } from 'node:fs';
import { constants, endianness } from 'node:os';
import { goModeFromUnix } from '../format/mode.ts';
import type { NodeType, Uint64 } from '../format/types.ts';
import type { ByteString } from '../util/byte-string.ts';
import { SystemError, translateFsError } from './errors.ts';
import { cPath, type Libc, libc } from './libc.ts';
import { nodePath } from './path.ts';

export interface FileStat {
  readonly kind: NodeType;
  readonly mode: number;
  readonly mtimeSec: number;
  readonly mtimeNs: number;
  readonly atimeSec: number;
  readonly atimeNs: number;
  readonly ctimeSec: number;
  readonly ctimeNs: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: Uint64;
  readonly dev: Uint64;
  readonly rdev: Uint64;
  readonly nlink: number;
  /** Bytes. */
  readonly size: number;
}

const S_IFMT = 0o170000;
const KINDS: ReadonlyMap<number, NodeType> = new Map<number, NodeType>([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o060000, 'dev'],
  [0o020000, 'chardev'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
]);

function kindOf(unixMode: number): NodeType {
  return KINDS.get(unixMode & S_IFMT) ?? 'irregular';
}

/** Where fields lie in `struct stat` of 64-bit Linux; those that are not here lie alike on both machines. */
interface Layout {
  readonly mode: number;
  readonly nlink: number;
  readonly owner: number;
  readonly rdev: number;
}
const LAYOUTS: Readonly<Record<string, Layout>> = {
  x64: { mode: 24, nlink: 16, owner: 28, rdev: 40 },
  arm64: { mode: 16, nlink: 20, owner: 24, rdev: 32 },
};
const layout = process.platform === 'linux' && endianness() === 'LE' ? LAYOUTS[process.arch] : undefined;
const SIZE = 48;
const ATIME = 72;
const MTIME = 88;
const CTIME = 104;

const scratch = new ArrayBuffer(144);
const out = Buffer.from(scratch);
const view = new DataView(scratch);

const MAX_HIGH = 2 ** 21;

function uint64At(offset: number): Uint64 {
  const high = view.getUint32(offset + 4, true);
  return high < MAX_HIGH ? high * 2 ** 32 + view.getUint32(offset, true) : view.getBigUint64(offset, true);
}

function int64At(offset: number): number {
  return view.getInt32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

function decodeStat(at: Layout): FileStat {
  const unixMode = view.getUint32(at.mode, true);
  return {
    kind: kindOf(unixMode),
    mode: goModeFromUnix(unixMode),
    mtimeSec: int64At(MTIME),
    mtimeNs: view.getUint32(MTIME + 8, true),
    atimeSec: int64At(ATIME),
    atimeNs: view.getUint32(ATIME + 8, true),
    ctimeSec: int64At(CTIME),
    ctimeNs: view.getUint32(CTIME + 8, true),
    uid: view.getUint32(at.owner, true),
    gid: view.getUint32(at.owner + 4, true),
    ino: uint64At(8),
    dev: uint64At(0),
    rdev: uint64At(at.rdev),
    nlink: view.getUint32(at.nlink, true),
    size: int64At(SIZE),
  };
}

const BILLION = 1_000_000_000n;

function narrow(n: bigint): Uint64 {
  const unsigned = BigInt.asUintN(64, n);
  return unsigned <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(unsigned) : unsigned;
}

/** Rounds towards the past, so that the nanoseconds are never negative. */
function split(ns: bigint): { readonly sec: number; readonly ns: number } {
  const rest = ((ns % BILLION) + BILLION) % BILLION;
  return { sec: Number((ns - rest) / BILLION), ns: Number(rest) };
}

function fromNode(s: BigIntStats): FileStat {
  const unixMode = Number(s.mode);
  const mtime = split(s.mtimeNs);
  const atime = split(s.atimeNs);
  const ctime = split(s.ctimeNs);
  return {
    kind: kindOf(unixMode),
    mode: goModeFromUnix(unixMode),
    mtimeSec: mtime.sec,
    mtimeNs: mtime.ns,
    atimeSec: atime.sec,
    atimeNs: atime.ns,
    ctimeSec: ctime.sec,
    ctimeNs: ctime.ns,
    uid: Number(s.uid),
    gid: Number(s.gid),
    ino: narrow(s.ino),
    dev: narrow(s.dev),
    rdev: narrow(s.rdev),
    nlink: Number(s.nlink),
    size: Number(s.size),
  };
}

const WHAT = 'read the attributes of';

function fastLstat(c: Libc, call: NonNullable<Libc['lstat']>, at: Layout, path: ByteString): FileStat {
  const where = cPath(path);
  while (call(where, out) !== 0) {
    const errno = c.errno();
    if (errno !== constants.errno.EINTR) throw new SystemError(errno, 'lstat');
  }
  return decodeStat(at);
}

/** The file itself, a symbolic link included. Throws 'not-found', 'permission' and the like. */
export function lstat(path: ByteString): FileStat {
  try {
    const c = libc();
    if (layout !== undefined && c?.lstat !== undefined) return fastLstat(c, c.lstat, layout, path);
    return fromNode(lstatSync(nodePath(path), { bigint: true }));
  } catch (e) {
    throw translateFsError(e, path, WHAT);
  }
}

/** What the path leads to, links followed. */
export function stat(path: ByteString): FileStat {
  try {
    return fromNode(statSync(nodePath(path), { bigint: true }));
  } catch (e) {
    throw translateFsError(e, path, WHAT);
  }
}

/** An open file. `path` serves the error message only. */
export function fstat(fd: number, path: ByteString): FileStat {
  try {
    return fromNode(fstatSync(fd, { bigint: true }));
  } catch (e) {
    throw translateFsError(e, path, WHAT);
  }
}

/** lstat, or undefined where nothing is there. */
export function lstatIfExists(path: ByteString): FileStat | undefined {
  try {
    return lstat(path);
  } catch (e) {
    if (e instanceof Error && 'code' in e && e.code === 'not-found') return undefined;
    throw e;
  }
}

/** Was the file written to between two looks at it? */
export function hasChanged(a: FileStat, b: FileStat): boolean {
  const sameMtime = a.mtimeSec === b.mtimeSec && a.mtimeNs === b.mtimeNs;
  // The seconds count too: some file systems keep nothing finer.
  const sameCtime = a.ctimeSec === b.ctimeSec && a.ctimeNs === b.ctimeNs;
  return a.size !== b.size || !sameMtime || !sameCtime;
}
