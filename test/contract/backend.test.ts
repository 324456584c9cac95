import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Wrap } from '../../src/backend/backend.ts';
import { cache } from '../../src/backend/cache.ts';
import { limit } from '../../src/backend/limit.ts';
import { createLocal, type LocalOptions, openLocal } from '../../src/backend/local/local.ts';
import { log } from '../../src/backend/log.ts';
import { createMemory } from '../../src/backend/memory/memory.ts';
import { remember } from '../../src/backend/remember.ts';
import { retry } from '../../src/backend/retry.ts';
import { isId } from '../../src/format/types.ts';
import { counting } from '../helpers/counting.ts';
import { crashAfter, faulty } from '../helpers/faulty.ts';
import { lagging } from '../helpers/lagging.ts';
import { backendContract } from './backend.ts';

const folder = () => fs.mkdtemp(join(tmpdir(), 'holdfast-contract-'));

function local(name: string, o: LocalOptions): void {
  backendContract(name, async () => {
    const dir = await folder();
    const path = join(dir, 'repo');
    const backend = await createLocal(path, o);
    return {
      backend,
      other: await openLocal(path, o),
      dispose: () => fs.rm(dir, { recursive: true }),
    };
  });
}

function overMemory(name: string, wrap: () => Wrap): void {
  backendContract(name, async () => {
    const memory = createMemory();
    return { backend: wrap()(memory), other: memory };
  });
}

const repository = 'c'.repeat(64);

/** A cache of its own for each test; `between` stands inside, between cache and memory. */
function cached(name: string, between: Wrap): void {
  backendContract(name, async () => {
    const dir = await folder();
    if (!isId(repository)) throw new Error('not an id');
    const memory = createMemory();
    return {
      backend: cache(dir, repository)(between(memory)),
      other: memory,
      dispose: () => fs.rm(dir, { recursive: true }),
    };
  });
}

local('local', { syncFiles: false, reserveBytes: 0 });
local('local, synced, with a reserve', { reserveBytes: 1 << 20 });
backendContract('memory', async () => ({ backend: createMemory() }));
overMemory('retry', () => retry());
overMemory('limit, one call at once', () => limit({ connections: 1 }));
overMemory('limit, with a bandwidth', () =>
  limit({ uploadBytesPerSecond: 1e12, downloadBytesPerSecond: 1e12 }),
);
overMemory('remember', () => remember());
for (const changes of [1, 3, Number.POSITIVE_INFINITY]) {
  overMemory(`remember, ${changes} changes late`, () => (inner) => remember()(lagging(changes)(inner)));
}
overMemory('log', () => log());
overMemory('counting', () => counting());
overMemory('faulty without faults', () => faulty([]));
overMemory('a crash that does not come', () => crashAfter(Number.POSITIVE_INFINITY));
cached('cache', (inner) => inner);
cached('all together', (inner) => retry()(log()(limit()(inner))));
