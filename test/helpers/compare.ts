import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import type { ByteString } from '../../src/util/byte-string.ts';
import { compareBytes, fromBytes, fromText, joinPath, toBytes } from '../../src/util/byte-string.ts';
import { getXattrs } from './libc.ts';

/**
 * What a person could tell apart about a folder, as plain values, and the differences between two of them.
 * Times of change and of last access are left out: no program can set the first, and reading alters the second.
 */
export type EntryType = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'chardev' | 'dev';

export interface Entry {
  readonly type: EntryType;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for everything but files. */
  readonly size: number;
  /** Of a file's content, in hex; '' for everything else. */
  readonly sha256: string;
  readonly target: ByteString;
  /** `name=hex` in the order of the names. */
  readonly xattrs: string;
  /** The first of all the paths in the folder that are this same file; '' if this is the only one. */
  readonly links: ByteString;
  /** Device number of a device, otherwise 0. */
  readonly rdev: bigint;
  /** Bytes that the file system has set aside. Compared only when asked for: it is a matter of layout. */
  readonly allocated: number;
}

export type FolderSnapshot = ReadonlyMap<ByteString, Entry>;
export type Field = keyof Entry;

export interface CompareOptions {
  readonly ignore?: readonly Field[];
  /** Entries of these types are left out on both sides. */
  readonly ignoreTypes?: readonly EntryType[];
  /** Whether the folders' own entries (path '') count too. Default true. */
  readonly root?: boolean;
  /** The second may set aside at most this many bytes more than the first, per file. Default: not compared. */
  readonly allocatedSlack?: number;
}

const FIELDS = [
  'type',
  'mode',
  'mtimeNs',
  'uid',
  'gid',
  'size',
  'sha256',
  'target',
  'xattrs',
  'links',
  'rdev',
] as const satisfies readonly Field[];

const PIECE = Buffer.alloc(1 << 20);

/** Reads a folder whole. Paths are relative to it; its own entry is ''. Needs permission to read everything. */
export function snapshotOf(folder: string | Uint8Array): FolderSnapshot {
  const root = typeof folder === 'string' ? fromText(folder) : fromBytes(folder);
  const entries = new Map<ByteString, Entry>();
  const inodes = new Map<string, ByteString[]>();
  const visit = (path: ByteString, full: ByteString): void => {
    const stats = fs.lstatSync(toBytes(full), { bigint: true });
    entries.set(path, entryOf(full, stats));
    if (!stats.isDirectory()) {
      if (stats.nlink > 1n) pushTo(inodes, `${stats.dev}:${stats.ino}`, path);
      return;
    }
    const names = fs.readdirSync(toBytes(full), { encoding: 'buffer' }).map(fromBytes);
    for (const name of names.sort(compareBytes)) visit(joinPath(path, name), joinPath(full, name));
  };
  visit(fromText(''), root);
  for (const paths of inodes.values()) if (paths.length > 1) nameGroup(entries, paths);
  return entries;
}

function pushTo(map: Map<string, ByteString[]>, key: string, path: ByteString): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [path]);
  else known.push(path);
}

function nameGroup(entries: Map<ByteString, Entry>, paths: readonly ByteString[]): void {
  const first = [...paths].sort(compareBytes)[0]!;
  for (const path of paths) entries.set(path, { ...entries.get(path)!, links: first });
}

function entryOf(path: ByteString, stats: fs.BigIntStats): Entry {
  const type = typeOf(stats);
  return {
    type,
    mode: Number(stats.mode & 0o7777n),
    mtimeNs: stats.mtimeNs,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: type === 'file' ? Number(stats.size) : 0,
    sha256: type === 'file' ? contentHash(path) : '',
    target: type === 'symlink' ? fromBytes(fs.readlinkSync(toBytes(path), 'buffer')) : fromText(''),
    xattrs: xattrsText(path),
    links: fromText(''),
    rdev: type === 'chardev' || type === 'dev' ? stats.rdev : 0n,
    allocated: type === 'file' ? Number(stats.blocks) * 512 : 0,
  };
}

/** XFS shows root each ACL a second time under a name of its own. */
const XFS_TWINS = ['trusted.SGI_ACL_FILE', 'trusted.SGI_ACL_DEFAULT'];

function xattrsText(path: ByteString): string {
  const all = [...getXattrs(path)].filter(([name]) => !XFS_TWINS.includes(name));
  return all.map(([name, value]) => `${name}=${value.toString('hex')}`).join(' ');
}

function typeOf(stats: fs.BigIntStats): EntryType {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return stats.isCharacterDevice() ? 'chardev' : 'dev';
}

function contentHash(path: ByteString): string {
  const hash = createHash('sha256');
  const fd = fs.openSync(toBytes(path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    for (;;) {
      const n = fs.readSync(fd, PIECE);
      if (n === 0) return hash.digest('hex');
      hash.update(PIECE.subarray(0, n));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** One readable line per difference, in the order of the paths; empty when the folders are equal. */
export function differences(
  a: FolderSnapshot,
  b: FolderSnapshot,
  options: CompareOptions = {},
): readonly string[] {
  const left = without(a, options);
  const right = without(b, options);
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort(compareBytes);
  return paths.flatMap((path) => entryDifferences(path, left.get(path), right.get(path), options));
}

function without(all: FolderSnapshot, { ignoreTypes = [], root = true }: CompareOptions): FolderSnapshot {
  return new Map(
    [...all].filter(([path, entry]) => (root || path !== '') && !ignoreTypes.includes(entry.type)),
  );
}

function entryDifferences(
  path: ByteString,
  a: Entry | undefined,
  b: Entry | undefined,
  options: CompareOptions,
): readonly string[] {
  const at = quoted(path);
  if (a === undefined || b === undefined) {
    return a === undefined
      ? [`${at}: only in the second (${b?.type})`]
      : [`${at}: only in the first (${a.type})`];
  }
  const lines = FIELDS.filter((f) => a[f] !== b[f] && !options.ignore?.includes(f)).map(
    (f) => `${at}: ${f} ${shown(f, a)} → ${shown(f, b)}`,
  );
  const slack = options.allocatedSlack;
  if (slack === undefined || b.allocated <= a.allocated + slack) return lines;
  return [...lines, `${at}: allocated ${a.allocated} → ${b.allocated}`];
}

function shown(field: Field, entry: Entry): string {
  if (field === 'mode') return entry.mode.toString(8).padStart(4, '0');
  const value = entry[field];
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** Text in quotes with everything but printable ASCII as `\xNN`, so that no two names look alike. */
function quoted(s: string): string {
  const hex = (c: string) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  const safe = s.replace(/[^\x20-\x7e]|["\\]/g, (c) => (c === '"' || c === '\\' ? `\\${c}` : hex(c)));
  return `"${safe}"`;
}

/** Throws with the first 40 differences if there are any. */
export function expectSame(a: FolderSnapshot, b: FolderSnapshot, options: CompareOptions = {}): void {
  const lines = differences(a, b, options);
  if (lines.length === 0) return;
  const rest = lines.length > 40 ? `\n… and ${lines.length - 40} more` : '';
  throw new Error(`${lines.length} differences:\n${lines.slice(0, 40).join('\n')}${rest}`);
}
