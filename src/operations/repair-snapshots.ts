/**
 * repair snapshots: for each snapshot that needs what the repository has lost, a new one without it.
 *
 * A folder whose tree is lost becomes empty; a file keeps the parts that are there, and its size becomes theirs; an
 * entry of an unknown type goes; names that no folder can hold, or that stand twice, are made different.
 *
 * Order of writes: new trees and their index, the new snapshot, and only then the old one goes (with `forget`).
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { isSafeName, serializeTree } from '../format/tree.ts';
import type { Id, Node, Snapshot, StoredSnapshot } from '../format/types.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, compareBytes, fromText, joinPath } from '../util/byte-string.ts';

export type SnapshotChange =
  | { readonly kind: 'folder-emptied'; readonly path: ByteString }
  | { readonly kind: 'content-removed'; readonly path: ByteString; readonly blobs: readonly Id[] }
  | { readonly kind: 'size-corrected'; readonly path: ByteString; readonly size: bigint }
  | { readonly kind: 'entry-removed'; readonly path: ByteString; readonly type: string }
  | { readonly kind: 'entry-renamed'; readonly path: ByteString; readonly name: ByteString }
  | { readonly kind: 'entries-sorted'; readonly path: ByteString };

export interface SnapshotsRepairOptions extends CallOptions {
  readonly snapshots: readonly StoredSnapshot[];
  /** Remove the old snapshots, and those whose root is lost. */
  readonly forget: boolean;
  readonly dryRun?: boolean;
  /** Comes before the changes of its snapshot. */
  readonly onSnapshot?: (snapshot: StoredSnapshot) => void;
  readonly onChange?: (change: SnapshotChange, snapshot: StoredSnapshot) => void;
  readonly onResult?: (result: RepairedSnapshot) => void;
}

export interface RepairedSnapshot {
  readonly snapshot: StoredSnapshot;
  /** lost: its root can't be read; it was removed if `forget` was set. */
  readonly outcome: 'intact' | 'repaired' | 'lost';
  /** undefined unless repaired, and in a dry run. */
  readonly newId: Id | undefined;
  readonly removed: boolean;
}

export interface SnapshotsRepairReport {
  readonly results: readonly RepairedSnapshot[];
}

/**
 * Needs an exclusive lock and a whole index: what no index lists is taken for lost.
 * Errors: the backend's; a tree that the storage would not give just now ends it before anything is removed.
 */
export async function repairSnapshots(
  repo: IndexedRepository,
  o: SnapshotsRepairOptions,
): Promise<SnapshotsRepairReport> {
  const writer = repo.writer({ ...callOf(o), dryRun: o.dryRun === true, indexFromReserve: true });
  const repair = new TreeRepair(repo, writer, o);
  const results: RepairedSnapshot[] = [];
  try {
    for (const snapshot of o.snapshots) {
      o.onSnapshot?.(snapshot);
      const result = await repairOne(repo, writer, repair, snapshot, o);
      results.push(result);
      o.onResult?.(result);
    }
  } finally {
    await writer.settle();
  }
  return { results };
}

async function repairOne(
  repo: IndexedRepository,
  writer: BlobWriter,
  repair: TreeRepair,
  snapshot: StoredSnapshot,
  o: SnapshotsRepairOptions,
): Promise<RepairedSnapshot> {
  const tree = await repair.root(snapshot);
  if (tree === snapshot.tree) return { snapshot, outcome: 'intact', newId: undefined, removed: false };
  const outcome = tree === undefined ? 'lost' : 'repaired';
  if (o.dryRun) return { snapshot, outcome, newId: undefined, removed: false };
  const newId = tree === undefined ? undefined : await saveRepaired(repo, writer, snapshot, tree, o);
  if (o.forget) await repo.repository.files.remove('snapshot', snapshot.id, callOf(o));
  return { snapshot, outcome, newId, removed: o.forget };
}

async function saveRepaired(
  repo: IndexedRepository,
  writer: BlobWriter,
  { id, ...snapshot }: StoredSnapshot,
  tree: Id,
  o: SnapshotsRepairOptions,
): Promise<Id> {
  await writer.flush();
  const marked: Snapshot = { ...snapshot, tree, original: id };
  const tags = [...new Set([...(snapshot.tags ?? []), 'repaired'])];
  const repaired = o.forget ? marked : { ...marked, tags };
  return repo.repository.saveSnapshot(repaired, { ...callOf(o), fromReserve: true });
}

const ROOT = fromText('/');

/** Rewrites trees; each tree is looked at once, however many snapshots share it. */
class TreeRepair {
  readonly #repo: IndexedRepository;
  readonly #writer: BlobWriter;
  readonly #o: SnapshotsRepairOptions;
  /** 1 for each tree (by its entry in the index) that needs no change, nor does anything below it. */
  readonly #sound: Uint8Array;
  readonly #replaced = new Map<Id, Id>();

  constructor(repo: IndexedRepository, writer: BlobWriter, o: SnapshotsRepairOptions) {
    this.#repo = repo;
    this.#writer = writer;
    this.#o = o;
    this.#sound = new Uint8Array(repo.index.size);
  }

