/**
 * Packs that no index lists, left by a backup that was killed before it wrote one: their headers tell what they hold,
 * and the next backup need not store it again.
 *
 * Only called where a dead process has left its lock behind, since it lists all packs. A pack that a living backup has
 * stored but not listed yet may be adopted too: it is whole, and a blob that is listed twice does no harm.
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, IndexPack } from '../format/types.ts';
import { IndexWriter } from '../repository/index-writer.ts';
import { type Holder, isStale, listLocks, removeLocks } from '../repository/locks.ts';
import { loadPackHeader } from '../repository/pack-header-reader.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { Clock } from '../util/clock.ts';
import { forEachLimit } from '../util/semaphore.ts';

export interface AdoptedPacks {
  readonly packs: number;
  readonly blobs: number;
}

export interface AdoptOptions extends CallOptions {
  readonly holder: Holder;
  readonly clock: Clock;
}

/**
 * A backup that was killed leaves its lock, and perhaps packs that no index lists. Where there is such a lock, its packs
 * are adopted and the lock goes. Returns how many packs. Errors: the backend's, the signal's reason.
 */
export async function adoptFromDead(repo: IndexedRepository, o: AdoptOptions): Promise<number> {
  const { files } = repo.repository;
  let dead = 0;
  for await (const lock of listLocks(files, o)) {
    if (lock.ok && !lock.exclusive && isStale(lock, o.clock, o)) dead++;
  }
  if (dead === 0) return 0;
  const { packs } = await adoptPacks(repo, o);
  await removeLocks(files, { ...o, all: false });
  return packs;
}

/**
 * Lists such packs in a new index file and in the loaded index. Packs that can't be read, or bring nothing new, stay
 * as they are. Errors: the backend's, the signal's reason.
 */
export async function adoptPacks(repo: IndexedRepository, o: CallOptions = {}): Promise<AdoptedPacks> {
  const { repository } = repo;
  const { files, backend } = repository;
  const writer = new IndexWriter(files, o);
  let packs = 0;
  let blobs = 0;
  await forEachLimit(unlistedPacks(repo, o), backend.traits.connections, async ({ name, size }) => {
    const pack = await readPack(repo, name, size, o);
    const fresh = pack?.blobs.filter((blob) => !repo.index.has(blob.type, blob.id)) ?? [];
    if (!pack || fresh.length === 0) return;
    packs++;
    blobs += fresh.length;
    for (const blob of pack.blobs) repo.index.add(pack.id, blob);
    await writer.add(pack);
  });
  await writer.flush();
  return { packs, blobs };
}

async function* unlistedPacks(repo: IndexedRepository, o: CallOptions) {
  for await (const pack of repo.repository.files.list('pack', o)) {
    if (!repo.index.hasPack(pack.name)) yield pack;
  }
}

async function readPack(
  repo: IndexedRepository,
  id: Id,
  size: number,
  o: CallOptions,
): Promise<IndexPack | undefined> {
  try {
    return { id, blobs: await loadPackHeader(repo.repository, id, size, o) };
  } catch (e) {
    if (isEngineError(e, 'damaged', 'not-found', 'range')) return undefined;
    throw e;
  }
}
