/**
 * The disks of this computer, how full they are, and what of Holdfast's lies on them.
 *
 * No path on a network drive is asked about without a bound: one that hangs would hold up the host (patience.ts).
 */
import { access, constants, readdir, realpath, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Disk } from '../api/model/computer.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import { parseLocation } from '../backend/registry.ts';
import { type MountLine, mountHolding } from '../fs/disk.ts';
import { fromText } from '../util/byte-string.ts';
import { look, type Mount } from './disk-identity.ts';
import type { RunTool } from './disk-identity-tool.ts';
import type { Drive } from './disk-info.ts';
import { linuxVolumes, readMounts } from './linux-volumes.ts';
import type { Patience } from './patience.ts';
import { SCHEMES } from './schemes.ts';
import { holdsPath, macVolumes, type Volume, windowsVolumes } from './volumes.ts';

export interface DiskPorts {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** '/' but in tests: where the system's own files of facts lie. */
  readonly root: string;
  readonly patience: Patience;
  /** The drive Windows starts from: 'C:'. */
  readonly systemDrive: string | undefined;
  /** Rejects where the system's tools are missing or do not answer. */
  drives(signal?: AbortSignal): Promise<readonly Drive[]>;
  readonly tool: RunTool;
  plans(): readonly Plan[];
  destinations(): readonly Destination[];
}

/** What is mounted, at one moment. */
export interface Mounted {
  readonly volumes: readonly Volume[];
  /** The volume that a path without links lies on; undefined: on none that is shown. */
  holderOf(realPath: string): Volume | undefined;
}

const ASK_MS = 2000;

export async function readMounted(p: DiskPorts, signal?: AbortSignal): Promise<Mounted> {
  const drives = await p.drives(signal).catch(() => {
    signal?.throwIfAborted();
    return [];
  });
  if (p.platform === 'linux') return mountedOnLinux(await readMounts(p.root), p, drives);
  const volumes = p.platform === 'win32' ? windowsVolumes(drives) : await volumesOfMac(drives);
  const found = volumes.length > 0 ? volumes : await guessed(p);
  const byLength = [...found].sort((a, b) => b.path.length - a.path.length);
  return {
    volumes: found,
    holderOf: (real) => byLength.find((volume) => holdsPath(volume.path, real, p.platform)),
  };
}

async function mountedOnLinux(
  lines: readonly MountLine[],
  p: DiskPorts,
  drives: readonly Drive[],
): Promise<Mounted> {
  const found = await linuxVolumes(p.root, lines, drives);
  return {
    volumes: found.map(({ volume }) => volume),
    // Also at another place where the same file system is mounted.
    holderOf: (real) => {
      const device = mountHolding(lines, fromText(real))?.device;
      return found.find(({ line }) => line.device === device)?.volume;
    },
  };
}

async function volumesOfMac(drives: readonly Drive[]): Promise<readonly Volume[]> {
  return macVolumes(drives, await readdir('/Volumes').catch(() => []));
}

/** Where the system's tools say nothing: the places where disks usually are. How full they are is asked later. */
async function guessed(p: DiskPorts): Promise<readonly Volume[]> {
  const windows = p.platform === 'win32';
  const places = windows ? letters() : ['/', ...(await foldersOfVolumes())];
  const volumes = places.map(
    (place): Volume => ({
      path: place,
      device: windows ? place.slice(0, 2) : '',
      name: windows ? place.slice(0, 2) : path.basename(place) || place,
      attachment: 'unknown',
      drive: null,
      space: null,
    }),
  );
  const measured: Volume[] = [];
  for (const volume of volumes) measured.push(await measure(p, volume));
  return measured.filter(({ space }) => space !== null);
}

function letters(): readonly string[] {
  return [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => `${letter}:\\`);
}

async function foldersOfVolumes(): Promise<readonly string[]> {
  const found = await readdir('/Volumes', { withFileTypes: true }).catch(() => []);
  return found.filter((entry) => entry.isDirectory()).map(({ name }) => `/Volumes/${name}`);
}

/** With its space, where that can be had in time. */
async function measure(p: DiskPorts, volume: Volume, signal?: AbortSignal): Promise<Volume> {
  if (volume.space) return volume;
  const asked = { ms: ASK_MS, signal, spare: volume.attachment === 'network' };
  const found = await p.patience
    .ask(`space ${volume.path}`, asked, () => statfs(volume.path))
    .catch(() => null);
  signal?.throwIfAborted();
  if (!found) return volume;
  return { ...volume, space: { total: found.blocks * found.bsize, free: found.bavail * found.bsize } };
}

