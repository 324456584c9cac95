import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { ByteString } from '../../src/util/byte-string.ts';
import { fromBytes, fromText, joinPath, rawByteString, toBytes } from '../../src/util/byte-string.ts';
import { getXattrs, setXattr } from './libc.ts';
import { removeTree } from './temp.ts';
import { isRoot } from './tools.ts';
import type { DirNode, Extent, FileNode, Literal, Meta, Node, SparseNode } from './tree.ts';
import { device, dirOf, fifo, file, hardlink, socket, sparse, symlink, walkTree } from './tree.ts';

/** Random trees with everything in them that has ever broken a backup program. */
export interface TreeOptions {
  /** Owners, trusted attributes and devices. Default: whether we are root. */
  readonly privileged?: boolean;
  /** Extended attributes and ACLs. Default: whether the system's temporary folder takes them. */
  readonly xattrs?: boolean;
  readonly acls?: boolean;
  /** Targets of symbolic links that aren't UTF-8, which restic before 0.16 can't keep. Default true. */
  readonly rawTargets?: boolean;
  readonly sockets?: boolean;
  /** Files of 512 KiB to 8 MiB, here and there. Default true. */
  readonly bigFiles?: boolean;
  /** Most entries in one folder. Default 8. */
  readonly width?: number;
  /** Most folders within each other. Default 4; a long chain may come on top. */
  readonly depth?: number;
}

export interface Abilities {
  readonly xattrs: boolean;
  readonly acls: boolean;
}

/** Tries out what the file system at `folder` can keep. */
export function abilitiesOf(folder: string): Abilities {
  const probe = fs.mkdtempSync(join(folder, 'holdfast-test-probe-'));
  const takes = (name: string, value: Uint8Array): boolean => {
    try {
      setXattr(fromText(probe), name, value);
      return getXattrs(fromText(probe)).has(name);
    } catch {
      return false;
    }
  };
  try {
    return {
      xattrs: takes('user.probe', Buffer.from('1')),
      acls: takes(ACCESS_ACL, acl(0o6, [[1234, 0o4]])),
    };
  } finally {
    removeTree(probe);
  }
}

const ACCESS_ACL = 'system.posix_acl_access';
const DEFAULT_ACL = 'system.posix_acl_default';
const [USER_OBJ, USER, GROUP_OBJ, MASK, OTHER] = [0x01, 0x02, 0x04, 0x10, 0x20];
const NO_ID = 0xffff_ffff;

/**
 * The bytes of a POSIX ACL as Linux keeps them in an attribute (linux/posix_acl_xattr.h): version 2, then tag,
 * permissions and id of each entry. `users` pairs a user's number with permission bits.
 */
function acl(owner: number, users: readonly (readonly [uid: number, perm: number])[]): Buffer {
  const named = [...users].sort((a, b) => a[0] - b[0]).map(([uid, perm]) => [USER, perm, uid] as const);
  const entries = [
    [USER_OBJ, owner, NO_ID],
    ...named,
    [GROUP_OBJ, 0o4, NO_ID],
    [MASK, 0o6, NO_ID],
    [OTHER, 0, NO_ID],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2);
  entries.forEach(([tag, perm, id], i) => {
    bytes.writeUInt16LE(tag, 4 + i * 8);
    bytes.writeUInt16LE(perm, 6 + i * 8);
    bytes.writeUInt32LE(id, 8 + i * 8);
  });
  return bytes;
}

const ODD_NAMES = [
  '...',
  '-rf',
  '--help',
  ' leading',
  'trailing ',
  'new\nline',
  'tab\there',
  'back\\slash',
  '\\x41',
  '\\',
  '"quoted"',
  "it's",
  '$(date)',
  '*?[a]',
  '{{id}}',
  'a:b',
  'C:',
  'CON',
  '~',
  '#',
  '%41',
  '&<>',
  '\u0001\u007f',
  '\u2028',
  'e\u0301',
  'é',
  'ﬁ',
  '日本語',
  '🦀 und 🐢',
  '\u202egnp.exe',
  '\ufeffbom',
] as const;

const RAW_NAMES = ['ff', '80', 'c3', 'c328', 'eda080', 'f4908080', '61ff62', 'e282', 'feff'] as const;

