/** What prune leaves is whole for restic; and what restic leaves behind is what our prune has nothing to do with. */

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CliPlace, ResticCli } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { onDisk } from '../helpers/temp.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

/** Only defined where a newer restic is at hand (HOLDFAST_TEST_RESTIC_NEW): nothing is missing without it. */
const itWithNewer = hasTool('restic-new') ? it : undefined;

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

const MIB = 1024 * 1024;

function newPlace(): CliPlace {
  const home = temp.dir('home');
  return { home, repository: join(home, 'repository') };
}

function judges(place: CliPlace): Restic[] {
  return [new Restic(place), ...(hasTool('restic-new') ? [Restic.newer(place)] : [])];
}

/** Three backups by different hands of a folder in which each time half of the files is new. */
async function threeBackups(hands: readonly ResticCli[]): Promise<string> {
  const folder = temp.dir('source');
  for (const [i, hand] of hands.entries()) {
    for (let n = 0; n < 12; n++) {
      const text = `line ${n} of ${i}\n`.repeat(5000 + n);
      if (i === 0 || n % 2 === i % 2) fs.writeFileSync(join(folder, `text ${n}`), text);
      if (i === 0 || n % 3 === i % 3) fs.writeFileSync(join(folder, `noise ${n}`), randomBytes(MIB / 2));
    }
    await hand.backup(['.'], { cwd: folder });
  }
  return folder;
}

async function expectClean(place: CliPlace): Promise<void> {
  for (const restic of judges(place)) await restic.check({ readData: true });
}

async function expectRestored(place: CliPlace, folder: string): Promise<void> {
  for (const restic of judges(place)) {
    const target = temp.dir('target');
    await restic.restore('latest', target);
    expectSame(snapshotOf(folder), snapshotOf(target), { root: false });
  }
}

describe('prune', () => {
  it.each([1, 2] as const)('leaves a repository of version %i that restic finds whole', async (version) => {
    const place = newPlace();
    await createOnDisk(place, version);
    const [restic, holdfast] = [new Restic(place), new Holdfast(place)];
    const folder = await threeBackups([restic, holdfast, restic]);
    await holdfast.call(['forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    await expectClean(place);
    await expectRestored(place, folder);
    for (const judge of judges(place)) {
      const { stdout } = await judge.call(['prune', '--dry-run', '--max-unused', '0', '-v', '-v']);
      expect(stdout.toString()).toMatch(/unused: +0 blobs/);
    }
  });

  itWithNewer?.('counts as the newer restic does', async () => {
    const place = newPlace();
    await createOnDisk(place);
    const [restic, holdfast] = [Restic.newer(place), new Holdfast(place)];
    await threeBackups([restic, holdfast, restic]);
    const [, oldest] = await restic.snapshots();
    await holdfast.call(['forget', oldest!.id]);
    for (const args of [
      ['--max-unused', '0'],
      ['--max-unused', 'unlimited'],
      ['--max-unused', '20%'],
      ['--max-repack-size', '0'],
      ['--repack-cacheable-only'],
      ['--repack-uncompressed'],
      ['--repack-smaller-than', '1M', '--max-unused', '1M'],
    ]) {
      const all = ['prune', '--dry-run', ...args];
      const [ours, theirs] = [await holdfast.json(all), await restic.json(all)];
      expect(ours).toEqual(theirs);
    }
  });

  it('and the prune of restic agree in turn', async () => {
    const place = newPlace();
    await createOnDisk(place);
    const [restic, holdfast] = [new Restic(place), new Holdfast(place)];
    const folder = await threeBackups([holdfast, restic, holdfast]);
    await restic.call(['forget', '--keep-last', '2', '--prune', '--max-unused', '0']);
    const dry = ['prune', '--dry-run', '--max-unused', '0'];
    const [nothing] = await holdfast.json(dry);
    expect(nothing).toMatchObject({ blobs: { unused: 0, duplicate: 0 }, packfiles: { unreferenced: 0 } });
    await holdfast.call(['forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    await restic.call(['prune', '--max-unused', '0']);
    await expectClean(place);
    await expectRestored(place, folder);
  });

  it('frees a disk that is full to the last byte', async (context) => {
    requireTool(context, 'loop', 'mkfs.ext4');
    using disk = onDisk('ext4', 96);
    const home = temp.dir('home');
    const place = { home, repository: join(disk.path, 'repository') };
    await createOnDisk(place);
    const holdfast = new Holdfast(place);
    const folder = temp.dir('source');
    for (let n = 0; n < 3; n++) {
      fs.writeFileSync(join(folder, 'changing'), randomBytes(8 * MIB));
      if (n === 0) fs.writeFileSync(join(folder, 'lasting'), randomBytes(8 * MIB));
      await holdfast.backup(['.'], { cwd: folder });
    }
    const before = snapshotOf(folder);
    fillUp(disk.path);
    // Backups must not eat up what is kept for freeing room, however small their packs are.
    for (let n = 0; n < 3; n++) {
      fs.writeFileSync(join(folder, 'changing'), randomBytes(2 * MIB));
      expect((await holdfast.try(['backup', '.'], { cwd: folder })).code).toBe(1);
    }
    await holdfast.call(['forget', '--keep-last', '1', '--prune', '--max-unused', '0']);
    const { bavail, bsize } = fs.statfsSync(disk.path);
    expect(bavail * bsize).toBeGreaterThan(8 * MIB);
    await expectClean(place);
    const target = temp.dir('target');
    await new Restic(place).restore('latest', target);
    expectSame(before, snapshotOf(target), { root: false });
  });
});

/** Writes until nothing fits any more, not even a small file. */
function fillUp(folder: string): void {
  const file = fs.openSync(join(folder, 'filler'), 'w');
  for (let size = MIB; size >= 1; size = Math.floor(size / 4)) {
    try {
      for (;;) if (fs.writeSync(file, Buffer.alloc(size, 1)) < size) break;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'ENOSPC') throw e;
    }
  }
  fs.closeSync(file);
}
