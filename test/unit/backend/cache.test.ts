import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheOptions, cache, isCaching } from '../../../src/backend/cache.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import type { FileType, Id } from '../../../src/format/types.ts';
import { isId } from '../../../src/format/types.ts';
import { counting } from '../../helpers/counting.ts';
import { faulty } from '../../helpers/faulty.ts';
import { bytes, named, text } from './support.ts';

let dir: string;
beforeEach(async () => {
  dir = await fs.mkdtemp(join(tmpdir(), 'holdfast-cache-'));
});
afterEach(() => fs.rm(dir, { recursive: true }));

function id(digit: string): Id {
  const s = digit.repeat(64);
  if (!isId(s)) throw new Error('not an id');
  return s;
}

function setUp(memory = createMemory(), o: CacheOptions = {}) {
  const count = counting();
  return { memory, count, backend: cache(dir, id('a'), o)(count(memory)) };
}

async function entries(): Promise<readonly string[]> {
  const all = await fs.readdir(join(dir, id('a')), { recursive: true, withFileTypes: true });
  return all.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
}

async function listAll(b: { list(type: FileType): AsyncIterable<unknown> }, type: FileType) {
  for await (const _ of b.list(type));
}

const pack = named('pack', 'tree-1 tree-2 tree-3');
const TREE = { offset: 7, length: 6, cacheable: true };

