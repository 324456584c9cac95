import { describe, expect, it } from 'vitest';
import type { Backend } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { changePassword, findKey, listKeys } from '../../../src/operations/keys.ts';
import { addKey, removeKey } from '../../../src/repository/keys.ts';
import { createRepository, openRepository } from '../../../src/repository/repository.ts';
import { crashAfter, faulty } from '../../helpers/faulty.ts';
import { cloneBackend } from '../../helpers/history.ts';
import { CHEAP_KDF } from '../../helpers/repo.ts';

const NEW_KEY = { username: 'ada', hostname: 'here', kdf: CHEAP_KDF } as const;

async function create(): Promise<Backend> {
  const backend = createMemory();
  await createRepository(backend, { password: 'old', ...NEW_KEY });
  return backend;
}

const opens = (backend: Backend, password: string) =>
  openRepository(backend, { password }).then(
    () => true,
    (e: { code?: string }) => {
      if (e.code === 'wrong-password') return false;
      throw e;
    },
  );

describe('keys', () => {
  it('are added, listed and removed', async () => {
    const backend = await create();
    const repo = await openRepository(backend, { password: 'old' });
    const id = await addKey(backend, repo.key.master, 'second', { ...NEW_KEY, username: 'bob' });
    expect(await listKeys(repo)).toEqual(
      [
        { id: repo.key.id, current: true, username: 'ada', hostname: 'here', created: expect.any(String) },
        { id, current: false, username: 'bob', hostname: 'here', created: expect.any(String) },
      ].sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect([await opens(backend, 'old'), await opens(backend, 'second')]).toEqual([true, true]);
    await removeKey(backend, await findKey(repo, id.slice(0, 12)), repo.key.id);
    expect([await opens(backend, 'old'), await opens(backend, 'second')]).toEqual([true, false]);
  });

  it('in use are not removed', async () => {
    const backend = await create();
    const { key } = await openRepository(backend, { password: 'old' });
    await expect(removeKey(backend, key.id, key.id)).rejects.toMatchObject({ code: 'usage' });
    expect(await opens(backend, 'old')).toBe(true);
  });

  it('are found by the beginning of their ids only', async () => {
    const backend = await create();
    const repo = await openRepository(backend, { password: 'old' });
    await expect(findKey(repo, '')).rejects.toMatchObject({ code: 'not-found' });
    await expect(findKey(repo, 'xyz')).rejects.toMatchObject({ code: 'not-found' });
    // With more than sixteen keys, two must begin with the same digit.
    for (let n = 0; n < 16; n++) await addKey(backend, repo.key.master, `${n}`, NEW_KEY);
    const digits = (await listKeys(repo)).map((k) => k.id[0]!);
    const twice = digits.find((digit, i) => digits.indexOf(digit) !== i)!;
    await expect(findKey(repo, twice)).rejects.toMatchObject({ code: 'ambiguous' });
  });

  it('that can not be read do not hide the others', async () => {
    const backend = await create();
    const repo = await openRepository(backend, { password: 'old' });
    const name = 'a'.repeat(64);
    await backend.save({ type: 'key', name }, [Buffer.from('no key')]);
    const damaged: string[] = [];
    const keys = await listKeys(repo, { onDamaged: (id) => damaged.push(id) });
    expect([keys.length, damaged]).toEqual([1, [name]]);
  });

  it('that do not open again are taken back, and the old one stays', async () => {
    const backend = await create();
    const repo = await openRepository(backend, { password: 'old' });
    const flip = { kind: 'flipped-bit', operation: 'load', type: 'key', bit: 77, times: 9 } as const;
    const broken = await openRepository(backend, { password: 'old' });
    const wrapped = { ...broken, backend: faulty([flip])(backend), key: repo.key } as typeof broken;
    await expect(changePassword(wrapped, 'new', NEW_KEY)).rejects.toMatchObject({ code: 'damaged' });
    expect((await listKeys(repo)).map((k) => k.id)).toEqual([repo.key.id]);
    expect(await opens(backend, 'old')).toBe(true);
  });

  it('change without a moment in which nothing opens', async () => {
    const original = await create();
    for (let writes = 0; ; writes++) {
      const backend = await cloneBackend(original);
      const crash = crashAfter(writes);
      const repo = await openRepository(crash(backend), { password: 'old' });
      await changePassword(repo, 'new', NEW_KEY).catch((e: unknown) => {
        if (!crash.reached()) throw e;
      });
      const [old, fresh] = [await opens(backend, 'old'), await opens(backend, 'new')];
      expect(old || fresh).toBe(true);
      if (old) await changePassword(await openRepository(backend, { password: 'old' }), 'new', NEW_KEY);
      expect([await opens(backend, 'old'), await opens(backend, 'new')]).toEqual([false, true]);
      if (!crash.reached()) break;
      expect(writes).toBeLessThan(10);
    }
  });
});
