/** Opening source files without side effects and without traps. */
import { closeSync, constants, openSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import type { ByteString } from '../util/byte-string.ts';
import { errnoName, showPath, translateFsError } from './errors.ts';
import { nodePath } from './path.ts';
import { type FileStat, fstat } from './stat.ts';

/** An open file and its attributes at that moment. The caller closes `fd`. */
export interface OpenedFile {
  readonly fd: number;
  readonly stat: FileStat;
}

// Windows lacks these flags. O_NONBLOCK: a pipe without a writer that took the file's place would block forever.
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const O_NOATIME = constants.O_NOATIME ?? 0;

/**
 * Opens a regular file for reading, without following a link and, where allowed, without touching its access time.
 * Throws 'source-unreadable' when something else than a regular file has taken its place since it was listed.
 */
export function openForRead(path: ByteString): OpenedFile {
  const fd = open(path);
  try {
    const stat = fstat(fd, path);
    if (stat.kind !== 'file') throw changedKind(path);
    return { fd, stat };
  } catch (e) {
    closeSync(fd);
    throw e;
  }
}

function open(path: ByteString): number {
  try {
    return openSync(nodePath(path), FLAGS | O_NOATIME);
  } catch (e) {
    const name = errnoName(e);
    if (name === 'EPERM' && O_NOATIME !== 0) return openWithAtime(path);
    throw explain(e, path);
  }
}

/** Only the owner and root may leave the access time alone. */
function openWithAtime(path: ByteString): number {
  try {
    return openSync(nodePath(path), FLAGS);
  } catch (e) {
    throw explain(e, path);
  }
}

/** A link (ELOOP) or a socket (ENXIO) fails to open instead of showing its kind. */
function explain(e: unknown, path: ByteString): EngineError {
  const name = errnoName(e);
  return name === 'ELOOP' || name === 'ENXIO' ? changedKind(path) : translateFsError(e, path, 'open');
}

function changedKind(path: ByteString): EngineError {
  return new EngineError(
    'source-unreadable',
    `Could not read ${showPath(path)}: it is no longer a regular file.`,
    { hint: 'Something replaced it during the backup; the next backup will see what it is now.' },
  );
}
