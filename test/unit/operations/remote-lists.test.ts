import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Backend, FileInfo, Handle } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import type { Id } from '../../../src/format/types.ts';
import { check } from '../../../src/operations/check.ts';
import { applyPrune, planPrune } from '../../../src/operations/prune.ts';
import { History } from '../../helpers/history.ts';
import { alter, checked, filesOf, flip, openHarmed } from '../../helpers/memory-damage.ts';

/** A service that keeps checksums of what it really holds, and counts what is read from it. */
function withChecksums(inner: Backend, kind: 'sha256' | 'md5' = 'sha256') {
  const read: Handle[] = [];
  const backend: Backend = {
    ...inner,
    async load(h, o) {
      if (o?.length === undefined) read.push(h);
      return inner.load(h, o);
    },
    async *list(type, o) {
      for await (const file of inner.list(type, o)) {
        if (!o?.checksums) yield file;
        else {
          const bytes = await inner.load({ type, name: file.name });
          yield { ...file, checksum: { kind, value: createHash(kind).update(bytes).digest('hex') } };
        }
      }
    },
  };
  return { backend, packsRead: () => read.filter(({ type }) => type === 'pack').map(({ name }) => name) };
}

interface Lag {
  /** Files that are there and that no list shows. */
  readonly hidden: Set<string>;
  /** When files came, where that is not long ago. */
  readonly storedAt: Map<string, number>;
}

const LONG_AGO = 1_000_000;

function lagging(inner: Backend, { hidden, storedAt }: Lag): Backend {
  const dated = (file: FileInfo) => ({ ...file, storedAt: storedAt.get(file.name) ?? LONG_AGO });
  return {
    ...inner,
    traits: { ...inner.traits, listLag: true },
    async *list(type, o) {
      for await (const file of inner.list(type, o)) if (!hidden.has(file.name)) yield dated(file);
    },
  };
}

async function history(): Promise<History> {
  const made = await History.create({}, createMemory());
  await made.snapshot([1, 2, 3, 4, 5, 6]);
  await made.snapshot([4, 5, 6, 7, 8]);
  return made;
}

describe('checksums of the service', () => {
  it('prove all packs without a byte of them being read', async () => {
    const { backend, packsRead } = withChecksums((await history()).backend);
    const { report, findings } = await checked(backend, { remoteChecksums: true });
    expect(findings).toEqual([]);
    expect(report.packsProven).toBe(report.packs);
    expect(report).toMatchObject({ readPacks: 0, packsCovered: report.packs });
    expect(packsRead()).toEqual([]);
  });

  it('name a pack that is not what was stored', async () => {
    const { backend: inner } = await history();
    const [pack] = await filesOf(inner, 'pack');
    await alter(inner, 'pack', pack!, flip(20));
    const { backend } = withChecksums(inner);
    const findings: { kind: string; pack?: Id }[] = [];
    const onFinding = (finding: { kind: string; pack?: Id }) => findings.push(finding);
    const report = await check(await openHarmed(backend), { remoteChecksums: true, onFinding });
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'pack-damaged', pack }));
    expect(report.brokenPacks).toContain(pack);
    expect(report.packsProven).toBe(report.packs - 1);
    // Unless it is asked for them, nothing of it shows.
    const without = await check(await openHarmed(backend), { onFinding: () => undefined });
    expect(without.packsProven).toBeUndefined();
  });

  it('of another kind prove nothing, so that all is read', async () => {
    const { backend, packsRead } = withChecksums((await history()).backend, 'md5');
    const { report } = await checked(backend, { remoteChecksums: true });
    expect(report).toMatchObject({ errors: 0, packsProven: 0, readPacks: report.packs });
    expect(new Set(packsRead()).size).toBe(report.packs);
  });
});

describe('a storage whose lists lag', () => {
  it('has no pack missing that it shows when asked by name', async () => {
    const { backend } = await history();
    const [pack, gone] = await filesOf(backend, 'pack');
    const late = lagging(backend, { hidden: new Set([pack!]), storedAt: new Map() });
    const { report, errors } = await checked(late);
    expect(errors).toEqual([]);
    expect(report.packs).toBe((await filesOf(backend, 'pack')).length);
    await backend.remove({ type: 'pack', name: gone! });
    const { errors: then } = await checked(late);
    expect(then).toContainEqual(expect.objectContaining({ kind: 'pack-missing', pack: gone }));
  });

  it('keeps its young packs that no index lists until the next clean-up', async () => {
    const made = await history();
    await made.orphan();
    const known = new Set(await filesOf(made.backend, 'pack'));
    await made.orphan();
    const [young] = (await filesOf(made.backend, 'pack')).filter((pack) => !known.has(pack));
    const now = LONG_AGO + 365 * 86_400_000;
    const storedAt = new Map([[young as string, now - 3_600_000]]);
    const late = lagging(made.backend, { hidden: new Set(), storedAt });
    const plan = await planPrune(await made.open(late), { now, repackSmallerThan: 1 });
    expect(plan.unreferenced).toHaveLength(1);
    await applyPrune(plan);
    expect(await filesOf(made.backend, 'pack')).toContain(young);
    const later = await planPrune(await made.open(late), { now: now + 86_400_000, repackSmallerThan: 1 });
    expect(later.unreferenced).toEqual([young]);
  });

  it('loses nothing to a clean-up that a list does not show', async () => {
    const made = await history();
    const [pack] = await filesOf(made.backend, 'pack');
    const late = lagging(made.backend, { hidden: new Set([pack!]), storedAt: new Map() });
    const plan = await planPrune(await made.open(late), { repackSmallerThan: 1 });
    expect(plan).toMatchObject({ missing: [], unreferenced: [] });
  });
});
