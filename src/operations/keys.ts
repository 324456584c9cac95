/** key: the passwords of a repository. */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Timestamp } from '../format/types.ts';
import { type AddKeyOptions, addKey, keyIds, loadKeyFile } from '../repository/keys.ts';
import type { Repository } from '../repository/repository.ts';

export interface KeyInfo {
  readonly id: Id;
  /** The one that opened the repository. */
  readonly current: boolean;
  readonly username: string;
  readonly hostname: string;
  readonly created: Timestamp;
}

/** All keys by id; `onDamaged` hears of those that can't be read. Errors: the backend's. */
export async function listKeys(
  repo: Repository,
  o: CallOptions & { readonly onDamaged?: (id: Id, error: EngineError) => void } = {},
): Promise<KeyInfo[]> {
  const keys: KeyInfo[] = [];
  for (const id of await keyIds(repo.backend, o)) {
    try {
      const { username, hostname, created } = await loadKeyFile(repo.backend, id, o);
      keys.push({ id, current: id === repo.key.id, username, hostname, created });
    } catch (e) {
      if (!isEngineError(e, 'damaged', 'not-found')) throw e;
      o.onDamaged?.(id, e);
    }
  }
  return keys;
}

/**
 * A new key takes the place of the one that opened the repository. The new one is stored and has been opened again
 * before the old one goes, so a stop leaves both. Errors: the backend's.
 */
export async function changePassword(repo: Repository, password: string, o: AddKeyOptions): Promise<Id> {
  const id = await addKey(repo.backend, repo.key.master, password, { ...o, fromReserve: true });
  await repo.backend.remove({ type: 'key', name: repo.key.id }, o.signal ? { signal: o.signal } : {});
  return id;
}

/** The one key whose id begins so. Errors: 'not-found', 'ambiguous', the backend's. */
export async function findKey(repo: Repository, prefix: string, o: CallOptions = {}): Promise<Id> {
  const found = (await keyIds(repo.backend, o)).filter((id) => prefix !== '' && id.startsWith(prefix));
  const [first, second] = found;
  if (first === undefined) {
    throw new EngineError('not-found', `There is no key whose id begins with "${prefix}".`, {
      hint: '"key list" shows the keys of the repository.',
    });
  }
  if (second !== undefined) {
    throw new EngineError('ambiguous', `${found.length} keys have an id that begins with "${prefix}".`, {
      hint: 'Give more of its digits.',
    });
  }
  return first;
}
