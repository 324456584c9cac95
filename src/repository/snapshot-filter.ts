/**
 * Which snapshots are meant.
 *
 * filter      hosts, tags and paths: any of the hosts, any of the tag lists, all of the paths; an empty list asks nothing
 * tag list    tags that a snapshot must have all of; the tag '' asks for a snapshot without tags
 * reference   `latest`, `latest~2` (two before the newest) or the beginning of an id, each with `:folder` if wanted
 *
 * Source of the meaning: restic's `internal/data/snapshot.go`, `snapshot_find.go` and `tag_list.go`; `latest~n` is ours.
 */
import { EngineError } from '../api/errors.ts';
import { toSecNs } from '../format/time.ts';
import type { Snapshot, StoredSnapshot, Timestamp } from '../format/types.ts';

export type TagList = readonly string[];

export interface SnapshotFilter {
  readonly hosts?: readonly string[];
  readonly tags?: readonly TagList[];
  /** Absolute and without `.` and `..`, as snapshots have them. */
  readonly paths?: readonly string[];
}

/** `a,b` as one list; blanks around each tag are dropped. */
export function parseTagList(text: string): TagList {
  return text.split(',').map((tag) => tag.trim());
}

/** A filter that every snapshot passes. */
export function isEmptyFilter(filter: SnapshotFilter): boolean {
  const { hosts = [], tags = [], paths = [] } = filter;
  return hosts.length + tags.length + paths.length === 0;
}

export function matchesFilter(snapshot: Snapshot, filter: SnapshotFilter): boolean {
  const { hosts = [], tags = [], paths = [] } = filter;
  return (
    (hosts.length === 0 || hosts.includes(snapshot.hostname ?? '')) &&
    (tags.length === 0 || tags.some((list) => hasTags(snapshot, list))) &&
    paths.every((path) => snapshot.paths.includes(path))
  );
}

/**
 * All tags of the list; an empty list asks nothing. In a snapshot without tags the tag '' ends the question, so that
 * of `a,` and `,a` only the second matches it, as in restic.
 */
export function hasTags(snapshot: Snapshot, list: TagList): boolean {
  const tags = snapshot.tags ?? [];
  for (const tag of list) {
    if (tag === '' && tags.length === 0) return true;
    if (!tags.includes(tag)) return false;
  }
  return true;
}

/** Below zero if `a` is the earlier moment, above if `b` is, 0 for the same, whatever the zones. */
export function compareTimes(a: Timestamp, b: Timestamp): number {
  const left = toSecNs(a);
  const right = toSecNs(b);
  return left.sec - right.sec || left.ns - right.ns;
}

/** A new list, newest first; snapshots of the same moment stay in their order. */
export function newestFirst<S extends Snapshot>(snapshots: readonly S[]): S[] {
  return [...snapshots].sort((a, b) => compareTimes(b.time, a.time));
}

export interface LatestOptions {
  /** How many snapshots before the newest; 0 unless said. */
  readonly back?: number;
  /** Only snapshots that are not newer. */
  readonly notAfter?: Timestamp;
}

/** The newest that passes, or the one `back` before it; undefined if there is none. Of equal times the highest id is newest. */
export function findLatest(
  snapshots: readonly StoredSnapshot[],
  filter: SnapshotFilter,
  o: LatestOptions = {},
): StoredSnapshot | undefined {
  const { back = 0, notAfter } = o;
  const passing = snapshots.filter(
    (s) => matchesFilter(s, filter) && (notAfter === undefined || compareTimes(s.time, notAfter) <= 0),
  );
  return passing.sort((a, b) => compareTimes(b.time, a.time) || (a.id < b.id ? 1 : -1))[back];
}

export type SnapshotReference =
  | { readonly kind: 'latest'; readonly back: number; readonly subfolder: string }
  /** A whole id or the beginning of one. */
  | { readonly kind: 'id'; readonly prefix: string; readonly subfolder: string };

const REFERENCE = /^(?:latest(?:~(\d{1,9}))?|([0-9a-f]{1,64}))(?::(.*))?$/s;

