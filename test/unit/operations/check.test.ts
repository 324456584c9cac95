import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import type { Id, IndexPack, PackedBlob } from '../../../src/format/types.ts';
import { check, type Finding, type PackSizes, selectPacks } from '../../../src/operations/check.ts';
import { selectSnapshots } from '../../../src/repository/snapshot-filter.ts';
import { crashAfter, faulty } from '../../helpers/faulty.ts';
import { History } from '../../helpers/history.ts';
import {
  addIndex,
  alter,
  checked,
  filesOf,
  flip,
  openHarmed,
  packsOf,
  replaceIndex,
} from '../../helpers/memory-damage.ts';
import { idOf, node, saveNodes, time } from '../../helpers/repo.ts';

/** Two snapshots that share some files. */
async function repository(version: 1 | 2 = 2): Promise<Backend> {
  const history = await History.create({ version });
  await history.snapshot([1, 2, 3, 4, 5, 6]);
  await history.snapshot([4, 5, 6, 7, 8]);
  return history.backend;
}

const first = <T>(list: readonly T[]): T => {
  if (list[0] === undefined) throw new Error('nothing there');
  return list[0];
};

const firstPack = async (backend: Backend, type: 'data' | 'tree') => first(await packsOf(backend, type));

async function allPacks(backend: Backend): Promise<IndexPack[]> {
  return [...(await packsOf(backend, 'data')), ...(await packsOf(backend, 'tree'))];
}

describe('a whole repository', () => {
  it.each([1, 2] as const)('is found whole, and is not written to (version %i)', async (version) => {
    const backend = crashAfter(0)(await repository(version));
    const { report, findings } = await checked(backend);
    expect(findings).toEqual([]);
    expect(report).toMatchObject({ errors: 0, snapshots: 2, brokenPacks: [], suggestPrune: false });
    expect(report.readPacks).toBe(report.packs);
    expect(report.trees).toBeGreaterThan(4);
  });

  it('may be empty', async () => {
    const { backend } = await History.create();
    const { report } = await checked(backend);
    expect(report).toMatchObject({ errors: 0, hints: 0, packs: 0, snapshots: 0 });
  });

  it('keeps its packs unread unless asked', async () => {
    const backend = await repository();
    const pack = await firstPack(backend, 'data');
    await alter(backend, 'pack', pack.id, flip(20));
    const report = await check(await openHarmed(backend), { onFinding: () => {} });
    expect(report).toMatchObject({ errors: 0, readPacks: undefined });
  });
});

