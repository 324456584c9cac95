/** Backups that are stopped: what is left is whole, and the next run goes on with it. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { ItemEvent } from '../../../src/archiver/progress.ts';
import { buildRoots } from '../../../src/archiver/roots.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import type { StoredSnapshot, Timestamp } from '../../../src/format/types.ts';
import { adoptPacks } from '../../../src/operations/adopt-packs.ts';
import { type BackupOptions, backup } from '../../../src/operations/backup.ts';
import { findParent } from '../../../src/operations/parent.ts';
import { openRepository } from '../../../src/repository/repository.ts';
import { fromText, toText } from '../../../src/util/byte-string.ts';
import { crashAfter } from '../../helpers/faulty.ts';
import { cloneBackend } from '../../helpers/history.ts';
import { filesOf } from '../../helpers/memory-damage.ts';
import { idOf, memoryRepository, PASSWORD } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { file, tree, writeTree } from '../../helpers/tree.ts';
import { expectWhole } from '../../helpers/whole.ts';

const temp = useTemp();
const FILES = 40;
const BYTES = 3000;

/** Forty files that nothing compresses, for packs of a few of them each. */
function source(): string {
  const at = temp.dir('source');
  const entries = Array.from({ length: FILES }, (_, i) => [`f${i}`, file({ seed: i, size: BYTES })] as const);
  writeTree(join(at, 'tree'), tree(Object.fromEntries(entries)));
  return at;
}

async function emptyRepository(): Promise<Backend> {
  const backend = createMemory();
  await memoryRepository({ backend });
  return backend;
}

function options(folder: string, o: Partial<BackupOptions> = {}): BackupOptions {
  const roots = buildRoots([fromText('tree')], fromText(folder));
  return {
    source: { roots },
    selection: { byName: () => undefined, byStat: () => undefined },
    paths: [join(folder, 'tree')],
    hostname: 'h',
    username: 'u',
    uid: 0,
    gid: 0,
    programVersion: 'test',
    threads: 1,
    ...o,
  };
}

async function run(backend: Backend, folder: string, o: Partial<BackupOptions> & { adopt?: boolean } = {}) {
  const { adopt, ...rest } = o;
  const repository = await openRepository(backend, {
    password: PASSWORD,
    repository: { packBytes: 20_000 },
  });
  const indexed = await repository.loadIndex();
  const adopted = adopt ? await adoptPacks(indexed) : undefined;
  return { ...(await backup(indexed, options(folder, rest))), adopted };
}

describe('a backup that dies after any number of writes', () => {
  it('leaves a whole repository, and the next one stores only what is missing', {
    timeout: 120_000,
  }, async () => {
    const folder = source();
    const before = await emptyRepository();
    for (let writes = 0; ; writes++) {
      const backend = await cloneBackend(before);
      const crash = crashAfter(writes);
      await run(crash(backend), folder).catch((e: unknown) => {
        if (!crash.reached()) throw e;
      });
      const { snapshots } = await expectWhole(backend);
      expect(snapshots).toHaveLength(crash.reached() ? 0 : 1);
      const stored = await filesOf(backend, 'pack');
      const { summary } = await run(backend, folder, { adopt: true });
      const after = await expectWhole(backend);
      expect(after.orphans).toEqual([]);
      expect(after.snapshots).toHaveLength(snapshots.length + 1);
      // Each stored pack is full of blobs that need no second place.
      const reused = FILES - summary.data_blobs;
      expect(reused).toBeGreaterThanOrEqual(Math.min(FILES, (stored.length - 2) * 6));
      expect(summary.total_bytes_processed).toBe(FILES * BYTES);
      if (!crash.reached()) return;
    }
  });
});

describe('a backup that is stopped', () => {
  /** Aborts when the third pack has been stored. */
  function stopAtThirdPack(inner: Backend, stop: AbortController, reason: EngineError): Backend {
    let packs = 0;
    return {
      ...inner,
      async save(h, data, o) {
        await inner.save(h, data, o);
        if (h.type === 'pack' && ++packs === 3) stop.abort(reason);
      },
    };
  }

  it('by a person lists what it stored', async () => {
    const backend = await emptyRepository();
    const stop = new AbortController();
    const reason = new EngineError('cancelled', 'enough');
    const watched = stopAtThirdPack(backend, stop, reason);
    await expect(run(watched, source(), { signal: stop.signal })).rejects.toBe(reason);
    const { orphans, indexed, snapshots } = await expectWhole(backend);
    expect([orphans, snapshots]).toEqual([[], []]);
    expect(indexed.index.packs.length).toBeGreaterThanOrEqual(3);
  });

  it('because its lock was lost claims nothing', async () => {
    const backend = await emptyRepository();
    const stop = new AbortController();
    const reason = new EngineError('lock-lost', 'too late');
    const watched = stopAtThirdPack(backend, stop, reason);
    await expect(run(watched, source(), { signal: stop.signal })).rejects.toBe(reason);
    expect(await filesOf(backend, 'index')).toEqual([]);
  });
});

