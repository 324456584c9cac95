import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deviceOf, fileSystemType, findMount, freeSpace, mountLines } from '../../../src/fs/disk.ts';
import { fromText, rawByteString, toBytes } from '../../../src/util/byte-string.ts';
import { codeOf, linux, scratch } from './scratch.ts';

describe('disk', () => {
  it('tells the space in bytes', () => {
    const s = freeSpace(scratch().path);
    expect(s.total).toBeGreaterThan(1_000_000);
    expect(s.free).toBeLessThanOrEqual(s.total);
    expect(s.available).toBeLessThanOrEqual(s.free);
    expect(codeOf(() => freeSpace(scratch().at('none')))).toBe('not-found');
  });

  it('gives folders of one disk the same number', () => {
    const dir = scratch();
    mkdirSync(toBytes(dir.at('d')));
    expect(deviceOf(dir.at('d'))).toBe(deviceOf(dir.path));
  });

  it.runIf(linux)('names file systems', () => {
    expect(fileSystemType(fromText('/proc/self'))).toBe('proc');
    expect(deviceOf(fromText('/proc'))).not.toBe(deviceOf(scratch().path));
    expect(fileSystemType(scratch().path)).toMatch(/^[a-z0-9._-]+$/);
  });
});

describe('findMount', () => {
  const table = [
    '21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '22 21 0:20 / /mnt/my\\040disk rw - fuse.sshfs me@host:/x rw',
    '23 21 8:2 / /mnt/a rw shared:2 master:1 - xfs /dev/sdb1 rw',
    '24 21 8:3 / /mnt/a rw - btrfs /dev/sdc1 rw',
    '',
  ].join('\n');
  const type = (path: string) => findMount(table, rawByteString(path))?.type;

  it('takes the deepest mount, and of two at one place the later', () => {
    expect(type('/mnt/my disk/f')).toBe('fuse.sshfs');
    expect(type('/mnt/a')).toBe('btrfs');
    expect(type('/mnt/a/b/c')).toBe('btrfs');
    expect(type('/mnt/ab')).toBe('ext4');
    expect(findMount('', rawByteString('/x'))).toBeUndefined();
  });

  it('reads each line, with the device and the part of it that is seen', () => {
    const bind = '25 21 8:1 /srv/my\\040data /data ro,relatime - ext4 /dev/sda1 rw';
    expect(mountLines(`${bind}\nnonsense\n`)).toEqual([
      { mountPoint: '/data', type: 'ext4', source: '/dev/sda1', device: '8:1', root: '/srv/my data' },
    ]);
    expect(mountLines(table).map(({ device }) => device)).toEqual(['8:1', '0:20', '8:2', '8:3']);
  });
});
