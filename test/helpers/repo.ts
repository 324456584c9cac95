/** Repositories made without a program: in memory, with trees of the test's own making, hostile ones too. */

import type { Backend } from '../../src/backend/backend.ts';
import { createMemory } from '../../src/backend/memory/memory.ts';
import { sha256 } from '../../src/format/hash.ts';
import { goModeFromUnix } from '../../src/format/mode.ts';
import { serializeNode } from '../../src/format/node.ts';
import { fromEpochNs } from '../../src/format/time.ts';
import type { Id, Node, NodeType, Timestamp } from '../../src/format/types.ts';
import type { BlobWriter } from '../../src/repository/blob-writer.ts';
import { createRepository, type IndexedRepository } from '../../src/repository/repository.ts';
import { fromText } from '../../src/util/byte-string.ts';

export const PASSWORD = 'a password';
/** As cheap as scrypt can be: tests open repositories all the time. */
export const CHEAP_KDF = { n: 2, r: 1, p: 1 } as const;

/** A new repository in memory (or in `backend`), indexed: blobs written to it are found at once. */
export async function memoryRepository(
  o: { readonly version?: 1 | 2; readonly backend?: Backend } = {},
): Promise<IndexedRepository> {
  const repository = await createRepository(o.backend ?? createMemory(), {
    password: PASSWORD,
    version: o.version ?? 2,
    kdf: CHEAP_KDF,
    hostname: 'host',
    username: 'user',
  });
  return repository.loadIndex();
}

const TYPE_BITS: Readonly<Record<string, number>> = {
  file: 0o100000,
  dir: 0o040000,
  symlink: 0o120000,
  dev: 0o060000,
  chardev: 0o020000,
  fifo: 0o010000,
  socket: 0o140000,
};

export const SOME_TIME_NS = 1_600_000_000_123_456_789n;

export function time(ns: bigint = SOME_TIME_NS): Timestamp {
  return fromEpochNs(ns);
}

/** A node with the given fields, and plausible ones for the rest. `mode` is Unix permission bits. */
export function node(name: string, type: NodeType, fields: Partial<Node> = {}): Node {
  const mode = (fields.mode ?? (type === 'dir' ? 0o755 : 0o644)) | (TYPE_BITS[type] ?? 0);
  return {
    name: fromText(name),
    type,
    mtime: time(),
    atime: time(),
    ctime: time(),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    user: '',
    group: '',
    inode: 0,
    deviceId: 0,
    size: 0,
    links: type === 'dir' ? 0 : 1,
    linkTarget: fromText(''),
    extendedAttributes: [],
    genericAttributes: undefined,
    device: 0,
    content: null,
    subtree: undefined,
    error: '',
    ...fields,
    mode: goModeFromUnix(mode),
  };
}

/** What a test says about an entry: a file's text or blobs, a folder, or a node to be taken as it is. */
export type Sketch = string | Uint8Array | readonly Uint8Array[] | SketchFolder | SketchNode;
export interface SketchFolder {
  readonly [name: string]: Sketch;
}
export interface SketchNode {
  readonly node: Omit<Partial<Node>, 'type'> & { readonly type: NodeType };
  /** Of a file. */
  readonly blobs?: readonly Uint8Array[];
  /** Of a folder. */
  readonly entries?: SketchFolder;
}

/** A symbolic link. */
export function link(target: string): SketchNode {
  return { node: { type: 'symlink', linkTarget: fromText(target), mode: 0o777 } };
}

/** Stores the tree and all below it, and makes it findable. Returns its id. */
export async function saveTree(repo: IndexedRepository, sketch: SketchFolder): Promise<Id> {
  const writer = repo.writer();
  const id = await saveFolder(writer, sketch);
  await writer.flush();
  return id;
}

/** Stores these nodes as they are, in their order: listings that no program would write. */
export async function saveNodes(repo: IndexedRepository, nodes: readonly Node[]): Promise<Id> {
  return saveRaw(repo, Buffer.from(`{"nodes":[${nodes.map(serializeNode).join()}]}\n`));
}

/** Stores any bytes as a tree. */
export async function saveRaw(repo: IndexedRepository, bytes: Uint8Array): Promise<Id> {
  const writer = repo.writer();
  const { id } = await writer.save('tree', bytes);
  await writer.flush();
  return id;
}

/** Stores data blobs; returns their ids. */
export async function saveBlobs(repo: IndexedRepository, blobs: readonly Uint8Array[]): Promise<Id[]> {
  const writer = repo.writer();
  const ids: Id[] = [];
  for (const blob of blobs) ids.push((await writer.save('data', blob)).id);
  await writer.flush();
  return ids;
}

async function saveFolder(writer: BlobWriter, sketch: SketchFolder): Promise<Id> {
  const nodes: Node[] = [];
  for (const [name, entry] of Object.entries(sketch)) nodes.push(await saveEntry(writer, name, entry));
  nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return (await writer.save('tree', Buffer.from(`{"nodes":[${nodes.map(serializeNode).join()}]}\n`))).id;
}

function isNode(sketch: SketchFolder | SketchNode): sketch is SketchNode {
  return typeof sketch.node === 'object' && 'type' in sketch.node;
}

async function saveEntry(writer: BlobWriter, name: string, sketch: Sketch): Promise<Node> {
  if (typeof sketch === 'string') return saveFile(writer, name, [Buffer.from(sketch)], {});
  if (sketch instanceof Uint8Array) return saveFile(writer, name, [sketch], {});
  if (Array.isArray(sketch)) return saveFile(writer, name, sketch as readonly Uint8Array[], {});
  const folder = sketch as SketchFolder | SketchNode;
  if (!isNode(folder)) return node(name, 'dir', { subtree: await saveFolder(writer, folder) });
  const { type, ...fields } = folder.node;
  if (folder.blobs) return saveFile(writer, name, folder.blobs, fields);
  const subtree = folder.entries ? { subtree: await saveFolder(writer, folder.entries) } : {};
  return node(name, type, { ...subtree, ...fields });
}

async function saveFile(
  writer: BlobWriter,
  name: string,
  blobs: readonly Uint8Array[],
  fields: Partial<Node>,
): Promise<Node> {
  const content: Id[] = [];
  let size = 0;
  for (const blob of blobs) {
    size += blob.length;
    if (blob.length > 0) content.push((await writer.save('data', blob)).id);
  }
  return node(name, 'file', { content, size, ...fields });
}

/** The id of bytes that are in no repository. */
export function idOf(text: string): Id {
  return sha256(Buffer.from(text));
}
