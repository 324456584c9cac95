import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MOST_DIFF_BYTES } from '../../../src/host/comparison.ts';
import { fromText, rawByteString, toBytes } from '../../../src/util/byte-string.ts';
import { asNobody } from '../../helpers/nobody.ts';
import {
  idOf,
  link,
  memoryRepository,
  node,
  type Sketch,
  type SketchFolder,
  saveBlobs,
  saveNodes,
} from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { generatedBytes } from '../../helpers/tree.ts';
import { HOST, type PeekOptions, peekInto, type Stored } from './peek-support.ts';

const temp = useTemp();
const random = (seed: number, size: number) => Buffer.concat([...generatedBytes({ seed, size })]);

/** A version of a folder on this disk, made of the sketch; `at` leads into it. */
async function place(sketch: SketchFolder, o?: PeekOptions) {
  const home = fs.realpathSync(temp.dir());
  let whole: Sketch = sketch;
  for (const name of home.split('/').filter(Boolean).reverse()) whole = { [name]: whole };
  const peek = await peekInto(whole as SketchFolder, o);
  return { home, at: (...names: string[]) => join(home, ...names), ...peek };
}

describe('a file held against today’s', () => {
  it('is the same where every byte is, whatever the times', async () => {
    const parts = [random(1, 700_000), random(2, 3_000_000), random(3, 5)];
    const { at, compare } = await place({ f: parts, empty: '' });
    fs.writeFileSync(at('f'), Buffer.concat(parts));
    fs.writeFileSync(at('empty'), '');
    const found = await compare(at('f'));
    expect(found).toMatchObject({ state: 'same', reason: null, diff: null });
    expect(found.version).toMatchObject({ name: 'f', path: at('f'), kind: 'file', bytes: 3_700_005 });
    expect(found.today).toEqual({ bytes: 3_700_005, modifiedAt: Math.floor(fs.statSync(at('f')).mtimeMs) });
    expect(await compare(at('empty'))).toMatchObject({ state: 'same' });
  });

  it('has changed where one byte has, though size and time are equal', async () => {
    const content = random(1, 2_000_000);
    const { at, compare, repo } = await place({
      f: [content.subarray(0, 900_000), content.subarray(900_000)],
    });
    const changed = Buffer.from(content);
    changed[1_999_999]! ^= 1;
    fs.writeFileSync(at('f'), changed);
    fs.utimesSync(at('f'), 1_600_000_000, 1_600_000_000);
    expect(repo.index.size).toBeGreaterThan(0);
    expect(await compare(at('f'))).toMatchObject({ state: 'changed', diff: null });
  });

  it('is gone, also with its folder, and where a file took its folder’s place', async () => {
    const { at, compare } = await place({ f: 'x', dir: { g: 'x' }, file: { h: 'x' } });
    fs.writeFileSync(at('file'), '');
    for (const path of [at('f'), at('dir/g'), at('file/h')]) {
      expect(await compare(path)).toMatchObject({
        state: 'gone',
        reason: null,
        today: null,
        version: { bytes: 1 },
      });
    }
  });

  it('shows how a text got from today’s to what it was', async () => {
    const lines = (...more: string[]) => ['one', 'two', 'three', 'four', ...more, ''].join('\n');
    const { at, compare } = await place({ f: lines('five'), g: 'old' });
    fs.writeFileSync(at('f'), lines('5', 'six'));
    const { diff, state } = await compare(at('f'));
    expect(state).toBe('changed');
    expect(diff?.split('\n')).toEqual([
      '--- today',
      '+++ version',
      '@@ -2,5 +2,4 @@',
      ' two',
      ' three',
      ' four',
      '-5',
      '-six',
      '+five',
      '',
    ]);
    fs.writeFileSync(at('g'), Buffer.from('n\xe9w text', 'latin1'));
    expect((await compare(at('g'))).diff).toContain('-néw text\n');
  });

  it('shows none of what is no text, is too long or too different', async () => {
    const long = 'a line\n'.repeat(MOST_DIFF_BYTES / 7 + 1);
    const numbers = (of: string) => Array.from({ length: 3000 }, (_, i) => `${of} ${i}\n`).join('');
    const { at, compare } = await place({ binary: 'a\0b', now: 'text', long, other: numbers('x') });
    fs.writeFileSync(at('binary'), 'text');
    fs.writeFileSync(at('now'), 'a\0b');
    fs.writeFileSync(at('long'), 'short');
    fs.writeFileSync(at('other'), numbers('y'));
    for (const name of ['binary', 'now', 'long', 'other']) {
      expect([name, await compare(at(name))]).toMatchObject([name, { state: 'changed', diff: null }]);
    }
  });

  it('is not judged where it was another computer’s, or a command’s', async () => {
    const other = await place({ f: 'x' }, { snapshot: { hostname: 'elsewhere' } });
    fs.writeFileSync(other.at('f'), 'x');
    expect(await other.compare(other.at('f'))).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('“elsewhere”'),
      today: null,
      version: { kind: 'file', bytes: 1 },
    });
    const printed = await place({ f: 'x' }, { snapshot: { hostname: HOST, tags: ['source:f'] } });
    expect(await printed.compare(printed.at('f'))).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('command'),
    });
  });

  it('is not judged where it can’t be read', async () => {
    const { home, at, compare } = await place({ f: 'x' });
    fs.writeFileSync(at('f'), 'x', { mode: 0 });
    expect(await asNobody(home, () => compare(at('f')))).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('refuses'),
    });
  });

  it('is not judged where the repository has lost a part of it', async () => {
    const home = fs.realpathSync(temp.dir());
    const repo = await memoryRepository();
    const [whole] = await saveBlobs(repo, [Buffer.from('first')]);
    const content = [whole!, idOf('lost')];
    const file = node('f', 'file', { content, size: 10 });
    let stored: Stored = { repo, tree: await saveNodes(repo, [file]) };
    for (const name of home.split('/').filter(Boolean).reverse()) {
      stored = { repo, tree: await saveNodes(repo, [node(name, 'dir', { subtree: stored.tree })]) };
    }
    fs.writeFileSync(join(home, 'f'), 'firstagain');
    const { compare } = await peekInto(stored);
    expect(await compare(join(home, 'f'))).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('lost'),
    });
    fs.writeFileSync(join(home, 'f'), 'other size');
    expect(await compare(join(home, 'f'))).toMatchObject({ state: 'changed', diff: null });
  });

  it('ends with the reason of its signal', async () => {
    const { at, compare } = await place({ f: random(1, 100) });
    fs.writeFileSync(at('f'), random(1, 100));
    const reason = new Error('enough');
    await expect(compare(at('f'), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe('anything else held against today’s', () => {
  it('changes with its kind', async () => {
    const { at, compare } = await place({
      f: 'x',
      dir: {},
      link: link('f'),
      fifo: { node: { type: 'fifo' } },
    });
    fs.mkdirSync(at('f'));
    for (const name of ['dir', 'link', 'fifo']) fs.writeFileSync(at(name), 'x');
    for (const name of ['f', 'dir', 'link', 'fifo']) {
      expect([name, await compare(at(name))]).toMatchObject([name, { state: 'changed' }]);
    }
    expect((await compare(at('f'))).today).toMatchObject({ bytes: null });
  });

  it('compares where links lead, and follows none', async () => {
    const { at, compare } = await place({ a: link('there'), b: link('there'), f: 'x' });
    fs.symlinkSync('there', at('a'));
    fs.symlinkSync('elsewhere', at('b'));
    fs.writeFileSync(at('target'), 'x');
    fs.symlinkSync('target', at('f'));
    expect(await compare(at('a'))).toMatchObject({ state: 'same' });
    expect(await compare(at('b'))).toMatchObject({ state: 'changed' });
    expect(await compare(at('f'))).toMatchObject({ state: 'changed' });
  });

  it('finds a folder changed by what it lacks, and says no more than that', async () => {
    const { at, compare, home } = await place({ dir: { a: 'aa', b: 'b', sub: { deep: 'x' } } });
    fs.mkdirSync(at('dir/sub'), { recursive: true });
    fs.writeFileSync(at('dir/a'), 'AA');
    expect(await compare(at('dir'))).toMatchObject({ state: 'changed' });
    fs.writeFileSync(at('dir/b'), 'b');
    fs.writeFileSync(at('dir/more'), 'more');
    const there = { state: 'unknown', reason: expect.stringContaining('folder is there') };
    expect(await compare(at('dir'))).toMatchObject(there);
    expect(await compare(home)).toMatchObject(there);
    expect(await compare('/')).toMatchObject({ ...there, version: { path: '/', kind: 'dir' } });
    fs.writeFileSync(at('dir/a'), 'longer');
    expect(await compare(at('dir'))).toMatchObject({ state: 'changed' });
  });

  it('finds what lies under a name that is no UTF-8', async () => {
    const home = fs.realpathSync(temp.dir());
    const repo = await memoryRepository();
    const [content] = await saveBlobs(repo, [Buffer.from('x')]);
    const name = rawByteString('caf\xe9');
    let tree = await saveNodes(repo, [{ ...node('', 'file', { content: [content!], size: 1 }), name }]);
    for (const folder of home.split('/').filter(Boolean).reverse()) {
      tree = await saveNodes(repo, [node(folder, 'dir', { subtree: tree })]);
    }
    fs.writeFileSync(toBytes(rawByteString(`${fromText(home)}/${name}`)), 'x');
    const { compare } = await peekInto({ repo, tree });
    expect(await compare(`${home}/caf\ufffd`)).toMatchObject({ state: 'same' });
  });
});
