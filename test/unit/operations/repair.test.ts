import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { sha256 } from '../../../src/format/hash.ts';
import type { Id, Node } from '../../../src/format/types.ts';
import { recover } from '../../../src/operations/recover.ts';
import {
  applyIndexRepair,
  type IndexRepairOptions,
  type IndexRepairReport,
  planIndexRepair,
} from '../../../src/operations/repair-index.ts';
import { type PacksRepairReport, repairPacks } from '../../../src/operations/repair-packs.ts';
import {
  repairSnapshots,
  type SnapshotChange,
  type SnapshotsRepairOptions,
} from '../../../src/operations/repair-snapshots.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { toText } from '../../../src/util/byte-string.ts';
import { Crash, crashAfter, faulty } from '../../helpers/faulty.ts';
import { cloneBackend, contentOf, History } from '../../helpers/history.ts';
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
import { expectWhole } from '../../helpers/whole.ts';

async function history(version: 1 | 2 = 2): Promise<History> {
  const made = await History.create({ version });
  await made.snapshot([1, 2, 3, 4, 5, 6]);
  await made.snapshot([4, 5, 6, 7, 8]);
  return made;
}

async function repository(version?: 1 | 2): Promise<Backend> {
  return (await history(version)).backend;
}

async function repairIndex(backend: Backend, o: IndexRepairOptions = {}): Promise<IndexRepairReport> {
  const repo = await openHarmed(backend);
  return applyIndexRepair(repo, await planIndexRepair(repo, o));
}

async function repairPacksOf(
  backend: Backend,
  ids: readonly Id[],
  copies = new Map<Id, Uint8Array>(),
): Promise<PacksRepairReport> {
  const saveCopy = async (pack: Id, content: Uint8Array) => {
    copies.set(pack, Uint8Array.from(content));
  };
  return repairPacks(await (await openHarmed(backend)).loadIndex(), ids, { saveCopy });
}

async function repairAll(backend: Backend, o: Partial<SnapshotsRepairOptions> = {}) {
  const indexed = await (await openHarmed(backend)).loadIndex();
  const changes: SnapshotChange[] = [];
  const report = await repairSnapshots(indexed, {
    snapshots: await indexed.repository.snapshots({ onDamaged: () => {} }),
    forget: true,
    onChange: (change) => changes.push(change),
    ...o,
  });
  return { ...report, changes };
}

/** Stops `work` after each of its writes in turn; `prove` looks at what is left, then at what a second run makes of it. */
async function stopEverywhere(
  backend: Backend,
  work: (backend: Backend) => Promise<unknown>,
  prove: (backend: Backend, done: boolean) => Promise<void>,
): Promise<number> {
  for (let writes = 0; ; writes++) {
    const copy = await cloneBackend(backend);
    const crash = crashAfter(writes);
    const outcome = await work(crash(copy)).catch((e: unknown) => e);
    if (crash.reached()) expect(outcome).toBeInstanceOf(Crash);
    await prove(copy, !crash.reached());
    if (!crash.reached()) return writes;
    await work(copy);
    await prove(copy, true);
  }
}

/** Each file of a snapshot that can be read, by path, with its bytes. */
async function filesIn(repo: IndexedRepository, tree: Id, path = ''): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { name, type, content, subtree } of (await repo.loadTree(tree)).nodes) {
    const below = `${path}/${toText(name)}`;
    if (subtree) for (const [p, c] of await filesIn(repo, subtree, below)) files.set(p, c);
    if (type !== 'file') continue;
    const parts = await Promise.all((content ?? []).map((id) => repo.loadBlob('data', id)));
    files.set(below, Buffer.concat(parts).toString('latin1'));
  }
  return files;
}

