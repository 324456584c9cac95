/** Operations that look into snapshots: ls, find, diff, stats. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Id, StoredSnapshot } from '../../../src/format/types.ts';
import { type Change, diff } from '../../../src/operations/diff.ts';
import { blobsOfPacks, findIds, findNames, WantedIds } from '../../../src/operations/find.ts';
import { type LsOptions, ls, sortNodes } from '../../../src/operations/ls.ts';
import { stats } from '../../../src/operations/stats.ts';
import type { DamagedFolder, WalkedNode } from '../../../src/operations/walk.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { fromText, toText } from '../../../src/util/byte-string.ts';
import { parsePatterns } from '../../../src/util/pattern.ts';
import { idOf, memoryRepository, type SketchFolder, saveTree, time } from '../../helpers/repo.ts';

let repo: IndexedRepository;
beforeEach(async () => {
  repo = await memoryRepository();
});

async function snapshot(sketch: SketchFolder): Promise<StoredSnapshot> {
  return { id: idOf(JSON.stringify(sketch)), time: time(), tree: await saveTree(repo, sketch), paths: ['/'] };
}

/** A folder whose listing is in no pack. */
const lost = { node: { type: 'dir', subtree: idOf('nowhere') } } as const;

async function listed(tree: Id, o: Omit<LsOptions, 'folders'> & { folders?: string[] } = {}) {
  const seen: string[] = [];
  const damaged: DamagedFolder[] = [];
  await ls(
    repo,
    tree,
    {
      onNode: ({ path }, leading) => void seen.push(leading ? `(${toText(path)})` : toText(path)),
      onLeave: (path) => void seen.push(`^${toText(path)}`),
      onDamaged: (folder) => void damaged.push(folder),
    },
    { ...o, folders: (o.folders ?? []).map(fromText) },
  );
  return { seen, damaged };
}

