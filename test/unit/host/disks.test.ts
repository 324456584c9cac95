import childProcess from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Disk } from '../../../src/api/model/computer.ts';
import { mountLines } from '../../../src/fs/disk.ts';
import { bestFirst, suggest } from '../../../src/host/computer.ts';
import { askSystem, type Drive } from '../../../src/host/disk-info.ts';
import { type DiskPorts, listDisks, readMounted } from '../../../src/host/disks.ts';
import { linuxVolumes, readMounts, unescapeLabel } from '../../../src/host/linux-volumes.ts';
import { parseUserDirs } from '../../../src/host/own-folders.ts';
import { Patience } from '../../../src/host/patience.ts';
import {
  attachmentOf,
  holdsPath,
  isNetwork,
  macVolumes,
  shownMounts,
  windowsVolumes,
} from '../../../src/host/volumes.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const unix = process.platform !== 'win32';

/** A laptop: an encrypted system, a disk on USB, a card, a share, packages, containers. */
const MOUNTS = `22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
23 22 0:20 / /proc rw,nosuid - proc proc rw
24 22 0:21 / /run rw,nosuid - tmpfs tmpfs rw,size=1600000k
25 22 259:1 / /boot/efi rw,relatime - vfat /dev/nvme0n1p1 rw
26 22 259:2 / /boot rw,relatime - ext4 /dev/nvme0n1p2 rw
27 22 7:1 / /snap/core/1 ro,nodev - squashfs /dev/loop1 ro
28 22 253:1 / /home rw,relatime - ext4 /dev/mapper/vg-home rw
29 24 8:17 / /run/media/anna/My\\040Passport rw,nosuid - exfat /dev/sdb1 rw
30 24 179:1 / /run/media/anna/CARD rw,nosuid - vfat /dev/mmcblk0p1 rw
31 22 0:50 / /mnt/nas rw,relatime - nfs4 nas:/volume1/backup rw,vers=4.2
32 24 0:51 / /run/user/1000/gvfs rw,nosuid - fuse.gvfsd-fuse gvfsd-fuse rw
33 22 0:52 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw
34 22 253:1 /anna/work /srv/work rw,relatime - ext4 /dev/mapper/vg-home rw
35 22 0:53 /@data /data rw,relatime - btrfs /dev/sdc1 rw,subvol=/@data
36 22 0:53 /@photos /photos rw,relatime - btrfs /dev/sdc1 rw,subvol=/@photos
`;

/** As sysfs has it: real folders below /sys/devices, links to them by number and by name. */
function fakeSystem(mounts = MOUNTS): string {
  const root = temp.dir('system');
  const write = (path: string, text: string) => {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.writeFileSync(join(root, path), text);
  };
  const link = (path: string, target: string) => {
    fs.mkdirSync(dirname(join(root, path)), { recursive: true });
    fs.symlinkSync(join(root, target), join(root, path));
  };
  const device = (number: string, folder: string, disk = folder) => {
    write(`${folder}/dev`, number);
    write(`${disk}/removable`, '0\n');
    if (disk !== folder) write(`${folder}/partition`, '1\n');
    link(`sys/dev/block/${number}`, folder);
    link(`sys/class/block/${folder.slice(folder.lastIndexOf('/') + 1)}`, folder);
  };
  write('proc/self/mountinfo', mounts);
  const pci = 'sys/devices/pci0000:00';
  const nvme = `${pci}/0000:00:06.0/nvme/nvme0/nvme0n1`;
  device('259:0', nvme);
  device('259:3', `${nvme}/nvme0n1p3`, nvme);
  device('259:4', `${nvme}/nvme0n1p4`, nvme);
  device('253:2', 'sys/devices/virtual/block/dm-2');
  device('253:0', 'sys/devices/virtual/block/dm-0');
  device('253:1', 'sys/devices/virtual/block/dm-1');
  link('sys/devices/virtual/block/dm-0/slaves/dm-2', 'sys/devices/virtual/block/dm-2');
  link('sys/devices/virtual/block/dm-1/slaves/dm-2', 'sys/devices/virtual/block/dm-2');
  link('sys/devices/virtual/block/dm-2/slaves/nvme0n1p3', `${nvme}/nvme0n1p3`);
  const usb = `${pci}/0000:00:14.0/usb2/2-1/2-1:1.0/host2/target2:0:0/2:0:0:0/block/sdb`;
  device('8:17', `${usb}/sdb1`, usb);
  const card = `${pci}/0000:00:1a.0/mmc_host/mmc0/mmc0:aaaa`;
  device('179:1', `${card}/block/mmcblk0/mmcblk0p1`, `${card}/block/mmcblk0`);
  write(`${card}/type`, 'SD\n');
  const sata = `${pci}/0000:00:17.0/ata3/host3/target3:0:0/3:0:0:0/block/sdc`;
  device('8:33', `${sata}/sdc1`, sata);
  for (const name of ['sdb1', 'sdc1', 'dm-1']) write(`dev/${name}`, '');
  link('dev/disk/by-label/My\\x20Passport', 'dev/sdb1');
  link('dev/disk/by-label/Bilder\\x20f\\xc3\\xbcr\\x20alle', 'dev/sdc1');
  return root;
}

