/** Names in a folder. */
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import { type ByteString, rawByteString } from '../util/byte-string.ts';
import { errnoName, showPath, translateFsError } from './errors.ts';
import { checked, type Libc, libc } from './libc.ts';
import { nodePath } from './path.ts';
import { lstat } from './stat.ts';

/**
 * The names in a folder, in byte order, without '.' and '..'. A symbolic link to a folder is refused, even one
 * that was put in the folder's place a moment ago; the folder's access time stays as it is where that is allowed.
 */
export function readDirectory(path: ByteString): ByteString[] {
  try {
    const c = process.platform === 'linux' ? libc() : undefined;
    const names = c?.getdents64 === undefined ? readPortably(path) : readRaw(c, c.getdents64, path);
    // Each character is a byte, so the order of characters is the order of bytes.
    return names.sort();
  } catch (e) {
    throw translateFsError(e, path, 'read the folder');
  }
}

function readPortably(path: ByteString): ByteString[] {
  if (lstat(path).kind !== 'dir') {
    throw new EngineError('not-found', `Could not read the folder ${showPath(path)}: it is not a folder.`);
  }
  return readdirSync(nodePath(path), { encoding: 'latin1' }).map(rawByteString);
}

function openDirectory(path: ByteString): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    return openSync(nodePath(path), flags | constants.O_NOATIME);
  } catch (e) {
    // Only the owner and root may leave the access time alone.
    if (errnoName(e) !== 'EPERM') throw e;
    return openSync(nodePath(path), flags);
  }
}

const scratch = Buffer.allocUnsafeSlow(64 * 1024);

function readRaw(c: Libc, getdents64: NonNullable<Libc['getdents64']>, path: ByteString): ByteString[] {
  const fd = openDirectory(path);
  try {
    const names: ByteString[] = [];
    for (;;) {
      const length = checked(c, 'getdents64', () => getdents64(fd, scratch, scratch.length));
      if (length === 0) return names;
      collectNames(scratch, length, names);
    }
  } finally {
    closeSync(fd);
  }
}

/** struct linux_dirent64: inode 8, offset 8, length of the record 2, type 1, name with its NUL and padding. */
function collectNames(records: Buffer, length: number, names: ByteString[]): void {
  for (let at = 0; at < length; ) {
    const recordLength = records.readUInt16LE(at + 16);
    const start = at + 19;
    let end = start;
    while (records[end] !== 0) end++;
    at += recordLength;
    const name = records.toString('latin1', start, end);
    if (name !== '.' && name !== '..') names.push(rawByteString(name));
  }
}
