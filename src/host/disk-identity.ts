/**
 * Which file system lies where: what a disk is known by when it comes back at another place.
 *
 * identity  the UUID that a file system carries since it was made (FAT: its serial number), and the label that a person gave it.
 *           What lies encrypted on a disk is known by the file system inside
 * part      the folder of a file system that is seen at a mount point; '' for the whole. Subvolumes and bind mounts show parts
 * clone     another file system with the same UUID: a disk copied block by block
 *
 * None of this asks a mounted file system. Formats: lsblk(8), blkid(8), diskutil(8), Win32_Volume.
 */
import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { type MountLine, mountHolding } from '../fs/disk.ts';
import { fromText, isValidUtf8, toText } from '../util/byte-string.ts';
import { readPlist } from './disk-identity-plist.ts';
import type { RunTool } from './disk-identity-tool.ts';
import { blockDevice, devicesBy, readMounts } from './linux-volumes.ts';
import { holdsPath, isShown } from './volumes.ts';

export interface IdentityPorts {
  readonly platform: NodeJS.Platform;
  /** '/' but in tests. */
  readonly root: string;
  readonly tool: RunTool;
}

export interface FileSystem {
  readonly uuid: string;
  readonly label: string | null;
}

/** A file system that says who it is, at one of the places where it is mounted. */
export interface Mount extends FileSystem {
  readonly path: string;
  readonly part: string;
  /** Differs between file systems, clones too. */
  readonly device: string;
  /** What tools call it: '/dev/sdb1', 'E:'. */
  readonly node: string;
}

/** What is mounted, at one moment. */
export interface Sight {
  readonly mounts: readonly Mount[];
  /** The one that a path without links lies on; undefined: on none that says who it is. */
  holderOf(realPath: string): Mount | undefined;
}

/** Never rejects: what a system's tools don't tell is not seen. */
export async function look(p: IdentityPorts): Promise<Sight> {
  if (p.platform === 'linux') return lookOnLinux(p);
  const mounts = p.platform === 'win32' ? await seenByWindows(p) : await seenByMac(p);
  const byLength = [...mounts].sort((a, b) => b.path.length - a.path.length);
  return { mounts, holderOf: (real) => byLength.find((one) => holdsPath(one.path, real, p.platform)) };
}

// ---- Linux

async function lookOnLinux(p: IdentityPorts): Promise<Sight> {
  const lines = await readMounts(p.root);
  const uncovered = [...new Map(lines.map((line) => [line.mountPoint, line])).values()];
  const shown = uncovered.filter((line) => line.source.startsWith('/dev/') && isShown(line));
  const named = await Promise.all(
    shown.map(async (line) => ({ line, name: await kernelName(p.root, line) })),
  );
  const names = named.flatMap(({ name }) => name ?? []);
  const known = await fileSystems(p, [...new Set(names)]);
  const mounts = new Map<MountLine, Mount>();
  for (const { line, name } of named) {
    const system = name === undefined ? undefined : known.get(name);
    if (system && name !== undefined) mounts.set(line, mountOf(line, name, system));
  }
  return {
    mounts: [...mounts.values()],
    holderOf: (real) => {
      const line = mountHolding(uncovered, fromText(real));
      return line && mounts.get(line);
    },
  };
}

function mountOf(line: MountLine, name: string, system: FileSystem): Mount {
  const part = isValidUtf8(line.root) ? toText(line.root) : line.root;
  return {
    ...system,
    path: toText(line.mountPoint),
    part: part.replace(/^\/+/, ''),
    device: line.device,
    node: `/dev/${name}`,
  };
}

async function kernelName(root: string, line: MountLine): Promise<string | undefined> {
  const block = await blockDevice(root, line);
  return block === undefined ? undefined : path.basename(block);
}

/** By kernel names. The links that udev makes name one of several clones only, and not every system has them: then tools are asked. */
async function fileSystems(
  { root, tool }: IdentityPorts,
  names: readonly string[],
): Promise<ReadonlyMap<string, FileSystem>> {
  const [uuids, labels] = [await devicesBy(root, 'uuid'), await devicesBy(root, 'label')];
  const found = new Map<string, FileSystem>();
  for (const name of names) {
    const uuid = uuids.get(name);
    if (uuid !== undefined) found.set(name, { uuid, label: labels.get(name) ?? null });
  }
  const ask = async (program: string, args: readonly string[], read: (text: string) => typeof found) => {
    const nodes = names.filter((name) => !found.has(name)).map((name) => `/dev/${name}`);
    if (nodes.length === 0) return;
    const { stdout } = await tool(program, [...args, ...nodes]);
    for (const [name, system] of read(stdout)) if (names.includes(name)) found.set(name, system);
  };
  await ask('lsblk', ['--json', '--nodeps', '--output', 'KNAME,UUID,LABEL'], readLsblk);
  // A system without udev: only the devices themselves know.
  await ask('blkid', ['-c', '/dev/null', '-o', 'export'], readBlkid);
  return found;
}

const Lsblk = z.object({
  blockdevices: z.array(
    z.object({ kname: z.string(), uuid: z.string().nullish(), label: z.string().nullish() }),
  ),
});

