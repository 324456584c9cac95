/** Disks that a test plugs in and pulls out: file systems in images, on loop devices. Root is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { Temp } from './temp.ts';

export type LoopType = 'ext4' | 'xfs' | 'btrfs' | 'exfat';

const MKFS: Readonly<Record<LoopType, (label: string) => readonly string[]>> = {
  ext4: (label) => ['mkfs.ext4', '-q', '-F', '-m', '0', '-L', label],
  xfs: (label) => ['mkfs.xfs', '-q', '-f', '-L', label],
  btrfs: (label) => ['mkfs.btrfs', '-q', '-f', '-L', label],
  exfat: (label) => ['mkfs.exfat', '-n', label],
};

/** Small ones are refused by some. */
const LEAST_MIB: Readonly<Record<LoopType, number>> = { ext4: 16, xfs: 300, btrfs: 128, exfat: 16 };

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** It may have been done already. */
function attempt(program: string, ...args: string[]): void {
  spawnSync(program, args);
}

export class LoopDisk {
  readonly image: string;
  readonly type: LoopType;
  #loop: string | undefined;
  #mount: string | undefined;

  constructor(image: string, type: LoopType) {
    this.image = image;
    this.type = type;
  }

  /** A new file system. */
  static make(image: string, type: LoopType, label: string, leastMiB = 0): LoopDisk {
    fs.closeSync(fs.openSync(image, 'w'));
    fs.truncateSync(image, Math.max(LEAST_MIB[type], leastMiB) << 20);
    const [program = '', ...args] = MKFS[type](label);
    run(program, ...args, image);
    return new LoopDisk(image, type);
  }

  /** As if it was plugged in. `options`: as for `mount -o`. */
  plugIn(mountPoint: string, options = 'rw'): string {
    fs.mkdirSync(mountPoint, { recursive: true });
    this.#loop ??= run('losetup', '-f', '--show', this.image);
    if (this.type === 'exfat') run('mount.exfat-fuse', '-o', options, this.#loop, mountPoint);
    else run('mount', '-t', this.type, '-o', options, this.#loop, mountPoint);
    this.#mount = mountPoint;
    return mountPoint;
  }

  get mountPoint(): string {
    if (this.#mount === undefined) throw new Error('the disk is not plugged in');
    return this.#mount;
  }

  /** From now on blocks beyond can't be read or written. */
  shrink(toMiB: number): void {
    fs.truncateSync(this.image, toMiB << 20);
    run('losetup', '-c', this.#loop ?? '');
  }

  /** As if it was ejected. */
  eject(): void {
    run('umount', this.mountPoint);
    this.#free();
  }

  /** As if it was pulled out while files are open. */
  pullOut(): void {
    run('umount', '--lazy', this.mountPoint);
    this.#free();
  }

  /** Takes note that somebody else has unmounted it. */
  wasEjected(): void {
    this.#free();
  }

  /** The device goes when nobody uses it any more. */
  #free(): void {
    if (this.#loop !== undefined) attempt('losetup', '-d', this.#loop);
    this.#loop = undefined;
    this.#mount = undefined;
  }

  clear(): void {
    if (this.#mount !== undefined) attempt('umount', '--lazy', this.#mount);
    this.#free();
  }
}

/** Disks for a test, gone after each. */
export function useLoopDisks() {
  const temp = new Temp();
  const disks: LoopDisk[] = [];
  afterEach(() => {
    for (const disk of disks.splice(0)) disk.clear();
    temp.clear();
  });
  const keep = (disk: LoopDisk) => {
    disks.push(disk);
    return disk;
  };
  const home = () => fs.realpathSync(temp.dir('disks'));
  return {
    make: (type: LoopType, label: string, leastMiB?: number) =>
      keep(LoopDisk.make(join(home(), 'image'), type, label, leastMiB)),
    /** Block by block. */
    clone: ({ image, type }: LoopDisk) => {
      const copy = join(home(), 'image');
      run('cp', '--sparse=always', image, copy);
      return keep(new LoopDisk(copy, type));
    },
    /** For mount points; nothing is in it. */
    folder: () => fs.realpathSync(temp.dir('mounts')),
  };
}
