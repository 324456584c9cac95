/**
 * Checking what snapshots refer to: each tree once, however many snapshots share it. What has been seen is a mark
 * beside the index entry, one byte each.
 */
import { isEngineError, messageOf } from '../../api/errors.ts';
import type { CallOptions } from '../../backend/backend.ts';
import { isSafeName } from '../../format/tree.ts';
import type { Id, Node, StoredSnapshot } from '../../format/types.ts';
import type { BlobIndex } from '../../repository/blob-index.ts';
import type { IndexedRepository } from '../../repository/repository.ts';
import { toText } from '../../util/byte-string.ts';
import { drain } from '../../util/drain.ts';
import { type Finding, fault, hint } from './findings.ts';

export interface TreeCheckOptions extends CallOptions {
  readonly onFinding: (finding: Finding) => void;
  readonly onSnapshot?: () => void;
  readonly onTree?: () => void;
}

/** Trees loaded at once; more would only hold memory. */
const MOST_LOADS = 16;

export class TreeCheck {
  readonly #repo: IndexedRepository;
  readonly #index: BlobIndex;
  readonly #o: TreeCheckOptions;
  /** 1 for each blob (by the entry of its first copy) that a snapshot needs. */
  readonly used: Uint8Array;
  /** Entries of trees that are still to be looked at. */
  readonly #pending: number[] = [];
  readonly #missing = new Set<Id>();

  constructor(repo: IndexedRepository, o: TreeCheckOptions) {
    this.#repo = repo;
    this.#index = repo.index;
    this.#o = o;
    this.used = new Uint8Array(repo.index.size);
  }

  /** Walks all trees below these snapshots. Errors: the backend's; damage is a finding. */
  async run(snapshots: readonly StoredSnapshot[]): Promise<void> {
    const roots = snapshots.values();
    const take = () => this.#pending.pop() ?? this.#nextRoot(roots);
    const limit = Math.min(MOST_LOADS, 2 * this.#repo.repository.backend.traits.connections);
    await drain(take, limit, (entry) => this.#visit(this.#index.at(entry).id));
  }

  /** The next root tree that is there and was not seen yet. */
  #nextRoot(roots: Iterator<StoredSnapshot>): number | undefined {
    for (let next = roots.next(); !next.done; next = roots.next()) {
      const { id, tree } = next.value;
      this.#o.onSnapshot?.();
      const entry = this.#index.entryOf('tree', tree);
      if (entry < 0) this.#missingTree(tree, `the root of snapshot ${id.slice(0, 8)}`, { snapshot: id });
      else if (this.#mark(entry)) return entry;
    }
    return undefined;
  }

  async #visit(tree: Id): Promise<void> {
    try {
      const { nodes } = await this.#repo.loadTree(tree, this.#o);
      this.#checkOrder(tree, nodes);
      for (const node of nodes) this.#checkNode(tree, node);
    } catch (e) {
      if (!isEngineError(e, 'damaged', 'not-found', 'range', 'io')) throw e;
      const sentence = `Tree ${tree} can't be read: ${messageOf(e)}`;
      this.#o.onFinding(fault('tree-unreadable', sentence, { tree }, 'repair-snapshots'));
    }
    this.#o.onTree?.();
  }

  /** Whether it was not marked before. */
  #mark(entry: number): boolean {
    if (this.used[entry] === 1) return false;
    this.used[entry] = 1;
    return true;
  }

  #checkOrder(tree: Id, nodes: readonly Node[]): void {
    const at = nodes.findIndex((node, i) => i > 0 && node.name <= nodes[i - 1]!.name);
    if (at < 0) return;
    const twice = nodes[at]!.name === nodes[at - 1]!.name;
    const what = twice ? 'has two entries named' : 'is not sorted at';
    this.#report(tree, 'tree-order', `Tree ${tree} ${what} ${nameOf(nodes[at]!)}.`);
  }

  #checkNode(tree: Id, node: Node): void {
    if (!isSafeName(node.name)) {
      this.#report(tree, 'entry-name', `Tree ${tree} has an entry with the impossible name ${nameOf(node)}.`);
    }
    if (node.type === 'file') this.#checkFile(tree, node);
    else if (node.type === 'dir') this.#checkDirectory(tree, node);
    else if (node.type === '' || node.type === 'irregular') {
      const sentence = `Tree ${tree}: ${nameOf(node)} has the type "${node.type}", which can't be restored.`;
      this.#report(tree, 'entry-type', sentence);
    }
  }

  #checkDirectory(tree: Id, node: Node): void {
    if (node.subtree === undefined) {
      return this.#report(tree, 'entry-content', `Tree ${tree}: the folder ${nameOf(node)} has no tree.`);
    }
    const entry = this.#index.entryOf('tree', node.subtree);
    if (entry < 0) this.#missingTree(node.subtree, `the folder ${nameOf(node)} of tree ${tree}`, {});
    else if (this.#mark(entry)) this.#pending.push(entry);
  }

  #checkFile(tree: Id, node: Node): void {
    if (node.content === null) {
      const sentence = `Tree ${tree}: the file ${nameOf(node)} has no list of its content.`;
      return this.#report(tree, 'entry-content', sentence);
    }
    let bytes = 0n;
    let complete = true;
    for (const blob of node.content) {
      const entry = this.#index.entryOf('data', blob);
      if (entry < 0) {
        complete = false;
        this.#missingBlob(tree, node, blob);
      } else {
        this.used[entry] = 1;
        bytes += BigInt(this.#index.plainLengthOf(entry));
      }
    }
    if (complete && bytes !== BigInt(node.size)) this.#wrongSize(tree, node, bytes);
  }

  /** Only a hint: some versions of restic wrote such nodes for files that changed while they were read. */
  #wrongSize(tree: Id, node: Node, bytes: bigint): void {
    const sentence = `Tree ${tree}: the file ${nameOf(node)} is said to have ${node.size} bytes, but its content has ${bytes}.`;
    this.#o.onFinding(hint('file-size', sentence, { tree }, 'repair-snapshots'));
  }

  #missingBlob(tree: Id, node: Node, blob: Id): void {
    const sentence = `Tree ${tree}: data blob ${blob} of the file ${nameOf(node)} is in no pack that the index knows.`;
    this.#o.onFinding(fault('blob-missing', sentence, { tree, blob }, 'repair-snapshots'));
  }

  /** Named once, with the first place that needs it. */
  #missingTree(tree: Id, where: string, ids: { readonly snapshot?: Id }): void {
    if (this.#missing.has(tree)) return;
    this.#missing.add(tree);
    const sentence = `Tree ${tree}, ${where}, is in no pack that the index knows.`;
    this.#o.onFinding(fault('tree-missing', sentence, { tree, ...ids }, 'repair-snapshots'));
  }

  #report(tree: Id, kind: Finding['kind'], sentence: string): void {
    this.#o.onFinding(fault(kind, sentence, { tree }, 'repair-snapshots'));
  }
}

const nameOf = (node: Node) => JSON.stringify(toText(node.name));