/** By kernel names. What makes no sense tells nothing. */
export function readLsblk(json: string): Map<string, FileSystem> {
  const devices = Lsblk.safeParse(parsed(json)).data?.blockdevices ?? [];
  return new Map(
    devices.flatMap(({ kname, uuid, label }) => (uuid ? [[kname, { uuid, label: label || null }]] : [])),
  );
}

/** By kernel names: a paragraph for each device, with a backslash before what a shell would not take as it is. */
export function readBlkid(text: string): Map<string, FileSystem> {
  const found = new Map<string, FileSystem>();
  let name = '';
  for (const line of text.split('\n')) {
    const [, key, escaped] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    const value = escaped?.replace(/\\(.)/g, '$1') ?? '';
    if (key === 'DEVNAME') name = path.posix.basename(value);
    if (key === 'UUID') found.set(name, { label: null, ...found.get(name), uuid: value });
    if (key === 'LABEL') found.set(name, { uuid: '', ...found.get(name), label: value });
  }
  return new Map([...found].filter(([, { uuid }]) => uuid !== ''));
}

// ---- macOS

async function seenByMac({ root, tool }: IdentityPorts): Promise<readonly Mount[]> {
  const folder = path.join(root, 'Volumes');
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  // A link there leads to the system's own volume.
  const places = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `/Volumes/${name}`);
  const answers = ['/', ...places].map((place) => tool('diskutil', ['info', '-plist', place]));
  const seen = (await Promise.all(answers)).flatMap(({ stdout }) => readDiskutil(stdout) ?? []);
  // A plain folder in /Volumes is told of as the volume that it lies on.
  return [...new Map(seen.map((mount) => [mount.path, mount])).values()];
}

/** undefined for what is mounted nowhere, or does not say who it is: network drives. */
export function readDiskutil(plist: string): Mount | undefined {
  const { VolumeUUID, VolumeName, MountPoint, DeviceNode } = readPlist(plist);
  if (typeof VolumeUUID !== 'string' || typeof MountPoint !== 'string' || MountPoint === '') return undefined;
  if (typeof DeviceNode !== 'string') return undefined;
  const label = typeof VolumeName === 'string' && VolumeName !== '' ? VolumeName : null;
  return { uuid: VolumeUUID, label, path: MountPoint, part: '', device: DeviceNode, node: DeviceNode };
}

// ---- Windows

const VOLUMES =
  '[Console]::OutputEncoding=[Text.Encoding]::UTF8;' +
  'Get-CimInstance Win32_Volume|Select-Object Name,Label,SerialNumber,DriveType|ConvertTo-Json -Compress';
/** PowerShell takes its time to begin. */
const POWERSHELL_MS = 10_000;

async function seenByWindows({ tool }: IdentityPorts): Promise<readonly Mount[]> {
  const args = ['-NoProfile', '-NonInteractive', '-Command', VOLUMES];
  const { stdout } = await tool('powershell.exe', args, POWERSHELL_MS);
  return readVolumes(stdout);
}

const Win32Volume = z.object({
  Name: z.string().nullish(),
  Label: z.string().nullish(),
  SerialNumber: z.number().nullish(),
  DriveType: z.number().nullish(),
});
/** Removable and fixed; not network, CD and memory. */
const DISKS = [2, 3];

/** One volume is no list there. */
export function readVolumes(json: string): readonly Mount[] {
  const all = parsed(json.replace(/^\uFEFF/, ''));
  const list = Array.isArray(all) ? all : [all];
  return list.flatMap((one): Mount[] => {
    const { Name: place, Label, SerialNumber, DriveType } = Win32Volume.safeParse(one).data ?? {};
    // Without a place it is mounted nowhere, and goes by its GUID.
    if (!place || !/^[a-z]:\\/i.test(place) || !SerialNumber || !DISKS.includes(DriveType ?? 0)) return [];
    const device = place.replace(/\\$/, '');
    return [
      { uuid: serial(SerialNumber), label: Label || null, path: place, part: '', device, node: device },
    ];
  });
}

/** As `vol` shows it: 1A2B-3C4D. */
function serial(number: number): string {
  const digits = (number >>> 0).toString(16).toUpperCase().padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

// ---- all

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Where the folder of a disk is now; undefined: not below this mount. `folder` from the disk's root on, with slashes. */
export function pathOn(mount: Mount, folder: string, platform: NodeJS.Platform): string | undefined {
  const system = platform === 'win32' ? path.win32 : path.posix;
  const below = path.posix.relative(`/${mount.part}`, `/${folder}`);
  return below === '..' || below.startsWith('../') ? undefined : system.join(mount.path, below);
}

/** The folder of a path without links, from the disk's root on, with slashes. */
export function folderOn(mount: Mount, realPath: string, platform: NodeJS.Platform): string {
  const system = platform === 'win32' ? path.win32 : path.posix;
  const below = system.relative(mount.path, realPath).split(system.sep).join('/');
  return path.posix.join(mount.part, below).replace(/^\.?\/*$/, '');
}

/** A path without links; of what is not there yet, the nearest folder's, with the rest put behind. Errors: those of the system. */
export async function realpathOfAny(somePath: string): Promise<string> {
  try {
    return await realpath(somePath);
  } catch (e) {
    const above = path.dirname(somePath);
    if (above === somePath || !(e instanceof Error && 'code' in e && e.code === 'ENOENT')) throw e;
    return path.join(await realpathOfAny(above), path.basename(somePath));
  }
}
