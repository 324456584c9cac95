/** Halves of files that killed writers left in the storage. */
import { isEngineError } from '../api/errors.ts';
import type { Backend, CleanOptions } from '../backend/backend.ts';

/**
 * Removes them and tells how many there were. What the storage does not let go stays for the next time: it is in nobody's
 * way. Error: the signal's reason.
 */
export async function removeLeftovers(backend: Backend, o: CleanOptions): Promise<number> {
  try {
    return (await backend.cleanTemporary?.(o)) ?? 0;
  } catch (e) {
    o.signal?.throwIfAborted();
    if (!isEngineError(e)) throw e;
    return 0;
  }
}
