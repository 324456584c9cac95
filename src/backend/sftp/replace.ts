/**
 * Puts a finished file in its place. Servers like OpenSSH do that in one step. Others refuse to rename onto a file that is there: it
 * is moved aside first, and back if the second step fails. Between the two steps the name is missing; what was moved aside has the
 * name of a temporary file.
 */
import { randomInt } from 'node:crypto';
import { STATUS, statusOf } from './errors.ts';
import type { Link } from './link.ts';

/** Saves of one name within this process wait for each other: for another process's there is another try. */
const turns = new Map<string, Promise<void>>();
const TRIES = 5;

/** Errors: the server's. */
export async function replace(link: Link, temporary: string, path: string): Promise<void> {
  if (link.offers('posix-rename@openssh.com')) return link.rename(temporary, path);
  const before = turns.get(path) ?? Promise.resolve();
  const mine = before.then(() => replaceInSteps(link, temporary, path));
  const ended = mine.catch(() => undefined);
  turns.set(path, ended);
  try {
    await mine;
  } finally {
    if (turns.get(path) === ended) turns.delete(path);
  }
}

async function replaceInSteps(link: Link, temporary: string, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await link.rename(temporary, path);
    } catch (e) {
      const taken = statusOf(e) !== undefined && statusOf(e) !== STATUS.permissionDenied;
      if (!taken || tries === TRIES || !(await isThere(link, path))) throw e;
    }
    if (await moveAside(link, temporary, path)) return;
  }
}

async function isThere(link: Link, path: string): Promise<boolean> {
  return link.lstat(path).then(
    () => true,
    () => false,
  );
}

/** Tells whether the new file is in place; false: somebody else moved, try again. */
async function moveAside(link: Link, temporary: string, path: string): Promise<boolean> {
  const aside = `${path}-tmp-${randomInt(2 ** 47)}`;
  try {
    await link.rename(path, aside);
  } catch (e) {
    if (statusOf(e) === STATUS.noSuchFile) return false;
    throw e;
  }
  try {
    await link.rename(temporary, path);
  } catch (e) {
    await link.rename(aside, path).catch(() => undefined);
    if (await isThere(link, path)) {
      await link.unlink(aside).catch(() => undefined);
      return false;
    }
    throw e;
  }
  await link.unlink(aside).catch(() => undefined);
  return true;
}