/** Reads `latest`, `latest~2`, `4bba301e`, each with an optional `:folder`. Error: 'usage'. */
export function parseReference(text: string): SnapshotReference {
  const parts = REFERENCE.exec(text);
  if (parts === null) {
    throw new EngineError('usage', `"${text}" names no snapshot.`, {
      hint: 'Give the beginning of its id, or latest, or latest~1 for the one before the latest.',
    });
  }
  const [, back = '0', prefix, subfolder = ''] = parts;
  if (prefix !== undefined) return { kind: 'id', prefix, subfolder };
  return { kind: 'latest', back: Number(back), subfolder };
}

/** The one snapshot whose id begins so. Errors: 'snapshot-missing', 'ambiguous'. */
export function resolvePrefix<S extends StoredSnapshot>(snapshots: readonly S[], prefix: string): S {
  const found = snapshots.filter((s) => s.id.startsWith(prefix));
  const [first, second] = found;
  if (first === undefined) {
    throw new EngineError('snapshot-missing', `There is no snapshot whose id begins with "${prefix}".`, {
      hint: 'It may have been forgotten, or lie in another repository.',
      context: { prefix },
    });
  }
  if (second !== undefined) {
    throw new EngineError('ambiguous', `${found.length} snapshots have an id that begins with "${prefix}".`, {
      hint: `Give more of its digits: ${found
        .slice(0, 3)
        .map((s) => s.id.slice(0, prefix.length + 8))
        .join(', ')}`,
      context: { prefix },
    });
  }
  return first;
}

export interface FoundSnapshot {
  readonly snapshot: StoredSnapshot;
  /** Where to begin inside of it; '' for its top. */
  readonly subfolder: string;
}

/** The snapshot that a reference means. The filter counts for `latest` only. Errors: 'snapshot-missing', 'ambiguous', 'usage'. */
export function findSnapshot(
  snapshots: readonly StoredSnapshot[],
  reference: string | SnapshotReference,
  filter: SnapshotFilter = {},
): FoundSnapshot {
  const ref = typeof reference === 'string' ? parseReference(reference) : reference;
  const { subfolder } = ref;
  if (ref.kind === 'id') return { snapshot: resolvePrefix(snapshots, ref.prefix), subfolder };
  const snapshot = findLatest(snapshots, filter, { back: ref.back });
  if (snapshot === undefined) throw noLatest(snapshots, filter, ref.back);
  return { snapshot, subfolder };
}

function noLatest(snapshots: readonly StoredSnapshot[], filter: SnapshotFilter, back: number): EngineError {
  const count = snapshots.filter((s) => matchesFilter(s, filter)).length;
  const which = isEmptyFilter(filter) ? 'in the repository' : 'with that host, these tags and paths';
  const sentence =
    count === 0
      ? `There is no snapshot ${which}.`
      : `latest~${back} does not exist: there are only ${count} snapshots ${which}.`;
  return new EngineError('snapshot-missing', sentence);
}

/**
 * What a command works on: the referenced snapshots, each once and in the order of the references; without
 * references all that pass the filter. Errors: 'usage' for a reference with a folder, or for a filter that could
 * not count; 'snapshot-missing', 'ambiguous'.
 */
export function selectSnapshots(
  snapshots: readonly StoredSnapshot[],
  references: readonly (string | SnapshotReference)[],
  filter: SnapshotFilter = {},
): StoredSnapshot[] {
  if (references.length === 0) return snapshots.filter((s) => matchesFilter(s, filter));
  const parsed = references.map((r) => (typeof r === 'string' ? parseReference(r) : r));
  refuseIdleFilter(parsed, filter);
  const found = parsed.map((ref) => {
    if (ref.subfolder === '') return findSnapshot(snapshots, ref, filter).snapshot;
    throw new EngineError('usage', 'A folder can not be chosen here: this works on whole snapshots.', {
      hint: 'Leave away what follows the colon.',
    });
  });
  return [...new Set(found)];
}

function refuseIdleFilter(references: readonly SnapshotReference[], filter: SnapshotFilter): void {
  if (isEmptyFilter(filter) || references.some((r) => r.kind === 'latest')) return;
  throw new EngineError('usage', 'Hosts, tags and paths can not be combined with the ids of snapshots.', {
    hint: 'Give either ids or a filter.',
  });
}