const oddName = fc.constantFrom(...ODD_NAMES).map(fromText);
const rawName = fc.constantFrom(...RAW_NAMES).map((hex) => fromBytes(Buffer.from(hex, 'hex')));
const plainName = fc.stringMatching(/^[a-z][a-z0-9_.]{0,11}$/).map(fromText);
const longName = fc.constantFrom('a', 'é', '🦀').map((c) => {
  const times = Math.floor(255 / Buffer.byteLength(c));
  return fromText(c.repeat(times).padEnd(c.length * times + (255 - times * Buffer.byteLength(c)), 'x'));
});
const anyBytesName = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map((bytes) => fromBytes(bytes.map((b) => (b === 0 || b === 0x2f ? 0x2e : b))))
  .filter((name) => name !== '.' && name !== '..');

/** A legal file name, likely an unpleasant one. */
export const arbName: fc.Arbitrary<ByteString> = fc.oneof(
  { weight: 6, arbitrary: plainName },
  { weight: 3, arbitrary: oddName },
  { weight: 2, arbitrary: rawName },
  { weight: 2, arbitrary: anyBytesName },
  { weight: 1, arbitrary: longName },
);

const EDGE_TIMES = [0n, 1n, -1n, 999_999_999n, 1_000_000_000n, 2n ** 31n * 1_000_000_000n] as const;

/** Nanoseconds that ext4, btrfs and xfs can all keep. */
const arbTime: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 946_684_800_000_000_000n, max: 1_800_000_000_000_000_000n }),
  fc.constantFrom(...EDGE_TIMES),
);

type Limits = Required<TreeOptions>;

function limitsOf(options: TreeOptions): Limits {
  const can = options.xattrs === undefined || options.acls === undefined ? abilitiesOf(tmpdir()) : undefined;
  const defaults = { privileged: isRoot(), xattrs: can?.xattrs ?? true, acls: can?.acls ?? true };
  const rest = { rawTargets: true, sockets: true, bigFiles: true, width: 8, depth: 4 };
  return { ...defaults, ...rest, ...options };
}

/** `arb` in so many of ten cases, else `otherwise`; shrinks towards `otherwise`. */
function sometimes<T, U>(ofTen: number, arb: fc.Arbitrary<T>, otherwise: U): fc.Arbitrary<T | U> {
  return fc.oneof(
    { weight: 10 - ofTen, arbitrary: fc.constant(otherwise) },
    { weight: ofTen, arbitrary: arb },
  );
}

const xattrName = fc.constantFrom('a', 'mime_type', 'with space', 'ünï', 'x'.repeat(100));
/** ext4 has about one block for all attributes of a file together. */
const xattrValue = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(new Uint8Array(0), Buffer.alloc(700, 7)),
);

function arbXattrs(limits: Limits, folder: boolean): fc.Arbitrary<Readonly<Record<string, Uint8Array>>> {
  const spaces = limits.privileged ? ['user', 'trusted'] : ['user'];
  const name = fc.tuple(fc.constantFrom(...spaces), xattrName).map(([space, n]) => `${space}.${n}`);
  const own = limits.xattrs
    ? fc.dictionary(name, xattrValue, { maxKeys: 3, noNullPrototype: true })
    : fc.constant({});
  if (!limits.acls) return own;
  const user = fc.tuple(fc.constantFrom(0, 1, 1000, 65_533), fc.constantFrom(0o0, 0o4, 0o6, 0o7));
  const users = fc.uniqueArray(user, { minLength: 1, maxLength: 3, selector: ([uid]) => uid });
  const list = fc.tuple(fc.constantFrom(...(folder ? [ACCESS_ACL, DEFAULT_ACL] : [ACCESS_ACL])), users);
  return fc.tuple(own, sometimes(3, list, null)).map(([x, l]) => (l ? { ...x, [l[0]]: acl(0o6, l[1]) } : x));
}

function arbOwner(limits: Limits): fc.Arbitrary<Pick<Meta, 'uid' | 'gid'>> {
  const id = fc.constantFrom(0, 1, 1000, 65_534, 2_000_000_000);
  return limits.privileged ? fc.record({ uid: id, gid: id }) : fc.constant({});
}

