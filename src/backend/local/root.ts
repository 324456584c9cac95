/**
 * Knows the repository's root folder again.
 *
 * When a disk is unmounted, the path of its mount point still exists: an empty folder on another disk. Writing
 * there would fill the wrong disk, and listing it would show an empty repository. So the root is remembered by
 * device and inode. Some network file systems hand out new inodes as they please: on the same device, the same
 * sealed config (it holds a random IV, no two are alike) also proves the folder.
 */
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, fromErrno, rootGone } from './errors.ts';

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

async function identify(path: string): Promise<Identity> {
  const { dev, ino } = await fs.stat(path, { bigint: true });
  return { dev, ino };
}

async function readConfig(path: string): Promise<Buffer | undefined> {
  return fs.readFile(join(path, 'config')).catch(() => undefined);
}

export interface Root {
  readonly path: string;
  /** Passes while the folder at the path is the one that was opened. Errors: unreachable. */
  check(): Promise<void>;
  /** To be called when the config was written anew. */
  noteConfig(): Promise<void>;
}

/** Errors: those of the operating system, untranslated. */
export async function watchRoot(path: string): Promise<Root> {
  let known = await identify(path);
  let config = await readConfig(path);
  const sameConfig = async (): Promise<boolean> => {
    const now = await readConfig(path);
    return config !== undefined && now !== undefined && config.equals(now);
  };
  return {
    path,
    async check() {
      const found = await identify(path).catch((e: unknown) => {
        const gone = errnoOf(e) === 'ENOENT' || errnoOf(e) === 'ENOTDIR';
        throw gone ? rootGone(path, 'is gone', e) : fromErrno(e, `reach ${path}`);
      });
      if (found.dev === known.dev && found.ino === known.ino) return;
      if (found.dev !== known.dev || !(await sameConfig())) {
        throw rootGone(path, 'is gone: another folder lies in its place');
      }
      known = found;
    },
    async noteConfig() {
      config = await readConfig(path);
    },
  };
}