const LINUX_DRIVES: readonly Drive[] = [
  { device: '/dev/mapper/vg-root', blocks: 1000, available: 400, mounted: '/' },
  { device: '/dev/sdc1', blocks: 4000, available: 3000, mounted: '/data' },
  // The name is cut off at the space.
  { device: '/dev/sdb1', blocks: 7, available: 7, mounted: '/run/media/anna/My' },
];

const factsOf = (sysPath: string) => ({ sysPath, drive: sysPath, removable: false, cardType: null });

describe('disks of Linux', () => {
  it('are each file system once, without what belongs to the system', () => {
    const shown = shownMounts(mountLines(MOUNTS)).map(({ mountPoint }) => mountPoint);
    expect(shown).toEqual([
      '/',
      '/home',
      '/run/media/anna/My Passport',
      '/run/media/anna/CARD',
      '/mnt/nas',
      '/data',
    ]);
  });

  it('have the label as their name, and are where the kernel says', async () => {
    const root = fakeSystem();
    const found = await linuxVolumes(root, await readMounts(root), LINUX_DRIVES);
    expect(found.map(({ volume: v }) => [v.path, v.name, v.attachment])).toEqual([
      ['/', '/', 'internal'],
      ['/home', 'home', 'internal'],
      ['/run/media/anna/My Passport', 'My Passport', 'removable'],
      ['/run/media/anna/CARD', 'CARD', 'removable'],
      ['/mnt/nas', 'nas', 'network'],
      ['/data', 'Bilder für alle', 'internal'],
    ]);
    const drives = found.map(({ volume }) => volume.drive?.split('/').at(-1) ?? null);
    expect(drives).toEqual(['nvme0n1', 'nvme0n1', 'sdb', 'mmcblk0', null, 'sdc']);
    expect(found.map(({ volume }) => volume.space)).toEqual([
      { total: 1_024_000, free: 409_600 },
      null,
      null,
      null,
      null,
      { total: 4_096_000, free: 3_072_000 },
    ]);
  });

  it('are not known where the kernel says nothing', () => {
    expect(attachmentOf('ext4', undefined)).toBe('unknown');
    expect(attachmentOf('ext4', factsOf('/sys/devices/virtual/block/loop0'))).toBe('unknown');
    const emmc = factsOf('/sys/devices/x/mmc_host/mmc0/mmc0:1/block/mmcblk0');
    expect(attachmentOf('ext4', { ...emmc, cardType: 'MMC' })).toBe('internal');
    expect(attachmentOf('ext4', { ...emmc, removable: true, cardType: null })).toBe('removable');
    expect(['nfs', 'cifs', 'fuse.sshfs', 'ext4', 'fuseblk'].filter(isNetwork)).toEqual([
      'nfs',
      'cifs',
      'fuse.sshfs',
    ]);
  });

  it('are those of a container, too', () => {
    const mounts = `500 1 0:90 / / rw,relatime - overlay overlay rw,lowerdir=/a
501 500 0:91 / /proc rw - proc proc rw
502 500 0:92 / /dev rw - tmpfs tmpfs rw
503 500 8:1 /var/lib/docker/containers/1/hosts /etc/hosts rw - ext4 /dev/sda1 rw
504 500 8:1 /srv/files /files rw - ext4 /dev/sda1 rw`;
    expect(shownMounts(mountLines(mounts)).map(({ mountPoint }) => mountPoint)).toEqual(['/', '/files']);
  });

  it('reads names that udev has escaped', () => {
    expect(unescapeLabel('a\\x20b\\x2fc')).toBe('a b/c');
    expect(unescapeLabel('\\xc3\\xa4')).toBe('ä');
    expect(unescapeLabel('ä')).toBe('ä');
  });
});