describe('damaged packs', () => {
  it.each(['data', 'tree'] as const)('names a missing %s pack and what it takes along', async (type) => {
    const backend = await repository();
    const pack = await firstPack(backend, type);
    await backend.remove({ type: 'pack', name: pack.id });
    const { report, errors, kinds } = await checked(backend);
    expect(first(errors)).toMatchObject({ kind: 'pack-missing', pack: pack.id, remedy: 'repair-packs' });
    expect(kinds).toEqual(type === 'data' ? ['pack-missing'] : ['pack-missing', 'tree-unreadable']);
    expect(report.brokenPacks).toEqual([pack.id]);
  });

  it('names the blob in which a bit has turned, and no other', async () => {
    const backend = await repository();
    const pack = await firstPack(backend, 'data');
    const blob = pack.blobs[1]!;
    await alter(backend, 'pack', pack.id, flip(blob.offset + 20));
    const { report, errors } = await checked(backend);
    expect(errors).toHaveLength(1);
    expect(first(errors)).toMatchObject({ kind: 'pack-damaged', pack: pack.id, remedy: 'repair-packs' });
    expect(first(errors).sentence).toContain(`data blob ${blob.id} is damaged`);
    expect(first(errors).sentence).not.toContain(pack.blobs[0]!.id);
    expect(report.brokenPacks).toEqual([pack.id]);
  });

  it.each([
    ['the header', -10, /header cannot be read/],
    ["the header's length", -1, /header cannot be read/],
  ])('finds a bit turned in %s though all blobs are good', async (_, at, sentence) => {
    const backend = await repository();
    const pack = await firstPack(backend, 'data');
    await alter(backend, 'pack', pack.id, flip(at));
    const { errors } = await checked(backend);
    expect(errors.map(({ kind }) => kind)).toEqual(['pack-damaged']);
    expect(first(errors).sentence).toMatch(sentence);
    expect(first(errors).sentence).not.toMatch(/blob [0-9a-f]{64} is damaged/);
  });

  it('finds a bit turned in a tree without reading all packs', async () => {
    const backend = await repository();
    const pack = await firstPack(backend, 'tree');
    await alter(backend, 'pack', pack.id, flip(pack.blobs[0]!.offset + 20));
    const errors: Finding[] = [];
    await check(await openHarmed(backend), { onFinding: (f) => errors.push(f) });
    expect(errors).toMatchObject([{ kind: 'tree-unreadable', tree: pack.blobs[0]!.id }]);
  });

  it('finds packs that are cut off or have grown', async () => {
    const backend = await repository();
    const [short, long] = (await packsOf(backend, 'data')).map(({ id }) => id);
    await alter(backend, 'pack', short!, (content) => content.subarray(0, content.length - 100));
    await alter(backend, 'pack', long!, (content) => Buffer.concat([content, Buffer.from('more')]));
    const { errors, report } = await checked(backend);
    const sizes = errors.filter(({ kind }) => kind === 'pack-size').map(({ pack }) => pack);
    expect(sizes.sort()).toEqual([short, long].sort());
    expect(report.brokenPacks).toEqual([short, long].sort());
  });

  it('only hints at packs that no index lists', async () => {
    const history = await History.create();
    await history.snapshot([1]);
    await history.orphan();
    const { report, findings } = await checked(history.backend);
    expect(findings).toMatchObject([{ kind: 'pack-orphaned', severity: 'hint', remedy: 'prune' }]);
    expect(report).toMatchObject({ errors: 0, orphanedPacks: 1, suggestPrune: true });
  });

  it('tells a reading that was wrong once from damage', async () => {
    const backend = await repository();
    const { id } = await firstPack(backend, 'data');
    const flaky = faulty([{ kind: 'flipped-bit', bit: 99, operation: 'load', type: 'pack', name: id }]);
    const { errors, report } = await checked(flaky(backend));
    expect(errors).toMatchObject([{ kind: 'pack-unsteady', pack: id }]);
    expect(report.brokenPacks).toEqual([]);
  });

  it('does not call a pack broken that the disk does not give', async () => {
    const backend = await repository();
    const { id } = await firstPack(backend, 'data');
    const error = () => new EngineError('io', 'bad sector');
    const bad = faulty([{ kind: 'error', error, operation: 'load', type: 'pack', name: id, times: 9 }]);
    const { errors, report } = await checked(bad(backend));
    expect(errors).toMatchObject([{ kind: 'pack-unread', pack: id }]);
    expect(report.brokenPacks).toEqual([]);
  });

  it('ends when the storage is gone', async () => {
    const backend = await repository();
    const error = () => new EngineError('unreachable', 'unplugged');
    const gone = faulty([{ kind: 'error', error, operation: 'load', type: 'pack', times: 99 }]);
    await expect(checked(gone(backend))).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('damaged indexes', () => {
  it('names an index file with a turned bit and stops there', async () => {
    const backend = await repository();
    const index = first(await filesOf(backend, 'index'));
    await alter(backend, 'index', index, flip(30));
    const { report, findings } = await checked(backend);
    expect(findings).toMatchObject([{ kind: 'index-unreadable', index, remedy: 'repair-index' }]);
    expect(report.suggestRepairIndex).toBe(true);
  });

  it('misses everything when there is no index', async () => {
    const backend = await repository();
    for (const name of await filesOf(backend, 'index')) await backend.remove({ type: 'index', name });
    const { kinds, report } = await checked(backend);
    expect(kinds).toEqual(['tree-missing']);
    expect(report.orphanedPacks).toBe((await filesOf(backend, 'pack')).length);
  });

  it('hints at packs that are listed twice', async () => {
    const backend = await repository();
    const pack = await firstPack(backend, 'data');
    await addIndex(backend, [pack]);
    const { report, findings } = await checked(backend);
    expect(findings).toMatchObject([{ kind: 'pack-listed-twice', severity: 'hint', pack: pack.id }]);
    expect(report).toMatchObject({ errors: 0, suggestRepairIndex: true });
  });

  it('finds index files that contradict each other', async () => {
    const backend = await repository();
    const pack = await firstPack(backend, 'data');
    await addIndex(backend, [{ id: pack.id, blobs: pack.blobs.slice(1) }]);
    const { errors } = await checked(backend);
    expect(errors).toMatchObject([{ kind: 'pack-contradicted', pack: pack.id, remedy: 'repair-index' }]);
  });

  it.each([
    ['outside of the pack', (b: PackedBlob) => ({ ...b, offset: b.offset + 10_000_000 })],
    ['elsewhere in it', (b: PackedBlob) => ({ ...b, offset: b.offset + 1 })],
    [
      'with another plain length',
      (b: PackedBlob) => ({ ...b, uncompressedLength: b.uncompressedLength + 1 }),
    ],
  ])('finds an index that places a blob %s', async (_, wrong) => {
    const backend = await repository();
    const packs = await allPacks(backend);
    const at = packs.findIndex(({ blobs }) =>
      blobs.some((b) => b.type === 'data' && b.uncompressedLength > 0),
    );
    const target = packs[at]!;
    const moved = target.blobs.map((b) => (b.uncompressedLength > 0 ? wrong(b) : b));
    await replaceIndex(backend, packs.with(at, { id: target.id, blobs: moved }));
    const { errors } = await checked(backend);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.filter(({ pack }) => pack !== target.id)).toEqual([]);
    expect(errors.at(-1)!.sentence).toMatch(/the index (does not know|places)/);
  });

  it('finds a blob that its pack holds and the index does not', async () => {
    const backend = await repository();
    const packs = await allPacks(backend);
    const target = packs[0]!;
    await replaceIndex(backend, packs.with(0, { id: target.id, blobs: target.blobs.slice(0, -1) }));
    const { kinds } = await checked(backend);
    expect(kinds).toEqual(['blob-missing', 'pack-damaged', 'pack-size']);
  });
});

describe('damaged snapshots, keys and config', () => {
  it('names a snapshot with a turned bit', async () => {
    const backend = await repository();
    const snapshot = first(await filesOf(backend, 'snapshot'));
    await alter(backend, 'snapshot', snapshot, flip(40));
    const { errors, report } = await checked(backend);
    expect(errors).toMatchObject([{ kind: 'snapshot-unreadable', snapshot, remedy: 'repair-snapshots' }]);
    expect(report.brokenSnapshots).toEqual([snapshot]);
  });

  it('only hints at a key that opens nothing any more, while another does', async () => {
    const backend = await repository();
    const key = idOf('broken key');
    await backend.save({ type: 'key', name: key }, [Buffer.from('{"created"')]);
    const { findings } = await checked(backend);
    expect(findings).toMatchObject([{ kind: 'key-unreadable', severity: 'hint', key }]);
  });

  it('cannot open a repository whose only key, or config, is damaged, and says which file it is', async () => {
    for (const type of ['key', 'config'] as const) {
      const backend = await repository();
      const name = type === 'key' ? first(await filesOf(backend, 'key')) : '';
      await alter(backend, type, name, flip(20));
      const message = type === 'key' ? expect.stringContaining(name) : expect.stringMatching(/config/);
      await expect(checked(backend)).rejects.toMatchObject({ code: 'damaged', message });
    }
  });
});

describe('trees', () => {
  async function withTree(nodes: Parameters<typeof saveNodes>[1]) {
    const { backend } = await History.create();
    const repo = await (await openHarmed(backend)).loadIndex();
    const tree = await saveNodes(repo, nodes);
    await repo.repository.saveSnapshot({ time: time(), tree, paths: ['/x'] });
    return { tree, ...(await checked(backend)) };
  }

  it.each([
    ['a file without a list', [node('f', 'file')], 'entry-content'],
    ['a folder without a tree', [node('d', 'dir')], 'entry-content'],
    ['a folder whose tree is lost', [node('d', 'dir', { subtree: idOf('lost') })], 'tree-missing'],
    ['a file whose content is lost', [node('f', 'file', { content: [idOf('lost')] })], 'blob-missing'],
    ['a name that leads upwards', [node('..', 'fifo')], 'entry-name'],
    ['a name with a slash', [node('a/b', 'fifo')], 'entry-name'],
    ['an empty name', [node('', 'fifo')], 'entry-name'],
    ['names out of order', [node('b', 'fifo'), node('a', 'fifo')], 'tree-order'],
    ['a name twice', [node('a', 'fifo'), node('a', 'fifo')], 'tree-order'],
    ['an unknown type', [node('a', 'irregular')], 'entry-type'],
  ] as const)('finds %s', async (_, nodes, kind) => {
    const { tree, errors } = await withTree(nodes);
    expect(errors).toMatchObject([{ kind, remedy: 'repair-snapshots' }]);
    expect(first(errors).sentence).toContain(kind === 'tree-missing' ? idOf('lost') : tree);
  });

  it('only hints at a size that does not fit the content', async () => {
    const { findings } = await withTree([node('f', 'file', { content: [], size: 5 })]);
    expect(findings).toMatchObject([{ kind: 'file-size', severity: 'hint' }]);
  });

  it('names a root that is lost with its snapshot', async () => {
    const { backend } = await History.create();
    const repo = await openHarmed(backend);
    const snapshot = await repo.saveSnapshot({ time: time(), tree: idOf('lost'), paths: ['/x'] });
    const { errors } = await checked(backend);
    expect(errors).toMatchObject([{ kind: 'tree-missing', tree: idOf('lost'), snapshot }]);
  });
});

describe('chosen snapshots', () => {
  it('are checked alone, with only the packs that they need', async () => {
    const history = await History.create();
    const good = await history.snapshot([1, 2]);
    const before = new Set(await filesOf(history.backend, 'pack'));
    await history.snapshot([3, 4]);
    const added = (await filesOf(history.backend, 'pack')).filter((id) => !before.has(id));
    for (const id of added) await alter(history.backend, 'pack', id, flip(20));
    const repo = await openHarmed(history.backend);
    const snapshots = async () => selectSnapshots(await repo.snapshots(), [good.slice(0, 8)]);
    const { report } = await checked(history.backend, { snapshots });
    expect(report).toMatchObject({ errors: 0, snapshots: 1, readPacks: before.size });
  });
});

describe('a subset', () => {
  const packs: PackSizes = new Map(
    Array.from({ length: 100 }, (_, i): [Id, number] => [idOf(`pack ${i}`), 1000]),
  );

  it('by groups covers every pack once', () => {
    const groups = [1, 2, 3].map((group) => selectPacks(packs, { kind: 'group', group, groups: 3 }));
    expect(groups.flat().sort()).toEqual([...packs.keys()].sort());
    expect(Math.min(...groups.map((g) => g.length))).toBeGreaterThan(10);
  });

  it('by share or size is as large as asked, and the same for the same seed', () => {
    const share = { kind: 'percent', percent: 12.5 } as const;
    const one = selectPacks(packs, share, 'one');
    expect(one).toHaveLength(12);
    expect(selectPacks(packs, share, 'one')).toEqual(one);
    expect(selectPacks(packs, share, 'two')).not.toEqual(one);
    expect(selectPacks(packs, { kind: 'bytes', bytes: 25_000 }, 'one')).toHaveLength(25);
    expect(selectPacks(packs, { kind: 'bytes', bytes: 1e9 }, 'one')).toHaveLength(100);
  });

  it('is at least one pack, where there is one', () => {
    expect(selectPacks(packs, { kind: 'percent', percent: 0.001 })).toHaveLength(1);
    expect(selectPacks(new Map(), { kind: 'percent', percent: 50 })).toEqual([]);
  });
});
