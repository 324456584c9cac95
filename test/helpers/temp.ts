import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Folders and small file systems that go away again. A `Temp` owns what it hands out: `using temp = new Temp()`
 * in a test, or `useTemp()` of scope.ts for a whole test file. What is left at the end of the process goes too.
 */
export type DiskType = 'ext4' | 'btrfs' | 'xfs';

const alive = new Set<Temp>();

process.on('exit', () => {
  for (const temp of alive) temp.clear();
});

export class Temp implements Disposable {
  readonly #folders: string[] = [];
  readonly #mounts: string[] = [];
  readonly #parent: string;

  /** Folders are made in `parent`; the system's temporary folder unless said. */
  constructor(parent: string = tmpdir()) {
    this.#parent = parent;
    alive.add(this);
  }

  /** A new empty folder; `label` helps people who look at a leftover. */
  dir(label = 'dir'): string {
    const made = fs.mkdtempSync(join(this.#parent, `holdfast-test-${label}-`));
    this.#folders.push(made);
    return made;
  }

  /** The mount point of a new, empty file system of its own in an image file. Root and loop devices are needed. */
  disk(type: DiskType, sizeMiB: number): string {
    const home = this.dir(type);
    const image = join(home, 'image');
    const mountPoint = join(home, 'mnt');
    fs.mkdirSync(mountPoint);
    fs.closeSync(fs.openSync(image, 'w'));
    fs.truncateSync(image, sizeMiB * 1024 * 1024);
    execFileSync(`mkfs.${type}`, [...MKFS[type], image], { stdio: ['ignore', 'ignore', 'pipe'] });
    // `mount` sets the loop device up so that unmounting frees it, even if we are killed in between.
    execFileSync('mount', ['-o', 'loop', image, mountPoint], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#mounts.push(mountPoint);
    return mountPoint;
  }

  /** Unmounts and deletes everything handed out so far. */
  clear(): void {
    for (const mountPoint of this.#mounts.splice(0).reverse()) unmount(mountPoint);
    for (const folder of this.#folders.splice(0)) removeTree(folder);
  }

  [Symbol.dispose](): void {
    this.clear();
    alive.delete(this);
  }
}

/** ext4 keeps nothing back for root, so that "full" means full for us too. */
const MKFS = {
  ext4: ['-q', '-F', '-m', '0'],
  btrfs: ['-q', '-f'],
  xfs: ['-q', '-f'],
} as const satisfies Record<DiskType, readonly string[]>;

/** A file system for a single `using`: `using disk = onDisk('ext4', 64)`, then `disk.path`. */
export function onDisk(type: DiskType, sizeMiB: number): Disposable & { readonly path: string } {
  const temp = new Temp();
  try {
    return { path: temp.disk(type, sizeMiB), [Symbol.dispose]: () => temp[Symbol.dispose]() };
  } catch (e) {
    temp[Symbol.dispose]();
    throw e;
  }
}

function unmount(mountPoint: string): void {
  if (spawnSync('umount', [mountPoint]).status === 0) return;
  spawnSync('umount', ['--lazy', mountPoint]);
}

/**
 * Deletes a folder whatever is in it: Node's own `rm` fails on names that aren't UTF-8 and on paths over 4,095
 * bytes. Folders without permissions and files marked immutable are opened up when a first try fails.
 */
export function removeTree(folder: string): void {
  const remove = () => spawnSync('rm', ['-rf', '--one-file-system', '--', folder]).status === 0;
  if (remove()) return;
  spawnSync('chmod', ['-R', 'u+rwX', '--', folder]);
  spawnSync('chattr', ['-R', '-f', '-i', '-a', '--', folder]);
  if (!remove()) throw new Error(`could not delete ${folder}`);
}
