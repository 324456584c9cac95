/** One folder of a version: sorted for people, kept so compactly that large ones may stay in memory while they are looked at. */
import { ID_BYTES, idFromBytes, idToBytes } from '../format/id.ts';
import type { Id, Node } from '../format/types.ts';
import { type ByteString, compareBytes, toText } from '../util/byte-string.ts';
import { KINDS, type Kind, stateOf } from './node-state.ts';
import type { Pace } from './pace.ts';
import { sortInSlices } from './sort-slices.ts';
import { nodesInSlices } from './tree-slices.ts';

export interface FolderEntry {
  readonly name: ByteString;
  readonly kind: Kind;
  /** Of files; null for all else. */
  readonly bytes: number | null;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The listing of a folder. */
  readonly subtree: Id | undefined;
}

/** "2" before "10", case and accents only where nothing else differs; the same on every computer. */
const people = new Intl.Collator('en', { numeric: true });

/** Entries between two looks at the clock. */
const SOME = 1024;

/** The columns of a folder, its entries in their order. */
interface Columns {
  /** One after the other; `ends[i]` is where the i-th ends. */
  readonly names: Buffer;
  readonly ends: Uint32Array;
  readonly kinds: Uint8Array;
  readonly sizes: Float64Array;
  readonly times: Float64Array;
  /** Folders come first, so the i-th entry's listing is the i-th here. All zero: it has none. */
  readonly subtrees: Buffer;
}

export class SortedFolder {
  readonly total: number;
  readonly #columns: Columns;

  constructor(columns: Columns) {
    this.total = columns.ends.length;
    this.#columns = columns;
  }

  page(offset: number, limit: number): FolderEntry[] {
    const count = Math.max(0, Math.min(limit, this.total - offset));
    return Array.from({ length: count }, (_, i) => this.#at(offset + i));
  }

  /** The folder of that name; undefined where there is none. */
  folderNamed(name: ByteString): FolderEntry | undefined {
    const folders = this.#columns.subtrees.length / ID_BYTES;
    const wanted = Buffer.from(name, 'latin1');
    for (let i = 0; i < folders; i++) if (this.#nameAt(i).equals(wanted)) return this.#at(i);
    return undefined;
  }

  #nameAt(i: number): Buffer {
    const { names, ends } = this.#columns;
    return names.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
  }

  #at(i: number): FolderEntry {
    const { kinds, sizes, times, subtrees } = this.#columns;
    const kind = KINDS[kinds[i]!]!;
    const id = subtrees.subarray(i * ID_BYTES, (i + 1) * ID_BYTES);
    const listed = id.length === ID_BYTES && id.some((byte) => byte !== 0);
    return {
      name: this.#nameAt(i).toString('latin1') as ByteString,
      kind,
      bytes: kind === 'file' ? sizes[i]! : null,
      modifiedAt: times[i]!,
      subtree: listed ? idFromBytes(id) : undefined,
    };
  }
}

/** A folder's entries as they are gathered, in the order of the tree. */
class Rows {
  readonly names: ByteString[] = [];
  readonly kinds: number[] = [];
  readonly sizes: number[] = [];
  readonly times: number[] = [];
  /** Of all folders, by row. */
  readonly subtrees = new Map<number, Id | undefined>();
  nameBytes = 0;

  add(node: Node): void {
    const state = stateOf(node);
    if (node.type === 'dir') this.subtrees.set(this.names.length, node.subtree);
    this.names.push(node.name);
    this.kinds.push(KINDS.indexOf(state.kind));
    this.sizes.push(state.size);
    this.times.push(state.mtime);
    this.nameBytes += node.name.length;
  }
}

/** The folder that a tree blob lists. Errors: 'damaged', the reason of the pace's signal. */
export async function readFolder(bytes: Uint8Array, pace: Pace): Promise<SortedFolder> {
  const rows = new Rows();
  for (const nodes of nodesInSlices(bytes)) {
    for (const node of nodes) rows.add(node);
    await pace.breathe();
  }
  return new SortedFolder(await columnsOf(rows, await inOrderOfPeople(rows, pace), pace));
}

async function columnsOf(rows: Rows, order: Uint32Array, pace: Pace): Promise<Columns> {
  const columns: Columns = {
    names: Buffer.allocUnsafe(rows.nameBytes),
    ends: new Uint32Array(order.length),
    kinds: new Uint8Array(order.length),
    sizes: new Float64Array(order.length),
    times: new Float64Array(order.length),
    subtrees: Buffer.alloc(rows.subtrees.size * ID_BYTES),
  };
  let end = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    end += columns.names.write(rows.names[row]!, end, 'latin1');
    columns.ends[i] = end;
    columns.kinds[i] = rows.kinds[row]!;
    columns.sizes[i] = rows.sizes[row]!;
    columns.times[i] = rows.times[row]!;
    const subtree = rows.subtrees.get(row);
    if (subtree) columns.subtrees.set(idToBytes(subtree), i * ID_BYTES);
    if (i % SOME === 0) await pace.breathe();
  }
  return columns;
}

async function inOrderOfPeople(rows: Rows, pace: Pace): Promise<Uint32Array> {
  const texts: string[] = [];
  const order = new Uint32Array(rows.names.length);
  for (let row = 0; row < order.length; row++) {
    order[row] = row;
    texts.push(toText(rows.names[row]!));
    if (row % SOME === 0) await pace.breathe();
  }
  const rank = Uint8Array.from(rows.kinds, (kind) => (KINDS[kind] === 'dir' ? 0 : 1));
  const compare = (a: number, b: number) =>
    rank[a]! - rank[b]! ||
    people.compare(texts[a]!, texts[b]!) ||
    compareBytes(rows.names[a]!, rows.names[b]!);
  return sortInSlices(order, compare, pace);
}

/** The first node in a tree blob whose name is the one. Errors: 'damaged', the reason of the pace's signal. */
export async function nodeNamed(
  bytes: Uint8Array,
  isIt: (name: ByteString) => boolean,
  pace: Pace,
): Promise<Node | undefined> {
  for (const nodes of nodesInSlices(bytes)) {
    const found = nodes.find((node) => isIt(node.name));
    if (found) return found;
    await pace.breathe();
  }
  return undefined;
}
