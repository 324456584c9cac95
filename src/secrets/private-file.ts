/** Small files that only their owner may read, and that are whole at every moment. */
import { randomInt } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { EngineError, type ErrorCode, isEngineError, messageOf } from '../api/errors.ts';

/** More than any file of secrets comes to; what is larger is something else. */
const MOST_BYTES = 16 * 1024 ** 2;

/** Errors by which file systems say that they can't do it to a folder, or can't do it at all. */
const CANT = new Set([
  'EINVAL',
  'EISDIR',
  'EPERM',
  'EACCES',
  'EBADF',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);

const MEANINGS: Readonly<Record<string, readonly [code: ErrorCode, why: string]>> = {
  ENOSPC: ['no-space', 'the disk is full'],
  EDQUOT: ['no-space', 'the disk quota is used up'],
  EACCES: ['permission', 'the operating system refuses access'],
  EPERM: ['permission', 'the operating system refuses access'],
  EROFS: ['read-only', 'the disk is mounted read-only'],
  EISDIR: ['conflict', 'there is a folder of that name'],
};

function errnoOf(e: unknown): string {
  return e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : '';
}

/** `doing` completes "Could not …". An EngineError passes unchanged. */
export function fileError(e: unknown, doing: string): EngineError {
  if (isEngineError(e)) return e;
  const [code, why] = MEANINGS[errnoOf(e)] ?? (['io', messageOf(e)] as const);
  const hint = 'Check the disk that holds the data folder, and who owns that folder.';
  return new EngineError(code, `Could not ${doing}: ${why}.`, { hint }, { cause: e });
}

/** undefined where there is no such file. Errors: 'permission', 'damaged' (too large), 'io'. */
export async function readPrivate(file: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      if ((await handle.stat()).size <= MOST_BYTES) return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (e) {
    if (errnoOf(e) === 'ENOENT') return undefined;
    throw fileError(e, `read ${file}`);
  }
  throw new EngineError('damaged', `${file} is much too large to be what it should be.`);
}

/**
 * Puts these bytes at the path, in place of what may be there; they are on the disk when this resolves. After a stop
 * the file is as it was or as it should be. Errors: 'permission', 'no-space', 'read-only', 'io'.
 */
export async function replacePrivate(file: string, bytes: Uint8Array): Promise<void> {
  await place(file, bytes, rename);
}

/** The same for a path where nothing may be yet. false, and nothing changed, where something is. */
export async function createPrivate(file: string, bytes: Uint8Array): Promise<boolean> {
  let made = true;
  await place(file, bytes, async (temporary, target) => {
    made = await linkUnlessThere(temporary, target);
    if (!made) await rm(temporary);
  });
  return made;
}

async function linkUnlessThere(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    await rm(temporary);
  } catch (e) {
    if (errnoOf(e) === 'EEXIST') return false;
    // A file system without links, on which the host's lock of its folder has to do.
    if (!CANT.has(errnoOf(e))) throw e;
    if ((await readPrivate(target)) !== undefined) return false;
    await rename(temporary, target);
  }
  return true;
}

async function place(
  file: string,
  bytes: Uint8Array,
  move: (temporary: string, target: string) => Promise<void>,
): Promise<void> {
  const temporary = `${file}-tmp-${randomInt(2 ** 47)}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeSynced(temporary, bytes);
    await move(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (e) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(e, `write ${file}`);
  }
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a new name last through a power cut, where the system can. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (e) {
    if (!CANT.has(errnoOf(e))) throw e;
  }
}
