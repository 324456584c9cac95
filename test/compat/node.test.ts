import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseTree, serializeTree } from '../../src/format/tree.ts';
import type { Node } from '../../src/format/types.ts';
import { readDirectory } from '../../src/fs/directory.ts';
import { nodeFromStat } from '../../src/fs/node.ts';
import { lstat } from '../../src/fs/stat.ts';
import { type ByteString, fromText, joinPath } from '../../src/util/byte-string.ts';
import { copyOfTemplate } from '../helpers/cli.ts';
import { arbTree } from '../helpers/random-tree.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { isRoot, requireTool } from '../helpers/tools.ts';
import { type DirNode, device, fifo, file, hardlink, symlink, tree, writeTree } from '../helpers/tree.ts';

// The nodes that we make of files, put into trees, must be the very bytes that restic stores for the same files.
// What only a backup knows, the ids of contents and subtrees, is taken from restic's own nodes.

const shared = useSharedTemp();
const temp = useTemp();
const templates = shared.dir('templates');

beforeEach((context) => requireTool(context, 'restic'));

interface Stored {
  readonly cli: Restic;
  readonly root: string;
}

async function backUp(folder: string, ...args: readonly string[]): Promise<Stored> {
  const home = temp.dir('home');
  const cli = new Restic({ home, repository: `${home}/repository` });
  await copyOfTemplate(cli, 'restic', templates);
  // restic writes times in its own zone: it gets ours.
  const env = { TZ: Intl.DateTimeFormat().resolvedOptions().timeZone };
  await cli.backup(['.'], { cwd: folder, env, args });
  const [snapshot] = await cli.snapshots();
  return { cli, root: snapshot!.tree };
}

/** The nodes of a folder as we see them, sockets aside: restic passes over those. */
function ourNodes(folder: ByteString, withAtime: boolean): readonly Node[] {
  return readDirectory(folder)
    .map((name) => {
      const path = joinPath(folder, name);
      const { node, warnings } = nodeFromStat(path, name, lstat(path), { withAtime });
      expect(warnings).toEqual([]);
      return node;
    })
    .filter((node) => node.type !== 'socket');
}

/** Compares a folder with a stored tree, and all below; returns the number of nodes. */
async function compare(stored: Stored, id: string, folder: ByteString, withAtime = false): Promise<number> {
  const { stdout } = await stored.cli.call(['cat', 'blob', id]);
  const theirs = parseTree(stdout).nodes;
  const found = new Map(theirs.map((node) => [node.name, node]));
  const ours = ourNodes(folder, withAtime).map((node) => {
    const { content = null, subtree } = found.get(node.name) ?? {};
    return { ...node, content, subtree };
  });
  expect(ours).toEqual(theirs);
  expect(serializeTree(ours).toString()).toBe(stdout.toString());
  let count = ours.length;
  for (const { name, subtree } of ours) {
    if (subtree !== undefined) count += await compare(stored, subtree, joinPath(folder, name), withAtime);
  }
  return count;
}

function source(root: DirNode): string {
  const at = temp.dir('source');
  writeTree(at, root);
  return at;
}

const special: DirNode = tree({
  plain: file('x', { mode: 0o6755, mtimeNs: 1_234_567_890_123_456_700n, atimeNs: 5_000_000_000n }),
  'before 1970': file('old', { mtimeNs: -1n }),
  other: hardlink('plain'),
  link: symlink('plain', { mtimeNs: 77n }),
  'öffentlich "x"': tree({ pipe: fifo({ mode: 0o640 }) }, { mode: 0o1777 }),
  ...(isRoot() ? { null: device('chardev', 1, 3), disk: device('dev', 259, 70_000) } : {}),
});

describe('nodes', () => {
  it('of every kind are those of restic', async () => {
    const folder = source(special);
    const stored = await backUp(folder);
    expect(await compare(stored, stored.root, fromText(folder))).toBe(isRoot() ? 8 : 6);
  });

  it('hold access times when asked to', async () => {
    const atimes = tree({ a: file('x', { mtimeNs: 9_000_000_001n, atimeNs: 5_000_000_002n }), b: file('y') });
    const folder = source(atimes);
    const stored = await backUp(folder, '--with-atime');
    expect(await compare(stored, stored.root, fromText(folder), true)).toBe(2);
  });

  it('of random trees are those of restic: names, times, owners, attributes, ACLs', async () => {
    // restic before 0.16 can't keep link targets that aren't UTF-8.
    const all = arbTree({ rawTargets: false, bigFiles: false });
    // A folder in which restic finds nothing at all makes no snapshot.
    const trees = all.filter((root) => [...root.entries.values()].some((node) => node.type !== 'socket'));
    await fc.assert(
      fc.asyncProperty(trees, async (root) => {
        const folder = source(root);
        const stored = await backUp(folder);
        await compare(stored, stored.root, fromText(folder));
        temp.clear();
      }),
      { numRuns: 8, interruptAfterTimeLimit: 240_000 },
    );
  });
});
