/**
 * Files that are written by several jobs, kept open while that pays: at most `LIMIT` at once. A file that no job
 * writes to at the moment may be closed to make room; it is opened again when its next blob comes.
 */
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import { freeSpace } from '../fs/disk.ts';
import { errnoName, showPath, translateFsError } from '../fs/errors.ts';
import { chmod } from '../fs/metadata.ts';
import { nodePath } from '../fs/path.ts';
import { fstat } from '../fs/stat.ts';
import { setLength } from '../fs/write.ts';
import { Semaphore } from '../util/semaphore.ts';
import type { FileWork } from './file-work.ts';

export const MOST_OPEN = 128;
/** One job's share, so that two jobs can always be under way. */
export const MOST_OPEN_PER_JOB = MOST_OPEN / 2;

// Windows lacks O_NOFOLLOW and O_NONBLOCK (a pipe that took the file's place would block for ever).
const PLAIN = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const NEW = PLAIN | constants.O_CREAT | constants.O_EXCL;

export class OpenFiles {
  readonly #sparse: boolean;
  readonly #slots = new Semaphore(MOST_OPEN);
  /** Open but unused, least recently used first. */
  readonly #idle = new Set<FileWork>();
  #open = 0;

  constructor(sparse: boolean) {
    this.#sparse = sparse;
  }

  /** Waits until that many files (at most MOST_OPEN_PER_JOB) may be used at once. */
  reserve(files: number): Promise<void> {
    return this.#slots.acquire(files);
  }

  unreserve(files: number): void {
    this.#slots.release(files);
  }

  /** Opens it for one job; to be called within a reservation. Errors: 'no-space', 'conflict', the system's. */
  acquire(file: FileWork): void {
    this.#idle.delete(file);
    if (file.fd < 0) {
      this.#makeRoom();
      file.fd = this.#begin(file);
      this.#open++;
    }
    file.users++;
  }

  release(file: FileWork): void {
    if (--file.users === 0) this.#idle.add(file);
  }

  /** Closes a file that no job uses. */
  close(file: FileWork): void {
    this.#idle.delete(file);
    if (file.fd < 0) return;
    closeSync(file.fd);
    file.fd = -1;
    this.#open--;
  }

  /** For the end of a restore that failed. */
  closeAll(): void {
    for (const file of this.#idle) this.close(file);
  }

  /** Makes the file or cuts it to its length, without writing anything: for what needs no more than that. */
  touch(file: FileWork): void {
    this.acquire(file);
    this.release(file);
  }

  #makeRoom(): void {
    for (const file of this.#idle) {
      if (this.#open < MOST_OPEN) return;
      this.close(file);
    }
  }

  #begin(file: FileWork): number {
    if (file.begun) return reopen(file);
    const fd = file.placement === 'update' ? reopen(file) : open(file, NEW);
    try {
      if (file.placement === 'update') cut(fd, file);
      else if (this.#sparse) setLength(fd, file.size, file.path);
      else refuseTooLarge(file);
    } catch (e) {
      closeSync(fd);
      if (file.placement === 'new') unlinkSync(nodePath(file.path));
      throw e;
    }
    file.begun = true;
    return fd;
  }
}

function cut(fd: number, file: FileWork): void {
  if (fstat(fd, file.path).size > file.size) setLength(fd, file.size, file.path);
}

/**
 * A file that cannot fit is refused before the disk is filled with the beginning of it. Blocks are not reserved:
 * where that is more than a promise (memory file systems, copy on write) it costs as much as the writing.
 */
function refuseTooLarge({ size, path }: FileWork): void {
  const { total, available } = freeSpace(path);
  // Some network file systems know no sizes and say 0.
  if (total === 0 || size <= available) return;
  throw new EngineError(
    'no-space',
    `${showPath(path)} was left out: it needs ${size} bytes, and the disk has ${available} left.`,
    { hint: 'Free some space there, or choose another disk.', context: { missing: size, available } },
  );
}

/** What was a regular file with one name a moment ago must still be that. */
function reopen(file: FileWork): number {
  const fd = open(file, PLAIN);
  const stat = fstat(fd, file.path);
  if (stat.kind === 'file' && stat.nlink === 1) return fd;
  closeSync(fd);
  throw new EngineError(
    'conflict',
    `${showPath(file.path)} was not written: something replaced it during the restore.`,
  );
}

function open(file: FileWork, flags: number): number {
  try {
    return openSync(nodePath(file.path), flags, 0o600);
  } catch (e) {
    if (errnoName(e) === 'EACCES' && file.placement === 'update') return openProtected(file, flags);
    throw translateFsError(e, file.path, 'write');
  }
}

/** A read-only file of our own: it gets its recorded permissions at the end anyway. */
function openProtected(file: FileWork, flags: number): number {
  chmod(file.path, 0o600);
  try {
    return openSync(nodePath(file.path), flags, 0o600);
  } catch (e) {
    throw translateFsError(e, file.path, 'write');
  }
}
