/** A lock whose storage went away before it could be removed must not keep its own process out afterwards. */
import { expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { currentHolder } from '../../../src/operations/holder.ts';
import { acquireLock, listLocks, removeLocks } from '../../../src/repository/locks.ts';
import { faulty } from '../../helpers/faulty.ts';
import { memoryRepository } from '../../helpers/repo.ts';

it('is stale once it is given up, and not before', async () => {
  const away = () => new EngineError('unreachable', 'The disk is gone.');
  const pulled = faulty([{ kind: 'error', error: away, operation: 'remove', type: 'lock' }]);
  const { files } = (await memoryRepository({ backend: pulled(createMemory()) })).repository;
  const holder = currentHolder();
  const trouble: string[] = [];
  const onTrouble = (sentence: string) => trouble.push(sentence);
  const exclusive = { exclusive: true, holder } as const;

  const held = await acquireLock(files, { ...exclusive, onTrouble });
  await expect(acquireLock(files, exclusive)).rejects.toMatchObject({ code: 'locked' });
  expect(await removeLocks(files, { holder, all: false })).toBe(0);
  await held.release();
  expect(trouble).toEqual(['The lock could not be removed: The disk is gone.']);

  const next = await acquireLock(files, exclusive);
  expect(await removeLocks(files, { holder, all: false })).toBe(1);
  const left: string[] = [];
  for await (const lock of listLocks(files)) left.push(lock.id);
  expect(left).toEqual([next.id]);
  await next.release();
});