describe('repair index', () => {
  it('has nothing to do on a whole repository, and writes nothing', async () => {
    const writes = crashAfter(0);
    const report = await repairIndex(writes(await repository()));
    expect(report).toMatchObject({ reindexed: [], removed: [], indexFiles: { removed: 0, written: 0 } });
    expect(writes.reached()).toBe(false);
  });

  it.each([1, 2] as const)('makes an index where there is none (version %i)', async (version) => {
    const backend = await repository(version);
    const before = await expectWhole(backend);
    for (const name of await filesOf(backend, 'index')) await backend.remove({ type: 'index', name });
    const report = await repairIndex(backend);
    expect(report.reindexed.toSorted()).toEqual(await filesOf(backend, 'pack'));
    expect((await checked(backend)).findings).toEqual([]);
    expect((await expectWhole(backend)).blobs).toEqual(before.blobs);
  });

  it('replaces an index file that is damaged', async () => {
    const backend = await repository();
    const [index] = await filesOf(backend, 'index');
    await alter(backend, 'index', index!, flip(30));
    await repairIndex(backend);
    expect(await filesOf(backend, 'index')).not.toContain(index);
    expect((await checked(backend)).findings).toEqual([]);
  });

  it('drops a pack that is gone, and nothing else', async () => {
    const backend = await repository();
    const [pack] = await packsOf(backend, 'data');
    await backend.remove({ type: 'pack', name: pack!.id });
    const report = await repairIndex(backend);
    expect(report.removed).toEqual([pack!.id]);
    const { index } = await (await openHarmed(backend)).loadIndex();
    expect([...index.packs].sort()).toEqual(await filesOf(backend, 'pack'));
  });

  it('believes the storage rather than a listing that lags', async () => {
    const backend = await repository();
    const [pack] = await packsOf(backend, 'data');
    const lagging: Backend = {
      ...backend,
      async *list(type, o) {
        for await (const file of backend.list(type, o)) if (file.name !== pack!.id) yield file;
      },
    };
    expect(await repairIndex(lagging)).toMatchObject({ removed: [], reindexed: [] });
  });

  it('reads the header where index files contradict each other, are wrong, or list a pack twice', async () => {
    const backend = await repository();
    const packs = [...(await packsOf(backend, 'data')), ...(await packsOf(backend, 'tree'))];
    const [one, two, three] = packs;
    await replaceIndex(backend, packs.with(1, { id: two!.id, blobs: two!.blobs.slice(1) }));
    await addIndex(backend, [{ id: one!.id, blobs: one!.blobs.slice(1) }, three!]);
    await repairIndex(backend);
    expect((await checked(backend)).findings).toEqual([]);
  });

  it('with --read-all-packs corrects entries that hide behind the right size', async () => {
    const backend = await repository();
    const packs = [...(await packsOf(backend, 'data')), ...(await packsOf(backend, 'tree'))];
    const target = packs[0]!;
    const lie = target.blobs.map((b, i) => (i === 0 ? { ...b, id: idOf('another') } : b));
    await replaceIndex(backend, packs.with(0, { id: target.id, blobs: lie }));
    expect((await repairIndex(backend)).reindexed).toEqual([]);
    const report = await repairIndex(backend, { readAllPacks: true });
    expect(report.reindexed.toSorted()).toEqual(await filesOf(backend, 'pack'));
    expect((await checked(backend)).findings).toEqual([]);
  });

  it('keeps what is known of a pack that was cut off: its first blobs are still good', async () => {
    const backend = await repository();
    const [pack] = await packsOf(backend, 'data');
    await alter(backend, 'pack', pack!.id, (content) => content.subarray(0, content.length - 20));
    const report = await repairIndex(backend);
    expect(report).toMatchObject({ kept: [pack!.id], removed: [] });
    await expectWhole(backend);
  });

  it('drops a pack of which nothing is left', async () => {
    const backend = await repository();
    const [pack] = await packsOf(backend, 'data');
    await alter(backend, 'pack', pack!.id, () => Buffer.alloc(0));
    expect(await repairIndex(backend)).toMatchObject({ removed: [pack!.id], kept: [] });
  });

  it.each(['io', 'permission'] as const)('never drops a pack that fails with %s just now', async (code) => {
    const backend = await repository();
    const [pack] = await packsOf(backend, 'data');
    const error = () => new EngineError(code, 'not now');
    const where = { operation: 'load', type: 'pack', name: pack!.id, times: 99 } as const;
    const bad = faulty([{ kind: 'error', error, ...where }]);
    const report = await repairIndex(bad(backend), { readAllPacks: true });
    expect(report.unread).toMatchObject([{ pack: pack!.id }]);
    expect((await checked(backend)).findings).toEqual([]);
  });

  it('ends without a change when the storage is gone', async () => {
    const backend = await repository();
    const error = () => new EngineError('unreachable', 'unplugged');
    const gone = faulty([{ kind: 'error', error, operation: 'load', type: 'pack', skip: 1, times: 99 }]);
    const before = await filesOf(backend, 'index');
    await expect(repairIndex(gone(backend), { readAllPacks: true })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await filesOf(backend, 'index')).toEqual(expect.arrayContaining(before));
    expect((await checked(backend)).errors).toEqual([]);
  });

  it('stopped after any write leaves nothing worse, and completes when run again', async () => {
    const backend = await repository();
    const whole = await expectWhole(backend);
    const indexes = await filesOf(backend, 'index');
    await alter(backend, 'index', indexes[0]!, flip(30));
    const steps = await stopEverywhere(backend, repairIndex, async (left, done) => {
      if (!done) return;
      expect((await checked(left)).errors).toEqual([]);
      expect((await expectWhole(left)).blobs).toEqual(whole.blobs);
    });
    expect(steps).toBeGreaterThanOrEqual(3);
  });

  it('stopped after any write of a complete rebuild leaves a repository without errors', async () => {
    const backend = await repository();
    const work = (b: Backend) => repairIndex(b, { readAllPacks: true });
    await stopEverywhere(backend, work, async (left) => {
      expect((await checked(left)).errors).toEqual([]);
    });
  });
});

