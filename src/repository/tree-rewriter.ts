/**
 * Trees made anew with some of their nodes changed or left out. A tree in which nothing changes keeps its id, since
 * the same nodes give the same bytes.
 */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { sha256 } from '../format/hash.ts';
import { serializeTree } from '../format/tree.ts';
import type { Id, Node, Tree } from '../format/types.ts';
import { type ByteString, joinPath, rawByteString, toText } from '../util/byte-string.ts';
import type { BlobWriter } from './blob-writer.ts';
import type { IndexedRepository } from './repository.ts';

export interface TreeRules {
  /** The node as it shall be, or undefined to leave it out with all below it. Paths begin with a slash. */
  readonly node: (node: Node, path: ByteString) => Node | undefined;
  /** Whether a folder stays of which nothing is left; it stays unless told otherwise. */
  readonly keepEmpty?: (path: ByteString) => boolean;
}

/**
 * The id of the new tree, stored through `writer`, or undefined where nothing is left of it.
 * Errors: 'damaged' for trees that can't be read; 'unsupported' for one that holds what Holdfast would lose by writing
 * it anew; the backend's.
 */
export async function rewriteTree(
  repo: IndexedRepository,
  writer: BlobWriter,
  root: Id,
  rules: TreeRules,
  o: CallOptions = {},
): Promise<Id | undefined> {
  return rewriteFolder({ repo, writer, rules, o }, root, rawByteString('/'));
}

interface Rewriting {
  readonly repo: IndexedRepository;
  readonly writer: BlobWriter;
  readonly rules: TreeRules;
  readonly o: CallOptions;
}

async function rewriteFolder(r: Rewriting, id: Id, path: ByteString): Promise<Id | undefined> {
  r.o.signal?.throwIfAborted();
  const tree = await r.repo.loadTree(id, r.o);
  refuseIfLossy(tree, id, path);
  const nodes: Node[] = [];
  for (const before of tree.nodes) {
    const nodePath = joinPath(path, before.name);
    const node = r.rules.node(before, nodePath);
    const complete = node?.type === 'dir' ? await withSubtree(r, node, nodePath) : node;
    if (complete) nodes.push(complete);
  }
  if (nodes.length === 0 && r.rules.keepEmpty?.(path) === false) return undefined;
  return (await r.writer.save('tree', serializeTree(nodes))).id;
}

async function withSubtree(r: Rewriting, node: Node, path: ByteString): Promise<Node | undefined> {
  if (!node.subtree) {
    throw new EngineError('damaged', `The folder ${toText(path)} has no tree.`, {
      hint: 'Run "repair snapshots" first.',
    });
  }
  const subtree = await rewriteFolder(r, node.subtree, path);
  return subtree && { ...node, subtree };
}

/** A newer program may have written fields that are unknown here; they would be gone. */
function refuseIfLossy(tree: Tree, id: Id, path: ByteString): void {
  if (sha256(serializeTree(tree.nodes)) === id) return;
  throw new EngineError(
    'unsupported',
    `The listing of ${toText(path)} (tree ${id}) can't be written anew without losing something in it.`,
    {
      hint: 'It was made by a newer or another program; use that one to rewrite it.',
      context: { tree: id },
    },
  );
}
