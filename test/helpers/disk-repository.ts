/** A repository in a folder, made without a program, that restic and Holdfast open in no time. */
import { createLocal, openLocal } from '../../src/backend/local/local.ts';
import { createRepository, openRepository, type Repository } from '../../src/repository/repository.ts';
import type { CliPlace } from './cli.ts';
import { TEST_PASSWORD } from './cli.ts';
import { CHEAP_KDF } from './repo.ts';

/** Makes it where `place` says. */
export async function createOnDisk(place: CliPlace, version: 1 | 2 = 2): Promise<void> {
  const backend = await createLocal(place.repository);
  const repository = await createRepository(backend, {
    password: place.password ?? TEST_PASSWORD,
    version,
    kdf: CHEAP_KDF,
    hostname: 'host',
    username: 'user',
  });
  await repository.close();
}

/** Opens it within this process, for `work`. */
export async function withOnDisk<T>(place: CliPlace, work: (repo: Repository) => Promise<T>): Promise<T> {
  const backend = await openLocal(place.repository);
  const repo = await openRepository(backend, { password: place.password ?? TEST_PASSWORD });
  try {
    return await work(repo);
  } finally {
    await repo.close();
  }
}
