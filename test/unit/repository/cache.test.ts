import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { cache } from '../../../src/backend/cache.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { serializeTree } from '../../../src/format/tree.ts';
import { type IndexedRepository, openRepository } from '../../../src/repository/repository.ts';
import { counting } from '../../helpers/counting.ts';
import { memoryRepository, node, PASSWORD } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

async function open(backend: Backend, folder: string): Promise<IndexedRepository> {
  const repository = await openRepository(backend, {
    password: PASSWORD,
    decorate: (id) => cache(folder, id),
  });
  return repository.loadIndex();
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile());
}

describe('a repository with a cache', () => {
  async function setUp() {
    const memory = createMemory();
    const repo = await memoryRepository({ backend: memory });
    const writer = repo.writer();
    const { id } = await writer.save('tree', serializeTree([node('a', 'fifo')]));
    await writer.flush();
    return { memory, id, folder: temp.dir('cache') };
  }

  it('reads index and trees from the storage only once', async () => {
    const { memory, id, folder } = await setUp();
    await (await open(memory, folder)).loadTree(id);

    const counter = counting();
    const again = await open(counter(memory), folder);
    const opened = counter.calls.load;
    expect((await again.loadTree(id)).nodes).toHaveLength(1);
    // The key and the config are always read; nothing else is.
    expect(opened).toBe(2);
    expect(counter.calls.load).toBe(opened);
  });

  it('reads a cached file that was damaged from the storage again', async () => {
    const { memory, id, folder } = await setUp();
    await (await open(memory, folder)).loadTree(id);
    const kept = filesBelow(folder).filter((file) => !file.endsWith('CACHEDIR.TAG'));
    expect(kept.length).toBeGreaterThanOrEqual(2);
    for (const file of kept) {
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(file, bytes, { flush: true });
    }
    expect((await (await open(memory, folder)).loadTree(id)).nodes).toHaveLength(1);
  });
});
