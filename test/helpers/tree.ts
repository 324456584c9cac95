import { Buffer } from 'node:buffer';
import { createCipheriv } from 'node:crypto';
import * as fs from 'node:fs';
import type { ByteString } from '../../src/util/byte-string.ts';
import { fromBytes, fromText, joinPath, toBytes } from '../../src/util/byte-string.ts';
import { deviceNumber, makeNode, setTimes, setXattr } from './libc.ts';

/**
 * Trees as values. A *literal* is what a test writes: text or bytes for a file, a plain object for a folder, or
 * one of the makers below. A *node* is its checked form. `writeTree` puts a node on the disk.
 */
export interface Meta {
  /** Permission bits with setuid, setgid and sticky; no type bits. */
  readonly mode?: number;
  readonly mtimeNs?: bigint;
  readonly atimeNs?: bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** Bytes that a seed and a size determine, so that a big file is a small value. */
export interface Generated {
  readonly seed: number;
  readonly size: number;
}

export type Extent = readonly [offset: number, bytes: Uint8Array];

const NODE = Symbol('node of a test tree');
interface Branded {
  readonly [NODE]: true;
  readonly meta: Meta;
}
export interface FileNode extends Branded {
  readonly type: 'file';
  readonly content: Uint8Array | Generated;
}
export interface SparseNode extends Branded {
  readonly type: 'sparse';
  readonly size: number;
  readonly extents: readonly Extent[];
}
export interface DirNode extends Branded {
  readonly type: 'dir';
  readonly entries: ReadonlyMap<ByteString, Node>;
}
export interface SymlinkNode extends Branded {
  readonly type: 'symlink';
  readonly target: ByteString;
}
export interface HardlinkNode extends Branded {
  readonly type: 'hardlink';
  /** Path of the other name, from the root of the tree. */
  readonly to: ByteString;
}
export interface SpecialNode extends Branded {
  readonly type: 'fifo' | 'socket' | 'chardev' | 'dev';
  readonly device: bigint;
}
export type Node = FileNode | SparseNode | DirNode | SymlinkNode | HardlinkNode | SpecialNode;
export interface LiteralFolder {
  readonly [name: string]: Literal;
}
export type Literal = string | Uint8Array | Node | LiteralFolder;
/** Text stands for its UTF-8 bytes; other names come as bytes. */
export type Name = string | Uint8Array;

const branded = (meta: Meta) => ({ [NODE]: true, meta }) as const;
const nameBytes = (n: Name): ByteString => (typeof n === 'string' ? fromText(n) : fromBytes(n));

export function file(content: string | Uint8Array | Generated, meta: Meta = {}): FileNode {
  return {
    ...branded(meta),
    type: 'file',
    content: typeof content === 'string' ? Buffer.from(content) : content,
  };
}

/** A file of `size` bytes with holes everywhere but at `extents`. */
export function sparse(size: number, extents: readonly Extent[], meta: Meta = {}): SparseNode {
  return { ...branded(meta), type: 'sparse', size, extents };
}

export function symlink(target: Name, meta: Meta = {}): SymlinkNode {
  return { ...branded(meta), type: 'symlink', target: nameBytes(target) };
}

export function hardlink(to: Name): HardlinkNode {
  return { ...branded({}), type: 'hardlink', to: nameBytes(to) };
}

export function fifo(meta: Meta = {}): SpecialNode {
  return { ...branded(meta), type: 'fifo', device: 0n };
}

export function socket(meta: Meta = {}): SpecialNode {
  return { ...branded(meta), type: 'socket', device: 0n };
}

/** A device file, which only root can make. */
export function device(type: 'chardev' | 'dev', major: number, minor: number, meta: Meta = {}): SpecialNode {
  return { ...branded(meta), type, device: deviceNumber(major, minor) };
}

/** A folder with metadata of its own. */
export function dir(entries: LiteralFolder, meta: Meta = {}): DirNode {
  return dirOf(Object.entries(entries), meta);
}

/** A folder whose names are given as bytes or text. A name can't be empty, `.`, `..`, or hold `/` or NUL. */
export function dirOf(entries: Iterable<readonly [Name, Literal]>, meta: Meta = {}): DirNode {
  const map = new Map<ByteString, Node>();
  for (const [name, literal] of entries) {
    const key = nameBytes(name);
    if (/^\.{0,2}$|[/\0]/.test(key)) throw new Error(`not a file name: ${JSON.stringify(key)}`);
    if (map.has(key)) throw new Error(`the name ${JSON.stringify(key)} comes twice`);
    map.set(key, nodeOf(literal));
  }
  return { ...branded(meta), type: 'dir', entries: map };
}

/** The root of a tree: `tree({ 'a.txt': 'hi', dir: { link: symlink('../a.txt') } })`. */
export function tree(literal: LiteralFolder, meta: Meta = {}): DirNode {
  return dir(literal, meta);
}

function isNode(literal: Node | LiteralFolder): literal is Node {
  return NODE in literal;
}

function nodeOf(literal: Literal): Node {
  if (typeof literal === 'string' || literal instanceof Uint8Array) return file(literal);
  return isNode(literal) ? literal : dir(literal);
}

/** Every node below `root` (itself too, as '') with its path; a folder comes before what it holds. */
export function* walkTree(
  root: Node,
  path: ByteString = fromText(''),
): Generator<readonly [ByteString, Node]> {
  yield [path, root];
  if (root.type !== 'dir') return;
  for (const [name, child] of root.entries) yield* walkTree(child, joinPath(path, name));
}

const BLOCK = 1 << 20;

/** The bytes of a `Generated`, in pieces of at most 1 MiB. They don't compress. */
export function* generatedBytes(g: Generated): Generator<Buffer> {
  const key = Buffer.alloc(32);
  key.writeDoubleLE(g.seed);
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(BLOCK, g.size));
  for (let left = g.size; left > 0; left -= BLOCK)
    yield stream.update(zeros.subarray(0, Math.min(BLOCK, left)));
}

