/**
 * diff: what changed from one snapshot to another.
 *
 * modifier   `+` added, `-` removed, `M` other content, `T` other type, `U` other metadata, `?` beside M: only the
 *            content differs, which a changing file does not do (its time would differ too)
 * new blob   one that the first snapshot has nowhere; it tells how much the change took in the repository
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { nodesEqual } from '../format/node.ts';
import { type Id, type Node, type PackedBlob, SEAL_OVERHEAD } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, compareBytes, joinPath, rawByteString } from '../util/byte-string.ts';
import { BlobMarks } from './blob-marks.ts';
import { type DamagedFolder, ROOT } from './walk.ts';

export interface DiffOptions extends CallOptions {
  /** Also tell of changed metadata alone. */
  readonly metadata?: boolean;
}

export interface Change {
  readonly modifier: string;
  /** A folder's ends with a slash. */
  readonly path: ByteString;
}

export interface DiffEvents {
  readonly onChange: (change: Change) => void | Promise<void>;
  readonly onDamaged: (folder: DamagedFolder) => void;
  /** A blob whose size is not known, so that the sum of bytes lacks it. */
  readonly onUnknownBlob: (type: PackedBlob['type'], id: Id) => void;
}

export interface DiffCounts {
  files: number;
  dirs: number;
  others: number;
  dataBlobs: number;
  treeBlobs: number;
  /** Plain bytes of those blobs. */
  bytes: number;
}

export interface DiffReport {
  readonly changedFiles: number;
  readonly added: Readonly<DiffCounts>;
  readonly removed: Readonly<DiffCounts>;
}

const BEFORE = 1;
const AFTER = 2;
/** In a folder that both have: the walk does not look at it twice. */
const COMMON = 4;

/** Compares two trees. Errors: 'damaged' for the trees themselves; the backend's, the signal's reason. */
export async function diff(
  repo: IndexedRepository,
  before: Id,
  after: Id,
  events: DiffEvents,
  o: DiffOptions = {},
): Promise<DiffReport> {
  const comparison = new Comparison(repo, events, o);
  return comparison.run(before, after);
}

class Comparison {
  readonly #repo: IndexedRepository;
  readonly #events: DiffEvents;
  readonly #o: DiffOptions;
  readonly #call: CallOptions;
  readonly #marks: BlobMarks;
  readonly #added = newCounts();
  readonly #removed = newCounts();
  #changedFiles = 0;

  constructor(repo: IndexedRepository, events: DiffEvents, o: DiffOptions) {
    this.#repo = repo;
    this.#events = events;
    this.#o = o;
    this.#call = o.signal ? { signal: o.signal } : {};
    this.#marks = new BlobMarks(repo.index);
  }

  async run(before: Id, after: Id): Promise<DiffReport> {
    this.#marks.mark('tree', before, BEFORE);
    this.#marks.mark('tree', after, AFTER);
    await this.#trees(ROOT, before, after);
    this.#countBlobs();
    return { changedFiles: this.#changedFiles, added: this.#added, removed: this.#removed };
  }

  async #trees(path: ByteString, before: Id, after: Id): Promise<void> {
    const [a, b] = [await this.#load(before), await this.#load(after)];
    for (const [old, now] of pairs(a, b)) {
      this.#o.signal?.throwIfAborted();
      this.#mark(old, BEFORE);
      this.#mark(now, AFTER);
      if (old && now) await this.#both(path, old, now);
      else if (old) await this.#one('-', path, old, this.#removed, BEFORE);
      else if (now) await this.#one('+', path, now, this.#added, AFTER);
    }
  }

  async #both(parent: ByteString, old: Node, now: Node): Promise<void> {
    const path = joinPath(parent, now.name);
    const modifier = this.#compare(old, now);
    if (modifier !== '') await this.#events.onChange({ modifier, path: shown(path, now) });
    if (old.type !== 'dir' || now.type !== 'dir' || !old.subtree || !now.subtree) return;
    const [a, b] = [old.subtree, now.subtree];
    await this.#guarded(path, a, () => (a === b ? this.#collect(path, a) : this.#trees(path, a, b)));
  }

