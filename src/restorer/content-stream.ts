/** The bytes of a file, in order, a little ahead of whoever takes them. */
import type { CallOptions } from '../backend/backend.ts';
import type { Id } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { plainLength } from './file-work.ts';

/** Bounds of what is loaded before it is asked for. */
const AHEAD_BYTES = 32 << 20;
const MOST_AHEAD = 16;

/** Yields the blobs of a file. Errors: 'damaged' for one that no pack has whole, the backend's, the signal's reason. */
export async function* contentOf(
  repo: IndexedRepository,
  content: readonly Id[],
  o: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const loading: { readonly bytes: number; readonly blob: Promise<Uint8Array> }[] = [];
  const most = Math.min(MOST_AHEAD, Math.max(2, repo.repository.backend.traits.connections));
  let next = 0;
  let ahead = 0;
  try {
    for (let taken = 0; taken < content.length; taken++) {
      for (; next < content.length && canLoad(loading.length, ahead, most); next++) {
        const bytes = sizeOf(repo, content[next]!);
        const blob = repo.loadBlob('data', content[next]!, o);
        // Its turn to be heard comes later; until then a failure must not count as unheard.
        blob.catch(() => {});
        loading.push({ bytes, blob });
        ahead += bytes;
      }
      const { bytes, blob } = loading.shift()!;
      yield await blob;
      ahead -= bytes;
      o.signal?.throwIfAborted();
    }
  } finally {
    await Promise.allSettled(loading.map((l) => l.blob));
  }
}

function canLoad(count: number, bytes: number, most: number): boolean {
  return count === 0 || (count < most && bytes < AHEAD_BYTES);
}

/** Bytes; 0 for a blob that is nowhere. */
export function sizeOf(repo: IndexedRepository, id: Id): number {
  const at = repo.index.get('data', id);
  return at ? plainLength(at) : 0;
}

/** Bytes of a whole file, as its blobs make them. */
export function contentSize(repo: IndexedRepository, content: readonly Id[]): number {
  let size = 0;
  for (const id of content) size += sizeOf(repo, id);
  return size;
}
