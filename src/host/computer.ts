/**
 * The computer that the host runs on: folders to choose from, disks, and what to suggest.
 *
 * folder       one of the host's own computer; over the web that is not the computer one sits at
 * disk         a mounted file system that people would call one
 * suggestion   what a person may begin with: own folders that are there, and places for backups that are not on their disks
 */
import type { Disk, FolderListing, Suggestions } from '../api/model/computer.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import { systemTool } from './disk-identity-tool.ts';
import { askSystem } from './disk-info.ts';
import { type DiskPorts, listDisks, mayWriteTo, Resolver, readMounted } from './disks.ts';
import { listFolder, makeFolder, systemPath } from './folders.ts';
import { ownFolders } from './own-folders.ts';
import { systemPatience } from './patience.ts';
import type { Volume } from './volumes.ts';

export interface ComputerPorts {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  plans(): readonly Plan[];
  destinations(): readonly Destination[];
}

export interface Computer {
  /** See `listFolder`. */
  folder(path: string | null, signal?: AbortSignal): Promise<FolderListing>;
  /** See `makeFolder`. */
  makeFolder(path: string): Promise<void>;
  disks(signal?: AbortSignal): Promise<Disk[]>;
  suggestions(signal?: AbortSignal): Promise<Suggestions>;
}

/** `df` asks every network drive; what a screen waits for must not. */
const TOOL_MS = 3000;
const FOLDER_NAME = 'Holdfast';

export function createComputer(ports: ComputerPorts): Computer {
  const common: DiskPorts & { readonly env: ComputerPorts['env'] } = {
    ...ports,
    patience: systemPatience,
    platform: process.platform,
    root: '/',
    systemDrive: ports.env.SystemDrive,
    drives: (signal) => askSystem({ timeoutMs: TOOL_MS, signal }),
    tool: systemTool,
  };
  const folders = {
    ...common,
    drives: async (signal?: AbortSignal) =>
      (await readMounted(common, signal)).volumes.map(({ path }) => path),
  };
  return {
    folder: (path, signal) => listFolder(folders, path, signal),
    makeFolder: (path) => makeFolder(folders, path),
    disks: async (signal) => listDisks(common, await readMounted(common, signal), signal),
    suggestions: (signal) => suggest(common, signal),
  };
}

/** Errors: the signal's reason. */
export async function suggest(
  p: DiskPorts & { readonly env: ComputerPorts['env'] },
  signal?: AbortSignal,
): Promise<Suggestions> {
  const [mounted, sources] = [await readMounted(p, signal), await ownFolders(p, signal)];
  const resolver = new Resolver(p, mounted, signal);
  const disks = await listDisks(p, mounted, signal);
  const taken = new Set(disks.filter(({ system }) => system).map(({ path }) => path));
  for (const source of sources) taken.add((await resolver.volumeOf(source.path))?.path ?? '');
  const others = disks.filter(({ path }) => !sharesDrive(mounted.volumes, path, taken));
  const writable: Disk[] = [];
  for (const disk of others) if (disk.total > 0 && (await mayWriteTo(p, disk, signal))) writable.push(disk);
  signal?.throwIfAborted();
  const folderOn = ({ path }: Disk) => systemPath(p.platform).join(path, FOLDER_NAME);
  return {
    home: p.home,
    sources,
    destinations: bestFirst(writable).map((disk) => ({ disk, folder: folderOn(disk) })),
  };
}

/** Whether a volume is one of those that are taken, or lies on the same drive as one of them: they fail together. */
function sharesDrive(volumes: readonly Volume[], path: string, taken: ReadonlySet<string>): boolean {
  const drive = volumes.find((volume) => volume.path === path)?.drive ?? null;
  const inUse = volumes.filter((volume) => taken.has(volume.path));
  return taken.has(path) || (drive !== null && inUse.some((volume) => volume.drive === drive));
}

/** A disk that can be taken away is safe from what happens to the computer; one inside is only safe from the other's end. */
const ORDER: readonly Disk['attachment'][] = ['removable', 'unknown', 'network', 'internal'];

export function bestFirst(disks: readonly Disk[]): Disk[] {
  const rank = ({ attachment }: Disk) => ORDER.indexOf(attachment);
  return [...disks].sort((a, b) => rank(a) - rank(b) || b.free - a.free);
}
