/**
 * The reserve: a file that only takes room, so that a full disk still has some for the locks and indexes by
 * which space is freed. Its bytes are random, or a compressing file system would give it no blocks.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from './write-file.ts';

export const RESERVE_NAME = '.holdfast-reserve';
export const RESERVE_BYTES = 8 << 20;

/** The disk must have this many times the reserve free: it must not be what fills a small disk. */
const ROOM = 4;
const PIECE = 1 << 20;

function* noise(bytes: number): Iterable<Uint8Array> {
  for (let left = bytes; left > 0; left -= PIECE) yield randomBytes(Math.min(left, PIECE));
}

/** Makes the reserve if it is missing and there is room; tells whether there is one now. Errors of the system. */
export async function makeReserve(root: string, bytes: number): Promise<boolean> {
  if (bytes === 0) return false;
  const path = join(root, RESERVE_NAME);
  const found = await fs.stat(path).catch(() => undefined);
  if (found !== undefined) return true;
  const { bavail, bsize } = await fs.statfs(root);
  if (bavail * bsize < bytes * ROOM) return false;
  await replaceFile(path, noise(bytes), { sync: true, mode: 0o600 });
  return true;
}

/** Gives the room back. */
export async function dropReserve(root: string): Promise<void> {
  await fs.rm(join(root, RESERVE_NAME), { force: true });
}
