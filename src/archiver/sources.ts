/**
 * A source that is gone, or empty where there were files, is far more often an unplugged disk or a failed mount than
 * a wish. Backing it up as it is would let the retention rules carry away the last good version.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Node, StoredSnapshot, Tree } from '../format/types.ts';
import { readDirectory } from '../fs/directory.ts';
import { showPath } from '../fs/errors.ts';
import { lstatIfExists } from '../fs/stat.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { RootNode } from './archiver.ts';

/**
 * Errors: 'source-missing' or 'source-emptied' for the first target of which that is true while the parent snapshot
 * has files there.
 */
export async function refuseLostSources(
  repo: IndexedRepository,
  roots: RootNode,
  parent: StoredSnapshot | undefined,
  o?: CallOptions,
): Promise<void> {
  if (!parent) return;
  await refuseIn(repo, roots, await treeOf(repo, parent, o), o);
}

async function refuseIn(
  repo: IndexedRepository,
  root: RootNode,
  before: Tree | undefined,
  o?: CallOptions,
): Promise<void> {
  if (!before) return;
  for (const [name, child] of root.children) {
    const node = before.nodes.find((n) => n.name === name);
    if (!node) continue;
    if (child.path !== undefined) await refuseLost(repo, child.path, node, o);
    else await refuseIn(repo, child, await treeOf(repo, { tree: node.subtree }, o), o);
  }
}

async function refuseLost(
  repo: IndexedRepository,
  path: ByteString,
  before: Node,
  o?: CallOptions,
): Promise<void> {
  const stat = lstatIfExists(path);
  if (!stat) throw lost('source-missing', path, 'is gone');
  if (stat.kind !== 'dir' || before.type !== 'dir' || readDirectory(path).length > 0) return;
  const tree = await treeOf(repo, { tree: before.subtree }, o);
  if (tree && tree.nodes.length > 0) throw lost('source-emptied', path, 'is empty');
}

/** undefined for a tree that can't be read: that is for the backup itself to report. */
async function treeOf(
  repo: IndexedRepository,
  { tree }: { readonly tree: Node['subtree'] },
  o?: CallOptions,
): Promise<Tree | undefined> {
  if (tree === undefined) return undefined;
  try {
    return await repo.loadTree(tree, o);
  } catch (e) {
    if (isEngineError(e, 'damaged')) return undefined;
    throw e;
  }
}

function lost(code: 'source-missing' | 'source-emptied', path: ByteString, what: string): EngineError {
  return new EngineError(
    code,
    `${showPath(path)} ${what}, but the last backup had files there. Nothing was backed up.`,
    {
      hint: 'Is its disk plugged in and mounted? If this is how it should be, say so with --allow-empty.',
      context: { path },
    },
  );
}
