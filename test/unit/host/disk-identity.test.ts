import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  folderOn,
  look,
  type Mount,
  pathOn,
  readBlkid,
  readDiskutil,
  readLsblk,
  readVolumes,
  realpathOfAny,
} from '../../../src/host/disk-identity.ts';
import { readPlist } from '../../../src/host/disk-identity-plist.ts';
import { type RunTool, systemTool } from '../../../src/host/disk-identity-tool.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const recorded = (name: string) =>
  fs.readFileSync(join(import.meta.dirname, '../../fixtures/disks', name), 'utf8');
const onUnix = process.platform !== 'win32';

/** A tool that prints what was recorded, and what it was asked. */
function tools(printed: Readonly<Record<string, string>>) {
  const asked: string[][] = [];
  const tool: RunTool = async (program, args) => {
    asked.push([program, ...args]);
    const stdout = printed[program];
    return { end: stdout === undefined ? 'missing' : 'well', stdout: stdout ?? '', stderr: '' };
  };
  return { tool, asked };
}

/** Devices by number, links by UUID and label, and a mount table. */
function linux(mounts: string, links: Readonly<Record<string, string>> = {}): string {
  const root = temp.dir('system');
  const put = (path: string) => {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    return join(root, path);
  };
  fs.writeFileSync(put('proc/self/mountinfo'), mounts);
  for (const [, number, name] of mounts.matchAll(/ (\d+:\d+) .* - \S+ \/dev\/(\S+) /g)) {
    fs.mkdirSync(put(`sys/devices/block/${name}`), { recursive: true });
    fs.writeFileSync(put(`dev/${name}`), '');
    for (const link of [put(`sys/dev/block/${number}`), put(`sys/class/block/${name}`)])
      if (!fs.existsSync(link)) fs.symlinkSync(join(root, `sys/devices/block/${name}`), link);
  }
  for (const [link, name] of Object.entries(links))
    fs.symlinkSync(join(root, 'dev', name), put(`dev/disk/${link}`));
  return root;
}

describe('what tools print', () => {
  it('lsblk', () => {
    const found = readLsblk(recorded('lsblk.json'));
    expect([...found.keys()]).toEqual(['sdb1', 'dm-3', 'sdc1']);
    expect(found.get('sdb1')).toEqual({ uuid: '2f3c1c1e-9d0c-4a55-8c5a-1f2a4f3d9b10', label: 'Backup A' });
    expect(found.get('dm-3')?.label).toBeNull();
    expect(readLsblk('lsblk: nonsense').size).toBe(0);
  });

  it('blkid', () => {
    expect([...readBlkid(recorded('blkid.txt'))]).toEqual([
      ['loop0', { uuid: '40560595-7644-41e5-aca4-cefabbf252f8', label: 'My Disk' }],
      ['loop2', { uuid: '26cd5db0-7df2-4779-b4f6-566e1abab99e', label: null }],
      ['loop3', { uuid: 'FB4F-F5B7', label: 'EX FAT' }],
    ]);
  });

  it('diskutil', () => {
    expect(readDiskutil(recorded('diskutil.plist'))).toEqual({
      uuid: '9C1C2F4C-6C1E-4D5B-8E55-2B3A8A7E7A10',
      label: 'Anna & Bob’s',
      path: '/Volumes/Anna & Bob’s',
      part: '',
      device: '/dev/disk5s1',
      node: '/dev/disk5s1',
    });
    expect(readDiskutil(recorded('diskutil-network.plist'))).toBeUndefined();
    expect(readDiskutil('')).toBeUndefined();
    expect(readPlist(recorded('diskutil.plist'))).toMatchObject({
      TotalSize: 2_000_189_177_856,
      Internal: false,
      WritableVolume: true,
      Empty: '',
    });
  });

  it('PowerShell', () => {
    const found = readVolumes(recorded('volumes.json'));
    expect(found.map(({ path, uuid, label }) => [path, uuid, label])).toEqual([
      ['C:\\', 'AC48-7801', 'System'],
      ['E:\\', '1A2B-3C4D', 'My Passport'],
      ['C:\\mnt\\vault\\', '0000-0011', null],
    ]);
    const [one] = JSON.parse(recorded('volumes.json'));
    expect(readVolumes(`\uFEFF${JSON.stringify(one)}`).length).toBe(1);
    expect(readVolumes('')).toEqual([]);
  });
});

