/** A walk over the trees of a snapshot, folders before their content, names in the order of the trees. */
import { type EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';

export interface WalkedNode {
  /** From the top of the walk, beginning with a slash. */
  readonly path: ByteString;
  readonly node: Node;
  /** The tree that holds the node. */
  readonly tree: Id;
}

/** A folder whose listing can't be read; what lies below it was not seen. */
export interface DamagedFolder {
  readonly path: ByteString;
  readonly tree: Id;
  readonly error: EngineError;
}

export interface TreeVisitor {
  /** Hears of each node; false for a folder that shall not be entered. */
  readonly visit: (item: WalkedNode) => boolean | Promise<boolean>;
  /** All of an entered folder has been visited. Not called for the top. */
  readonly leave?: (path: ByteString) => void | Promise<void>;
  readonly onDamaged: (folder: DamagedFolder) => void;
}

export const ROOT = rawByteString('/');

/** Errors: the backend's, the signal's reason, and the visitor's. Damaged folders are left out and told. */
export async function walkTree(
  repo: IndexedRepository,
  tree: Id,
  visitor: TreeVisitor,
  o: CallOptions = {},
): Promise<void> {
  await walkFolder(repo, tree, ROOT, visitor, o);
}

async function walkFolder(
  repo: IndexedRepository,
  tree: Id,
  path: ByteString,
  visitor: TreeVisitor,
  o: CallOptions,
): Promise<void> {
  for (const node of await nodesOf(repo, tree, path, visitor, o)) {
    o.signal?.throwIfAborted();
    const item = { path: joinPath(path, node.name), node, tree };
    const answer = visitor.visit(item);
    const enter = typeof answer === 'boolean' ? answer : await answer;
    if (!enter || node.type !== 'dir' || node.subtree === undefined) continue;
    await walkFolder(repo, node.subtree, item.path, visitor, o);
    await visitor.leave?.(item.path);
  }
}

async function nodesOf(
  repo: IndexedRepository,
  tree: Id,
  path: ByteString,
  visitor: TreeVisitor,
  o: CallOptions,
): Promise<readonly Node[]> {
  o.signal?.throwIfAborted();
  try {
    return (await repo.loadTree(tree, o)).nodes;
  } catch (error) {
    if (!isEngineError(error, 'damaged')) throw error;
    visitor.onDamaged({ path, tree, error });
    return [];
  }
}