  /** The tree that is to stand for a snapshot's root; undefined if the root is lost. */
  root(snapshot: StoredSnapshot): Promise<Id | undefined> {
    return this.#tree(snapshot.tree, ROOT, snapshot);
  }

  async #tree(tree: Id, path: ByteString, snapshot: StoredSnapshot): Promise<Id | undefined> {
    this.#o.signal?.throwIfAborted();
    const known = this.#known(tree);
    if (known) return known;
    const nodes = await this.#load(tree);
    if (!nodes) return undefined;
    const entries: Node[] = [];
    for (const node of nodes) {
      const entry = await this.#node(node, joinPath(path, node.name), snapshot);
      if (entry) entries.push(entry);
    }
    const ordered = this.#order(entries, path, snapshot);
    return this.#settle(tree, nodes, ordered);
  }

  #known(tree: Id): Id | undefined {
    const entry = this.#repo.index.entryOf('tree', tree);
    return entry >= 0 && this.#sound[entry] === 1 ? tree : this.#replaced.get(tree);
  }

  async #load(tree: Id): Promise<readonly Node[] | undefined> {
    try {
      return (await this.#repo.loadTree(tree, callOf(this.#o))).nodes;
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      return undefined;
    }
  }

  /** Stores the new nodes, unless they are the old ones. */
  async #settle(tree: Id, old: readonly Node[], nodes: readonly Node[]): Promise<Id> {
    if (nodes.length === old.length && nodes.every((node, i) => node === old[i])) {
      this.#sound[this.#repo.index.entryOf('tree', tree)] = 1;
      return tree;
    }
    const { id } = await this.#writer.save('tree', serializeTree(nodes));
    this.#replaced.set(tree, id);
    return id;
  }

  async #node(node: Node, path: ByteString, snapshot: StoredSnapshot): Promise<Node | undefined> {
    if (node.type === 'dir') return this.#directory(node, path, snapshot);
    if (node.type === 'file') return this.#file(node, path, snapshot);
    if (node.type !== '' && node.type !== 'irregular') return node;
    this.#o.onChange?.({ kind: 'entry-removed', path, type: node.type }, snapshot);
    return undefined;
  }

  async #directory(node: Node, path: ByteString, snapshot: StoredSnapshot): Promise<Node> {
    const subtree = node.subtree === undefined ? undefined : await this.#tree(node.subtree, path, snapshot);
    if (subtree !== undefined) return subtree === node.subtree ? node : { ...node, subtree };
    this.#o.onChange?.({ kind: 'folder-emptied', path }, snapshot);
    const { id } = await this.#writer.save('tree', serializeTree([]));
    return { ...node, subtree: id };
  }

  #file(node: Node, path: ByteString, snapshot: StoredSnapshot): Node {
    const { index } = this.#repo;
    const lost = (node.content ?? []).filter((id) => !index.has('data', id));
    const content = lost.length === 0 ? node.content : node.content!.filter((id) => index.has('data', id));
    const size = (content ?? []).reduce(
      (sum, id) => sum + BigInt(index.plainLengthOf(index.entryOf('data', id))),
      0n,
    );
    const sizeFits = size === BigInt(node.size);
    if (lost.length > 0) this.#o.onChange?.({ kind: 'content-removed', path, blobs: lost }, snapshot);
    else if (!sizeFits) this.#o.onChange?.({ kind: 'size-corrected', path, size }, snapshot);
    if (lost.length === 0 && sizeFits && content !== null) return node;
    return { ...node, content: content ?? [], size: exact(size) };
  }

  /** Sorted by name, each name good for a folder and there once. */
  #order(nodes: readonly Node[], path: ByteString, snapshot: StoredSnapshot): readonly Node[] {
    if (nodes.every((node, i) => isSafeName(node.name) && (i === 0 || nodes[i - 1]!.name < node.name))) {
      return nodes;
    }
    this.#o.onChange?.({ kind: 'entries-sorted', path }, snapshot);
    const taken = new Set(nodes.map(({ name }) => name));
    const seen = new Set<ByteString>();
    const renamed = nodes.map((node) => {
      const good = isSafeName(node.name) && !seen.has(node.name);
      const name = good ? node.name : freeName(node.name, taken);
      seen.add(name);
      taken.add(name);
      if (good) return node;
      this.#o.onChange?.({ kind: 'entry-renamed', path: joinPath(path, node.name), name }, snapshot);
      return { ...node, name };
    });
    return renamed.sort((a, b) => compareBytes(a.name, b.name));
  }
}

/** A name like this one that a folder can hold and that is not taken. */
function freeName(name: ByteString, taken: ReadonlySet<ByteString>): ByteString {
  const base = name.replaceAll('/', '_').replaceAll('\0', '_') || 'unnamed';
  for (let n = 1; ; n++) {
    const candidate = `${base}~${n}` as ByteString;
    if (!taken.has(candidate)) return candidate;
  }
}

function exact(size: bigint): number | bigint {
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : size;
}

function callOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