describe('repair packs', () => {
  it.each([
    ['a turned bit in one blob', 1, (blob: { offset: number }) => flip(blob.offset + 20)],
    ['a turned bit in the header', 0, () => flip(-10)],
    ['its end cut off', 0, () => (content: Buffer) => content.subarray(0, content.length - 30)],
  ])('saves all that opens from a pack with %s', async (_, lost, damage) => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await alter(backend, 'pack', pack.id, damage(pack.blobs[0]!));
    const damaged = Buffer.from(await backend.load({ type: 'pack', name: pack.id }));
    const copies = new Map<Id, Uint8Array>();
    const report = await repairPacksOf(backend, [pack.id], copies);
    expect(report.removed).toEqual([pack.id]);
    expect(report.lost).toHaveLength(lost);
    expect(report.salvaged).toBe(pack.blobs.length - lost);
    expect(Buffer.from(copies.get(pack.id)!).equals(damaged)).toBe(true);
    expect(await filesOf(backend, 'pack')).not.toContain(pack.id);
    const { kinds } = await checked(backend);
    expect(kinds).toEqual(lost > 0 ? ['blob-missing'] : []);
  });

  it('names the blob that is lost, and knows when another pack has it', async () => {
    const made = await history();
    const pack = (await packsOf(made.backend, 'data'))[0]!;
    const lost = pack.blobs[0]!;
    const number = [1, 2, 3, 4, 5, 6, 7, 8].find((n) => idOfContent(n) === lost.id)!;
    await made.duplicate([number]);
    await alter(made.backend, 'pack', pack.id, flip(lost.offset + 20));
    const report = await repairPacksOf(made.backend, [pack.id]);
    expect(report.lost).toEqual([{ pack: pack.id, type: 'data', blob: lost.id, elsewhere: true }]);
    expect((await checked(made.backend)).errors).toEqual([]);
  });

  it('takes a pack that is gone out of the index', async () => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await backend.remove({ type: 'pack', name: pack.id });
    const report = await repairPacksOf(backend, [pack.id]);
    expect(report).toMatchObject({ salvaged: 0, withoutCopy: [pack.id] });
    expect((await checked(backend)).kinds).toEqual(['blob-missing']);
  });

  it('finds blobs by the header that the index does not know', async () => {
    const backend = await repository();
    const whole = await expectWhole(backend);
    const packs = [...(await packsOf(backend, 'data')), ...(await packsOf(backend, 'tree'))];
    const pack = packs[0]!;
    await replaceIndex(backend, packs.with(0, { id: pack.id, blobs: pack.blobs.slice(1) }));
    await repairPacksOf(backend, [pack.id]);
    expect((await checked(backend)).findings).toEqual([]);
    expect((await expectWhole(backend)).blobs).toEqual(whole.blobs);
  });

  it('removes nothing when the copy cannot be kept, or the storage does not answer', async () => {
    const backend = await repository();
    const before = await filesOf(backend, 'pack');
    const indexed = await (await openHarmed(backend)).loadIndex();
    const saveCopy = () => Promise.reject(new EngineError('conflict', 'it is there already'));
    await expect(repairPacks(indexed, [before[0]!], { saveCopy })).rejects.toMatchObject({
      code: 'conflict',
    });
    const error = () => new EngineError('unreachable', 'unplugged');
    const gone = faulty([{ kind: 'error', error, operation: 'load', type: 'pack', times: 99 }]);
    await expect(repairPacksOf(gone(backend), [before[0]!])).rejects.toMatchObject({ code: 'unreachable' });
    expect(await filesOf(backend, 'pack')).toEqual(before);
    expect((await checked(backend)).findings).toEqual([]);
  });

  it('stopped after any write has lost nothing that was good', async () => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await alter(backend, 'pack', pack.id, flip(-10));
    const whole = await expectWhole(backend);
    const work = (b: Backend) => repairPacksOf(b, [pack.id]);
    const steps = await stopEverywhere(backend, work, async (left, done) => {
      expect((await expectWhole(left)).blobs).toEqual(whole.blobs);
      const { kinds } = await checked(left);
      expect(done ? [] : ['pack-damaged']).toEqual(expect.arrayContaining([...kinds]));
    });
    expect(steps).toBeGreaterThanOrEqual(4);
  });
});

