/** Finding a path in a snapshot. */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import { showPath } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';

const ROOT = rawByteString('/');

/** The names in a path; '.' and doubled slashes fall away, '..' leads one up, never above the root. */
export function pathNames(path: ByteString): ByteString[] {
  const names: ByteString[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(rawByteString(name));
  }
  return names;
}

/**
 * The node at `path` below the tree `root`; undefined for the root itself.
 * Errors: 'path-missing', 'damaged', the backend's.
 */
export async function findNode(
  repo: IndexedRepository,
  root: Id,
  path: ByteString,
  o?: CallOptions,
): Promise<Node | undefined> {
  let found: Node | undefined;
  let at = ROOT;
  for (const name of pathNames(path)) {
    const tree: Id = found === undefined ? root : subtreeOf(found, at);
    at = joinPath(at, name);
    found = (await repo.loadTree(tree, o)).nodes.find((node) => node.name === name);
    if (!found) throw missing(at);
  }
  return found;
}

/** The tree of the folder at `path`. Errors: 'path-missing' also where it is no folder. */
export async function findFolder(
  repo: IndexedRepository,
  root: Id,
  path: ByteString,
  o?: CallOptions,
): Promise<Id> {
  const node = await findNode(repo, root, path, o);
  return node === undefined ? root : subtreeOf(node, path);
}

/** The listing of a folder's node. Errors: 'path-missing' for anything else. */
export function subtreeOf(node: Node, path: ByteString): Id {
  if (node.type === 'dir' && node.subtree !== undefined) return node.subtree;
  throw new EngineError('path-missing', `${showPath(path)} is not a folder in this snapshot.`, {
    hint: 'Look at the snapshot with "ls" to see what it holds.',
  });
}

function missing(path: ByteString): EngineError {
  return new EngineError('path-missing', `There is no ${showPath(path)} in this snapshot.`, {
    hint: 'Look at the snapshot with "ls": paths are those shown there.',
  });
}