/** Lets node-disk-info read a recorded output. */
function recorded(file: 'darwin' | 'windows', outputs: Readonly<Record<string, string>>): readonly Drive[] {
  vi.spyOn(childProcess, 'execSync').mockImplementation((command) => {
    const found = Object.entries(outputs).find(([start]) => command.startsWith(start));
    return Buffer.from(found?.[1] ?? '');
  });
  const platform = createRequire(import.meta.url)(`node-disk-info/dist/platforms/${file}.js`);
  const drives = platform[file === 'darwin' ? 'Darwin' : 'Windows'].run();
  return drives.map((drive: Record<string, unknown>) => ({
    device: drive.filesystem,
    blocks: drive.blocks,
    available: drive.available,
    mounted: drive.mounted,
  }));
}

describe('disks of macOS', () => {
  afterEach(() => void vi.restoreAllMocks());

  // `df -P | awk 'NR > 1'` counts in 512 bytes.
  const DF = `/dev/disk3s1s1                             965595304  22000000 500000000     5%    /
devfs                                            394       394         0   100%    /dev
/dev/disk3s5                               965595304 400000000 500000000    45%    /System/Volumes/Data
map auto_home                                      0         0         0   100%    /System/Volumes/Data/home
/dev/disk4s2                              1953115488  10000000 900000000     1%    /Volumes/My Passport
/dev/disk5s1                                 1000000    400000    600000    40%    /Volumes/STICK
//anna@nas._smb._tcp.local/Backup         2000000000 100000000 190000000     6%    /Volumes/Backup
nas:/volume1/photos                       2000000000 100000000 190000000     6%    /mnt/photos
`;

  it('are the system, and what lies in /Volumes', () => {
    const names = ['Macintosh HD', 'My Passport', 'STICK', 'Backup'];
    const found = macVolumes(recorded('darwin', { 'df -P': DF }), names);
    expect(found.map(({ path, name, attachment }) => [path, name, attachment])).toEqual([
      ['/', '/', 'internal'],
      ['/Volumes/My Passport', 'My Passport', 'unknown'],
      ['/Volumes/STICK', 'STICK', 'unknown'],
      ['/Volumes/Backup', 'Backup', 'network'],
      ['/mnt/photos', 'photos', 'network'],
    ]);
    expect(found[2]?.space).toEqual({ total: 512_000_000, free: 307_200_000 });
  });

  it('are left out where their names can’t be told apart', () => {
    const names = ['My Passport', 'My Photos'];
    const found = macVolumes(recorded('darwin', { 'df -P': DF }), names);
    expect(found.map(({ path }) => path)).not.toContain('/Volumes/My');
    expect(found.filter(({ path }) => path.startsWith('/Volumes/My'))).toEqual([]);
  });
});

