/** Which snapshot a new backup is compared with. */
import type { StoredSnapshot, Timestamp } from '../format/types.ts';
import type { GroupBy } from '../repository/grouping.ts';
import { findLatest, findSnapshot } from '../repository/snapshot-filter.ts';

export interface ParentQuery {
  /** What must be equal. */
  readonly by: GroupBy;
  readonly hostname: string;
  /** As they will stand in the snapshot; a parent may have more. */
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  /** The time of the new snapshot. */
  readonly time: Timestamp;
  /** Named by the person: an id or `latest`. */
  readonly reference?: string | undefined;
}

/** The newest that fits, not newer than the backup itself. Errors: those of a reference that names none. */
export function findParent(snapshots: readonly StoredSnapshot[], q: ParentQuery): StoredSnapshot | undefined {
  const filter = {
    ...(q.by.host ? { hosts: [q.hostname] } : {}),
    ...(q.by.paths ? { paths: q.paths } : {}),
    ...(q.by.tags ? { tags: [q.tags] } : {}),
  };
  if (q.reference !== undefined) return findSnapshot(snapshots, q.reference, filter).snapshot;
  return findLatest(snapshots, filter, { notAfter: q.time });
}
