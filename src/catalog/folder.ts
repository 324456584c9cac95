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

export class SortedFolder {
  readonly total: number;
  /** Names one after the other; `#ends[i]` is where the i-th ends. */
  readonly #names: Buffer;
  readonly #ends: Uint32Array;
  readonly #kinds: Uint8Array;
  readonly #sizes: Float64Array;
  readonly #times: Float64Array;
  /** Folders come first, so the i-th entry's listing is the i-th here. All zero: it has none. */
  readonly #subtrees: Buffer;

  constructor(rows: Rows, order: Uint32Array) {
    this.total = order.length;
    this.#ends = new Uint32Array(order.length);
    this.#kinds = Uint8Array.from(order, (row) => rows.kinds[row]!);
    this.#sizes = Float64Array.from(order, (row) => rows.sizes[row]!);
    this.#times = Float64Array.from(order, (row) => rows.times[row]!);
    this.#names = Buffer.allocUnsafe(rows.nameBytes);
    this.#subtrees = Buffer.alloc(rows.subtrees.size * ID_BYTES);
    let end = 0;
    order.forEach((row, i) => {
      end += this.#names.write(rows.names[row]!, end, 'latin1');
      this.#ends[i] = end;
      const subtree = rows.subtrees.get(row);
      if (subtree) this.#subtrees.set(idToBytes(subtree), i * ID_BYTES);
    });
  }

  page(offset: number, limit: number): FolderEntry[] {
    const count = Math.max(0, Math.min(limit, this.total - offset));
    return Array.from({ length: count }, (_, i) => this.#at(offset + i));
  }

  /** The folder of that name; undefined where there is none. */
  folderNamed(name: ByteString): FolderEntry | undefined {
    const folders = this.#subtrees.length / ID_BYTES;
    const wanted = Buffer.from(name, 'latin1');
    for (let i = 0; i < folders; i++) if (this.#nameAt(i).equals(wanted)) return this.#at(i);
    return undefined;
  }

  #nameAt(i: number): Buffer {
    return this.#names.subarray(i === 0 ? 0 : this.#ends[i - 1], this.#ends[i]);
  }

  #at(i: number): FolderEntry {
    const kind = KINDS[this.#kinds[i]!]!;
    const id = this.#subtrees.subarray(i * ID_BYTES, (i + 1) * ID_BYTES);
    const listed = id.length === ID_BYTES && id.some((byte) => byte !== 0);
    return {
      name: this.#nameAt(i).toString('latin1') as ByteString,
      kind,
      bytes: kind === 'file' ? this.#sizes[i]! : null,
      modifiedAt: this.#times[i]!,
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
  return new SortedFolder(rows, await inOrderOfPeople(rows, pace));
}

async function inOrderOfPeople(rows: Rows, pace: Pace): Promise<Uint32Array> {
  const texts = rows.names.map(toText);
  const isFolder = (row: number) => rows.subtrees.has(row);
  const compare = (a: number, b: number) =>
    Number(isFolder(b)) - Number(isFolder(a)) ||
    people.compare(texts[a]!, texts[b]!) ||
    compareBytes(rows.names[a]!, rows.names[b]!);
  return sortInSlices(Uint32Array.from(texts.keys()), compare, pace);
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
