/** Halves of files that killed writers left behind. */
import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { cache } from '../../../src/backend/cache.ts';
import { limit } from '../../../src/backend/limit.ts';
import { openLocal } from '../../../src/backend/local/local.ts';
import { log } from '../../../src/backend/log.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { retry } from '../../../src/backend/retry.ts';
import { removeLeftovers } from '../../../src/operations/leftovers.ts';
import { applyPrune, planPrune } from '../../../src/operations/prune.ts';
import { openRepository } from '../../../src/repository/repository.ts';
import { createOnDisk } from '../../helpers/disk-repository.ts';
import { idOf, memoryRepository, PASSWORD } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { expectWhole } from '../../helpers/whole.ts';

const temp = useTemp();
const HOUR = 3_600_000;

/** A repository in a folder, and a way to put halves of files of any age there. */
async function onDisk() {
  const repository = join(temp.dir('disk'), 'repository');
  await createOnDisk({ repository, home: temp.dir('home'), password: PASSWORD });
  return {
    repository,
    half(folder: string, hours: number): string {
      const file = join(repository, folder, `${idOf(`${folder} ${hours}`)}-tmp-${hours}`);
      writeFileSync(file, 'half a file');
      const at = (Date.now() - hours * HOUR) / 1000;
      utimesSync(file, at, at);
      return file;
    },
  };
}

async function pruneOf(backend: Backend) {
  const repo = await openRepository(backend, { password: PASSWORD });
  return applyPrune(await planPrune(repo, {}));
}

describe('prune', () => {
  it('removes what killed writers left a day ago or earlier, and nothing else', async () => {
    const { repository, half } = await onDisk();
    const old = [half('data/ab', 25), half('index', 48), half('locks', 1000)];
    const young = [half('data/ab', 23), half('snapshots', 0)];
    const others = join(repository, 'data', 'ab', 'notes-tmp-1');
    writeFileSync(others, 'none of ours');
    utimesSync(others, 0, 0);
    const files = [...young, others, join(repository, 'config')];
    const keys = readdirSync(join(repository, 'keys'));
    const backend = await openLocal(repository);
    expect(await pruneOf(backend)).toMatchObject({ removedLeftovers: 3 });
    expect(old.filter((file) => existsSync(file))).toEqual([]);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    expect(readdirSync(join(repository, 'keys'))).toEqual(keys);
    await expectWhole(backend);
    expect(await pruneOf(backend)).toMatchObject({ removedLeftovers: 0 });
  });

  it('leaves them alone while it only plans', async () => {
    const { repository, half } = await onDisk();
    const old = half('data/ab', 48);
    await planPrune(await openRepository(await openLocal(repository), { password: PASSWORD }), {});
    expect(existsSync(old)).toBe(true);
  });

  it('goes on where the storage does not let them go, or has none', async () => {
    const backend = createMemory();
    await memoryRepository({ backend });
    expect(await pruneOf(backend)).toMatchObject({ removedLeftovers: 0 });
    const refusing: Backend = {
      ...backend,
      cleanTemporary: () => Promise.reject(new EngineError('permission', 'No.')),
    };
    expect(await pruneOf(refusing)).toMatchObject({ removedLeftovers: 0 });
  });
});

describe('leftovers', () => {
  it('are reached through everything that a backend may be wrapped in', async () => {
    const { repository, half } = await onDisk();
    half('data/ab', 24 * 8);
    half('data/cd', 24 * 6);
    const wrapped = cache(temp.dir('cache'), idOf('r'))(retry()(log()(limit()(await openLocal(repository)))));
    expect(await removeLeftovers(wrapped, {})).toBe(1);
    expect(await removeLeftovers(wrapped, { olderThanMs: HOUR })).toBe(1);
    const bare = cache(temp.dir('cache'), idOf('r'))(retry()(log()(limit()(createMemory()))));
    expect(bare.cleanTemporary).toBeUndefined();
    expect(await removeLeftovers(bare, {})).toBe(0);
  });

  it('stay when the person stops, and faults of the program are not kept quiet', async () => {
    const { repository, half } = await onDisk();
    const old = half('index', 1000);
    const backend = await openLocal(repository);
    const reason = new EngineError('cancelled', 'Stopped.');
    await expect(removeLeftovers(backend, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(existsSync(old)).toBe(true);
    const broken = { ...createMemory(), cleanTemporary: () => Promise.reject(new TypeError('x')) };
    await expect(removeLeftovers(broken, {})).rejects.toThrow(TypeError);
  });
});