describe('disks of Windows', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** wmic ends its lines with two carriage returns. */
  const wmic = (...disks: readonly Readonly<Record<string, string>>[]) => ({
    wmic: ['', ...disks.flatMap((disk) => [...Object.entries(disk).map((pair) => pair.join('=')), '']), '']
      .join('\r\r\n')
      .concat('\r\r\n'),
    chcp: 'Active code page: 65001\r\n',
  });

  it('are drives with a medium in them', () => {
    const drives = recorded(
      'windows',
      wmic(
        {
          Caption: 'C:',
          Description: 'Local Fixed Disk',
          FreeSpace: '100',
          Size: '500',
          VolumeSerialNumber: 'A',
        },
        { Caption: 'D:', Description: 'CD-ROM Disc', FreeSpace: '', Size: '', VolumeSerialNumber: '' },
        {
          Caption: 'E:',
          Description: 'Wechseldatenträger',
          FreeSpace: '30',
          Size: '60',
          VolumeSerialNumber: 'B',
        },
        {
          Caption: 'F:',
          Description: 'Removable Disk',
          FreeSpace: '',
          Size: '',
          VolumeSerialNumber: '',
        },
        {
          Caption: 'Z:',
          Description: 'Network Connection',
          FreeSpace: '7',
          Size: '9',
          VolumeSerialNumber: 'C',
        },
        { Caption: 'Y:', Description: 'Disque local', FreeSpace: '1', Size: '2', VolumeSerialNumber: 'D' },
      ),
    );
    expect(windowsVolumes(drives).map(({ path, attachment, space }) => [path, attachment, space])).toEqual([
      ['C:\\', 'internal', { total: 500, free: 100 }],
      ['E:\\', 'removable', { total: 60, free: 30 }],
      ['Z:\\', 'network', { total: 9, free: 7 }],
      ['Y:\\', 'unknown', { total: 2, free: 1 }],
    ]);
  });

  it('hold paths whatever their case and slashes', () => {
    expect(holdsPath('C:\\', 'c:/Users/Anna', 'win32')).toBe(true);
    expect(holdsPath('D:\\', 'C:\\Users', 'win32')).toBe(false);
    expect(holdsPath('/mnt/a', '/mnt/ab', 'linux')).toBe(false);
    expect(holdsPath('/', '/mnt/ab', 'linux')).toBe(true);
  });
});

