/**
 * rewrite: makes new snapshots from old ones, without some files or with another host or time.
 *
 * Order of writes: trees and index, then the new snapshot, then (with `forget`) the old one goes. The caller holds a
 * lock: exclusive with `forget`, shared without.
 */
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node, Snapshot, SnapshotSummary, StoredSnapshot, Timestamp } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { rewriteTree, type TreeRules } from '../repository/tree-rewriter.ts';
import { type ReplaceOptions, replaceSnapshot } from './tag.ts';

/** The tag of new snapshots that stand beside the old ones. */
export const REWRITE_TAG = 'rewrite';

export interface RewriteRules {
  /** Which files stay; undefined to leave the trees alone. */
  readonly files?: TreeRules;
  /** A snapshot of which nothing would be left stays as it is: nothing in it was asked for. */
  readonly keepIfEmpty?: boolean;
  /** Add a summary with the number of files and bytes. */
  readonly summary?: boolean;
  readonly newHost?: string;
  readonly newTime?: Timestamp;
  /** Remove the old snapshot. */
  readonly forget?: boolean;
}

export interface RewriteOptions extends ReplaceOptions, RewriteRules {
  readonly dryRun?: boolean;
}

export type RewriteOutcome =
  | { readonly kind: 'unchanged' }
  /** Nothing was left of it, so it was removed. */
  | { readonly kind: 'removed' }
  /** `id` is undefined in a dry run. */
  | { readonly kind: 'rewritten'; readonly id: Id | undefined; readonly snapshot: Snapshot };

/**
 * Errors: 'damaged', 'unsupported' for trees that can't be written anew without loss, the backend's. The old snapshot
 * is whole after each of them.
 */
export async function rewriteSnapshot(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  o: RewriteOptions,
): Promise<RewriteOutcome> {
  const changed = o.files || o.summary ? await rewriteFiles(repo, snapshot, o) : { tree: snapshot.tree };
  if (changed.tree === undefined) return removeEmpty(repo, snapshot, o);
  const next = describe(snapshot, changed.tree, changed.summary, o);
  const named = o.newHost !== undefined || o.newTime !== undefined;
  const sameFiles = changed.tree === snapshot.tree && sameSummary(changed.summary, snapshot.summary);
  if (sameFiles && !named) return { kind: 'unchanged' };
  if (o.dryRun) return { kind: 'rewritten', id: undefined, snapshot: next };
  const id = o.forget
    ? await replaceSnapshot(repo.repository, snapshot, next, { ...signalOf(o), existing: o.existing ?? [] })
    : await repo.repository.saveSnapshot(next, signalOf(o));
  return { kind: 'rewritten', id, snapshot: next };
}

interface RewrittenFiles {
  readonly tree: Id | undefined;
  readonly summary?: SnapshotSummary;
}

async function rewriteFiles(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  o: RewriteOptions,
): Promise<RewrittenFiles> {
  const writer = repo.writer({ ...signalOf(o), dryRun: o.dryRun === true });
  const totals = { files: 0, bytes: 0 };
  try {
    const tree = await rewriteTree(repo, writer, snapshot.tree, counting(o.files, totals), signalOf(o));
    await writer.flush();
    return { tree, summary: summaryWith(snapshot.summary, totals) };
  } finally {
    await writer.settle();
  }
}

function counting(rules: TreeRules | undefined, totals: { files: number; bytes: number }): TreeRules {
  return {
    ...(rules?.keepEmpty ? { keepEmpty: rules.keepEmpty } : {}),
    node(before, path): Node | undefined {
      const node = rules ? rules.node(before, path) : before;
      if (node?.type === 'file') {
        totals.files++;
        totals.bytes += Number(node.size);
      }
      return node;
    },
  };
}

/** What Go prints for a time that was never set. */
const NEVER = '0001-01-01T00:00:00Z' as Timestamp;

function summaryWith(
  before: SnapshotSummary | undefined,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): SnapshotSummary {
  const empty = {
    ...{ backup_start: NEVER, backup_end: NEVER, files_new: 0, files_changed: 0, files_unmodified: 0 },
    ...{ dirs_new: 0, dirs_changed: 0, dirs_unmodified: 0, data_blobs: 0, tree_blobs: 0 },
    ...{ data_added: 0, data_added_packed: 0 },
  };
  return { ...(before ?? empty), total_files_processed: files, total_bytes_processed: bytes };
}

function sameSummary(made: SnapshotSummary | undefined, before: SnapshotSummary | undefined): boolean {
  if (!made) return true;
  return (
    made.total_files_processed === before?.total_files_processed &&
    made.total_bytes_processed === before.total_bytes_processed
  );
}

function describe(
  snapshot: StoredSnapshot,
  tree: Id,
  summary: SnapshotSummary | undefined,
  o: RewriteRules,
): Snapshot {
  const tags = o.forget ? snapshot.tags : [...new Set([...(snapshot.tags ?? []), REWRITE_TAG])];
  return {
    ...snapshot,
    original: snapshot.id,
    tree,
    ...(summary ? { summary } : {}),
    ...(tags ? { tags } : {}),
    ...(o.newHost === undefined ? {} : { hostname: o.newHost }),
    ...(o.newTime === undefined ? {} : { time: o.newTime }),
  };
}

async function removeEmpty(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  o: RewriteOptions,
): Promise<RewriteOutcome> {
  if (o.keepIfEmpty) return { kind: 'unchanged' };
  if (!o.dryRun) await repo.repository.files.remove('snapshot', snapshot.id, signalOf(o));
  return { kind: 'removed' };
}

function signalOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
