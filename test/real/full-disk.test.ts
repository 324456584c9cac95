/** A disk that gets full during a backup: a sentence, nothing half-written, all earlier snapshots, and then on. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { type DiskType, onDisk } from '../helpers/temp.ts';
import { requireTool } from '../helpers/tools.ts';

const temp = useTemp();
const MIB = 1024 * 1024;

function temporaryFiles(repository: string): readonly string[] {
  const all = fs.readdirSync(repository, { recursive: true, encoding: 'utf8' });
  return all.filter((name) => name.includes('-tmp-'));
}

const DISKS: readonly (readonly [DiskType, number])[] = [
  ['ext4', 96],
  ['xfs', 320],
  ['btrfs', 160],
];

describe('a disk that gets full during a backup', () => {
  it.for(DISKS)('%s', async ([type, sizeMiB], context) => {
    requireTool(context, 'restic', 'loop', `mkfs.${type}`);
    using disk = onDisk(type, sizeMiB);
    const place = { home: temp.dir('home'), repository: join(disk.path, 'repository') };
    await createOnDisk(place);
    const [holdfast, restic] = [new Holdfast(place), new Restic(place)];
    const folder = temp.dir('source');
    fs.mkdirSync(join(folder, 'tree'));
    fs.writeFileSync(join(folder, 'tree', 'first'), randomBytes(5 * MIB));
    await holdfast.backup(['tree'], { cwd: folder });
    const first = snapshotOf(folder);

    const filler = join(disk.path, 'filler');
    const { bavail, bsize } = fs.statfsSync(disk.path);
    fs.writeFileSync(filler, randomBytes(Math.max(0, bavail * bsize - 40 * MIB)));
    for (let n = 0; n < 9; n++) fs.writeFileSync(join(folder, 'tree', `large ${n}`), randomBytes(10 * MIB));
    const failed = await holdfast.try(['backup', 'tree'], { cwd: folder });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/the disk is full/);
    expect(failed.stderr).not.toMatch(/^\s+at /m);
    expect(temporaryFiles(place.repository)).toEqual([]);
    expect(await restic.list('locks')).toEqual([]);

    await restic.call(['check', '--read-data', '--no-lock']);
    const target = temp.dir('target');
    await restic.restore('latest', target, ['--no-lock']);
    expectSame(first, snapshotOf(target), { root: false });

    fs.rmSync(filler);
    for (let n = 4; n < 9; n++) fs.rmSync(join(folder, 'tree', `large ${n}`));
    await holdfast.backup(['tree'], { cwd: folder });
    await restic.check();
    await restic.restore('latest', join(target, 'again'));
    expectSame(snapshotOf(folder), snapshotOf(join(target, 'again')), { root: false });
    expect(await restic.snapshots()).toHaveLength(2);
  });
});