/**
 * Writes `root` into the folder `at`, which is made if absent. Hard links come after everything they may point
 * to, and each folder's metadata after the folder's last change, so that times and modes stay as asked.
 */
export function writeTree(at: Name, root: DirNode): void {
  const base = nameBytes(at);
  fs.mkdirSync(toBytes(base), { recursive: true });
  const all = [...walkTree(root)].map(([path, node]) => ({
    path: path === '' ? base : joinPath(base, path),
    node,
  }));
  for (const { path, node } of all) create(path, node);
  for (const { path, node } of all) {
    if (node.type === 'hardlink') fs.linkSync(toBytes(joinPath(base, node.to)), toBytes(path));
  }
  for (const { path, node } of all.reverse()) if (node.type !== 'hardlink') setMeta(path, node);
}

const TYPE_BITS = { fifo: 0o010000, socket: 0o140000, chardev: 0o020000, dev: 0o060000 } as const;

function create(path: ByteString, node: Node): void {
  switch (node.type) {
    case 'dir':
      fs.mkdirSync(toBytes(path), { recursive: true });
      return;
    case 'file':
      writeParts(path, node.content instanceof Uint8Array ? [node.content] : generatedBytes(node.content));
      return;
    case 'sparse':
      writeSparse(path, node);
      return;
    case 'symlink':
      fs.symlinkSync(toBytes(node.target), toBytes(path));
      return;
    case 'hardlink':
      return;
    default:
      makeNode(path, TYPE_BITS[node.type] | 0o644, node.device);
  }
}

function writeParts(path: ByteString, parts: Iterable<Uint8Array>): void {
  const fd = fs.openSync(toBytes(path), 'wx');
  try {
    for (const part of parts) fs.writeFileSync(fd, part);
  } finally {
    fs.closeSync(fd);
  }
}

function writeSparse(path: ByteString, node: SparseNode): void {
  const fd = fs.openSync(toBytes(path), 'wx');
  try {
    fs.ftruncateSync(fd, node.size);
    for (const [offset, bytes] of node.extents) {
      const written = fs.writeSync(fd, bytes, 0, bytes.length, offset);
      if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Owner, then mode, then attributes, then times: each of the first three changes a later one. */
function setMeta(path: ByteString, node: Node): void {
  const { mode, mtimeNs, atimeNs, uid, gid, xattrs } = node.meta;
  if (uid !== undefined || gid !== undefined) {
    const now = fs.lstatSync(toBytes(path));
    fs.lchownSync(toBytes(path), uid ?? now.uid, gid ?? now.gid);
  }
  if (mode !== undefined && node.type !== 'symlink') fs.chmodSync(toBytes(path), mode);
  for (const [name, value] of Object.entries(xattrs ?? {})) setXattr(path, name, value);
  if (mtimeNs !== undefined || atimeNs !== undefined) {
    const now = fs.lstatSync(toBytes(path), { bigint: true });
    setTimes(path, atimeNs ?? now.atimeNs, mtimeNs ?? now.mtimeNs);
  }
}
