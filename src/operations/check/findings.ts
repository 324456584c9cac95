/**
 * What a check can find, as values.
 *
 * error   something is lost, or will be when it is needed
 * hint    nothing is lost, but something can be put in order
 * remedy  the command that repairs it, in the order in which they are to be run (see `REMEDIES`)
 */
import { messageOf } from '../../api/errors.ts';
import type { Id } from '../../format/types.ts';

export type FindingKind =
  | 'key-unreadable'
  | 'index-unreadable'
  /** Index files tell different things about one pack. */
  | 'pack-contradicted'
  /** Several index files tell the same about one pack. */
  | 'pack-listed-twice'
  | 'pack-mixed'
  | 'pack-missing'
  | 'pack-size'
  | 'pack-orphaned'
  /** It was read, and is damaged. */
  | 'pack-damaged'
  /** It could not be read; what is in it is not known. */
  | 'pack-unread'
  /** A second reading was good. */
  | 'pack-unsteady'
  | 'snapshot-unreadable'
  | 'tree-missing'
  | 'tree-unreadable'
  | 'tree-order'
  | 'entry-name'
  | 'entry-type'
  | 'entry-content'
  | 'blob-missing'
  | 'file-size';

export const REMEDIES = ['repair-index', 'repair-packs', 'repair-snapshots', 'prune', 'key-remove'] as const;
export type Remedy = (typeof REMEDIES)[number];

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: 'error' | 'hint';
  /** For the person; whole, and with the ids below in it. */
  readonly sentence: string;
  readonly remedy?: Remedy;
  readonly key?: Id;
  readonly index?: Id;
  readonly pack?: Id;
  readonly snapshot?: Id;
  readonly tree?: Id;
  readonly blob?: Id;
}

type Ids = Pick<Finding, 'key' | 'index' | 'pack' | 'snapshot' | 'tree' | 'blob'>;

export function fault(kind: FindingKind, sentence: string, ids: Ids, remedy?: Remedy): Finding {
  return { kind, severity: 'error', sentence, ...ids, ...(remedy ? { remedy } : {}) };
}

export function hint(kind: FindingKind, sentence: string, ids: Ids, remedy?: Remedy): Finding {
  return { ...fault(kind, sentence, ids, remedy), severity: 'hint' };
}

export function unreadableIndex(index: Id, e: unknown): Finding {
  const sentence = `Index file ${index} can't be used: ${messageOf(e)}`;
  return fault('index-unreadable', sentence, { index }, 'repair-index');
}

export function unreadableSnapshot(snapshot: Id, e: unknown): Finding {
  const sentence = `Snapshot ${snapshot} can't be read: ${messageOf(e)}`;
  return fault('snapshot-unreadable', sentence, { snapshot }, 'repair-snapshots');
}

export function unreadableKey(key: Id, e: unknown): Finding {
  const sentence = `Key ${key} can't be read, its password opens nothing any more: ${messageOf(e)}`;
  return hint('key-unreadable', sentence, { key }, 'key-remove');
}