function idOfContent(n: number): Id {
  return sha256(contentOf(n));
}

describe('repair snapshots', () => {
  it('leaves whole snapshots alone and writes nothing', async () => {
    const writes = crashAfter(0);
    const { results, changes } = await repairAll(writes(await repository()));
    expect(results.map(({ outcome }) => outcome)).toEqual(['intact', 'intact']);
    expect(changes).toEqual([]);
    expect(writes.reached()).toBe(false);
  });

  it('takes lost content out of files and keeps all the rest', async () => {
    const backend = await repository();
    const before = await contents(backend);
    const pack = (await packsOf(backend, 'data'))[0]!;
    await backend.remove({ type: 'pack', name: pack.id });
    await repairIndex(backend);
    const { changes } = await repairAll(backend);
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(['content-removed']));
    expect((await checked(backend)).findings).toEqual([]);
    const lost = new Set(changes.map(({ path }) => toText(path)));
    for (const files of before) for (const path of lost) if (files.has(path)) files.set(path, '');
    expect(await contents(backend)).toEqual(before);
  });

  it('empties folders that are lost', async () => {
    const backend = await repository();
    const tree = (await packsOf(backend, 'tree')).flatMap(({ blobs }) => blobs);
    const indexed = await (await openHarmed(backend)).loadIndex();
    const roots = new Set((await indexed.repository.snapshots()).map((s) => s.tree));
    const target = tree.find((b) => !roots.has(b.id) && b.length > 100)!;
    const at = indexed.index.get('tree', target.id)!;
    await alter(backend, 'pack', at.pack, flip(at.offset + 20));
    await repairPacksOf(backend, [at.pack]);
    const { changes, results } = await repairAll(backend);
    expect(changes.map(({ kind }) => kind)).toEqual(['folder-emptied']);
    expect(results.filter(({ outcome }) => outcome === 'repaired').length).toBeGreaterThan(0);
    expect((await checked(backend)).errors).toEqual([]);
  });

  it('marks the new snapshot, names the old one in it, and keeps the old one unless told to forget', async () => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await backend.remove({ type: 'pack', name: pack.id });
    await repairIndex(backend);
    const old = await filesOf(backend, 'snapshot');
    const { results } = await repairAll(backend, { forget: false });
    const repo = await openHarmed(backend);
    expect(await filesOf(backend, 'snapshot')).toEqual(expect.arrayContaining(old));
    for (const { outcome, newId, snapshot } of results) {
      if (outcome !== 'repaired') continue;
      const made = await repo.loadSnapshot(newId!);
      expect(made).toMatchObject({ original: snapshot.id, tags: ['repaired'], time: snapshot.time });
    }
  });

  it('changes nothing in a dry run but tells the same', async () => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await backend.remove({ type: 'pack', name: pack.id });
    await repairIndex(backend);
    const writes = crashAfter(0);
    const dry = await repairAll(writes(backend), { dryRun: true });
    expect(writes.reached()).toBe(false);
    const real = await repairAll(backend);
    expect(real.changes).toEqual(dry.changes);
    expect(real.results.map((r) => r.outcome)).toEqual(dry.results.map((r) => r.outcome));
  });

  it('removes a snapshot whose root is lost only with forget', async () => {
    const { backend } = await History.create();
    const repo = await openHarmed(backend);
    const id = await repo.saveSnapshot({ time: time(), tree: idOf('lost'), paths: ['/x'] });
    expect((await repairAll(backend, { forget: false })).results).toMatchObject([
      { outcome: 'lost', removed: false },
    ]);
    expect(await filesOf(backend, 'snapshot')).toEqual([id]);
    expect((await repairAll(backend)).results).toMatchObject([{ outcome: 'lost', removed: true }]);
    expect(await filesOf(backend, 'snapshot')).toEqual([]);
  });

  it.each([
    ['odd types', [node('a', 'irregular'), node('b', 'fifo')], ['b']],
    ['names out of order', [node('b', 'fifo'), node('a', 'fifo')], ['a', 'b']],
    ['names twice', [node('a', 'fifo'), node('a', 'fifo')], ['a', 'a~1']],
    ['names that no folder can hold', [node('', 'fifo'), node('../x', 'fifo')], ['.._x~1', 'unnamed~1']],
    ['folders and files without content', [node('d', 'dir'), node('f', 'file')], ['d', 'f']],
    ['wrong sizes', [node('f', 'file', { content: [], size: 5 })], ['f']],
  ] as const)('puts %s in order', async (_, nodes: readonly Node[], names) => {
    const { backend } = await History.create();
    const indexed = await (await openHarmed(backend)).loadIndex();
    const tree = await saveNodes(indexed, nodes);
    await indexed.repository.saveSnapshot({ time: time(), tree, paths: ['/x'] });
    await repairAll(backend);
    expect((await checked(backend)).findings).toEqual([]);
    const after = await (await openHarmed(backend)).loadIndex();
    const [snapshot] = await after.repository.snapshots();
    const left = (await after.loadTree(snapshot!.tree)).nodes.map((n) => toText(n.name));
    expect(left).toEqual(names);
  });

  it('does not take a tree for lost that the storage does not give just now', async () => {
    const backend = await repository();
    const error = () => new EngineError('io', 'bad sector');
    const bad = faulty([{ kind: 'error', error, operation: 'load', type: 'pack', times: 99 }]);
    const before = await filesOf(backend, 'snapshot');
    await expect(repairAll(bad(backend))).rejects.toMatchObject({ code: 'io' });
    expect(await filesOf(backend, 'snapshot')).toEqual(before);
  });

  it('stopped after any write has every snapshot, old or new', async () => {
    const backend = await repository();
    const pack = (await packsOf(backend, 'data'))[0]!;
    await backend.remove({ type: 'pack', name: pack.id });
    await repairIndex(backend);
    const roots = async (b: Backend) =>
      new Set((await (await openHarmed(b)).snapshots()).map((s) => s.original ?? s.id));
    const before = await roots(backend);
    const steps = await stopEverywhere(backend, repairAll, async (left, done) => {
      expect(await roots(left)).toEqual(before);
      if (done) expect((await checked(left)).errors).toEqual([]);
    });
    expect(steps).toBeGreaterThanOrEqual(4);
  });
});