const TABLE = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 8:17 / /media/a/My\\040Disk rw - ext4 /dev/sdb1 rw
31 22 0:40 /@data/deep /data rw - btrfs /dev/sdc1 rw
32 22 8:17 /inner /bound rw - ext4 /dev/sdb1 rw
33 22 0:41 / /mnt/nas rw - nfs4 nas:/v rw
34 22 0:42 / /media/a/My\\040Disk/tmp rw - tmpfs tmpfs rw
35 22 8:49 / /covered rw - ext4 /dev/sdd1 rw
36 22 8:65 / /covered rw - ext4 /dev/sde1 rw
`;

describe.runIf(onUnix)('a look at Linux', () => {
  it('knows file systems by the links of udev, wherever a part of them is mounted', async () => {
    const links = {
      'by-uuid/aaaa': 'sdb1',
      'by-label/My\\x20Disk': 'sdb1',
      'by-uuid/bbbb': 'sdc1',
      'by-uuid/cccc': 'vda',
      'by-uuid/dddd': 'sdd1',
      'by-uuid/eeee': 'sde1',
    };
    const { tool, asked } = tools({});
    const sight = await look({ platform: 'linux', root: linux(TABLE, links), tool });
    expect(asked).toEqual([]);
    expect(sight.mounts.map(({ path, part, uuid, label }) => [path, part, uuid, label])).toEqual([
      ['/', '', 'cccc', null],
      ['/media/a/My Disk', '', 'aaaa', 'My Disk'],
      ['/data', '@data/deep', 'bbbb', null],
      ['/bound', 'inner', 'aaaa', 'My Disk'],
      ['/covered', '', 'eeee', null],
    ]);
    expect(sight.holderOf('/media/a/My Disk/x')?.uuid).toBe('aaaa');
    expect(sight.holderOf('/media/a/My Disk/tmp/x')).toBeUndefined();
    expect(sight.holderOf('/mnt/nas/x')).toBeUndefined();
    expect(sight.holderOf('/media/a')?.uuid).toBe('cccc');
  });

  it('asks lsblk for what has no link, clones above all, and blkid for what lsblk does not know', async () => {
    const table = `30 22 8:17 / /a rw - ext4 /dev/sdb1 rw
