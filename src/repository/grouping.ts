/**
 * Snapshots that belong together: of the same host, the same paths, the same tags, or what of these is asked for.
 * Source of the meaning: restic's `internal/data/snapshot_group.go`.
 */
import { EngineError } from '../api/errors.ts';
import type { Snapshot } from '../format/types.ts';
import { compareBytes, fromText } from '../util/byte-string.ts';

export interface GroupBy {
  readonly host: boolean;
  readonly paths: boolean;
  readonly tags: boolean;
}

/** What `forget` and `backup` group by unless told otherwise. */
export const DEFAULT_GROUP_BY: GroupBy = { host: true, paths: true, tags: false };

const FIELDS: Readonly<Record<string, keyof GroupBy>> = {
  host: 'host',
  hosts: 'host',
  path: 'paths',
  paths: 'paths',
  tag: 'tags',
  tags: 'tags',
};

/** Reads `host,paths,tags`, or some of them; '' for one group of all. Error: 'usage'. */
export function parseGroupBy(text: string): GroupBy {
  const by = { host: false, paths: false, tags: false };
  for (const word of text.split(',')) {
    if (word === '') continue;
    const field = Object.hasOwn(FIELDS, word) ? FIELDS[word] : undefined;
    if (field === undefined) {
      throw new EngineError('usage', `Snapshots can't be grouped by "${word}".`, {
        hint: 'Group by host, paths and tags, separated by commas.',
      });
    }
    by[field] = true;
  }
  return by;
}

/** restic's spelling: `host,paths`. */
export function formatGroupBy(by: GroupBy): string {
  return (['host', 'paths', 'tags'] as const).filter((field) => by[field]).join(',');
}

/** The fields and their order are those of restic's JSON. null: not grouped by, or the snapshots have none. */
export interface GroupKey {
  /** '' if not grouped by. */
  readonly hostname: string;
  readonly paths: readonly string[] | null;
  readonly tags: readonly string[] | null;
}

export interface SnapshotGroup<S extends Snapshot = Snapshot> {
  readonly key: GroupKey;
  /** In the order in which they came. */
  readonly snapshots: readonly S[];
}

/** Groups in the order of host, paths, tags. Paths and tags are sets: their order in a snapshot does not matter. */
export function groupSnapshots<S extends Snapshot>(snapshots: readonly S[], by: GroupBy): SnapshotGroup<S>[] {
  const groups = new Map<string, { readonly key: GroupKey; readonly snapshots: S[] }>();
  for (const snapshot of snapshots) {
    const key = groupKey(snapshot, by);
    const name = JSON.stringify(key);
    const group = groups.get(name) ?? { key, snapshots: [] };
    group.snapshots.push(snapshot);
    groups.set(name, group);
  }
  return [...groups.values()].sort((a, b) => compareKeys(a.key, b.key));
}

/** The group that a snapshot belongs to. */
export function groupKey(snapshot: Snapshot, by: GroupBy): GroupKey {
  return {
    hostname: by.host ? (snapshot.hostname ?? '') : '',
    paths: by.paths ? sorted(snapshot.paths) : null,
    tags: by.tags ? sorted(snapshot.tags ?? []) : null,
  };
}

function sorted(texts: readonly string[]): readonly string[] | null {
  return texts.length === 0 ? null : [...texts].sort(compareText);
}

/** The order of UTF-8 bytes, as Go sorts. */
export function compareText(a: string, b: string): number {
  return compareBytes(fromText(a), fromText(b));
}

function compareKeys(a: GroupKey, b: GroupKey): number {
  return (
    compareText(a.hostname, b.hostname) || compareLists(a.paths, b.paths) || compareLists(a.tags, b.tags)
  );
}

function compareLists(a: readonly string[] | null, b: readonly string[] | null): number {
  const left = a ?? [];
  const right = b ?? [];
  for (const [i, text] of left.entries()) {
    const other = right[i];
    const order = other === undefined ? 1 : compareText(text, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** `host a, path [/x /y], tags [t]`, as restic names a group; '' for the group of all. */
export function describeGroup(key: GroupKey): string {
  return [
    key.hostname === '' ? '' : `host ${key.hostname}`,
    key.paths === null ? '' : `path [${key.paths.join(' ')}]`,
    key.tags === null ? '' : `tags [${key.tags.join(' ')}]`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
