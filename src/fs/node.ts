/**
 * From a file's attributes to a tree's node and back. Which fields each type carries follows restic, so that both
 * programs write the same bytes for the same file.
 */
import { readlinkSync } from 'node:fs';
import { EngineError, isEngineError } from '../api/errors.ts';
import { unixModeFromGo } from '../format/mode.ts';
import { fromSecNs, toSecNs } from '../format/time.ts';
import type { ExtendedAttribute, Node, NodeType } from '../format/types.ts';
import { type ByteString, rawByteString } from '../util/byte-string.ts';
import { showPath, translateFsError } from './errors.ts';
import { chmod, lchown, utimensNs } from './metadata.ts';
import { nodePath } from './path.ts';
import type { FileStat } from './stat.ts';
import { gidOf, groupName, uidOf, userName } from './users.ts';
import { readXattrs, setXattrs } from './xattr.ts';

export interface NodeOptions {
  /** Store the access time; without it the node's access time is its modification time. */
  readonly withAtime?: boolean;
  /** Default: true. */
  readonly readXattrs?: boolean;
  /** See `readXattrs`. */
  readonly ignoreXattrPermission?: boolean;
}

export interface NodeResult {
  readonly node: Node;
  /** What could not be read; the node lacks it. */
  readonly warnings: readonly EngineError[];
}

const NO_NAME = rawByteString('');
const NO_XATTRS: readonly ExtendedAttribute[] = [];
const NO_WARNINGS: readonly EngineError[] = [];

/** Directories, pipes and sockets are stored without their count of links. */
const COUNTS_LINKS: ReadonlySet<NodeType> = new Set<NodeType>(['file', 'symlink', 'dev', 'chardev']);

/**
 * The node of a file, still without content or subtree. `path` is read for links and extended attributes; `name` is
 * the name in the tree. Throws 'unsupported' for a type of file that trees can't hold.
 */
export function nodeFromStat(
  path: ByteString,
  name: ByteString,
  stat: FileStat,
  options: NodeOptions = {},
): NodeResult {
  const { kind } = stat;
  if (kind === 'irregular' || kind === '') {
    throw new EngineError('unsupported', `${showPath(path)} is of a kind that can't be backed up.`);
  }
  const warnings: EngineError[] = [];
  const linkTarget = kind === 'symlink' ? collect(warnings, NO_NAME, () => readLink(path)) : NO_NAME;
  const extendedAttributes =
    options.readXattrs === false
      ? NO_XATTRS
      : collect(warnings, NO_XATTRS, () => xattrsFor(path, options, warnings));
  const mtime = fromSecNs(stat.mtimeSec, stat.mtimeNs);
  const node: Node = {
    name,
    type: kind,
    mode: stat.mode,
    mtime,
    atime: options.withAtime === true ? fromSecNs(stat.atimeSec, stat.atimeNs) : mtime,
    ctime: fromSecNs(stat.ctimeSec, stat.ctimeNs),
    uid: stat.uid,
    gid: stat.gid,
    user: userName(stat.uid),
    group: groupName(stat.gid),
    inode: stat.ino,
    deviceId: stat.dev,
    size: kind === 'file' ? stat.size : 0,
    links: COUNTS_LINKS.has(kind) ? stat.nlink : 0,
    linkTarget,
    extendedAttributes,
    genericAttributes: undefined,
    device: kind === 'dev' || kind === 'chardev' ? stat.rdev : 0,
    content: null,
    subtree: undefined,
    error: '',
  };
  return { node, warnings: warnings.length === 0 ? NO_WARNINGS : warnings };
}

function collect<T>(warnings: EngineError[], otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (e) {
    if (!isEngineError(e)) throw e;
    warnings.push(e);
    return otherwise;
  }
}

function xattrsFor(
  path: ByteString,
  options: NodeOptions,
  warnings: EngineError[],
): readonly ExtendedAttribute[] {
  const found = readXattrs(path, { ignorePermission: options.ignoreXattrPermission ?? false });
  for (const warning of found.warnings) warnings.push(warning);
  return found.attributes;
}

/** The raw target of a symbolic link. */
export function readLink(path: ByteString): ByteString {
  try {
    return rawByteString(readlinkSync(nodePath(path), { encoding: 'latin1' }));
  } catch (e) {
    throw translateFsError(e, path, 'read the link');
  }
}

export interface ApplyOptions {
  /** Leave owner and group as they are. */
  readonly skipOwner?: boolean;
  /** Look owner and group up by name; a name that this machine doesn't know counts as its recorded number. */
  readonly ownerByName?: boolean;
  /** Leave extended attributes and ACLs as they are. */
  readonly skipXattrs?: boolean;
  /** Extended attributes for which this is false are left alone. */
  readonly selectXattr?: (name: ByteString) => boolean;
  /** Default: the process runs as root. Without it, what only root may do is left undone in silence, as by restic. */
  readonly privileged?: boolean;
}

const DEFAULT_PRIVILEGED = process.geteuid === undefined || process.geteuid() === 0;

/**
 * Gives a restored file, folder or link the owner, extended attributes, mode and times of its node, in the order
 * that keeps each from undoing another: a change of owner clears set-id bits, an ACL changes the mode, a read-only
 * file takes no attributes from its own owner. A failure does not stop the rest; all failures are returned.
 * A folder's times hold only if nothing is put into it afterwards: the caller sees to that.
 */
export function applyMetadata(
  path: ByteString,
  node: Node,
  options: ApplyOptions = {},
): readonly EngineError[] {
  const failures: EngineError[] = [];
  const step = (act: () => void) => collect(failures, undefined, act);
  if (options.skipOwner !== true) step(() => applyOwner(path, node, options.ownerByName === true));
  if (options.skipXattrs !== true) {
    const select = options.selectXattr === undefined ? {} : { select: options.selectXattr };
    failures.push(...setXattrs(path, node.extendedAttributes, select));
  }
  if (node.type !== 'symlink') step(() => chmod(path, unixModeFromGo(node.mode) & 0o7777));
  step(() => utimensNs(path, toSecNs(node.atime), toSecNs(node.mtime)));
  if (options.privileged ?? DEFAULT_PRIVILEGED) return failures;
  return failures.filter((e) => e.code !== 'permission');
}

function applyOwner(path: ByteString, node: Node, byName: boolean): void {
  const uid = byName ? (uidOf(node.user) ?? node.uid) : node.uid;
  const gid = byName ? (gidOf(node.group) ?? node.gid) : node.gid;
  lchown(path, uid, gid);
}