async function contents(backend: Backend): Promise<Map<string, string>[]> {
  const indexed = await (await openHarmed(backend)).loadIndex();
  const snapshots = await indexed.repository.snapshots();
  return Promise.all(snapshots.map(({ tree }) => filesIn(indexed, tree)));
}

describe('recover', () => {
  const who = { hostname: 'host', username: 'user', programVersion: 'holdfast test' };
  const run = async (backend: Backend) => recover(await (await openHarmed(backend)).loadIndex(), who);

  it('finds nothing where every tree is in a snapshot', async () => {
    const writes = crashAfter(0);
    expect(await run(writes(await repository()))).toMatchObject({ roots: [], snapshotId: undefined });
    expect(writes.reached()).toBe(false);
  });

  it('brings back what was forgotten, and only that', async () => {
    const made = await history();
    const [first] = await (await openHarmed(made.backend)).snapshots();
    const before = (await contents(made.backend))[0]!;
    await made.forget(first!.id);
    const { roots, snapshotId } = await run(made.backend);
    expect(roots).toEqual([first!.tree]);
    const indexed = await (await openHarmed(made.backend)).loadIndex();
    const snapshot = await indexed.repository.loadSnapshot(snapshotId!);
    expect(snapshot).toMatchObject({ paths: ['/recover'], tags: ['recovered'], hostname: 'host' });
    const found = await filesIn(indexed, snapshot.tree);
    const folder = `/${first!.tree.slice(0, 8)}`;
    expect(found).toEqual(new Map([...before].map(([path, content]) => [folder + path, content])));
    expect((await checked(made.backend)).findings).toEqual([]);
    expect((await run(made.backend)).roots).toEqual([]);
  });

  it('leaves damaged trees out', async () => {
    const made = await history();
    const [first] = await (await openHarmed(made.backend)).snapshots();
    await made.forget(first!.id);
    const { index } = await (await openHarmed(made.backend)).loadIndex();
    const at = index.get('tree', first!.tree)!;
    await alter(made.backend, 'pack', at.pack, flip(at.offset + 20));
    const { roots, damagedTrees } = await run(made.backend);
    expect(damagedTrees).toBe(1);
    expect(roots).not.toContain(first!.tree);
  });
});