  #compare(old: Node, now: Node): string {
    const type = old.type === now.type ? '' : 'T';
    if (old.type === 'file' && now.type === 'file' && !sameContent(old, now)) {
      this.#changedFiles++;
      const onlyContent = nodesEqual({ ...old, content: null }, { ...now, content: null });
      return onlyContent ? 'M?' : 'M';
    }
    return this.#o.metadata === true && !nodesEqual(old, now) ? `${type}U` : type;
  }

  /** An item, with all below it, that only one side has. */
  async #one(sign: '+' | '-', parent: ByteString, node: Node, counts: DiffCounts, side: number) {
    const path = joinPath(parent, node.name);
    await this.#events.onChange({ modifier: sign, path: shown(path, node) });
    countNode(counts, node);
    const { subtree } = node;
    if (node.type !== 'dir' || subtree === undefined) return;
    await this.#guarded(path, subtree, async () => {
      for (const child of await this.#load(subtree)) {
        this.#mark(child, side);
        await this.#one(sign, path, child, counts, side);
      }
    });
  }

  async #collect(path: ByteString, tree: Id): Promise<void> {
    for (const child of await this.#load(tree)) {
      const known = this.#mark(child, COMMON);
      const { subtree } = child;
      if (child.type !== 'dir' || subtree === undefined || (known & COMMON) !== 0) continue;
      const below = joinPath(path, child.name);
      await this.#guarded(below, subtree, () => this.#collect(below, subtree));
    }
  }

  async #load(tree: Id): Promise<readonly Node[]> {
    this.#o.signal?.throwIfAborted();
    return (await this.#repo.loadTree(tree, this.#call)).nodes;
  }

  /** Damage below one folder does not keep the rest from being compared. */
  async #guarded(path: ByteString, tree: Id, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isEngineError(error, 'damaged')) throw error;
      this.#events.onDamaged({ path, tree, error });
    }
  }

  /** What the node's own tree (a folder) or the last blob (a file) had before. */
  #mark(node: Node | undefined, bits: number): number {
    if (node?.type === 'dir' && node.subtree !== undefined) {
      return this.#marks.mark('tree', node.subtree, bits);
    }
    if (node?.type === 'file') for (const id of node.content ?? []) this.#marks.mark('data', id, bits);
    return 0;
  }

  #countBlobs(): void {
    for (const { blob, bits } of this.#marks) {
      const counts = this.#sideOf(bits);
      if (counts) countBlob(counts, blob.type, plainLength(blob));
    }
    for (const { type, id, bits } of this.#marks.unknown) {
      const counts = this.#sideOf(bits);
      if (!counts) continue;
      countBlob(counts, type, 0);
      this.#events.onUnknownBlob(type, id);
    }
  }

  #sideOf(bits: number): DiffCounts | undefined {
    if (bits === BEFORE) return this.#removed;
    return bits === AFTER ? this.#added : undefined;
  }
}

function newCounts(): DiffCounts {
  return { files: 0, dirs: 0, others: 0, dataBlobs: 0, treeBlobs: 0, bytes: 0 };
}

/** Nodes of two listings, joined by name. A listing out of order is put in order first. */
function* pairs(
  a: readonly Node[],
  b: readonly Node[],
): Generator<readonly [Node | undefined, Node | undefined]> {
  const [x, y] = [ordered(a), ordered(b)];
  for (let i = 0, j = 0; i < x.length || j < y.length; ) {
    const order = i >= x.length ? 1 : j >= y.length ? -1 : compareBytes(x[i]!.name, y[j]!.name);
    yield [order <= 0 ? x[i++] : undefined, order >= 0 ? y[j++] : undefined];
  }
}

function ordered(nodes: readonly Node[]): readonly Node[] {
  const inOrder = nodes.every((node, i) => i === 0 || nodes[i - 1]!.name <= node.name);
  return inOrder ? nodes : nodes.toSorted((a, b) => compareBytes(a.name, b.name));
}

function sameContent(a: Node, b: Node): boolean {
  const [x, y] = [a.content ?? [], b.content ?? []];
  return x.length === y.length && x.every((id, i) => id === y[i]);
}

function shown(path: ByteString, node: Node): ByteString {
  return node.type === 'dir' ? rawByteString(`${path}/`) : path;
}

function countNode(counts: DiffCounts, node: Node): void {
  if (node.type === 'file') counts.files++;
  else if (node.type === 'dir') counts.dirs++;
  else counts.others++;
}

function countBlob(counts: DiffCounts, type: PackedBlob['type'], bytes: number): void {
  if (type === 'tree') counts.treeBlobs++;
  else counts.dataBlobs++;
  counts.bytes += bytes;
}

/** Bytes of the blob before it was compressed and sealed. */
export function plainLength({ length, uncompressedLength }: PackedBlob): number {
  return uncompressedLength > 0 ? uncompressedLength : length - SEAL_OVERHEAD;
}
