import { Buffer } from 'node:buffer';
import koffi from 'koffi';
import type { ByteString } from '../../src/util/byte-string.ts';
import { fromBytes, toCString, toText } from '../../src/util/byte-string.ts';

/**
 * The few system calls that Node lacks, for making and reading test trees. Deliberately not the product's own
 * src/fs: a fault there must not hide itself by being in the measuring tool too.
 */
type Arg = number | bigint | Buffer | null;
type Call = (...args: readonly Arg[]) => number;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const ENODATA = 61;
const ENOTSUP = 95;

const lib = koffi.load('libc.so.6');
const utimensat: Call = lib.func('int utimensat(int dir, const void *path, const void *times, int flags)');
const mknod: Call = lib.func('int mknod(const void *path, unsigned int mode, uint64_t dev)');
const lsetxattr: Call = lib.func(
  'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
);
const lgetxattr: Call = lib.func(
  'long lgetxattr(const void *path, const void *name, void *value, size_t size)',
);
const llistxattr: Call = lib.func('long llistxattr(const void *path, void *list, size_t size)');

export class SystemCallError extends Error {
  readonly errno: number;

  constructor(call: string, path: ByteString, errno: number) {
    super(`${call} failed with errno ${errno} on ${toText(path)}`);
    this.name = 'SystemCallError';
    this.errno = errno;
  }
}

function checked(call: string, path: ByteString, result: number): number {
  if (result < 0) throw new SystemCallError(call, path, koffi.errno());
  return result;
}

/** Sets both times, in nanoseconds since 1970 (may be negative), of the entry itself and not of what it links to. */
export function setTimes(path: ByteString, atimeNs: bigint, mtimeNs: bigint): void {
  const times = Buffer.alloc(32);
  [atimeNs, mtimeNs].forEach((t, i) => {
    const ns = ((t % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    times.writeBigInt64LE((t - ns) / 1_000_000_000n, i * 16);
    times.writeBigInt64LE(ns, i * 16 + 8);
  });
  checked('utimensat', path, utimensat(AT_FDCWD, toCString(path), times, AT_SYMLINK_NOFOLLOW));
}

/** Makes a fifo, a socket or a device: `mode` holds the type bits too; `device` is a `dev_t`. */
export function makeNode(path: ByteString, mode: number, device: bigint): void {
  checked('mknod', path, mknod(toCString(path), mode, device));
}

/** Linux's `makedev`. */
export function deviceNumber(major: number, minor: number): bigint {
  const [ma, mi] = [BigInt(major), BigInt(minor)];
  return ((ma & 0xfffff000n) << 32n) | ((ma & 0xfffn) << 8n) | ((mi & 0xffffff00n) << 12n) | (mi & 0xffn);
}

export function setXattr(path: ByteString, name: string, value: Uint8Array): void {
  const cName = Buffer.from(`${name}\0`, 'utf8');
  // An empty Buffer reaches C as NULL, which some file systems refuse even with size 0.
  const bytes = value.byteLength === 0 ? Buffer.alloc(1) : Buffer.from(value);
  checked('lsetxattr', path, lsetxattr(toCString(path), cName, bytes, value.byteLength, 0));
}

/** Every extended attribute of the entry itself; empty where the file system has none. */
export function getXattrs(path: ByteString): ReadonlyMap<string, Buffer> {
  const cPath = toCString(path);
  const names = Buffer.alloc(65_536);
  const length = llistxattr(cPath, names, names.length);
  if (length < 0 && koffi.errno() === ENOTSUP) return new Map();
  checked('llistxattr', path, length);
  const list = fromBytes(names.subarray(0, length)).split('\0').filter(Boolean).sort();
  return new Map(list.flatMap((name) => readXattr(path, cPath, name)));
}

function readXattr(path: ByteString, cPath: Buffer, name: string): readonly (readonly [string, Buffer])[] {
  const value = Buffer.alloc(65_536);
  const size = lgetxattr(cPath, Buffer.from(`${name}\0`, 'latin1'), value, value.length);
  if (size < 0 && koffi.errno() === ENODATA) return [];
  checked('lgetxattr', path, size);
  return [[name, Buffer.from(value.subarray(0, size))]];
}
