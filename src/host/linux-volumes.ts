/** Volumes of Linux: the mount table, and what the kernel says of the devices behind it. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { type MountLine, mountLines } from '../fs/disk.ts';
import type { Drive } from './disk-info.ts';
import { type BlockFacts, isNetwork, linuxVolume, shownMounts, type Volume } from './volumes.ts';

/** A disk below an encrypted one below a volume group: no more than that. */
const MOST_LAYERS = 4;

/** The mount table; empty where there is none. `root` is '/' but in tests. */
export async function readMounts(root: string): Promise<MountLine[]> {
  const table = await readFile(path.join(root, 'proc/self/mountinfo'), 'latin1').catch(() => '');
  return mountLines(table);
}

export interface LinuxVolume {
  readonly volume: Volume;
  readonly line: MountLine;
}

/** None of this asks a file system that is mounted, so nothing of it hangs. */
export async function linuxVolumes(
  root: string,
  lines: readonly MountLine[],
  drives: readonly Drive[],
): Promise<readonly LinuxVolume[]> {
  const labels = await devicesBy(root, 'label');
  return Promise.all(
    shownMounts(lines).map(async (line) => {
      const block = isNetwork(line.type) ? undefined : await blockDevice(root, line);
      const label = block === undefined ? undefined : labels.get(path.basename(block));
      const facts = block === undefined ? undefined : await blockFacts(root, block);
      return { line, volume: linuxVolume(line, label, facts, drives) };
    }),
  );
}

/** Names that people gave, or UUIDs, by the kernel's names of the devices. In /dev/disk/by-label a space is \x20. */
export async function devicesBy(root: string, what: 'label' | 'uuid'): Promise<ReadonlyMap<string, string>> {
  const folder = path.join(root, `dev/disk/by-${what}`);
  const names = await readdir(folder).catch(() => []);
  const pairs = names.map(async (name) => {
    const device = await realpath(path.join(folder, name)).catch(() => undefined);
    return device === undefined ? [] : [[path.basename(device), unescapeLabel(name)] as const];
  });
  return new Map((await Promise.all(pairs)).flat());
}

/** The bytes that udev does not let into names stand as \xhh; see `udev_util_encode_string`. */
export function unescapeLabel(name: string): string {
  const bytes = Buffer.from(name).toString('latin1');
  const whole = bytes.replace(/\\x([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(whole, 'latin1').toString();
}

/** The device's folder below /sys/devices. File systems over several devices have a number of their own: then the source tells. */
export async function blockDevice(root: string, { device, source }: MountLine): Promise<string | undefined> {
  if (!device.startsWith('0:')) {
    const found = await realpath(path.join(root, 'sys/dev/block', device)).catch(() => undefined);
    if (found !== undefined) return found;
  }
  if (!source.startsWith('/dev/')) return undefined;
  const node = await realpath(path.join(root, source)).catch(() => source);
  return realpath(path.join(root, 'sys/class/block', path.basename(node))).catch(() => undefined);
}

/** Those of the disk that an encrypted or combined device lies on. */
async function blockFacts(root: string, block: string): Promise<BlockFacts> {
  let at = block;
  for (let layer = 0; layer < MOST_LAYERS; layer++) {
    const [below] = await readdir(path.join(at, 'slaves')).catch(() => []);
    if (below === undefined) break;
    at = await realpath(path.join(root, 'sys/class/block', below)).catch(() => at);
  }
  // A partition lies in the folder of its drive.
  const drive = (await firstLine(at, 'partition')) === undefined ? at : path.dirname(at);
  const removable = await firstLine(drive, 'removable');
  const [card] = /^.*\/mmc_host\/[^/]+\/[^/]+(?=\/)/.exec(at) ?? [];
  const cardType = card === undefined ? undefined : await firstLine(card, 'type');
  return { sysPath: at, drive, removable: removable === '1', cardType: cardType ?? null };
}

async function firstLine(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(path.join(folder, name), 'utf8').catch(() => undefined);
  return text?.split('\n', 1)[0];
}
