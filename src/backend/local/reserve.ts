/**
 * The reserve: a file that only takes room, so that a full disk still has some for the locks and indexes by
 * which space is freed. Its bytes are random, or a compressing file system would give it no blocks.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './errors.ts';
import { replaceFile } from './write-file.ts';

export const RESERVE_NAME = '.holdfast-reserve';
export const RESERVE_BYTES = 8 << 20;

/** The disk must have this many times the reserve free: it must not be what fills a small disk. */
const ROOM = 4;
const PIECE = 1 << 20;
/** A small file takes a few blocks more than its bytes: its folder may grow as well. */
const LEAST_STEP = 64 << 10;

function* noise(bytes: number): Iterable<Uint8Array> {
  for (let left = bytes; left > 0; left -= PIECE) yield randomBytes(Math.min(left, PIECE));
}

/**
 * Makes the reserve if it is missing and there is room, or gives it back what was taken from it, as far as that fits;
 * tells whether it is whole now. Errors of the system.
 */
export async function makeReserve(root: string, bytes: number): Promise<boolean> {
  if (bytes === 0) return false;
  const path = join(root, RESERVE_NAME);
  const found = await fs.stat(path).catch(() => undefined);
  if (found !== undefined) return found.size >= bytes || (await regrow(path, bytes - found.size));
  const { bavail, bsize } = await fs.statfs(root);
  if (bavail * bsize < bytes * ROOM) return false;
  await replaceFile(path, noise(bytes), { sync: true, mode: 0o600 });
  return true;
}

/** Before others take the room: a backup that failed on a full disk will soon be tried again. */
async function regrow(path: string, missing: number): Promise<boolean> {
  const file = await fs.open(path, 'a');
  try {
    for (const piece of noise(missing)) await file.writeFile(piece);
    await file.sync();
    return true;
  } catch (e) {
    if (errnoOf(e) !== 'ENOSPC' && errnoOf(e) !== 'EDQUOT') throw e;
    return false;
  } finally {
    await file.close();
  }
}

/**
 * Gives up a part of the reserve, so that a file of `bytes` bytes fits: only a part, because whoever comes next, with
 * packs perhaps, would take all there is. Tells whether there was anything left to give. Errors of the system.
 */
export async function shrinkReserve(root: string, bytes: number): Promise<boolean> {
  const path = join(root, RESERVE_NAME);
  const found = await fs.stat(path).catch(() => undefined);
  if (found === undefined) return false;
  const left = found.size - Math.max(LEAST_STEP, bytes * 2);
  if (left > 0) await fs.truncate(path, left);
  else await fs.rm(path, { force: true });
  return true;
}