describe.runIf(unix)('the system’s tools', () => {
  function withDf(script: string): NodeJS.ProcessEnv {
    const folder = temp.dir('bin');
    fs.writeFileSync(join(folder, 'df'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  }

  it('tell what is mounted', async () => {
    const env = withDf('echo "Filesystem 1024-blocks Used"; echo "/dev/sda1 1000 600 400 60% /data"');
    expect(await askSystem({ timeoutMs: 10_000, env })).toEqual([
      { device: '/dev/sda1', blocks: 1000, available: 400, mounted: '/data' },
    ]);
  });

  it('count in the same unit whatever the person has set', async () => {
    const env = { ...withDf('echo x; echo "$BLOCK_SIZE$POSIXLY_CORRECT. 1 1 1 1% /"'), BLOCK_SIZE: '1M' };
    const [drive] = await askSystem({ timeoutMs: 10_000, env: { ...env, POSIXLY_CORRECT: '1' } });
    expect(drive?.device).toBe('.');
  });

  it.runIf(process.platform === 'linux')('are ended when they hang, with all that they began', async () => {
    const env = withDf(`echo $$ > "$(dirname "$0")/pid"; sleep 1000; echo never`);
    const folder = String(env.PATH).split(':')[0]!;
    await expect(askSystem({ timeoutMs: 300, env })).rejects.toMatchObject({ code: 'unsupported' });
    const pid = Number(fs.readFileSync(join(folder, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(stateOf(pid)).toMatch(/^[ZX]?$/));
  });

  it('are not waited for when nobody wants to know', async () => {
    await expect(
      askSystem({ timeoutMs: 1000, signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });

  /** Format: proc_pid_stat(5); '' where there is none (any more). */
  function stateOf(pid: number): string {
    const stat = fs.existsSync(`/proc/${pid}/stat`) ? fs.readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return stat
      .slice(stat.lastIndexOf(')') + 1)
      .trim()
      .slice(0, 1);
  }
});

describe.runIf(process.platform === 'linux')('what lies on a disk', () => {
  /** `folders` of a home are disks of their own. */
  function computer(folders: Readonly<Record<string, string>>, over: Partial<DiskPorts> = {}) {
    const home = fs.realpathSync(temp.dir('home'));
    const lines = Object.entries(folders).map(([name, type], n) => {
      fs.mkdirSync(join(home, name), { recursive: true });
      return `${30 + n} 22 0:${70 + n} / ${join(home, name)} rw - ${type} ${type === 'nfs' ? `nas:/${name}` : `/dev/${name}`} rw`;
    });
    const root = fakeSystem(`22 1 259:3 / / rw - ext4 /dev/nvme0n1p3 rw\n${lines.join('\n')}\n`);
    const ports: DiskPorts & { env: Record<string, string> } = {
      platform: 'linux',
      tool: async () => ({ end: 'missing', stdout: '', stderr: '' }),
      home,
      root,
      systemDrive: undefined,
      patience: new Patience(systemClock),
      drives: async () => [{ device: '/dev/nvme0n1p3', blocks: 1000, available: 500, mounted: '/' }],
      plans: () => [],
      destinations: () => [],
      env: {},
      ...over,
    };
    return ports;
  }

  const byName = (disks: readonly Disk[]) => new Map(disks.map((disk) => [disk.name, Disk.parse(disk)]));

  it('is known by its file system, wherever that is mounted', async () => {
    const p = computer({ usb: 'ext4', other: 'ext4' });
    fs.mkdirSync(join(p.root, 'dev/disk/by-uuid'), { recursive: true });
    for (const [uuid, device] of [
      ['1111', 'usb'],
      ['2222', 'other'],
    ] as const) {
      fs.writeFileSync(join(p.root, 'dev', device), '');
      fs.mkdirSync(join(p.root, 'sys/class/block', device), { recursive: true });
      fs.symlinkSync(join(p.root, 'dev', device), join(p.root, 'dev/disk/by-uuid', uuid));
    }
    const disk = {
      uuid: '1111',
      label: null,
      capacity: 1,
      folder: 'repository',
      repositoryId: 'r',
      lastSeenAt: null,
      mountPoint: null,
    };
    // It was at the place of the other one before.
    const moved = { ...destinationOf({ location: join(p.home, 'other', 'repository') }), disks: [disk] };
    fs.mkdirSync(join(p.home, 'other', 'repository'));
    const there = { ...p, destinations: () => [moved] };
    const disks = byName(await listDisks(there, await readMounted(there)));
    expect(disks.get('usb')).toMatchObject({ uuid: '1111', destinationIds: [moved.id] });
    expect(disks.get('other')).toMatchObject({ uuid: '2222', destinationIds: [] });
  });

  it('is told by real paths; what is not there is on none', async () => {
    const p = computer({ usb: 'ext4', nas: 'nfs' });
    fs.mkdirSync(join(p.home, 'usb', 'repository'));
    fs.symlinkSync(join(p.home, 'usb'), join(p.home, 'link'));
    const on = destinationOf({ location: join(p.home, 'link', 'repository') });
    const gone = destinationOf({ location: join(p.home, 'unplugged', 'repository') });
    const far = destinationOf({ location: join(p.home, 'nas', 'not looked at') });
    const plan = planOf({
      sources: [
        { kind: 'path', path: p.home },
        { kind: 'path', path: join(p.home, 'usb') },
        { kind: 'command', fileName: 'dump', command: ['true'] },
      ],
    });
    const ports = { ...p, destinations: () => [on, gone, far], plans: () => [plan] };
    const disks = byName(await listDisks(ports, await readMounted(ports)));
    expect(disks.get('/')).toMatchObject({ system: true, destinationIds: [], planIds: [plan.id] });
    expect(disks.get('usb')).toMatchObject({ system: false, destinationIds: [on.id], planIds: [plan.id] });
    expect(disks.get('nas')).toMatchObject({ attachment: 'network', destinationIds: [far.id], planIds: [] });
    expect(disks.get('usb')?.total).toBeGreaterThan(0);
  });

  it('is still told where the system’s tools are missing', async () => {
    const p = computer({ usb: 'ext4' }, { drives: () => Promise.reject(new Error('no df')) });
    const disks = byName(await listDisks(p, await readMounted(p)));
    expect([...disks.keys()]).toEqual(['/', 'usb']);
    expect(disks.get('/')?.total).toBeGreaterThan(0);
  });

  it('suggests own folders that are there, and disks that they are not on', async () => {
    const p = computer({ usb: 'ext4', nas: 'nfs', Bilder: 'ext4' });
    fs.mkdirSync(join(p.home, '.config'));
    fs.writeFileSync(
      join(p.home, '.config', 'user-dirs.dirs'),
      'XDG_PICTURES_DIR="$HOME/Bilder"\nXDG_MUSIC_DIR="$HOME/"\n',
    );
    for (const name of ['Documents', 'Music']) fs.mkdirSync(join(p.home, name));
    const { home, sources, destinations } = await suggest(p);
    expect(home).toBe(p.home);
    expect(sources).toEqual([
      { kind: 'documents', path: join(p.home, 'Documents') },
      { kind: 'pictures', path: join(p.home, 'Bilder') },
    ]);
    expect(destinations.map(({ disk, folder }) => [disk.name, folder])).toEqual([
      ['usb', join(p.home, 'usb', 'Holdfast')],
      ['nas', join(p.home, 'nas', 'Holdfast')],
    ]);
  });

  it('suggests no other partition of a drive that fails with the system', async () => {
    const p = computer({ usb: 'ext4', data: 'ext4' });
    const table = join(p.root, 'proc/self/mountinfo');
    fs.writeFileSync(table, fs.readFileSync(table, 'utf8').replace('0:71 /', '259:4 /'));
    const { destinations } = await suggest(p);
    expect(destinations.map(({ disk }) => disk.name)).toEqual(['usb']);
  });

  it('suggests removable disks first, then by their room', () => {
    const disk = (name: string, attachment: Disk['attachment'], free: number) =>
      Disk.parse({
        path: `/${name}`,
        device: name,
        name,
        total: 100,
        free,
        attachment,
        system: false,
        destinationIds: [],
        planIds: [],
      });
    const all = [
      disk('inside', 'internal', 90),
      disk('nas', 'network', 80),
      disk('stick', 'removable', 10),
      disk('usb', 'removable', 70),
    ];
    expect(bestFirst(all).map(({ name }) => name)).toEqual(['usb', 'stick', 'nas', 'inside']);
  });
});

describe('own folders', () => {
  it('are read as a shell would', () => {
    const text = [
      '# This file is written by xdg-user-dirs-update',
      'XDG_DESKTOP_DIR="$HOME/Schreibtisch"',
      'XDG_DOWNLOAD_DIR="$HOME"',
      'XDG_MUSIC_DIR="$HOME/"',
      'XDG_DOCUMENTS_DIR="/data/Anna\\"s \\$ Files"',
      'XDG_PICTURES_DIR=$HOME/unquoted',
      'XDG_VIDEOS_DIR="relative"',
      'XDG_TEMPLATES_DIR="$HOME/Vorlagen"',
    ].join('\n');
    expect([...parseUserDirs(text, '/home/anna')]).toEqual([
      ['desktop', '/home/anna/Schreibtisch'],
      ['downloads', ''],
      ['music', ''],
      ['documents', '/data/Anna"s $ Files'],
    ]);
  });
});
