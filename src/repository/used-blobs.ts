/**
 * Which blobs the snapshots need: a walk over all their trees, with one mark for each entry of the index and no
 * object for each blob.
 *
 * mark    a byte beside the number of a blob's first copy in the index
 */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { BlobType, Id, Tree } from '../format/types.ts';
import { drain } from '../util/drain.ts';
import type { IndexedRepository } from './repository.ts';

/** How many trees are looked at before timers and others get their turn on this thread. */
const TURN = 64;

export interface WalkOptions extends CallOptions {
  /** Called for each mention of a tree; false: do not load it (again). */
  readonly enter: (id: Id) => boolean;
  readonly onTree: (tree: Tree, id: Id) => void;
}

/**
 * Loads the tree `root` and all below it, depth first, several at once.
 * Errors: 'damaged' for a tree that cannot be read or a folder without one; what the callbacks throw; the backend's.
 */
export async function walkTrees(repo: IndexedRepository, root: Id, o: WalkOptions): Promise<void> {
  const stack: Id[] = [root];
  const take = (): Id | undefined => {
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) if (o.enter(id)) return id;
    return undefined;
  };
  let loaded = 0;
  await drain(take, Math.max(2, repo.repository.backend.traits.connections), async (id) => {
    if (++loaded % TURN === 0) await new Promise(setImmediate);
    o.signal?.throwIfAborted();
    const tree = await repo.loadTree(id, o.signal ? { signal: o.signal } : {});
    o.onTree(tree, id);
    stack.push(...subtreesOf(tree, id));
  });
}

/** Last one first, so that the stack gives them out in their order. */
function subtreesOf(tree: Tree, id: Id): Id[] {
  const found: Id[] = [];
  for (const node of tree.nodes) {
    if (node.type !== 'dir') continue;
    if (!node.subtree) throw new EngineError('damaged', `The tree ${id} has a folder without a tree.`);
    found.push(node.subtree);
  }
  return found.reverse();
}

/** One mark per entry of the index; those of first copies are used. */
export function newMarks(repo: IndexedRepository): Uint8Array {
  return new Uint8Array(repo.index.size);
}

/**
 * Sets the mark of every blob that `roots` need. `onRoot` is called after each of them.
 * Errors: 'damaged' for a tree that cannot be read or a blob that is in no pack of the index; the backend's.
 */
export async function markUsedBlobs(
  repo: IndexedRepository,
  roots: readonly Id[],
  marks: Uint8Array,
  o: CallOptions & { readonly onRoot?: () => void } = {},
): Promise<void> {
  const mark = (type: BlobType, id: Id): boolean => {
    const entry = repo.index.entryOf(type, id);
    if (entry < 0) throw missingBlob(type, id);
    if (marks[entry] === 1) return false;
    marks[entry] = 1;
    return true;
  };
  for (const root of roots) {
    await walkTrees(repo, root, {
      ...(o.signal ? { signal: o.signal } : {}),
      enter: (id) => mark('tree', id),
      onTree: (tree) => {
        for (const node of tree.nodes) {
          if (node.type === 'file') for (const id of node.content ?? []) mark('data', id);
        }
      },
    });
    o.onRoot?.();
  }
}

export function missingBlob(type: BlobType, id: Id): EngineError {
  return new EngineError('damaged', `The ${type} blob ${id} is in no pack that the index knows.`, {
    hint: 'Run "repair index"; if that does not bring it back, "check" tells what is affected.',
    context: { blob: id, type },
  });
}
