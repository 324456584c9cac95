import { afterEach, describe, expect, it } from 'vitest';
import { PAGE, TreeModel, type TreeRow } from '../../../renderer/screens/restore/tree-model.ts';
import type { VersionEntry } from '../../../src/api/model/destination.ts';

/** Folders by path: how many files each has, and its folders by name. */
type Shape = { readonly [name: string]: Shape | number };

const collator = new Intl.Collator('en', { numeric: true });

/** A host that answers when it is told to. */
class Folders {
  readonly asked: string[] = [];
  readonly stopped: string[] = [];
  #waiting: (() => void)[] = [];
  #held = false;
  failing = false;
  readonly #shape: Shape;

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  load = async (path: string, offset: number, limit: number, signal: AbortSignal) => {
    const what = `${path}@${offset}`;
    this.asked.push(what);
    signal.addEventListener('abort', () => this.stopped.push(what));
    if (this.#held) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    signal.throwIfAborted();
    if (this.failing) throw new Error('unplugged');
    const { folders, files } = this.#in(path);
    const base = path === '/' ? '' : path;
    const entry = (i: number): VersionEntry => {
      const folder = folders[i];
      const name = folder ?? `file ${i - folders.length}.txt`;
      const kind = folder === undefined ? 'file' : 'dir';
      return { name, path: `${base}/${name}`, kind, bytes: null, modifiedAt: 0 };
    };
    const total = folders.length + files;
    const length = Math.max(0, Math.min(limit, total - offset));
    return { total, offset, entries: Array.from({ length }, (_, i) => entry(offset + i)) };
  };

  #in(path: string): { readonly folders: readonly string[]; readonly files: number } {
    let at: Shape | number | undefined = this.#shape;
    for (const name of path.split('/').filter(Boolean)) at = typeof at === 'object' ? at[name] : undefined;
    if (typeof at !== 'object') return { folders: [], files: at ?? 0 };
    const folders = Object.keys(at).filter((name) => name !== 'files');
    return { folders: folders.toSorted(collator.compare), files: Number(at.files ?? 0) };
  }
}

const stop = new AbortController();
const { signal } = stop;
let model: TreeModel;
afterEach(() => model.rest());

const textOf = (row: TreeRow | undefined) =>
  row?.kind === 'entry' ? `${' '.repeat(row.depth)}${row.entry.name}` : (row?.kind ?? 'none');
const shown = (from = 0, to = model.count) =>
  Array.from({ length: to - from }, (_, i) => textOf(model.rowAt(from + i)));
