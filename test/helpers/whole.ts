/** Proof that a repository is whole, without `check`: every blob of every snapshot is read. */
import type { Backend } from '../../src/backend/backend.ts';
import type { Id, StoredSnapshot } from '../../src/format/types.ts';
import { type IndexedRepository, openRepository } from '../../src/repository/repository.ts';
import { PASSWORD } from './repo.ts';

export interface Whole {
  readonly indexed: IndexedRepository;
  readonly snapshots: readonly StoredSnapshot[];
  /** `type id` of each blob that some snapshot needs. */
  readonly blobs: ReadonlySet<string>;
  /** Packs of the storage that no index lists. */
  readonly orphans: readonly Id[];
}

/**
 * Opens the repository as a new process would and reads all that its snapshots need. Throws where something can't be
 * read, or an index lists a pack that is not there.
 */
export async function expectWhole(backend: Backend, password = PASSWORD): Promise<Whole> {
  const repository = await openRepository(backend, { password });
  const indexed = await repository.loadIndex();
  const snapshots = await repository.snapshots();
  const blobs = new Set<string>();
  for (const { tree } of snapshots) await readTree(indexed, tree, blobs);
  const packs = new Set(await repository.files.ids('pack'));
  const lost = indexed.index.packs.filter((id) => !packs.has(id));
  if (lost.length > 0) throw new Error(`the index lists packs that are not there: ${lost.join(', ')}`);
  return { indexed, snapshots, blobs, orphans: [...packs].filter((id) => !indexed.index.hasPack(id)) };
}

async function readTree(repo: IndexedRepository, id: Id, seen: Set<string>): Promise<void> {
  if (seen.has(`tree ${id}`)) return;
  seen.add(`tree ${id}`);
  for (const { content, subtree } of (await repo.loadTree(id)).nodes) {
    for (const blob of content ?? []) {
      if (seen.has(`data ${blob}`)) continue;
      seen.add(`data ${blob}`);
      await repo.loadBlob('data', blob);
    }
    if (subtree) await readTree(repo, subtree, seen);
  }
}