describe('adopting packs', () => {
  it('passes over what is damaged or brings nothing', async () => {
    const backend = await emptyRepository();
    await run(backend, source());
    const name = idOf('rubbish');
    await backend.save({ type: 'pack', name }, [Buffer.alloc(500, 7)]);
    const indexed = await (await openRepository(backend, { password: PASSWORD })).loadIndex();
    expect(await adoptPacks(indexed)).toEqual({ packs: 0, blobs: 0 });
    expect(await filesOf(backend, 'pack')).toContain(name);
    for (const index of await filesOf(backend, 'index')) await backend.remove({ type: 'index', name: index });
    const bare = await (await openRepository(backend, { password: PASSWORD })).loadIndex();
    const { blobs } = await adoptPacks(bare);
    expect(blobs).toBe(FILES + 2);
    await expectWhole(backend);
  });
});

describe('the parent of a backup', () => {
  const at = (hour: number) => `2026-01-01T${String(hour).padStart(2, '0')}:00:00Z` as Timestamp;
  const made = (hour: number, o: Partial<StoredSnapshot> = {}): StoredSnapshot => ({
    id: idOf(`${hour} ${JSON.stringify(o)}`),
    time: at(hour),
    tree: idOf('tree'),
    paths: ['/a'],
    hostname: 'h',
    ...o,
  });
  const query = {
    by: { host: true, paths: true, tags: false },
    hostname: 'h',
    paths: ['/a'],
    tags: [],
    time: at(20),
  };

  it('is the newest of the same host and paths that is not from the future', () => {
    const wanted = made(5);
    const others = [made(3), made(9, { hostname: 'x' }), made(10, { paths: ['/b'] }), made(21)];
    expect(findParent([...others, wanted], query)).toBe(wanted);
  });

  it('may be of other hosts where they do not count', () => {
    const other = made(9, { hostname: 'x' });
    const by = { host: false, paths: true, tags: false };
    expect(findParent([made(5), other], { ...query, by })).toBe(other);
  });

  it('is the one that is named', () => {
    const other = made(2, { hostname: 'x' });
    expect(findParent([made(5), other], { ...query, reference: other.id.slice(0, 9) })).toBe(other);
  });

  it('is none where none fits', () => {
    expect(findParent([made(9, { paths: ['/b'] })], query)).toBeUndefined();
  });
});

describe('a backup tells of each item', () => {
  it('how long it took, a folder with all that is in it', async () => {
    const at = temp.dir('source');
    writeTree(join(at, 'tree'), tree({ a: file({ seed: 1, size: 10 }), b: file({ seed: 2, size: 10 }) }));
    const backend = await emptyRepository();
    const took: Record<string, number> = {};
    let now = 0;
    // Each look at this clock takes a second.
    const clock = { now: () => (now += 1000), sleep: async () => {} };
    const onItem = ({ path, ms }: ItemEvent) => {
      took[toText(path)] = ms;
    };
    await run(backend, at, { clock, events: { onItem } });
    const { '/tree/a': a = 0, '/tree/b': b = 0, '/tree/': folder = 0 } = took;
    expect(Math.min(a, b)).toBeGreaterThan(0);
    expect(folder).toBeGreaterThan(Math.max(a, b));
  });

  it('never less than nothing, though the clock is set back', async () => {
    const backend = await emptyRepository();
    const took: number[] = [];
    let now = 1_000_000_000;
    const clock = { now: () => (now -= 1000), sleep: async () => {} };
    await run(backend, source(), { clock, events: { onItem: ({ ms }) => took.push(ms) } });
    expect(took.length).toBeGreaterThan(FILES);
    expect(new Set(took)).toEqual(new Set([0]));
  });
});
