/**
 * What people would call a disk, out of all that is mounted.
 *
 * volume  a mounted file system that is shown
 */
import type { Disk } from '../api/model/computer.ts';
import type { MountLine } from '../fs/disk.ts';
import { isValidUtf8, toText } from '../util/byte-string.ts';
import { type Drive, unitOf } from './disk-info.ts';

export interface Volume {
  readonly path: string;
  readonly device: string;
  readonly name: string;
  readonly attachment: Disk['attachment'];
  /** The device that fails as a whole, with all of its partitions; null where that is not known. */
  readonly drive: string | null;
  /** Bytes; null where nobody has said yet. */
  readonly space: { readonly total: number; readonly free: number } | null;
}

// ---- Linux

/** Over a network. FUSE puts its own word before the name. */
const NETWORK =
  /^(nfs4?|cifs|smb3|smbfs|smb|ncpfs|afs|ceph|lustre|davfs|fuse\.(sshfs|rclone|davfs2?|curlftpfs|glusterfs|ceph(-fuse)?|s3fs|gcsfuse|smbnetfs|sftp))$/;
/** Folders that a virtual machine gets from the computer it runs on, and file systems over several disks. */
const WITHOUT_DEVICE =
  /^(9p|virtiofs|vboxsf|drvfs|prl_fs|fuse\.vmhgfs-fuse|vmhgfs|zfs|bcachefs|fuse\.mergerfs)$/;
/** On a block device, but parts of the system: packages, images. */
const SYSTEM_TYPES = ['squashfs', 'erofs', 'cramfs', 'iso9660', 'devtmpfs'];
const SYSTEM_PATHS =
  /^\/(boot|efi|snap|etc|usr|nix|proc|sys|dev|var\/snap|var\/lib\/(docker|containers|containerd|snapd|flatpak|kubelet))(\/|$)|^\/run\/(?!media\/)/;

export function isNetwork(type: string): boolean {
  return NETWORK.test(type);
}

/** Whether people would call it a disk. */
export function isShown({ mountPoint, type, source }: MountLine): boolean {
  if (mountPoint === '/') return true;
  if (SYSTEM_PATHS.test(mountPoint) || !isValidUtf8(mountPoint)) return false;
  if (isNetwork(type) || WITHOUT_DEVICE.test(type)) return true;
  return source.startsWith('/dev/') && !SYSTEM_TYPES.includes(type);
}

/**
 * The lines to show: of each file system one, the root of the system before others, a whole one before a part of it. Of two that
 * are mounted at one place the later one covers the other.
 */
export function shownMounts(lines: readonly MountLine[]): readonly MountLine[] {
  const uncovered = [...new Map(lines.map((line) => [line.mountPoint, line])).values()];
  const rank = ({ mountPoint, root }: MountLine) => (mountPoint === '/' ? 0 : root === '/' ? 1 : 2);
  const best = uncovered
    .filter(isShown)
    .sort((a, b) => rank(a) - rank(b) || a.mountPoint.length - b.mountPoint.length);
  const first = new Map<string, MountLine>();
  for (const line of best) if (!first.has(line.device)) first.set(line.device, line);
  return uncovered.filter((line) => first.get(line.device) === line);
}

/** What the kernel says of a block device. */
export interface BlockFacts {
  /** Its place below /sys/devices, which names the buses on the way. */
  readonly sysPath: string;
  /** The folder there of the drive that it is, or is a part of. */
  readonly drive: string;
  /** The medium can be taken out of the drive. */
  readonly removable: boolean;
  /** Of memory cards: 'SD', or 'MMC' for what is soldered in. */
  readonly cardType: string | null;
}

export function attachmentOf(type: string, facts: BlockFacts | undefined): Disk['attachment'] {
  if (isNetwork(type)) return 'network';
  if (!facts || facts.sysPath.includes('/devices/virtual/')) return 'unknown';
  // Hard disks on USB do not count as removable media.
  const onUsb = /\/usb\d+\//.test(facts.sysPath) || /\/fw\d+/.test(facts.sysPath);
  return onUsb || facts.removable || facts.cardType === 'SD' ? 'removable' : 'internal';
}

