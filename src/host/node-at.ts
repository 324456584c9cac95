/** Finding what a screen names: paths as they are shown. */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { subtreeOf } from '../restorer/find-tree.ts';
import { type ByteString, fromText, joinPath, rawByteString, toText } from '../util/byte-string.ts';

export interface Found {
  /** undefined: the root. */
  readonly node: Node | undefined;
  /** From '/', in bytes. */
  readonly location: ByteString;
}

/**
 * What lies at a path of a version. A name that is no UTF-8 is shown with marks in place of some bytes; it answers to that too,
 * unless another one is called exactly so. Errors: 'path-missing', 'damaged', the backend's.
 */
export async function nodeAt(
  repo: IndexedRepository,
  tree: Id,
  path: string,
  o: CallOptions = {},
): Promise<Found> {
  let found: Found = { node: undefined, location: rawByteString('/') };
  for (const shown of path.split('/').filter(Boolean)) {
    const id = found.node ? subtreeOf(found.node, found.location) : tree;
    const { nodes } = await repo.loadTree(id, o);
    const exact = fromText(shown);
    const node = nodes.find(({ name }) => name === exact) ?? nodes.find(({ name }) => toText(name) === shown);
    if (!node) throw new EngineError('path-missing', `There is no ${path} in this version.`);
    found = { node, location: joinPath(found.location, node.name) };
  }
  return found;
}
