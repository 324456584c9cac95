/** Destinations that are only read: to get files back out of somebody's repository, or from a medium that takes no writes. */
import { EngineError } from '../api/errors.ts';
import type { Destination } from '../api/model/destination.ts';

/** To be asked before anything is written to a destination. Error: 'usage'. */
export function refuseReadOnly({ name, readOnly }: Pick<Destination, 'name' | 'readOnly'>): void {
  if (!readOnly) return;
  throw new EngineError('usage', `“${name}” is only used to get files back: nothing is written there.`, {
    hint: 'To back up to it too, remove it and add it again as a destination for backups.',
  });
}
