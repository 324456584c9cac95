/** Helpers for writing large and sparse files. */
import { fstatSync, ftruncateSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import type { ByteString } from '../util/byte-string.ts';
import { freeSpace } from './disk.ts';
import { errnoName, showPath, translateFsError } from './errors.ts';
import { checked, libc } from './libc.ts';

const ZEROS = Buffer.alloc(64 * 1024);

/** Whether all bytes are zero. Random data is told from zeros by its first bytes, so asking costs next to nothing. */
export function isZero(bytes: Uint8Array): boolean {
  if (bytes.length > 0 && bytes[0] !== 0) return false;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length; at += ZEROS.length) {
    const end = Math.min(at + ZEROS.length, buffer.length);
    if (ZEROS.compare(buffer, at, end, 0, end - at) !== 0) return false;
  }
  return true;
}

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

/**
 * Reserves `size` bytes of disk for the file `path`, open as `fd`, whose length stays as it is. True if reserved;
 * false where the file system can't (then writing simply goes on). Throws 'no-space' when the disk has not so much.
 */
export function preallocate(fd: number, size: number, path: ByteString): boolean {
  if (size <= 0) return false;
  refuseTooMuch(fd, size, path);
  return fallocate(fd, KEEP_SIZE, 0, size, path, 'reserve space for');
}

const BLOCK = 512;

/** Asked for too much, ext4 takes all there is before it refuses: a full disk for everyone, if only for a moment. */
function refuseTooMuch(fd: number, size: number, path: ByteString): void {
  const missing = size - fstatSync(fd).blocks * BLOCK;
  const { total, available } = freeSpace(path);
  // Some network file systems know no sizes and say 0.
  if (total === 0 || missing <= available) return;
  throw new EngineError(
    'no-space',
    `Could not reserve space for ${showPath(path)}: it needs ${missing} bytes, and the disk has ${available}.`,
    { hint: 'Free some space there, or choose another disk.', context: { missing, available } },
  );
}

/**
 * Gives the disk blocks of a range of an open file back; the range then reads as zeros and the length stays.
 * False where the file system can't: then the caller writes zeros.
 */
export function punchHole(fd: number, offset: number, length: number, path: ByteString): boolean {
  return fallocate(fd, PUNCH_HOLE | KEEP_SIZE, offset, length, path, 'make a hole in');
}

function fallocate(
  fd: number,
  mode: number,
  offset: number,
  length: number,
  path: ByteString,
  what: string,
): boolean {
  const c = libc();
  const call = c?.fallocate;
  if (c === undefined || call === undefined) return false;
  try {
    checked(c, 'fallocate', () => call(fd, mode, offset, length));
    return true;
  } catch (e) {
    const name = errnoName(e);
    if (name === 'ENOTSUP' || name === 'EOPNOTSUPP' || name === 'ENOSYS') return false;
    throw translateFsError(e, path, what);
  }
}

/** Sets the length of an open file; growth is a hole where the file system knows holes. */
export function setLength(fd: number, length: number, path: ByteString): void {
  try {
    ftruncateSync(fd, length);
  } catch (e) {
    throw translateFsError(e, path, 'set the length of');
  }
}