describe('ls', () => {
  const sketch = { a: { b: { c: 'c' }, x: 'x' }, d: 'd' };

  it('lists all, and says where folders end', async () => {
    const { tree } = await snapshot(sketch);
    expect((await listed(tree)).seen).toEqual(['/a', '/a/b', '/a/b/c', '^/a/b', '/a/x', '^/a', '/d']);
  });

  it.each([
    [['/a'], false, ['/a', '/a/b', '^/a/b', '/a/x', '^/a']],
    [['/a/'], true, ['/a', '/a/b', '/a/b/c', '^/a/b', '/a/x', '^/a']],
    [['/a/b'], false, ['(/a)', '/a/b', '/a/b/c', '^/a/b', '^/a']],
    [['/d', '/a/x'], false, ['(/a)', '/a/x', '^/a', '/d']],
    [['/nowhere'], true, []],
    [['/'], false, ['/a', '^/a', '/d']],
  ])('only %j (recursive: %s)', async (folders, recursive, expected) => {
    const { tree } = await snapshot(sketch);
    expect((await listed(tree, { folders, recursive })).seen).toEqual(expected);
  });

  it('goes on behind a damaged folder and names it', async () => {
    const { tree } = await snapshot({ a: lost, b: 'b' });
    const { seen, damaged } = await listed(tree);
    expect(seen).toEqual(['/a', '^/a', '/b']);
    expect(damaged).toMatchObject([{ path: '/a', error: { code: 'damaged' } }]);
  });

  it('stops when it is told to', async () => {
    const { tree } = await snapshot(sketch);
    await expect(listed(tree, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  it('orders by what is asked for, then by path', async () => {
    const { tree } = await snapshot({ 'b.x': 'long', 'a.y': 'ab', c: 'xy', '.h': 'abc' });
    const items: WalkedNode[] = [];
    await ls(repo, tree, { onNode: (item) => void items.push(item), onDamaged: () => {} });
    const order = (...args: [Parameters<typeof sortNodes>[1], boolean?]) =>
      sortNodes(items, ...args).map(({ path }) => path);
    expect(order('name')).toEqual(['/.h', '/a.y', '/b.x', '/c']);
    expect(order('name', true)).toEqual(['/c', '/b.x', '/a.y', '/.h']);
    expect(order('size')).toEqual(['/a.y', '/c', '/.h', '/b.x']);
    expect(order('extension')).toEqual(['/c', '/.h', '/b.x', '/a.y']);
    expect(order('mtime')).toEqual(['/.h', '/a.y', '/b.x', '/c']);
  });
});

describe('find', () => {
  const at = (ns: bigint) => ({ node: { type: 'file', mtime: time(ns) } }) as const;

  async function found(sketch: SketchFolder, patterns: string[], oldest?: bigint, newest?: bigint) {
    const s = await snapshot(sketch);
    const paths: string[] = [];
    const damaged: DamagedFolder[] = [];
    const onMatch = ({ path }: WalkedNode) => void paths.push(path);
    const onDamaged = (folder: DamagedFolder) => void damaged.push(folder);
    await findNames(repo, s, { patterns: parsePatterns(patterns), oldest, newest }, { onMatch, onDamaged });
    return { paths, damaged };
  }

  it('finds names anywhere, and rooted patterns only there', async () => {
    const sketch = { a: { x: '1', y: '2' }, x: { z: '3' } };
    expect((await found(sketch, ['x'])).paths).toEqual(['/a/x', '/x', '/x/z']);
    expect((await found(sketch, ['/a/x'])).paths).toEqual(['/a/x']);
    expect((await found(sketch, ['z', 'y'])).paths).toEqual(['/a/y', '/x/z']);
  });

  it('keeps to the times, their ends included', async () => {
    const sketch = { a: at(100n), b: at(200n), c: at(300n) };
    expect((await found(sketch, ['*'], 200n)).paths).toEqual(['/b', '/c']);
    expect((await found(sketch, ['*'], undefined, 200n)).paths).toEqual(['/a', '/b']);
    expect((await found(sketch, ['*'], 150n, 250n)).paths).toEqual(['/b']);
  });

  it('looks into no folder in which nothing can fit', async () => {
    expect((await found({ a: lost, b: { x: '' } }, ['/b/x'])).damaged).toEqual([]);
    expect((await found({ a: lost, b: { x: '' } }, ['x'])).damaged).toHaveLength(1);
  });

  it('finds blobs and trees by the beginnings of their ids, and those of a pack', async () => {
    const s = await snapshot({ a: { file: 'content' } });
    const blob = idOf('content');
    const search = async (query: Parameters<typeof findIds>[2]) => {
      const hits: string[] = [];
      const onMatch = ({ kind, path }: { kind: string; path: string }) => void hits.push(`${kind} ${path}`);
      await findIds(repo, s, query, { onMatch, onDamaged: () => {} });
      return hits;
    };
    const none = new WantedIds();
    expect(await search({ blobs: new WantedIds([blob.slice(0, 6)]), trees: none })).toEqual(['blob /a/file']);
    expect(await search({ blobs: none, trees: new WantedIds([s.tree]) })).toEqual(['tree /']);
    const { pack } = repo.index.get('tree', s.tree)!;
    expect(await search(blobsOfPacks(repo, [pack]))).toEqual(['tree /', 'tree /a']);
    expect(() => blobsOfPacks(repo, ['ffffffffffff'])).toThrow(/ffffffffffff/);
  });
});

describe('diff', () => {
  async function compared(before: SketchFolder, after: SketchFolder, metadata = false) {
    const [a, b] = [await snapshot(before), await snapshot(after)];
    const changes: string[] = [];
    const damaged: DamagedFolder[] = [];
    const unknown: string[] = [];
    const events = {
      onChange: ({ modifier, path }: Change) => void changes.push(`${modifier} ${path}`),
      onDamaged: (folder: DamagedFolder) => void damaged.push(folder),
      onUnknownBlob: (type: string) => void unknown.push(type),
    };
    return { changes, damaged, unknown, report: await diff(repo, a.tree, b.tree, events, { metadata }) };
  }

  it('names each change and counts it', async () => {
    const { changes, report } = await compared(
      { a: 'same', b: 'old', gone: { x: 'x' }, t: 'file' },
      { a: 'same', b: 'new!', come: { y: { z: 'z' } }, t: { inner: '' } },
    );
    expect(changes).toEqual([
      'M /b',
      '+ /come/',
      '+ /come/y/',
      '+ /come/y/z',
      '- /gone/',
      '- /gone/x',
      'T /t/',
    ]);
    expect(report.changedFiles).toBe(1);
    expect(report.added).toMatchObject({ files: 1, dirs: 2, dataBlobs: 2 });
    expect(report.removed).toMatchObject({ files: 1, dirs: 1, dataBlobs: 3 });
  });

  it('counts no blob as new that only has moved', async () => {
    const { changes, report } = await compared(
      { d: { keep: 'k' }, a: 'moved' },
      { d: { keep: 'k' }, b: 'moved' },
    );
    expect(changes).toEqual(['- /a', '+ /b']);
    expect([report.added.dataBlobs, report.removed.dataBlobs]).toEqual([0, 0]);
    expect([report.added.treeBlobs, report.removed.treeBlobs]).toEqual([1, 1]);
  });

  it('tells of metadata when asked, and of content that changed alone', async () => {
    const file = (uid: number) => ({ node: { type: 'file', uid, content: [] } }) as const;
    expect((await compared({ f: file(1) }, { f: file(2) })).changes).toEqual([]);
    expect((await compared({ f: file(1) }, { f: file(2) }, true)).changes).toEqual(['U /f']);
    expect((await compared({ f: 'abc' }, { f: 'xyz' })).changes).toEqual(['M? /f']);
  });

  it('goes on behind damage and names it', async () => {
    const missing = { node: { type: 'file', content: [idOf('not stored')] } } as const;
    const { changes, damaged, unknown } = await compared({ a: lost, b: 'b' }, { a: { x: 'x' }, c: missing });
    expect(changes).toEqual(['- /b', '+ /c']);
    expect(damaged).toMatchObject([{ path: '/a' }]);
    expect(unknown.sort()).toEqual(['data', 'tree']);
  });
});

describe('stats', () => {
  const linked = (inode: number) =>
    ({ node: { type: 'file', links: 2, inode, deviceId: 1, size: 7 } }) as const;

  it('counts hard links of a snapshot once', async () => {
    const s = await snapshot({ a: linked(5), b: linked(5), c: linked(6), d: 'four' });
    const one = await stats(repo, [s], { mode: 'restore-size' });
    expect(one).toMatchObject({ files: 4, totalSize: 18, snapshots: 1 });
    expect((await stats(repo, [s, s], { mode: 'restore-size' })).totalSize).toBe(36);
  });

  it('counts equal contents once, by files and by blobs', async () => {
    const [x, y] = [Buffer.from('xx'), Buffer.from('yyy')];
    const s = await snapshot({ a: [x, y], b: [x, y], c: [x], d: { e: '' } });
    expect(await stats(repo, [s], { mode: 'files-by-contents' })).toMatchObject({ files: 3, totalSize: 7 });
    expect(await stats(repo, [s], { mode: 'blobs-per-file' })).toMatchObject({
      files: 2,
      blobs: 3,
      totalSize: 7,
    });
  });

  it('counts the blobs that the snapshots need, as they are stored', async () => {
    const s = await snapshot({ a: 'content '.repeat(1000) });
    await snapshot({ other: 'not asked for' });
    const report = await stats(repo, [s, s], { mode: 'raw-data' });
    const sizes = [repo.index.get('tree', s.tree)!, repo.index.get('data', idOf('content '.repeat(1000)))!];
    expect(report).toMatchObject({
      blobs: 2,
      totalSize: sizes.reduce((sum, { length }) => sum + length, 0),
      compression: { progress: 100 },
    });
    expect(report.compression!.ratio).toBeGreaterThan(2);
  });

  it('gives no sum where something is missing', async () => {
    const s = await snapshot({ a: lost });
    for (const mode of ['restore-size', 'raw-data'] as const) {
      await expect(stats(repo, [s], { mode })).rejects.toMatchObject({ code: 'damaged' });
    }
  });
});
