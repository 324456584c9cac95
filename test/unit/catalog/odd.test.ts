/** What catalogs meet beside ordinary versions: damage, full disks, names that nobody would give. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalog, type KnownVersion } from '../../../src/catalog/catalog.ts';
import { Filling } from '../../../src/catalog/filling.ts';
import { fold } from '../../../src/catalog/fold.ts';
import { Pace } from '../../../src/catalog/pace.ts';
import { pastOf, search } from '../../../src/catalog/searching.ts';
import { sha256 } from '../../../src/format/hash.ts';
import type { Id } from '../../../src/format/types.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { node } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { type Plant, Trees } from './trees.ts';

const temp = useTemp();

describe('a catalog', () => {
  let trees: Trees;
  let catalog: Catalog;
  let path: string;
  let versions: KnownVersion[];
  let unreadable: Id[];

  beforeEach(() => {
    trees = new Trees();
    path = join(temp.dir('catalog'), 'one.db');
    catalog = new Catalog(path);
    versions = [];
    unreadable = [];
  });
  afterEach(() => catalog.close());

  function version(root: Id | { readonly [name: string]: Plant }): KnownVersion {
    const at = versions.length;
    const id = sha256(Buffer.from(`version ${at}`));
    const tree = typeof root === 'string' ? root : trees.plant(root);
    const made = { id, at, root: tree, line: 'line', planId: null };
    versions.push(made);
    return made;
  }

  async function fill(signal = new AbortController().signal): Promise<void> {
    const filling = new Filling(catalog, trees, {
      signal,
      onProgress: () => {},
      onUnreadable: (tree) => unreadable.push(tree),
    });
    catalog.keepOnly(new Set(versions.map(({ id }) => id)));
    do {
      await filling.clean();
      catalog.add(versions);
    } while (await filling.step());
  }

  /** Of each state, newest first: how many versions and how many bytes. */
  function past(file: string): readonly string[] {
    const line = catalog.versionNamed('latest')!.line;
    return pastOf(catalog, line, file.split('/')).map((one) => `${one.versions} × ${one.state.size}`);
  }

  async function found(text: string): Promise<string[]> {
    const { hits } = await search(catalog, { text, limit: 100 });
    return hits.map(({ names }) => names.join('/')).sort();
  }

  it('reads equal folders of neighbours only once', async () => {
    const big = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, i]));
    version({ big, other: { a: 1 } });
    version({ big, other: { a: 2 } });
    version({ big, other: { a: 2 } });
    await fill();
    const times = (id: Id) => trees.read.filter((one) => one === id).length;
    expect(times(trees.plant(big))).toBe(1);
    expect(past('other/a')).toEqual(['2 × 2', '1 × 1']);
    expect(past('big/f7')).toEqual(['3 × 7']);
  });

  it('leaves out a folder that cannot be read, whoever has it', async () => {
    const lost = trees.plant({ secret: 1 });
    trees.lost.add(lost);
    const folder = node('', 'dir', { subtree: lost });
    version({ lost: folder, a: 1 });
    version({ lost: folder, a: 2 });
    await fill();
    expect(past('a')).toEqual(['1 × 2', '1 × 1']);
    expect(past('lost')).toEqual(['2 × 0']);
    expect(past('lost/secret')).toEqual([]);
    expect(unreadable).toEqual([lost]);
    // What was not there once stays out, so that all versions are compared alike.
    trees.lost.clear();
    version({ lost: folder, a: 2 });
    version({ a: 2 });
    await fill();
    expect(past('lost/secret')).toEqual([]);
    expect(past('a')).toEqual(['3 × 2', '1 × 1']);
  });

  it('looks where things lie now before it believes that they are lost', async () => {
    const moved = trees.plant({ here: 1 });
    trees.lost.add(moved);
    trees.found.add(moved);
    version({ moved: node('', 'dir', { subtree: moved }) });
    await fill();
    expect(trees.renewed).toBe(1);
    expect(past('moved/here')).toEqual(['1 × 1']);
    expect(unreadable).toEqual([]);
  });

  it('takes a version in anew when a neighbour finds it damaged', async () => {
    const inner = trees.plant({ f: 1, g: 1 });
    version({ d: node('', 'dir', { subtree: inner }), a: 1 });
    await fill();
    expect(past('d/f')).toEqual(['1 × 1']);
    trees.lost.add(inner);
    version({ d: { f: 1 }, a: 1 });
    await fill();
    expect(past('d/f')).toEqual(['1 × 1']);
    expect(past('d/g')).toEqual([]);
    expect(past('a')).toEqual(['2 × 1']);
    expect(unreadable).toEqual([inner]);
  });

  it('stops at a storage that is away, and goes on later', async () => {
    version({ a: { b: 1 } });
    trees.fault = new Error('away');
    await expect(fill()).rejects.toThrow('away');
    expect(catalog.progress).toEqual({ done: 0, total: 1 });
    trees.fault = undefined;
    await fill();
    expect(catalog.progress).toEqual({ done: 1, total: 1 });
    expect(unreadable).toEqual([]);
  });

  it('shows the first version while it is taken in', async () => {
    version({ a: { first: 1 }, b: { second: 1 } });
    const load = trees.load.bind(trees);
    const stop = new AbortController();
    const second = trees.plant({ second: 1 });
    trees.load = (id) => {
      if (id === second) stop.abort(new Error('stopped'));
      return load(id);
    };
    await expect(fill(stop.signal)).rejects.toThrow('stopped');
    expect(await found('first')).toEqual(['a/first']);
    expect(catalog.progress.done).toBe(0);
    trees.load = load;
    await fill();
    expect(await found('second')).toEqual(['b/second']);
  });

  it('says that the disk is full, and goes on once it is not', async () => {
    const many = (from: number) =>
      Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`name ${from + i}`, 1]));
    version(many(0));
    await fill();
    catalog.file.limitPages(10);
    version(many(3000));
    await expect(fill()).rejects.toMatchObject({ code: 'no-space' });
    expect(await found('name 77')).toContain('name 77');
    expect(past('name 77')).toEqual(['1 × 1']);
    catalog.file.limitPages(1_000_000);
    await fill();
    expect(past('name 3077')).toEqual(['1 × 1']);
    expect(catalog.progress).toEqual({ done: 2, total: 2 });
  });

  it('keeps hostile names out, and odd ones right', async () => {
    const odd = [
      'caf\xe9',
      'caf\xe8',
      'a\nb',
      '"',
      '%_*',
      ' ',
      '\x01',
      'ünï'.repeat(50),
      '-',
      "'; DROP TABLE names; --",
    ];
    const names = odd.map((name) => (/[\x80-\xff]/.test(name) && name.length < 10 ? name : fromText(name)));
    const hostile = ['', '.', '..', 'a/b', 'nul\0', 'x'.repeat(5000)];
    version(
      trees.add(
        [...names, ...hostile]
          .sort()
          .map((name) => ({ ...node('', 'file', { size: 1 }), name: name as never })),
      ),
    );
    await fill();
    const all = catalog.file.rows<{ id: number }>('SELECT id FROM paths');
    expect(all).toHaveLength(odd.length);
    expect(await found('caf')).toEqual(['caf\ufffd', 'caf\ufffd']);
    expect(past('caf\ufffd')).toEqual(['1 × 1']);
    for (const text of ['"', '%_*', "'; drop", '-', 'unï']) expect(await found(text), text).not.toEqual([]);
    expect(await found('%')).toEqual(['%_*']);
    expect(past("'; DROP TABLE names; --")).toEqual(['1 × 1']);
  });

  it('reads a listing with names twice or out of order, the first one counts', async () => {
    const file = (name: string, size: number) => node(name, 'file', { size });
    const inner = trees.plant({ x: 1 });
    const other = trees.plant({ y: 1 });
    const dir = (subtree: Id) => node('d', 'dir', { subtree });
    version(trees.add([file('b', 1), file('a', 1), dir(inner), file('b', 2), dir(other)]));
    version(trees.add([file('a', 1), file('b', 1), dir(inner)]));
    version(trees.add([file('b', 2), file('b', 1), file('a', 1), dir(inner)]));
    await fill();
    expect(past('a')).toEqual(['3 × 1']);
    expect(past('b')).toEqual(['1 × 2', '2 × 1']);
    expect(past('d/x')).toEqual(['3 × 1']);
    expect(past('d/y')).toEqual([]);
  });

  it('goes as deep as folders go', async () => {
    let tree = trees.plant({ end: 1 });
    for (let i = 0; i < 2000; i++) tree = trees.plant({ d: node('', 'dir', { subtree: tree }) });
    version(tree);
    await fill();
    expect((await found('end'))[0]).toHaveLength(2 * 2000 + 3);
    expect(await found('d/d/end')).toHaveLength(1);
  });

  it('forgets names that no version has any more', async () => {
    version({ gone: 1, stays: 1 });
    version({ stays: 1 });
    await fill();
    versions.shift();
    await fill();
    expect(await found('gone')).toEqual([]);
    await new Filling(catalog, trees, {
      signal: new AbortController().signal,
      onProgress: () => {},
      onUnreadable: () => {},
    }).sweep();
    const names = catalog.file.rows<{ folded: string }>('SELECT folded FROM names');
    expect(names).toEqual([{ folded: 'stays' }]);
    expect(catalog.file.rows("SELECT rowid FROM names_text WHERE names_text MATCH 'gon'")).toEqual([]);
    expect(await found('stays')).toEqual(['stays']);
  });

  it('is made anew where an older or a newer Holdfast has written it', async () => {
    version({ a: 1 });
    await fill();
    catalog.file.run('PRAGMA user_version = 999');
    catalog.close();
    catalog = new Catalog(path);
    expect(catalog.progress).toEqual({ done: 0, total: 0 });
    await fill();
    expect(past('a')).toEqual(['1 × 1']);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  it('stops a search of whom has gone', async () => {
    version({ a: 1 });
    await fill();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(search(catalog, { text: 'a', limit: 1, signal })).rejects.toThrow('gone');
  });
});

it('names are folded so that one spelling finds all others', () => {
  const alike = [
    ['Ärger', 'ARGER', 'a\u0308rger'],
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος', 'οδοσ'],
    ['Ｆｕｌｌ', 'full'],
    ['naïve', 'NAIVE'],
  ];
  for (const [first, ...others] of alike) for (const other of others) expect(fold(other)).toBe(fold(first!));
  expect(fold('x'.repeat(2000))).toHaveLength(512);
  expect(fold('\ud800a').isWellFormed()).toBe(true);
});

it('a pause lasts as long as others need', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const said: string[] = [];
  const pace = new Pace(undefined, () => promise);
  const paused = pace.pause().then(() => said.push('filling'));
  await new Promise((turn) => setImmediate(turn));
  said.push('search');
  resolve();
  await paused;
  expect(said).toEqual(['search', 'filling']);
});