/** Most modes leave the owner able to read, so that trees can be compared without root too. */
function arbMeta(limits: Limits, folder: boolean): fc.Arbitrary<Meta> {
  const least = folder ? 0o700 : 0o400;
  const bits = fc.oneof(
    fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o7777, 0o444),
    fc.nat(0o7777),
  );
  const mode = limits.privileged ? bits : bits.map((m) => m | least);
  const xattrs = sometimes(4, arbXattrs(limits, folder), {});
  const own = fc.record({ mode, mtimeNs: arbTime, xattrs });
  return fc.tuple(own, arbOwner(limits)).map(([meta, owner]) => ({ ...meta, ...owner }));
}

const KIB = 1024;
const MIB = 1024 * KIB;
const EDGES = [512 * KIB, 1 * MIB, 8 * MIB].flatMap((n) => [n - 1, n, n + 1]);

/** A small file, or one at an edge of the chunker: its least size, its mean, its greatest. */
function arbFile(limits: Limits): fc.Arbitrary<FileNode> {
  const small = fc.oneof(fc.constantFrom(0, 1, 2, 63, 64, 65, 4095, 4096, 4097), fc.nat(20_000));
  const size = limits.bigFiles
    ? fc.oneof({ weight: 40, arbitrary: small }, { weight: 1, arbitrary: fc.constantFrom(...EDGES) })
    : small;
  return fc
    .tuple(fc.record({ seed: fc.nat(1000), size }), arbMeta(limits, false))
    .map(([content, meta]) => file(content, meta));
}

function arbSparse(limits: Limits): fc.Arbitrary<SparseNode> {
  const size = limits.bigFiles
    ? fc.constantFrom(0, 1, 65_536, 3 * MIB, 20 * MIB)
    : fc.constantFrom(0, 1, 65_536);
  const spot = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.uint8Array({ minLength: 1, maxLength: 9 }),
  );
  return fc
    .tuple(size, fc.array(spot, { maxLength: 3 }), arbMeta(limits, false))
    .map(([total, spots, meta]) => {
      const fits = spots.filter(([, bytes]) => bytes.length <= total);
      const extents = fits.map(([at, bytes]): Extent => [Math.floor(at * (total - bytes.length)), bytes]);
      return sparse(total, extents, meta);
    });
}

function arbSymlink(limits: Limits): fc.Arbitrary<Node> {
  const texts = [
    '.',
    '..',
    '/',
    '../..',
    'dangling',
    '/nonexistent/x',
    './a',
    'a//b',
    '日本',
    ' ',
    'n\nl',
    'x'.repeat(900),
  ];
  const text = fc.constantFrom(...texts).map(fromText);
  const target = limits.rawTargets ? fc.oneof(text, rawName) : text;
  return fc
    .tuple(target, arbTime, arbOwner(limits))
    .map(([t, mtimeNs, owner]) => symlink(toBytes(t), { mtimeNs, ...owner }));
}

function arbSpecial(limits: Limits): fc.Arbitrary<Node> {
  const meta = fc.record({ mode: fc.constantFrom(0o600, 0o644, 0o666), mtimeNs: arbTime });
  const choices: fc.Arbitrary<Node>[] = [meta.map(fifo)];
  if (limits.sockets) choices.push(meta.map(socket));
  if (limits.privileged) {
    const numbers = fc.constantFrom<readonly [number, number]>([1, 3], [7, 0], [259, 300], [4095, 1_000_000]);
    const kind = fc.constantFrom('chardev' as const, 'dev' as const);
    choices.push(fc.tuple(kind, numbers, meta).map(([k, [major, minor], m]) => device(k, major, minor, m)));
  }
  return fc.oneof(...choices);
}

function arbLeaf(limits: Limits): fc.Arbitrary<Node> {
  return fc.oneof(
    { weight: 12, arbitrary: arbFile(limits) },
    { weight: 2, arbitrary: arbSparse(limits) },
    { weight: 3, arbitrary: arbSymlink(limits) },
    { weight: 1, arbitrary: arbSpecial(limits) },
  );
}

