import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { copySnapshots, sharesChunks } from '../../../src/operations/copy.ts';
import { changeTags } from '../../../src/operations/tag.ts';
import { crashAfter } from '../../helpers/faulty.ts';
import { cloneBackend, History } from '../../helpers/history.ts';
import { saveTree, time } from '../../helpers/repo.ts';
import { expectWhole } from '../../helpers/whole.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function source(version: 1 | 2 = 2): Promise<History> {
  const history = await History.create({ version });
  await history.snapshot(range(0, 20), { tags: ['a'] });
  await history.snapshot(range(10, 30), { hostname: 'other' });
  return history;
}

async function copy(from: History, to: History, backend?: Backend) {
  const [a, b] = [await (await from.open()).loadIndex(), await (await to.open(backend)).loadIndex()];
  return copySnapshots(a, b, await a.repository.snapshots());
}

describe('copy', () => {
  it.each([
    [1, 1],
    [1, 2],
    [2, 1],
    [2, 2],
  ] as const)('brings all over, from version %i to version %i', async (from, to) => {
    const [a, b] = [await source(from), await History.create({ version: to })];
    expect(await copy(a, b)).toEqual({ copied: 2, skipped: 0 });
    const [was, is] = [await expectWhole(a.backend), await expectWhole(b.backend)];
    expect(is.blobs).toEqual(was.blobs);
    const told = ({ id: _, parent: __, original: ___, ...rest }: (typeof is.snapshots)[number]) => rest;
    expect(is.snapshots.map(told)).toEqual(was.snapshots.map(told));
    expect(is.snapshots.map((s) => s.original)).toEqual(was.snapshots.map((s) => s.id));
    const compressed = [...is.indexed.index].some((blob) => blob.uncompressedLength > 0);
    expect(compressed).toBe(to === 2);
  });

  it('lets worker threads do it where there is much to do', async () => {
    const [a, b] = [await History.create({ packBytes: 4 << 20 }), await History.create()];
    const noise = Array.from({ length: 12 }, () => randomBytes(1 << 20));
    const from = await (await a.open()).loadIndex();
    const tree = await saveTree(from, { large: noise, small: 'text', empty: '' });
    await from.repository.saveSnapshot({ time: time(), tree, paths: ['/data'] });
    await copy(a, b);
    const { indexed, blobs } = await expectWhole(b.backend);
    expect(blobs).toEqual((await expectWhole(a.backend)).blobs);
    expect(indexed.index.size).toBe(14);
  });

  it('finds its copies again, in both directions and over a third repository', async () => {
    const [a, b, c] = [await source(), await History.create(), await History.create()];
    await copy(a, b);
    expect(await copy(a, b)).toEqual({ copied: 0, skipped: 2 });
    expect(await copy(b, a)).toEqual({ copied: 0, skipped: 2 });
    await copy(b, c);
    expect(await copy(a, c)).toEqual({ copied: 0, skipped: 2 });
  });

  it('takes a snapshot with other tags for another one', async () => {
    const [a, b] = [await source(), await History.create()];
    await copy(a, b);
    const repo = await a.open();
    const [first] = await repo.snapshots();
    await changeTags(repo, first!, { add: ['new'], remove: [] });
    expect(await copy(a, b)).toEqual({ copied: 1, skipped: 1 });
  });

  it('stores no blob that is there already', async () => {
    const [a, b] = [await source(), await source()];
    const before = (await expectWhole(b.backend)).indexed.index.size;
    expect(await copy(a, b)).toEqual({ copied: 2, skipped: 0 });
    expect((await expectWhole(b.backend)).indexed.index.size).toBe(before);
  });

  it('knows whether two repositories cut files alike', async () => {
    const [a, b] = [
      await (await (await source()).open()).loadIndex(),
      await (await (await source()).open()).loadIndex(),
    ];
    expect(sharesChunks(a, a)).toBe(true);
    expect(sharesChunks(a, b)).toBe(false);
  });

  it('does not carry damage over', async () => {
    const [a, b] = [await source(), await History.create()];
    const { indexed } = await expectWhole(a.backend);
    const victim = [...indexed.index].find((blob) => blob.type === 'data')!;
    const pack = Buffer.from(await a.backend.load({ type: 'pack', name: victim.pack }));
    pack[victim.offset + 20]! ^= 1;
    await a.backend.save({ type: 'pack', name: victim.pack }, [pack]);
    await expect(copy(a, b)).rejects.toMatchObject({ code: 'damaged', context: { blob: victim.id } });
    expect((await expectWhole(b.backend)).snapshots).toEqual([]);
  });

  it('can be stopped anywhere; the next run uses what is there', async () => {
    const [a, b] = [await source(), await History.create()];
    const needed = (await expectWhole(a.backend)).blobs;
    for (let writes = 0; ; writes++) {
      const backend = await cloneBackend(b.backend);
      const crash = crashAfter(writes);
      await copy(a, b, crash(backend)).catch((e: unknown) => {
        if (!crash.reached()) throw e;
      });
      await expectWhole(backend);
      await copy(a, b, backend);
      const after = await expectWhole(backend);
      expect(after.blobs).toEqual(needed);
      expect(after.snapshots.length).toBe(2);
      if (!crash.reached()) break;
      expect(writes).toBeLessThan(200);
    }
  });

  it('lists what is stored when it fails, so that the next run goes on from there', async () => {
    const [a, b] = [await source(), await History.create()];
    const { indexed } = await expectWhole(a.backend);
    // The last blob of the last pack in the order of packs: all others are stored before it fails.
    const victim = [...indexed.index].filter((blob) => blob.type === 'data').at(-1)!;
    const pack = Buffer.from(await a.backend.load({ type: 'pack', name: victim.pack }));
    const good = Buffer.from(pack);
    pack[victim.offset + 20]! ^= 1;
    await a.backend.save({ type: 'pack', name: victim.pack }, [pack]);
    await expect(copy(a, b)).rejects.toMatchObject({ code: 'damaged' });
    const stopped = await expectWhole(b.backend);
    expect(stopped.indexed.index.size).toBeGreaterThan(0);
    expect(stopped.orphans).toEqual([]);
    await a.backend.save({ type: 'pack', name: victim.pack }, [good]);
    await copy(a, b);
    const done = await expectWhole(b.backend);
    expect(done.indexed.index.size).toBe(indexed.index.size);
  });
});