export function linuxVolume(
  { mountPoint, source, type }: MountLine,
  label: string | undefined,
  facts: BlockFacts | undefined,
  drives: readonly Drive[],
): Volume {
  const path = toText(mountPoint);
  // A name with a space is cut off there, and could be that of another.
  const drive = path.includes(' ') ? undefined : drives.findLast(({ mounted }) => mounted === path);
  return {
    path,
    device: source,
    name: label ?? lastPart(path),
    attachment: attachmentOf(type, facts),
    drive: facts?.drive ?? null,
    space: drive ? spaceOf(drive, 'linux') : null,
  };
}

// ---- macOS

/** `names`: what lies in /Volumes, for the spaces in names are where `df` is cut off. */
export function macVolumes(drives: readonly Drive[], names: readonly string[]): readonly Volume[] {
  return drives.flatMap((drive): Volume[] => {
    const overNetwork = drive.device.startsWith('//') || /^[^/]+:\//.test(drive.device);
    if (drive.blocks <= 0 || !(overNetwork || drive.device.startsWith('/dev/'))) return [];
    const path = wholeMacPath(drive.mounted, names);
    if (path === undefined || !(overNetwork || path === '/' || path.startsWith('/Volumes/'))) return [];
    const attachment = overNetwork ? 'network' : path === '/' ? 'internal' : 'unknown';
    return [
      {
        path,
        device: drive.device,
        name: lastPart(path),
        attachment,
        drive: null,
        space: spaceOf(drive, 'darwin'),
      },
    ];
  });
}

function wholeMacPath(cut: string, names: readonly string[]): string | undefined {
  const [, name] = /^\/Volumes\/([^/]+)$/.exec(cut) ?? [];
  if (name === undefined || names.includes(name)) return cut;
  const longer = names.filter((one) => one.startsWith(`${name} `));
  return longer.length === 1 ? `/Volumes/${longer[0]}` : undefined;
}

// ---- Windows

/** Windows describes drives in its own language; others than these stay 'unknown'. */
const WINDOWS_KINDS: readonly (readonly [RegExp, Disk['attachment'] | 'none'])[] = [
  [/^(Local Fixed Disk|Lokale Festplatte|Lokaler Datenträger)$/i, 'internal'],
  [/^(Removable Disk|3 1\/2 Inch Floppy Drive|Wechseldatenträger|Wechselmedium)$/i, 'removable'],
  [/^(Network Connection|Netzwerkverbindung|Netzlaufwerk)$/i, 'network'],
  [/^(CD-ROM|RAM)/i, 'none'],
];

export function windowsVolumes(drives: readonly Drive[]): readonly Volume[] {
  return drives.flatMap((drive): Volume[] => {
    const kind = WINDOWS_KINDS.find(([words]) => words.test(drive.device.trim()))?.[1] ?? 'unknown';
    const letter = /^([a-z]:)\\?$/i.exec(drive.mounted.trim())?.[1];
    if (letter === undefined || kind === 'none' || drive.blocks <= 0) return [];
    return [
      {
        path: `${letter}\\`,
        device: letter,
        name: letter,
        attachment: kind,
        drive: null,
        space: spaceOf(drive, 'win32'),
      },
    ];
  });
}

// ---- all

function spaceOf({ blocks, available }: Drive, platform: NodeJS.Platform): Volume['space'] {
  const unit = unitOf(platform);
  return { total: blocks * unit, free: Math.max(0, available) * unit };
}

/** A root has no name but itself. */
function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

/** Whether the path lies at or below a volume's. */
export function holdsPath(volumePath: string, path: string, platform: NodeJS.Platform): boolean {
  const windows = platform === 'win32';
  const fold = (text: string) => (windows ? text.toLowerCase().replaceAll('/', '\\') : text);
  const [above, below, slash] = [fold(volumePath), fold(path), windows ? '\\' : '/'];
  return below === above || below.startsWith(above.endsWith(slash) ? above : above + slash);
}
