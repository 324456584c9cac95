import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError, isEngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import type { Id } from '../../../src/format/types.ts';
import { applyPrune, type PruneRules, planPrune } from '../../../src/operations/prune.ts';
import { crashAfter, faulty } from '../../helpers/faulty.ts';
import { cloneBackend, History } from '../../helpers/history.ts';
import { expectWhole } from '../../helpers/whole.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Packs of a test are tiny, so all would count as small. */
const NONE_SMALL = { repackSmallerThan: 1 } as const;

async function prune(history: History, rules: PruneRules = NONE_SMALL, backend?: Backend) {
  const plan = await planPrune(await history.open(backend), rules);
  const outcome = await applyPrune(plan);
  return { plan, outcome };
}

/** Half of the data is unused, spread over the packs; some is there twice. */
async function worn(version: 1 | 2 = 2): Promise<History> {
  const history = await History.create({ version });
  const old = await history.snapshot(range(0, 40));
  await history.snapshot(range(20, 60));
  await history.snapshot(range(50, 70));
  await history.duplicate(range(30, 45));
  await history.orphan();
  await history.forget(old);
  return history;
}

describe('prune', () => {
  it.each([1, 2] as const)('removes exactly what no snapshot needs (version %i)', async (version) => {
    const history = await worn(version);
    const before = await expectWhole(history.backend);
    const { plan } = await prune(history, { ...NONE_SMALL, maxUnused: { percent: 0 } });
    const after = await expectWhole(history.backend);
    expect(after.blobs).toEqual(before.blobs);
    expect(after.orphans).toEqual([]);
    const left = [...after.indexed.index].map(({ type, id }) => `${type} ${id}`).sort();
    expect(left).toEqual([...before.blobs].sort());
    expect(plan.stats.blobs).toMatchObject({ remaining: left.length, total: before.indexed.index.size });
    expect(plan.stats.bytes.remaining_unused).toBe(0);
  });

  it('has nothing to do a second time', async () => {
    const history = await worn();
    await prune(history, { ...NONE_SMALL, maxUnused: { percent: 0 } });
    const again = await planPrune(await history.open(), NONE_SMALL);
    expect(again).toMatchObject({ unreferenced: [], remove: [], repack: [], missing: [] });
  });

  it('changes nothing while it plans', async () => {
    const history = await worn();
    const writes = crashAfter(0);
    await planPrune(await history.open(writes(history.backend)), { maxUnused: { bytes: 0 } });
    expect(writes.reached()).toBe(false);
  });

  it('repacks small packs when there are many', async () => {
    const history = await History.create();
    for (const n of range(0, 12)) await history.snapshot([n]);
    const { plan } = await prune(history, {});
    expect(plan.repack.length).toBeGreaterThanOrEqual(12);
    const { indexed } = await expectWhole(history.backend);
    expect(indexed.index.packs.length).toBeLessThan(plan.repack.length);
    // Those left over are too few to be repacked again and again.
    expect((await planPrune(await history.open(), {})).repack).toEqual([]);
  });

  it('leaves packs alone as it is told', async () => {
    const history = await worn();
    const planned = async (rules: PruneRules) => planPrune(await history.open(), { ...NONE_SMALL, ...rules });
    expect((await planned({ maxUnused: { bytes: 0 } })).repack).not.toEqual([]);
    const unlimited = await planned({ maxUnused: 'unlimited' });
    const { indexed } = await expectWhole(history.backend);
    const kinds = (ids: readonly Id[]) =>
      new Set([...indexed.index].filter((b) => ids.includes(b.pack)).map((b) => b.type));
    // Trees are repacked whatever may stay unused: a cache holds them.
    expect([...kinds(unlimited.repack)]).toEqual(['tree']);
    expect((await planned({ maxRepackBytes: 0 })).repack).toEqual([]);
    const cacheable = await planned({ maxUnused: { bytes: 0 }, repackCacheableOnly: true });
    expect([...kinds(cacheable.repack)]).toEqual(['tree']);
  });

  it('compresses what was stored plain', async () => {
    const history = await History.create();
    const id = await history.snapshot(range(0, 20));
    const before = await expectWhole(history.backend);
    expect([...before.indexed.index].some((b) => b.uncompressedLength === 0)).toBe(true);
    await prune(history, { ...NONE_SMALL, repackUncompressed: true });
    const { indexed, snapshots } = await expectWhole(history.backend);
    expect(snapshots.map((s) => s.id)).toEqual([id]);
    expect([...indexed.index].filter((b) => b.uncompressedLength === 0)).toEqual([]);
    // Tried is tried: what does not get smaller is not gone through each time.
    const again = await planPrune(await history.open(), { ...NONE_SMALL, repackUncompressed: true });
    expect(again.repack).toEqual([]);
  });

  it('counts snapshots that are to be ignored as gone', async () => {
    const history = await History.create();
    const id = await history.snapshot(range(0, 10));
    const plan = await planPrune(await history.open(), { ignoreSnapshots: new Set([id]) });
    expect(plan.stats.blobs.used).toBe(0);
    expect(plan.remove.length).toBe(plan.stats.packfiles.unused);
  });

  it('recovers a full disk the unsafe way', async () => {
    const history = await worn();
    const before = await expectWhole(history.backend);
    const plan = await planPrune(await history.open(), { maxRepackBytes: 0 });
    await applyPrune(plan, { unsafeRecovery: true });
    const after = await expectWhole(history.backend);
    expect(after.blobs).toEqual(before.blobs);
    expect(after.orphans).toEqual([]);
  });

  it('leaves less than may be unused, and every snapshot whole, whatever happened before', async () => {
    const content = fc.array(fc.nat(80), { minLength: 1, maxLength: 30 });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), content }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('forget' as const), which: fc.nat(20) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('duplicate' as const), content }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('orphan' as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('prune' as const),
          percent: fc.integer({ min: 0, max: 60 }),
          maxRepackBytes: fc.option(fc.nat(20_000), { nil: undefined }),
          small: fc.boolean(),
        }),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1 as const, 2 as const),
        fc.array(step, { maxLength: 14 }),
        async (version, steps) => {
          const history = await History.create({ version });
          const alive: Id[] = [];
          for (const s of steps) {
            if (s.kind === 'snapshot') alive.push(await history.snapshot([...new Set(s.content)]));
            else if (s.kind === 'duplicate') await history.duplicate([...new Set(s.content)]);
            else if (s.kind === 'orphan') await history.orphan();
            else if (s.kind === 'forget') {
              const [id] = alive.splice(s.which % Math.max(1, alive.length), 1);
              if (id) await history.forget(id);
            } else {
              const needed = (await expectWhole(history.backend)).blobs;
              const { plan } = await prune(history, {
                maxUnused: { percent: s.percent },
                ...(s.maxRepackBytes === undefined ? {} : { maxRepackBytes: s.maxRepackBytes }),
                ...(s.small ? {} : NONE_SMALL),
              });
              const after = await expectWhole(history.backend);
              expect(after.snapshots.map((snapshot) => snapshot.id).sort()).toEqual([...alive].sort());
              expect(after.blobs).toEqual(needed);
              expect(after.orphans).toEqual([]);
              const { remaining, remaining_unused } = plan.stats.bytes;
              const stored = [...after.indexed.index];
              expect(stored.length).toBe(plan.stats.blobs.remaining);
              if (version === 1) expect(stored.reduce((sum, b) => sum + b.length, 0)).toBe(remaining);
              if (s.maxRepackBytes === undefined) {
                expect(remaining_unused * 100).toBeLessThanOrEqual(Math.max(0, s.percent * remaining));
              }
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a prune that must not run', () => {
  async function refusal(history: History, rules: PruneRules = {}): Promise<EngineError> {
    const writes = crashAfter(0);
    const error = await planPrune(await history.open(writes(history.backend)), rules).catch(
      (e: unknown) => e,
    );
    expect(writes.reached()).toBe(false);
    if (!isEngineError(error)) throw new Error('it was not refused');
    return error;
  }

  it('does not guess what a damaged snapshot needs', async () => {
    const history = await worn();
    const id = 'f'.repeat(64) as Id;
    await history.backend.save({ type: 'snapshot', name: id }, [Buffer.from('no snapshot')]);
    expect(await refusal(history)).toMatchObject({ code: 'damaged', message: expect.stringContaining(id) });
  });

  it('does not guess what a damaged tree needs', async () => {
    const history = await worn();
    const { indexed, snapshots } = await expectWhole(history.backend);
    const root = indexed.index.get('tree', snapshots[0]!.tree)!;
    const pack = Buffer.from(await history.backend.load({ type: 'pack', name: root.pack }));
    pack[root.offset + 20]! ^= 1;
    await history.backend.save({ type: 'pack', name: root.pack }, [pack]);
    expect(await refusal(history)).toMatchObject({
      code: 'damaged',
      message: expect.stringContaining(root.id),
    });
  });

  it('does not take packs of a damaged index for unreferenced', async () => {
    const history = await worn();
    const [id] = (await (await history.open()).files.ids('index'))!;
    await history.backend.save({ type: 'index', name: id! }, [Buffer.from('no index')]);
    expect(await refusal(history)).toMatchObject({ code: 'damaged', message: expect.stringContaining(id!) });
  });

  it('stops where needed data is in no index', async () => {
    const history = await worn();
    for (const id of await (await history.open()).files.ids('index')) {
      await history.backend.remove({ type: 'index', name: id });
    }
    expect(await refusal(history)).toMatchObject({
      code: 'damaged',
      hint: expect.stringContaining('repair index'),
    });
  });

  it('names needed packs that are gone', async () => {
    const history = await worn();
    const { indexed, snapshots } = await expectWhole(history.backend);
    const { pack } = indexed.index.get('data', (await firstFile(indexed, snapshots[0]!.tree))!)!;
    await history.backend.remove({ type: 'pack', name: pack });
    expect(await refusal(history)).toMatchObject({ code: 'damaged', message: expect.stringContaining(pack) });
  });

  it('stops where a pack has another size than its index says', async () => {
    const history = await worn();
    const { indexed, snapshots } = await expectWhole(history.backend);
    const { pack } = indexed.index.get('data', (await firstFile(indexed, snapshots[0]!.tree))!)!;
    const bytes = await history.backend.load({ type: 'pack', name: pack });
    await history.backend.save({ type: 'pack', name: pack }, [bytes, Buffer.from('more')]);
    expect(await refusal(history)).toMatchObject({ code: 'damaged', message: expect.stringContaining(pack) });
  });

  it('refuses rules that make no sense', async () => {
    const history = await worn(1);
    expect(await refusal(history, { repackUncompressed: true })).toMatchObject({ code: 'usage' });
    expect(await refusal(history, { repackSmallerThan: 1 << 30 })).toMatchObject({ code: 'usage' });
  });

  async function firstFile(
    indexed: Awaited<ReturnType<typeof expectWhole>>['indexed'],
    tree: Id,
  ): Promise<Id | undefined> {
    for (const { content, subtree } of (await indexed.loadTree(tree)).nodes) {
      if (content?.[0]) return content[0];
      const below: Id | undefined = subtree && (await firstFile(indexed, subtree));
      if (below) return below;
    }
    return undefined;
  }
});

describe('a prune in trouble', () => {
  it('takes a damaged blob from the pack that has it whole', async () => {
    const history = await History.create();
    const id = await history.snapshot(range(0, 30));
    await history.snapshot(range(0, 30).filter((n) => n % 3 === 0));
    await history.duplicate(range(0, 30));
    await history.forget(id);
    const plan = await planPrune(await history.open(), { ...NONE_SMALL, maxUnused: { bytes: 0 } });
    const { index } = plan.repository;
    const victim = index.at([...plan.entries].find((entry) => index.typeOf(entry) === 'data')!);
    expect(index.copies('data', victim.id).length).toBe(2);
    const pack = Buffer.from(await history.backend.load({ type: 'pack', name: victim.pack }));
    pack[victim.offset + 20]! ^= 1;
    await history.backend.save({ type: 'pack', name: victim.pack }, [pack]);
    await applyPrune(plan);
    await expectWhole(history.backend);
  });

  it('removes nothing when a needed blob is whole in no pack', async () => {
    const history = await worn();
    const plan = await planPrune(await history.open(), { ...NONE_SMALL, maxUnused: { bytes: 0 } });
    const { index } = plan.repository;
    const alone = [...plan.entries].find(
      (entry) => index.typeOf(entry) === 'data' && index.copies('data', index.at(entry).id).length === 1,
    )!;
    const victim = index.at(alone);
    const pack = Buffer.from(await history.backend.load({ type: 'pack', name: victim.pack }));
    pack[victim.offset + 20]! ^= 1;
    await history.backend.save({ type: 'pack', name: victim.pack }, [pack]);
    await expect(applyPrune(plan)).rejects.toMatchObject({ code: 'damaged', context: { blob: victim.id } });
    const repo = await history.open();
    const packs = new Set(await repo.files.ids('pack'));
    expect([...plan.remove, ...plan.repack].filter((id) => !packs.has(id))).toEqual([]);
  });

  it.each([0, 1, 2, 3])('frees what it can on a disk that is full after %i packs', async (room) => {
    const history = await worn();
    // Whichever copy of a duplicate is kept: half of what lies in these packs goes, so that more than 3 are written.
    const mixed = await history.snapshot(range(100, 160));
    await history.snapshot(range(100, 160).filter((n) => n % 4 < 2));
    await history.forget(mixed);
    const before = await expectWhole(history.backend);
    const full = faulty([
      {
        kind: 'error',
        operation: 'save',
        type: 'pack',
        skip: room,
        error: () => new EngineError('no-space', 'The disk is full.'),
      },
    ]);
    const plan = await planPrune(await history.open(full(history.backend)), {
      ...NONE_SMALL,
      maxUnused: { bytes: 0 },
    });
    let told = 0;
    await applyPrune(plan, { onNoSpace: () => told++ });
    expect(told).toBe(1);
    const after = await expectWhole(history.backend);
    expect(after.blobs).toEqual(before.blobs);
    expect(after.orphans).toEqual([]);
    const again = await planPrune(await history.open(), { ...NONE_SMALL, maxUnused: { bytes: 0 } });
    expect(again.stats.blobs.unused).toBe(0);
  });

  it('says that the disk is full when not even a few packs can be repacked, having freed the rest', async () => {
    const history = await worn();
    const before = await expectWhole(history.backend);
    const error = () => new EngineError('no-space', 'The disk is full.');
    const full = faulty([{ kind: 'error', operation: 'save', type: 'pack', times: 1e9, error }]);
    const plan = await planPrune(await history.open(full(history.backend)), {
      ...NONE_SMALL,
      maxUnused: { bytes: 0 },
    });
    await expect(applyPrune(plan)).rejects.toMatchObject({ code: 'no-space' });
    const after = await expectWhole(history.backend);
    expect(after.blobs).toEqual(before.blobs);
    for (const id of plan.remove) expect(after.indexed.index.hasPack(id)).toBe(false);
  });

  it('carries on when packs cannot be removed, and the next run removes them', async () => {
    const history = await worn();
    const error = () => new EngineError('permission', 'No.');
    const stuck = faulty([{ kind: 'error', operation: 'remove', type: 'pack', times: 2, error }]);
    const kept: Id[] = [];
    const plan = await planPrune(await history.open(stuck(history.backend)), {
      ...NONE_SMALL,
      maxUnused: { bytes: 0 },
    });
    const outcome = await applyPrune(plan, { onKeptPack: (id) => kept.push(id) });
    expect(outcome.keptPacks).toBe(2);
    expect([...(await expectWhole(history.backend)).orphans].sort()).toEqual(kept.sort());
    await prune(history);
    expect((await expectWhole(history.backend)).orphans).toEqual([]);
  });

  it('leaves a whole repository wherever it is stopped, and the next run completes it', async () => {
    const history = await worn();
    const needed = (await expectWhole(history.backend)).blobs;
    const rules = { ...NONE_SMALL, maxUnused: { bytes: 0 } } as const;
    for (let writes = 0; ; writes++) {
      const backend = await cloneBackend(history.backend);
      const crash = crashAfter(writes);
      await prune(history, rules, crash(backend)).catch((e: unknown) => {
        if (!crash.reached()) throw e;
      });
      const stopped = await expectWhole(backend);
      expect(stopped.blobs).toEqual(needed);
      await prune(history, rules, backend);
      const after = await expectWhole(backend);
      expect(after.blobs).toEqual(needed);
      expect(after.orphans).toEqual([]);
      expect(after.indexed.index.size).toBe(needed.size);
      if (!crash.reached()) break;
      expect(writes).toBeLessThan(200);
    }
  });
});
