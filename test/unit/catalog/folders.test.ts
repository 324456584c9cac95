import { describe, expect, it } from 'vitest';
import { type FolderSource, Folders } from '../../../src/catalog/folders.ts';
import { Pace } from '../../../src/catalog/pace.ts';
import { sortInSlices } from '../../../src/catalog/sort-slices.ts';
import { nodesInSlices } from '../../../src/catalog/tree-slices.ts';
import { parseTree } from '../../../src/format/tree.ts';
import type { Id, Node } from '../../../src/format/types.ts';
import { fromText, rawByteString, toText } from '../../../src/util/byte-string.ts';
import { node } from '../../helpers/repo.ts';
import { Trees, treeBytes } from './trees.ts';

/** One of the trees as the root of a version. */
class Source implements FolderSource {
  readonly trees = new Trees();
  root = '' as Id;

  add(nodes: readonly Node[]): Id {
    this.root = this.trees.add(nodes);
    return this.root;
  }

  loadTree(id: Id): Promise<Uint8Array> {
    return this.trees.load(id);
  }
}

const files = (...names: readonly string[]) => names.map((name) => node(name, 'file', { size: name.length }));

async function namesIn(
  folders: Folders,
  source: FolderSource,
  ...path: readonly string[]
): Promise<string[]> {
  return (await folders.open(source, path)).page(0, 1000).map(({ name }) => toText(name));
}

describe('a folder', () => {
  it('shows folders first, then names as people count and spell', async () => {
    const trees = new Source();
    const sub = trees.add([]);
    trees.add([
      ...files('B10', 'B9', 'a', 'z', 'Ä', 'b9'),
      node('zoo', 'dir', { subtree: sub }),
      node('Apes', 'dir', { subtree: sub }),
      node('link', 'symlink', { linkTarget: fromText('a') }),
      node('pipe', 'fifo'),
    ]);
    const folder = await new Folders().open(trees, []);
    expect(folder.page(0, 100).map(({ name, kind }) => `${toText(name)} ${kind}`)).toEqual([
      ...['Apes dir', 'zoo dir', 'a file', 'Ä file', 'b9 file', 'B9 file', 'B10 file', 'link symlink'],
      ...['pipe other', 'z file'],
    ]);
    expect(folder.page(2, 1)).toEqual([
      { name: 'a', kind: 'file', bytes: 1, modifiedAt: 1_600_000_000_123, subtree: undefined },
    ]);
    expect(folder.page(9, 5)).toHaveLength(1);
    expect(folder.page(10, 5)).toEqual([]);
  });

  it('is read once, also for many who ask at once, and again after it had to make room', async () => {
    const trees = new Source();
    const [one, two] = [trees.add(files('a', 'b')), trees.add(files('c', 'd'))];
    const [first, second] = [one, two].map((root) => ({ root, loadTree: (id: Id) => trees.loadTree(id) }));
    const folders = new Folders(3);
    await Promise.all([namesIn(folders, first!), namesIn(folders, first!), namesIn(folders, first!)]);
    expect(trees.trees.read).toEqual([one]);
    expect(folders.known(one, [])?.total).toBe(2);
    expect(await namesIn(folders, second!)).toEqual(['c', 'd']);
    expect(folders.known(one, [])).toBeUndefined();
    expect(await namesIn(folders, second!)).toEqual(['c', 'd']);
    expect(trees.trees.read).toEqual([one, two]);
  });

  it('that is larger than all that may be kept is kept alone', async () => {
    const trees = new Source();
    const root = trees.add(files('a', 'b', 'c'));
    const folders = new Folders(1);
    await namesIn(folders, trees);
    expect(folders.known(root, [])?.total).toBe(3);
  });

  it('is found by its path, through folders in memory and not', async () => {
    const trees = new Source();
    const deep = trees.add(files('x'));
    const middle = trees.add([node('deep', 'dir', { subtree: deep })]);
    trees.add([node('file', 'file'), node('middle', 'dir', { subtree: middle })]);
    const folders = new Folders();
    expect(await namesIn(folders, trees, 'middle', 'deep')).toEqual(['x']);
    expect(folders.known(trees.root, ['middle', 'deep'])?.total).toBe(1);
    expect(await namesIn(new Folders(), trees, 'middle')).toEqual(['deep']);
    await expect(folders.open(trees, ['nowhere', 'deep'])).rejects.toThrow('no folder "/nowhere"');
    await expect(folders.open(trees, ['file'])).rejects.toMatchObject({ code: 'path-missing' });
  });

  it('with a name that is no text is found by what a person was shown', async () => {
    const trees = new Source();
    const inner = trees.add(files('x'));
    const odd = rawByteString('caf\xe9');
    trees.add([{ ...node('', 'dir', { subtree: inner }), name: odd }]);
    const folders = new Folders();
    const [shown] = await namesIn(folders, trees);
    expect(shown).toBe('caf\ufffd');
    expect(await namesIn(folders, trees, shown!)).toEqual(['x']);
    expect(await namesIn(new Folders(), trees, shown!)).toEqual(['x']);
  });

  it('that cannot be read is tried anew by the next who asks', async () => {
    const trees = new Source();
    trees.add(files('a'));
    const folders = new Folders();
    trees.trees.fault = new Error('away');
    await expect(folders.open(trees, [])).rejects.toThrow('away');
    trees.trees.fault = undefined;
    expect(await namesIn(folders, trees)).toEqual(['a']);
  });

  it('is not waited for by who has gone, but by the others', async () => {
    const trees = new Source();
    trees.add(files('a'));
    const folders = new Folders();
    const gone = new AbortController();
    const [left, stayed] = [folders.open(trees, [], gone.signal), folders.open(trees, [])];
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect((await stayed).total).toBe(1);
  });
});

describe('a tree blob in slices', () => {
  const many = files(...Array.from({ length: 2000 }, (_, i) => `file ${i} "}],{ \\`));

  it('says the same as in one piece', () => {
    const bytes = treeBytes(many);
    const slices = [...nodesInSlices(bytes)];
    expect(slices.length).toBeGreaterThan(3);
    expect(slices.flat()).toEqual(parseTree(bytes).nodes);
  });

  it('may be written as nobody writes it', () => {
    const plain = treeBytes(many).toString();
    for (const odd of [
      ` ${plain}`,
      plain.replace('{"nodes"', '{"other":[1],"nodes"'),
      plain.replace(/\]\}\n$/, '],"more":1}'),
      plain.replaceAll('},{', '} , {'),
    ]) {
      expect([...nodesInSlices(Buffer.from(odd))].flat()).toEqual(parseTree(Buffer.from(odd)).nodes);
    }
  });

  it('that is cut anywhere is damaged', () => {
    const bytes = treeBytes(many);
    for (const length of [bytes.length - 2, bytes.length - 3, 300_000, 100_000]) {
      expect(() => [...nodesInSlices(bytes.subarray(0, length))]).toThrow(
        expect.objectContaining({ code: 'damaged' }),
      );
    }
  });
});

it('a list is sorted in slices as in one go, equal ones in their order', async () => {
  const numbers = Uint32Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_007);
  const compare = (a: number, b: number) => (a % 1000) - (b % 1000);
  expect(await sortInSlices(numbers, compare, new Pace())).toEqual(numbers.toSorted(compare));
});