/** Looks until nothing is on its way. */
async function look(first = 0, last = 50): Promise<void> {
  for (let before = -1; before !== model.version; ) {
    before = model.version;
    model.look(first, last);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('rows', () => {
  it('are those of open folders, in their place', async () => {
    const folders = new Folders({ a: { files: 2 }, b: 1, files: 1 });
    model = new TreeModel(folders.load);
    expect(shown()).toEqual(['waiting']);
    await look();
    expect(shown()).toEqual(['a', 'b', 'file 0.txt']);
    model.open({ folder: '/', index: 0 });
    model.open({ folder: '/', index: 1 });
    expect(shown()).toEqual(['a', 'waiting', 'b', 'waiting', 'file 0.txt']);
    await look();
    expect(shown()).toEqual(['a', ' file 0.txt', ' file 1.txt', 'b', ' file 0.txt', 'file 0.txt']);
    expect(model.parentRow(2)).toBe(0);
    expect(model.parentRow(4)).toBe(3);
    expect(model.parentRow(5)).toBeUndefined();
    expect(model.rowOf({ folder: '/b', index: 0 })).toBe(4);
    model.close('/a');
    expect(shown()).toEqual(['a', 'b', ' file 0.txt', 'file 0.txt']);
    expect(model.rowOf({ folder: '/a', index: 0 })).toBeUndefined();
  });

  it('say so where a folder is empty', async () => {
    model = new TreeModel(new Folders({ a: 0 }).load);
    await look();
    model.open({ folder: '/', index: 0 });
    await look();
    expect(shown()).toEqual(['a', 'empty']);
  });

  it('find their place again by their number, wherever they are', async () => {
    const folders = new Folders({ a: { x: 5, files: 7 }, b: { y: { z: 2 } }, files: 3 });
    model = new TreeModel(folders.load);
    await look();
    for (const place of [
      { folder: '/', index: 1 },
      { folder: '/b', index: 0 },
      { folder: '/b/y', index: 0 },
    ]) {
      model.open(place);
      await look();
    }
    model.open({ folder: '/', index: 0 });
    await look();
    model.open({ folder: '/a', index: 0 });
    await look();
    for (let i = 0; i < model.count; i++) {
      const row = model.rowAt(i);
      expect(row && model.rowOf(row.place)).toBe(i);
    }
  });
});

describe('a million files', () => {
  it('are loaded where somebody looks, and nowhere else', async () => {
    const folders = new Folders({ files: 1_000_000 });
    model = new TreeModel(folders.load);
    await look();
    expect(model.count).toBe(1_000_000);
    await look(700_000, 700_040);
    expect(shown(700_000, 700_002)).toEqual(['file 700000.txt', 'file 700001.txt']);
    expect(folders.asked).toEqual(['/@0', '/@700000']);
  });

  it('do not stay in memory when somebody runs through them', async () => {
    const folders = new Folders({ files: 100_000 });
    model = new TreeModel(folders.load);
    await look();
    for (let first = 0; first < 100_000; first += PAGE) await look(first, first + 30);
    expect(textOf(model.rowAt(99_000))).toBe('file 99000.txt');
    expect(textOf(model.rowAt(0))).toBe('waiting');
    await look(0, 10);
    expect(textOf(model.rowAt(0))).toBe('file 0.txt');
  });

  it('that are passed by are not waited for', async () => {
    const folders = new Folders({ files: 100_000 });
    model = new TreeModel(folders.load);
    await look();
    folders.hold();
    for (const first of [10_000, 20_000, 30_000]) model.look(first, first + 10);
    expect(folders.stopped).toEqual(['/@10000', '/@20000']);
    folders.release();
    await look(30_000, 30_010);
    expect(textOf(model.rowAt(30_005))).toBe('file 30005.txt');
    // What was stopped may be asked for again.
    await look(10_000, 10_010);
    expect(textOf(model.rowAt(10_005))).toBe('file 10005.txt');
  });

  it('are gone to by name in some steps', async () => {
    const folders = new Folders({ old: { deep: { files: 1_000_000 } }, files: 5 });
    model = new TreeModel(folders.load);
    expect(await model.reveal('/old/deep/file 654321.txt', signal)).toEqual({
      folder: '/old/deep',
      index: 654_321,
    });
    expect(folders.asked.length).toBeLessThan(30);
    expect(model.rowOf({ folder: '/old/deep', index: 654_321 })).toBe(654_323);
  });
});

describe('a path', () => {
  it('that is not in the version is not found', async () => {
    model = new TreeModel(new Folders({ a: 3 }).load);
    expect(await model.reveal('/a/no', signal)).toBeUndefined();
    expect(await model.reveal('/b/no', signal)).toBeUndefined();
  });

  it('is found although the order is another one', async () => {
    const names = Array.from({ length: 900 }, (_, i) => `n${(i * 7919) % 900}`);
    model = new TreeModel(async (_path, offset, limit) => ({
      total: names.length,
      offset,
      entries: names.slice(offset, offset + limit).map((name) => {
        return { name, path: `/${name}`, kind: 'file' as const, bytes: 0, modifiedAt: 0 };
      }),
    }));
    expect(await model.reveal('/n5', signal)).toEqual({ folder: '/', index: names.indexOf('n5') });
  });

  it('that leads through single folders is opened up to where there is a choice', async () => {
    model = new TreeModel(new Folders({ home: { ann: { docs: 1, music: 2 } } }).load);
    expect(await model.descend(signal)).toEqual({ folder: '/home/ann', index: 0 });
    expect(shown()).toEqual(['home', ' ann', '  docs', '  music']);
  });
});

describe('what could not be loaded', () => {
  it('says why, and is tried again', async () => {
    const folders = new Folders({ files: 3 });
    folders.failing = true;
    model = new TreeModel(folders.load);
    await look();
    expect(model.rowAt(0)).toMatchObject({ kind: 'failed', error: { message: 'unplugged' } });
    folders.failing = false;
    model.retry('/');
    await look();
    expect(shown()).toEqual(['file 0.txt', 'file 1.txt', 'file 2.txt']);
  });
});
