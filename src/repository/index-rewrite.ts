/**
 * Index files made anew, without some packs. The order: first all new files, then the old ones go, so that at no
 * moment a blob that is needed is in no index.
 */
import { createHash } from 'node:crypto';
import type { CallOptions } from '../backend/backend.ts';
import { parseIndex } from '../format/index-file.ts';
import type { Id, IndexPack } from '../format/types.ts';
import { forEachLimit } from '../util/semaphore.ts';
import { IndexWriter } from './index-writer.ts';
import type { Repository } from './repository.ts';

/** A file with at least this many blobs stays as it is if all its packs stay. */
const FULL_BLOBS = 50_000;

export interface RewriteIndexOptions extends CallOptions {
  /** The index files to go through: all of the repository, those written meanwhile included. */
  readonly files: readonly Id[];
  /** Packs that no index shall list any more. */
  readonly without: ReadonlySet<Id>;
  /** For each file that was gone through. */
  readonly onFile?: () => void;
}

/**
 * Leaves out the packs, merges files that are not full, drops what is listed twice; returns the files that are there
 * now. New files may use the storage's reserve. Errors: 'damaged' for a file that cannot be read, before anything
 * was removed; the backend's.
 */
export async function rewriteIndex(repo: Repository, o: RewriteIndexOptions): Promise<readonly Id[]> {
  const signal = o.signal ? { signal: o.signal } : {};
  const writer = new IndexWriter(repo.files, { ...signal, fromReserve: true });
  const seen = new Set<string>();
  const obsolete: Id[] = [];
  for (const id of o.files) {
    const { packs } = parseIndex(await repo.files.load('index', id, signal));
    if (!canStay(packs, o.without, seen)) {
      obsolete.push(id);
      for (const pack of packs) if (!o.without.has(pack.id) && isNew(pack, seen)) await writer.add(pack);
    }
    o.onFile?.();
  }
  await writer.flush();
  const { connections } = repo.backend.traits;
  await forEachLimit(obsolete, connections, (id) => repo.files.remove('index', id, signal));
  const gone = new Set(obsolete);
  return [...o.files.filter((id) => !gone.has(id)), ...writer.saved];
}

function canStay(packs: readonly IndexPack[], without: ReadonlySet<Id>, seen: Set<string>): boolean {
  const blobs = packs.reduce((sum, pack) => sum + pack.blobs.length, 0);
  if (blobs < FULL_BLOBS || packs.some((pack) => without.has(pack.id))) return false;
  const keys = packs.map(keyOf);
  if (keys.some((key) => seen.has(key))) return false;
  for (const key of keys) seen.add(key);
  return true;
}

function isNew(pack: IndexPack, seen: Set<string>): boolean {
  const key = keyOf(pack);
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

/** Old versions of restic spread a pack over several files, so the same pack with other blobs is not the same. */
function keyOf(pack: IndexPack): string {
  const hash = createHash('sha256').update(pack.id);
  for (const { id, offset } of pack.blobs) hash.update(`${id}${offset}`);
  return hash.digest('base64');
}
