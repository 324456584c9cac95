/** What packs the storage holds, by its list; where lists lag, asked for by name as well before one counts as gone. */
import { isEngineError } from '../api/errors.ts';
import type { FileInfo, ListOptions } from '../backend/backend.ts';
import type { Id } from '../format/types.ts';
import type { Repository } from '../repository/repository.ts';
import { forEachLimit } from '../util/semaphore.ts';

/** `known`: packs that should be there. Errors: the backend's. */
export async function storedPacks(
  repo: Repository,
  known: Iterable<Id>,
  o: ListOptions = {},
): Promise<Map<Id, FileInfo>> {
  const stored = new Map<Id, FileInfo>();
  for await (const file of repo.files.list('pack', o)) stored.set(file.name, file);
  if (!repo.backend.traits.listLag) return stored;
  const unseen = [...known].filter((pack) => !stored.has(pack));
  await forEachLimit(unseen, repo.backend.traits.connections, async (pack) => {
    try {
      stored.set(pack, await repo.backend.stat({ type: 'pack', name: pack }, o));
    } catch (e) {
      if (!isEngineError(e, 'not-found')) throw e;
    }
  });
  return stored;
}
