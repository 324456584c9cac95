/** The file system under a path: its free space, kind and number. */
import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import type { Uint64 } from '../format/types.ts';
import { type ByteString, rawByteString, toText } from '../util/byte-string.ts';
import { translateFsError } from './errors.ts';
import { nodePath } from './path.ts';
import { stat } from './stat.ts';

/** Bytes. `available` is what this user may still write; `free` counts the reserve of root too. */
export interface DiskSpace {
  readonly total: number;
  readonly free: number;
  readonly available: number;
}

export function freeSpace(path: ByteString): DiskSpace {
  try {
    const s = statfsSync(nodePath(path), { bigint: true });
    return {
      total: Number(s.blocks * s.bsize),
      free: Number(s.bfree * s.bsize),
      available: Number(s.bavail * s.bsize),
    };
  } catch (e) {
    throw translateFsError(e, path, 'ask for the free space at');
  }
}

/** The number of the file system that holds `path`, links followed. Two paths on one disk share it. */
export function deviceOf(path: ByteString): Uint64 {
  return stat(path).dev;
}

export interface Mount {
  readonly mountPoint: ByteString;
  /** 'ext4', 'tmpfs', 'nfs4', 'fuse.sshfs' … */
  readonly type: string;
  /** The device or the remote path, as the system shows it. */
  readonly source: string;
}

/** The mount that holds `path`; undefined off Linux or without /proc. */
export function mountOf(path: ByteString): Mount | undefined {
  if (process.platform !== 'linux') return undefined;
  let real: ByteString;
  try {
    real = rawByteString(realpathSync(nodePath(path), { encoding: 'latin1' }));
  } catch (e) {
    throw translateFsError(e, path, 'find the disk of');
  }
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return undefined;
  }
  return findMount(table, real);
}

/** The type of the file system under `path` as the mount table names it; undefined where that is not known. */
export function fileSystemType(path: ByteString): string | undefined {
  return mountOf(path)?.type;
}

/** One line of the mount table. */
export interface MountLine extends Mount {
  /** 'major:minor', the same for all places where a file system is mounted. */
  readonly device: string;
  /** The folder of the file system that is seen there; '/' unless it is a part, as in a bind mount. */
  readonly root: ByteString;
}

/**
 * The last line with the longest mount point above `real`: a later mount covers an earlier one at the same place.
 * `table` as in `mountLines`.
 */
export function findMount(table: string, real: ByteString): Mount | undefined {
  return mountHolding(mountLines(table), real);
}

/** As `findMount`, in lines that are parsed already. */
export function mountHolding<M extends Mount>(lines: readonly M[], real: ByteString): M | undefined {
  let best: M | undefined;
  for (const line of lines) {
    const { mountPoint } = line;
    if (holds(mountPoint, real) && mountPoint.length >= (best?.mountPoint.length ?? 0)) best = line;
  }
  return best;
}

/** The mount table line by line. Format: proc_pid_mountinfo(5). `table` has one character per byte. */
export function mountLines(table: string): MountLine[] {
  return table.split('\n').flatMap((line) => {
    const [front, back] = line.split(' - ', 2);
    const [, , device, root, point] = front?.split(' ') ?? [];
    const [type, source] = back?.split(' ') ?? [];
    if (device === undefined || root === undefined || point === undefined || type === undefined) return [];
    return {
      mountPoint: unescapeOctal(point),
      type,
      source: toText(unescapeOctal(source ?? '')),
      device,
      root: unescapeOctal(root),
    };
  });
}

function holds(mountPoint: ByteString, path: ByteString): boolean {
  return mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

/** Spaces, tabs, line ends and backslashes stand as \ooo. */
function unescapeOctal(s: string): ByteString {
  return rawByteString(
    s.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
  );
}