function arbFolder(limits: Limits, depth: number): fc.Arbitrary<DirNode> {
  const leaf = arbLeaf(limits);
  const child =
    depth <= 0
      ? leaf
      : fc.oneof(
          { weight: 3, arbitrary: leaf },
          { weight: 1, arbitrary: fc.nat(depth - 1).chain((d) => arbFolder(limits, d)) },
        );
  const entry = fc.tuple(arbName, child);
  const entries = fc.uniqueArray(entry, { maxLength: limits.width, selector: ([name]) => name });
  return fc.tuple(entries, arbMeta(limits, true)).map(([list, meta]) => folderOf(list, meta));
}

function folderOf(entries: Iterable<readonly [ByteString, Literal]>, meta: Meta): DirNode {
  return dirOf(
    [...entries].map(([name, node]) => [toBytes(name), node]),
    meta,
  );
}

/** A chain of folders whose path has `bytes` bytes, ending in a file. */
export function deepChain(bytes: number, part = 60): DirNode {
  const name = 'd'.repeat(part);
  const meta = { mtimeNs: 1_500_000_000_123_456_789n };
  let node = dirOf([['end', file('deep', meta)]], meta);
  for (let left = bytes - 'end'.length; left > part; left -= part + 1) node = dirOf([[name, node]], meta);
  return node;
}

/** A folder of `n` small files, three in four of them empty. */
export function hugeDirectory(n: number): DirNode {
  const names = Array.from({ length: n }, (_, i) => `file-${String(i).padStart(7, '0')}`);
  return dirOf(names.map((name, i) => [name, i % 4 === 0 ? file(`content ${i}`) : file('')]));
}

interface LinkWish {
  readonly from: number;
  readonly folder: number;
  readonly name: ByteString;
}

/** Adds hard links between the files and folders that are there. Wishes for a name that is taken are dropped. */
function withHardlinks(root: DirNode, wishes: readonly LinkWish[]): DirNode {
  const all = [...walkTree(root)];
  const files = all
    .filter(([, node]) => node.type === 'file' || node.type === 'sparse')
    .map(([path]) => path);
  const folders = all.filter(([, node]) => node.type === 'dir').map(([path]) => path);
  if (files.length === 0) return root;
  const added = new Map<ByteString, ByteString>();
  for (const { from, folder, name } of wishes) {
    const path = joinPath(folders[folder % folders.length]!, name);
    if (!all.some(([taken]) => taken === path)) added.set(path, files[from % files.length]!);
  }
  return addLinks(root, fromText(''), added);
}

function addLinks(folder: DirNode, path: ByteString, added: ReadonlyMap<ByteString, ByteString>): DirNode {
  const entries = [...folder.entries].map(
    ([name, node]) =>
      [name, node.type === 'dir' ? addLinks(node, joinPath(path, name), added) : node] as const,
  );
  const links = [...added]
    .map(([at, to]) => ({ ...split(at), to }))
    .filter(({ parent }) => parent === path)
    .map(({ name, to }) => [name, hardlink(toBytes(to))] as const);
  return folderOf([...entries, ...links], folder.meta);
}

function split(path: ByteString): { readonly parent: ByteString; readonly name: ByteString } {
  const slash = path.lastIndexOf('/');
  const parent = rawByteString(path.slice(0, Math.max(slash, 0)));
  return { parent, name: rawByteString(path.slice(slash + 1)) };
}

/** A whole random tree: always a folder, often with hard links across folders, at times with a very long path. */
export function arbTree(options: TreeOptions = {}): fc.Arbitrary<DirNode> {
  const limits = limitsOf(options);
  const wish = fc.record({ from: fc.nat(1000), folder: fc.nat(1000), name: arbName });
  const base = fc.tuple(arbFolder(limits, limits.depth), fc.array(wish, { maxLength: 4 }));
  const tree = base.map(([root, wishes]) => withHardlinks(root, wishes));
  const chain = sometimes(2, fc.integer({ min: 200, max: 1800 }), null);
  return fc.tuple(tree, chain).map(([root, bytes]) => (bytes === null ? root : withChain(root, bytes)));
}

function withChain(root: DirNode, bytes: number): DirNode {
  const name = fromText('chain');
  if (root.entries.has(name)) return root;
  return folderOf([...root.entries, [name, deepChain(bytes)]], root.meta);
}