describe('cache', () => {
  it.each(['index', 'snapshot'] as const)(
    'reads an %s from the storage once, in this run and the next',
    async (type) => {
      const s = setUp();
      const { h, data } = named(type, 'content');
      await s.memory.save(h, data);
      for (const _ of [1, 2]) expect(text(await s.backend.load(h))).toBe('content');
      expect(text(await s.backend.load(h, { offset: 3, length: 2 }))).toBe('te');
      expect(s.count.calls.load).toBe(1);
      const next = setUp(s.memory);
      expect(text(await next.backend.load(h))).toBe('content');
      expect(next.count.calls.load).toBe(0);
    },
  );

  it('keeps what it saves', async () => {
    const s = setUp();
    const { h, data } = named('index', 'mine');
    await s.backend.save(h, data);
    expect(text(await s.backend.load(h))).toBe('mine');
    expect(s.count.calls.load).toBe(0);
  });

  it('keeps ranges of packs that are marked, and no others', async () => {
    const s = setUp();
    await s.memory.save(pack.h, pack.data);
    for (const _ of [1, 2, 3]) expect(text(await s.backend.load(pack.h, TREE))).toBe('tree-2');
    expect(s.count.calls.load).toBe(1);
    await s.backend.load(pack.h);
    await s.backend.load(pack.h, { cacheable: true });
    for (const _ of [1, 2]) await s.backend.load(pack.h, { offset: 0, length: 6 });
    expect(s.count.calls.load).toBe(5);
    expect(await entries()).toHaveLength(1);
  });

  it.each(['lock', 'key', 'config'] as const)('never keeps a %s', async (type) => {
    const s = setUp();
    const { h, data } = type === 'config' ? { h: { type, name: '' }, data: [bytes('c')] } : named(type, 'c');
    await s.backend.save(h, data);
    for (const _ of [1, 2]) await s.backend.load(h, { cacheable: true, offset: 0, length: 1 });
    expect(s.count.calls.load).toBe(2);
    expect(await fs.readdir(dir)).toEqual([]);
  });

  it.each([
    ['cut short', (b: Buffer) => b.subarray(0, -1)],
    ['with a turned bit', (b: Buffer) => Buffer.from(b.map((x, i) => (i === b.length - 1 ? x ^ 1 : x)))],
    ['emptied', () => Buffer.alloc(0)],
    ['overwritten with zeros', (b: Buffer) => Buffer.alloc(b.length)],
  ])('asks the storage again for an entry %s', async (_, spoil) => {
    const s = setUp();
    const index = named('index', 'an index');
    await s.memory.save(pack.h, pack.data);
    await s.backend.save(index.h, index.data);
    await s.backend.load(pack.h, TREE);
    for (const path of await entries()) await fs.writeFile(path, spoil(await fs.readFile(path)));
    const before = s.count.calls.load;
    for (const _ of [1, 2]) {
      expect(text(await s.backend.load(pack.h, TREE))).toBe('tree-2');
      expect(text(await s.backend.load(index.h))).toBe('an index');
    }
    expect(s.count.calls.load).toBe(before + 2);
  });

  it('does not keep an index that the storage gave damaged', async () => {
    const memory = createMemory();
    const { h, data } = named('index', 'content');
    await memory.save(h, data);
    const s = setUp(faulty([{ kind: 'flipped-bit', bit: 9 }])(memory));
    expect(text(await s.backend.load(h))).not.toBe('content');
    expect(text(await s.backend.load(h))).toBe('content');
  });

  it('forgets a damaged range, and keeps nothing of the pack again', async () => {
    const memory = createMemory();
    await memory.save(pack.h, pack.data);
    const s = setUp(faulty([{ kind: 'flipped-bit', bit: 0 }])(memory));
    expect(text(await s.backend.load(pack.h, TREE))).not.toBe('tree-2');
    if (!isCaching(s.backend)) throw new Error('the cache has no forget');
    await s.backend.forget(pack.h);
    for (const _ of [1, 2]) expect(text(await s.backend.load(pack.h, TREE))).toBe('tree-2');
    expect(s.count.calls.load).toBe(3);
    expect(await entries()).toEqual([]);
    expect(isCaching(memory)).toBe(false);
  });

  it('drops what a whole list does not show', async () => {
    const s = setUp();
    const [a, b] = [named('index', 'a'), named('index', 'b')];
    for (const f of [a, b, pack]) await s.backend.save(f.h, f.data);
    await s.backend.load(pack.h, TREE);
    await s.memory.remove(a.h);
    await s.memory.remove(pack.h);
    for await (const _ of s.backend.list('index')) break;
    expect(await entries()).toHaveLength(3);
    await listAll(s.backend, 'index');
    await listAll(s.backend, 'pack');
    expect((await entries()).map((p) => p.slice(-64))).toEqual([b.h.name]);
    await expect(s.backend.load(a.h)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('drops nothing at a list that fails', async () => {
    const memory = createMemory();
    const s = setUp(
      faulty([{ kind: 'error', operation: 'list', error: () => new Error('broken off') }])(memory),
    );
    const { h, data } = named('index', 'a');
    await s.backend.save(h, data);
    await expect(listAll(s.backend, 'index')).rejects.toThrow('broken off');
    expect(await entries()).toHaveLength(1);
  });

  it('keeps repositories apart', async () => {
    const { h, data } = named('index', 'a');
    await cache(dir, id('a'))(createMemory()).save(h, data);
    await expect(cache(dir, id('b'))(createMemory()).load(h)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('marks its folder as a cache', async () => {
    const { h, data } = named('index', 'a');
    await setUp().backend.save(h, data);
    const tag = await fs.readFile(join(dir, 'CACHEDIR.TAG'), 'latin1');
    expect(tag.startsWith('Signature: 8a477f597d28d172789f06886806bc55')).toBe(true);
  });

  it('goes on without a folder it can write to, and says so once', async () => {
    await fs.writeFile(join(dir, id('a')), 'a file where the folder should be');
    const problems: unknown[] = [];
    const s = setUp(createMemory(), { onProblem: (e) => problems.push(e) });
    const { h, data } = named('index', 'a');
    await s.backend.save(h, data);
    expect(text(await s.backend.load(h))).toBe('a');
    await listAll(s.backend, 'index');
    await s.backend.remove(h);
    expect(problems).toHaveLength(1);
  });
});