/** What a volume of which nobody knows the space has: 0 of 0 bytes. Errors: the signal's reason. */
export async function listDisks(p: DiskPorts, mounted: Mounted, signal?: AbortSignal): Promise<Disk[]> {
  const resolver = new Resolver(p, mounted, signal);
  const { mounts } = await look(p);
  const uuidOf = (volume: Volume) => mounts.find((mount) => isAt(mount, volume, p))?.uuid ?? null;
  const [home, owners] = [await resolver.volumeOf(p.home), await ownersOf(p, resolver, uuidOf)];
  const disks: Disk[] = [];
  for (const volume of mounted.volumes) {
    const { space, drive: _, ...facts } = await measure(p, volume, signal);
    const own = (kind: Owner['kind']) =>
      owners.filter((owner) => owner.kind === kind && owner.volume === volume).map(({ id }) => id);
    disks.push({
      ...facts,
      ...(space ?? { total: 0, free: 0 }),
      system: volume === home || isSystem(p, volume),
      uuid: uuidOf(volume),
      destinationIds: [...new Set(own('destination'))],
      planIds: [...new Set(own('plan'))],
    });
  }
  return disks;
}

function isAt(mount: Mount, volume: Volume, { platform }: DiskPorts): boolean {
  return holdsPath(mount.path, volume.path, platform) && holdsPath(volume.path, mount.path, platform);
}

function isSystem({ platform, systemDrive }: DiskPorts, { path }: Volume): boolean {
  if (platform === 'win32')
    return systemDrive !== undefined && path.toLowerCase().startsWith(systemDrive.toLowerCase());
  return path === '/';
}

interface Owner {
  readonly kind: 'destination' | 'plan';
  readonly id: string;
  readonly volume: Volume | undefined;
}

async function ownersOf(
  p: DiskPorts,
  resolver: Resolver,
  uuidOf: (volume: Volume) => string | null,
): Promise<readonly Owner[]> {
  const owners: Owner[] = [];
  for (const { id, location, disks } of p.destinations()) {
    const folder = localPath(location);
    // What is known by its disks does not lie on another one that is mounted in the same place.
    const volumes = disks.flatMap(({ uuid }) => resolver.volumes.filter((one) => uuidOf(one) === uuid));
    if (disks.length > 0) for (const volume of volumes) owners.push({ kind: 'destination', id, volume });
    else if (folder !== undefined)
      owners.push({ kind: 'destination', id, volume: await resolver.volumeOf(folder) });
  }
  for (const { id, sources } of p.plans()) {
    for (const source of sources)
      if (source.kind === 'path')
        owners.push({ kind: 'plan', id, volume: await resolver.volumeOf(source.path) });
  }
  return owners;
}

/** undefined for what is not in the file system, and for what no storage takes. */
export function localPath(location: string): string | undefined {
  try {
    const { scheme, target } = parseLocation(location, SCHEMES);
    return scheme.scheme === 'local' ? target : undefined;
  } catch {
    return undefined;
  }
}

/** Finds the volumes of paths, each path once. */
export class Resolver {
  readonly #ports: DiskPorts;
  readonly #mounted: Mounted;
  readonly #signal: AbortSignal | undefined;
  readonly #known = new Map<string, Volume | undefined>();
  /** That did not answer about a path. */
  readonly #hanging = new Set<Volume | undefined>();

  constructor(ports: DiskPorts, mounted: Mounted, signal?: AbortSignal) {
    this.#ports = ports;
    this.#mounted = mounted;
    this.#signal = signal;
  }

  get volumes(): readonly Volume[] {
    return this.#mounted.volumes;
  }

  /**
   * The volume of a path; undefined: on none that is shown, or nothing is there. The folder of a disk that is not plugged in would
   * else count as on the disk that it is usually mounted on.
   */
  async volumeOf(somePath: string): Promise<Volume | undefined> {
    if (this.#known.has(somePath)) return this.#known.get(somePath);
    const found = await this.#find(somePath);
    this.#signal?.throwIfAborted();
    this.#known.set(somePath, found);
    return found;
  }

  async #find(somePath: string): Promise<Volume | undefined> {
    const written = this.#mounted.holderOf(somePath);
    // Links that lead away from a network drive are not followed: it might not answer.
    if (written?.attachment === 'network' || this.#hanging.has(written)) return written;
    const asked = { ms: ASK_MS, signal: this.#signal };
    try {
      const real = await this.#ports.patience.ask(`real ${somePath}`, asked, () => realpath(somePath));
      return this.#mounted.holderOf(real);
    } catch {
      if (!this.#ports.patience.waitsFor(`real ${somePath}`)) return undefined;
      this.#hanging.add(written);
      return written;
    }
  }
}

/** Whether files could be made at the root of a disk. */
export async function mayWriteTo(
  { patience }: DiskPorts,
  disk: Disk,
  signal?: AbortSignal,
): Promise<boolean> {
  const asked = { ms: ASK_MS, signal, spare: disk.attachment === 'network' };
  return patience
    .ask(`write ${disk.path}`, asked, () => access(disk.path, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
}
