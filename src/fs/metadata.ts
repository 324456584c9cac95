/** Changes to owner, mode and times of a file, never through a symbolic link; and the making of special files. */
import { chmodSync, lchmodSync, lchownSync, lutimesSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import type { Uint64 } from '../format/types.ts';
import type { ByteString } from '../util/byte-string.ts';
import { errnoName, showPath, translateFsError } from './errors.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, checked, cPath, libc } from './libc.ts';
import { nodePath } from './path.ts';
import { lstat } from './stat.ts';

/** Seconds since 1970 and 0…999,999,999 nanoseconds. */
export interface ExactTime {
  readonly sec: number;
  readonly ns: number;
}

function run(path: ByteString, what: string, act: () => void): void {
  try {
    act();
  } catch (e) {
    throw translateFsError(e, path, what);
  }
}

const times = Buffer.alloc(32);

function putTime(at: number, t: ExactTime): void {
  times.writeBigInt64LE(BigInt(t.sec), at);
  times.writeBigInt64LE(BigInt(t.ns), at + 8);
}

/**
 * For systems without a C library to call; only microseconds survive. A string, because Node takes a negative number
 * for "now".
 */
function roughly(t: ExactTime): string {
  return String(t.sec + t.ns / 1e9);
}

/** Sets both times of a file or, where `followLinks` is not set, of a link itself. */
export function utimensNs(
  path: ByteString,
  atime: ExactTime,
  mtime: ExactTime,
  options: { readonly followLinks?: boolean } = {},
): void {
  run(path, 'set the times of', () => {
    const c = libc();
    if (c?.utimensat === undefined) {
      lutimesSync(nodePath(path), roughly(atime), roughly(mtime));
      return;
    }
    const call = c.utimensat;
    const flags = options.followLinks === true ? 0 : AT_SYMLINK_NOFOLLOW;
    putTime(0, atime);
    putTime(16, mtime);
    checked(c, 'utimensat', () => call(AT_FDCWD, cPath(path), times, flags));
  });
}

/** Sets owner and group of the file or link itself. Does nothing on Windows. */
export function lchown(path: ByteString, uid: number, gid: number): void {
  if (process.platform === 'win32') return;
  run(path, 'set the owner of', () => lchownSync(nodePath(path), uid, gid));
}

/** Sets permission, set-id and sticky bits (Unix, 0…0o7777). A symbolic link is refused with 'conflict'. */
export function chmod(path: ByteString, unixMode: number): void {
  run(path, 'set the permissions of', () => {
    if (process.platform === 'darwin') refuseLink(path);
    if (process.platform === 'darwin') lchmodSync(nodePath(path), unixMode);
    else if (!chmodNoFollow(path, unixMode)) {
      refuseLink(path);
      chmodSync(nodePath(path), unixMode);
    }
  });
}

/** False where this C library, kernel or file system can't do it without following links, or where it is a link. */
function chmodNoFollow(path: ByteString, unixMode: number): boolean {
  const c = libc();
  const call = c?.fchmodat;
  if (c === undefined || call === undefined) return false;
  try {
    checked(c, 'fchmodat', () => call(AT_FDCWD, cPath(path), unixMode, AT_SYMLINK_NOFOLLOW));
    return true;
  } catch (e) {
    const name = errnoName(e);
    if (name === 'ENOTSUP' || name === 'EOPNOTSUPP' || name === 'EINVAL' || name === 'ENOSYS') return false;
    throw e;
  }
}

function refuseLink(path: ByteString): void {
  if (lstat(path).kind !== 'symlink') return;
  throw new EngineError(
    'conflict',
    `Could not set the permissions of ${showPath(path)}: it is a symbolic link, and those have none.`,
  );
}

function lacking(what: string): EngineError {
  return new EngineError('unsupported', `Could not ${what}: this platform has no such files.`);
}

/** Makes a named pipe that only its owner may use. */
export function makeFifo(path: ByteString): void {
  run(path, 'make the named pipe', () => {
    const c = libc();
    const call = c?.mkfifo;
    if (c === undefined || call === undefined) throw lacking(`make the named pipe ${showPath(path)}`);
    checked(c, 'mkfifo', () => call(cPath(path), 0o600));
  });
}

const S_IFBLK = 0o060000;
const S_IFCHR = 0o020000;

/** Makes a device node that only its owner may use; `device` is st_rdev. Needs root. */
export function makeDevice(path: ByteString, kind: 'dev' | 'chardev', device: Uint64): void {
  run(path, 'make the device node', () => {
    const c = libc();
    const call = c?.mknod;
    if (c === undefined || call === undefined) throw lacking(`make the device node ${showPath(path)}`);
    const mode = (kind === 'dev' ? S_IFBLK : S_IFCHR) | 0o600;
    checked(c, 'mknod', () => call(cPath(path), mode, device));
  });
}