31 22 8:33 / /b rw - ext4 /dev/sdc1 rw
32 22 7:0 / /c rw - ext4 /dev/loop0 rw
`;
    const root = linux(table, { 'by-uuid/2f3c1c1e-9d0c-4a55-8c5a-1f2a4f3d9b10': 'sdb1' });
    const { tool, asked } = tools({ lsblk: recorded('lsblk.json'), blkid: recorded('blkid.txt') });
    const { mounts } = await look({ platform: 'linux', root, tool });
    expect(mounts.map(({ path, uuid, device }) => [path, uuid.slice(0, 4), device])).toEqual([
      ['/a', '2f3c', '8:17'],
      ['/b', '2f3c', '8:33'],
      ['/c', '4056', '7:0'],
    ]);
    expect(asked.map((line) => [line[0], ...line.filter((part) => part.startsWith('/dev/'))])).toEqual([
      ['lsblk', '/dev/sdc1', '/dev/loop0'],
      ['blkid', '/dev/null', '/dev/loop0'],
    ]);
  });

  it('sees nothing where nothing tells', async () => {
    const { mounts, holderOf } = await look({ platform: 'linux', root: linux(TABLE), tool: tools({}).tool });
    expect(mounts).toEqual([]);
    expect(holderOf('/data')).toBeUndefined();
  });
});

it('a look at Windows', async () => {
  const { tool } = tools({ 'powershell.exe': recorded('volumes.json') });
  const { holderOf } = await look({ platform: 'win32', root: '/', tool });
  expect(holderOf('e:\\Holdfast')?.uuid).toBe('1A2B-3C4D');
  expect(holderOf('C:\\mnt\\vault\\x')?.uuid).toBe('0000-0011');
  expect(holderOf('D:\\x')).toBeUndefined();
});

it.runIf(onUnix)(
  'a look at macOS asks about the root and each folder of /Volumes, but follows no link',
  async () => {
    const root = temp.dir('mac');
    fs.mkdirSync(join(root, 'Volumes', 'Anna & Bob’s'), { recursive: true });
    fs.symlinkSync('/', join(root, 'Volumes', 'Macintosh HD'));
    const { tool, asked } = tools({ diskutil: recorded('diskutil.plist') });
    const { mounts, holderOf } = await look({ platform: 'darwin', root, tool });
    expect(asked.map((line) => line.at(-1))).toEqual(['/', '/Volumes/Anna & Bob’s']);
    expect(mounts.length).toBe(1);
    expect(holderOf('/Volumes/Anna & Bob’s/x')?.label).toBe('Anna & Bob’s');
  },
);

describe('folders of a disk', () => {
  const at = (path: string, part = ''): Mount => ({
    path,
    part,
    uuid: 'u',
    label: null,
    device: '8:1',
    node: '/dev/sda1',
  });

  it.each([
    ['/media/x', '', '/media/x/Holdfast/a', 'Holdfast/a'],
    ['/media/x', '', '/media/x', ''],
    ['/data', '@data', '/data/Holdfast', '@data/Holdfast'],
    ['/data', '@data', '/data', '@data'],
  ])('of %s showing “%s”, %s is “%s”, and back', (path, part, real, folder) => {
    expect(folderOn(at(path, part), real, 'linux')).toBe(folder);
    expect(pathOn(at(path, part), folder, 'linux')).toBe(real);
  });

  it('may not be seen where only a part is mounted', () => {
    expect(pathOn(at('/data', '@data'), 'Holdfast', 'linux')).toBeUndefined();
    expect(pathOn(at('/data', '@data'), '@data2/Holdfast', 'linux')).toBeUndefined();
    expect(pathOn(at('/data', '@data'), '@data/..x', 'linux')).toBe('/data/..x');
  });

  it('have slashes, also on Windows', () => {
    expect(folderOn(at('E:\\'), 'E:\\Holdfast\\a', 'win32')).toBe('Holdfast/a');
    expect(pathOn(at('F:\\'), 'Holdfast/a', 'win32')).toBe('F:\\Holdfast\\a');
    expect(pathOn(at('F:\\'), '', 'win32')).toBe('F:\\');
  });
});

it.runIf(onUnix)('the path of what is not there yet', async () => {
  const home = fs.realpathSync(temp.dir('home'));
  fs.mkdirSync(join(home, 'there'));
  fs.symlinkSync(join(home, 'there'), join(home, 'link'));
  expect(await realpathOfAny(join(home, 'link', 'a', 'b'))).toBe(join(home, 'there', 'a', 'b'));
  fs.symlinkSync(join(home, 'loop'), join(home, 'loop'));
  await expect(realpathOfAny(join(home, 'loop', 'a'))).rejects.toMatchObject({ code: 'ELOOP' });
});

describe('a tool of the system', () => {
  it('is told how it ended', async () => {
    const node = (code: string, ms?: number) => systemTool(process.execPath, ['-e', code], ms);
    expect(await node('console.log(1)')).toEqual({ end: 'well', stdout: '1\n', stderr: '' });
    expect(await node('console.error(2);process.exitCode=3')).toMatchObject({ end: 'failed', stderr: '2\n' });
    expect(await node('setInterval(()=>{},1000)', 200)).toMatchObject({ end: 'late' });
    expect(await systemTool('holdfast-no-such-tool', [])).toMatchObject({ end: 'missing' });
  });
});
