import { describe, expect, it } from 'vitest';
import { CONFIG_HANDLE } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { type CreateOptions, createRepository, openRepository } from '../../../src/repository/repository.ts';
import { CHEAP_KDF, memoryRepository, PASSWORD } from '../../helpers/repo.ts';

const how: CreateOptions = { password: PASSWORD, kdf: CHEAP_KDF, hostname: 'host', username: 'user' };

describe('creating a repository where one was begun', () => {
  /** What a creation leaves that was stopped before its last write. */
  async function begun() {
    const backend = createMemory();
    const { key } = await createRepository(backend, how);
    await backend.remove(CONFIG_HANDLE);
    return { backend, key };
  }

  it('goes on from its key', async () => {
    const { backend, key } = await begun();
    const again = await createRepository(backend, how);
    expect(again.key.id).toBe(key.id);
    expect((await openRepository(backend, { password: PASSWORD })).id).toBe(again.id);
  });

  it('refuses another password', async () => {
    const { backend } = await begun();
    await expect(createRepository(backend, { ...how, password: 'other' })).rejects.toMatchObject({
      code: 'repository-exists',
    });
  });

  it('refuses where data lies without a config', async () => {
    const backend = createMemory();
    const writer = (await memoryRepository({ backend })).writer();
    await writer.save('data', Buffer.from('something'));
    await writer.flush();
    await backend.remove(CONFIG_HANDLE);
    await expect(createRepository(backend, how)).rejects.toMatchObject({ code: 'repository-exists' });
  });
});
