/**
 * tag: gives snapshots other tags. A snapshot is a file named by its content, so a new one is written and then the
 * old one removed; a stop in between leaves both, and the next run removes the old one. `original` remembers the first
 * name.
 *
 * The repository must be locked exclusively by the caller.
 */
import type { CallOptions } from '../backend/backend.ts';
import { serializeSnapshot } from '../format/snapshot.ts';
import type { Id, Snapshot, StoredSnapshot } from '../format/types.ts';
import type { Repository } from '../repository/repository.ts';

/** `set` replaces all tags, and [''] leaves none; else `add`, then `remove`. */
export type TagChange =
  | { readonly set: readonly string[] }
  | { readonly add: readonly string[]; readonly remove: readonly string[] };

/** The tags after the change, or undefined where it changes nothing. `set` always counts as a change. */
export function changedTags(tags: readonly string[], change: TagChange): readonly string[] | undefined {
  if ('set' in change) return change.set.length === 1 && change.set[0] === '' ? [] : change.set;
  const added = [...new Set([...tags, ...change.add])];
  const left = added.filter((tag) => !change.remove.includes(tag));
  const same = left.length === tags.length && left.every((tag, i) => tag === tags[i]);
  return same ? undefined : left;
}

export interface ReplaceOptions extends CallOptions {
  /** Snapshots of the repository: a new one that is there already, from a run that was stopped, is not made twice. */
  readonly existing?: readonly StoredSnapshot[];
}

/** The new name of the snapshot, or undefined where its tags stay. Errors: the backend's. */
export async function changeTags(
  repo: Repository,
  snapshot: StoredSnapshot,
  change: TagChange,
  o: ReplaceOptions = {},
): Promise<Id | undefined> {
  const tags = changedTags(snapshot.tags ?? [], change);
  if (!tags) return undefined;
  const original = snapshot.original ?? snapshot.id;
  return replaceSnapshot(repo, snapshot, { ...snapshot, tags, original }, o);
}

/** Stores `next`, then removes `old`; both may use the storage's reserve. Errors: the backend's. */
export async function replaceSnapshot(
  repo: Repository,
  old: StoredSnapshot,
  next: Snapshot,
  { existing = [], ...o }: ReplaceOptions = {},
): Promise<Id> {
  const content = serializeSnapshot(next);
  const alike = existing.filter((s) => s.tree === next.tree && s.time === next.time && s.id !== old.id);
  const twin = alike.find((s) => serializeSnapshot(s).equals(content));
  const id = twin?.id ?? (await repo.saveSnapshot(next, { ...o, fromReserve: true }));
  await repo.files.remove('snapshot', old.id, o);
  return id;
}
