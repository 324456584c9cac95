/** Trees of a test's own making, in memory, by their ids; they can be lost. */
import { EngineError } from '../../../src/api/errors.ts';
import type { TreeSource } from '../../../src/catalog/filling.ts';
import { sha256 } from '../../../src/format/hash.ts';
import { serializeNode } from '../../../src/format/node.ts';
import type { Id, Node } from '../../../src/format/types.ts';
import { rawByteString } from '../../../src/util/byte-string.ts';
import { node, SOME_TIME_NS, time } from '../../helpers/repo.ts';

/** A file's content by a number, a folder, or a node to be taken as it is. Names are bytes as characters. */
export type Plant = number | Node | { readonly [name: string]: Plant };

export class Trees implements TreeSource {
  readonly #blobs = new Map<Id, Uint8Array>();
  /** Ids in the order in which they were read. */
  readonly read: Id[] = [];
  readonly lost = new Set<Id>();
  fault: Error | undefined;
  renewed = 0;
  /** What the next renewal finds again. */
  found = new Set<Id>();

  /** Stores these nodes as they are. */
  add(nodes: readonly Node[]): Id {
    const bytes = treeBytes(nodes);
    const id = sha256(bytes);
    this.#blobs.set(id, bytes);
    return id;
  }

  plant(folder: { readonly [name: string]: Plant }): Id {
    const nodes = Object.entries(folder).map(([name, plant]) => this.#nodeOf(name, plant));
    return this.add(nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  }

  #nodeOf(name: string, plant: Plant): Node {
    const raw = { name: rawByteString(name) };
    if (typeof plant === 'number') {
      const content = [sha256(Buffer.from(`content ${plant}`))];
      const mtime = time(SOME_TIME_NS + BigInt(plant) * 1_000_000_000n);
      return { ...node('', 'file', { size: plant, content, mtime }), ...raw };
    }
    if (isNode(plant)) return { ...plant, ...raw };
    return { ...node('', 'dir', { subtree: this.plant(plant) }), ...raw };
  }

  async load(id: Id): Promise<Uint8Array> {
    this.read.push(id);
    if (this.fault) throw this.fault;
    const bytes = this.#blobs.get(id);
    if (bytes && !this.lost.has(id)) return bytes;
    throw new EngineError('damaged', 'The tree is not there.');
  }

  async renew(): Promise<void> {
    this.renewed++;
    for (const id of this.found) this.lost.delete(id);
  }
}

export function treeBytes(nodes: readonly Node[]): Buffer {
  return Buffer.from(`{"nodes":[${nodes.map(serializeNode).join()}]}\n`);
}

function isNode(plant: Plant): plant is Node {
  return typeof plant === 'object' && 'inode' in plant;
}
