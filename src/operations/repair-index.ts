/**
 * repair index: the index made to fit the packs that are there.
 *
 * reread   a pack that is in no index, that has another size than its index says, or about which index files
 *          contradict each other: its own header tells what it holds
 * gone     a pack that an index lists and the storage does not have, asked for it by name
 * kept     a pack whose header can't be read now: what the index says of it stays, for it may still serve
 *
 * Order of writes: the new index files, then the old ones go, then those that can't be read. Stopped anywhere, no
 * blob that could be found before is lost sight of.
 */
import { type EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, PackedBlob } from '../format/types.ts';
import { rewriteIndex } from '../repository/index-rewrite.ts';
import { IndexWriter } from '../repository/index-writer.ts';
import { loadPackHeader } from '../repository/pack-header-reader.ts';
import { PackListing } from '../repository/pack-listing.ts';
import type { Repository } from '../repository/repository.ts';
import { forEachLimit } from '../util/semaphore.ts';
import { type LoadedIndex, loadIndexFiles } from './check/index-files.ts';

export interface IndexRepairOptions extends CallOptions {
  /** Believe no index: read the header of every pack. */
  readonly readAllPacks?: boolean;
}

export type RereadReason = 'unlisted' | 'size' | 'contradicted' | 'asked';

export interface Reread {
  readonly pack: Id;
  /** Bytes of its file. */
  readonly size: number;
  readonly reason: RereadReason;
  /** Index entries that lie within the file: what is left if the header can't be read. */
  readonly usableEntries: number;
}

export interface IndexRepairPlan {
  readonly reread: readonly Reread[];
  readonly gone: readonly Id[];
  /** Index files that can't be read. */
  readonly damagedIndexes: readonly Id[];
  readonly goodIndexes: readonly Id[];
  /** Packs that several index files list alike. */
  readonly listedTwice: readonly Id[];
}

/** Whether there is anything to do. */
export function needsIndexRepair(plan: IndexRepairPlan): boolean {
  return [plan.reread, plan.gone, plan.damagedIndexes, plan.listedTwice].some((list) => list.length > 0);
}

/** Errors: the backend's. Nothing is written. */
export async function planIndexRepair(
  repo: Repository,
  o: IndexRepairOptions = {},
): Promise<IndexRepairPlan> {
  const loaded = await loadIndexFiles(repo, callOf(o));
  const unreadable = new Set(loaded.unreadable);
  const listing = new PackListing(loaded.index);
  const stored = new Map<Id, number>();
  for await (const { name, size } of repo.files.list('pack', callOf(o))) stored.set(name, size);
  const gone = await confirmGone(repo, listing, stored, o);
  return {
    reread: [...rereads(listing, loaded, stored, o.readAllPacks === true)],
    gone,
    damagedIndexes: loaded.unreadable,
    goodIndexes: loaded.indexFiles.filter((id) => !unreadable.has(id)),
    listedTwice: [...loaded.repeated].filter(([, r]) => !r.contradicted).map(([pack]) => pack),
  };
}

/** A listing may lag: a pack counts as gone when the storage denies it by name as well. */
async function confirmGone(
  repo: Repository,
  listing: PackListing,
  stored: Map<Id, number>,
  o: CallOptions,
): Promise<readonly Id[]> {
  const gone: Id[] = [];
  const unseen = [...listing.packs()].filter((pack) => !stored.has(pack));
  await forEachLimit(unseen, repo.backend.traits.connections, async (pack) => {
    try {
      const { size } = await repo.backend.stat({ type: 'pack', name: pack }, callOf(o));
      stored.set(pack, size);
    } catch (e) {
      if (!isEngineError(e, 'not-found')) throw e;
      gone.push(pack);
    }
  });
  return gone.sort();
}

function* rereads(
  listing: PackListing,
  { repeated }: LoadedIndex,
  stored: ReadonlyMap<Id, number>,
  all: boolean,
): Iterable<Reread> {
  for (const [pack, size] of stored) {
    const blobs = listing.blobs(pack);
    const reason = reasonFor(blobs.length, size, listing.size(pack), repeated.get(pack)?.contradicted, all);
    if (!reason) continue;
    yield { pack, size, reason, usableEntries: blobs.filter((b) => b.offset + b.length <= size).length };
  }
}

function reasonFor(
  blobs: number,
  size: number,
  expected: number,
  contradicted: boolean | undefined,
  all: boolean,
): RereadReason | undefined {
  if (blobs === 0) return 'unlisted';
  if (size !== expected) return 'size';
  if (contradicted) return 'contradicted';
  return all ? 'asked' : undefined;
}

export interface IndexRepairReport {
  /** Packs that are now listed by what their own header says. */
  readonly reindexed: readonly Id[];
  /** Packs that are no longer listed: not there, or without a single blob that could be read. */
  readonly removed: readonly Id[];
  /** Packs whose header can't be read, and what the index said of them stays: `repair packs` can salvage them. */
  readonly kept: readonly Id[];
  /** Packs that no index lists and whose header can't be read. */
  readonly unusable: readonly Id[];
  /** Packs that the storage would not give now. What was known of them stays. */
  readonly unread: readonly { readonly pack: Id; readonly error: EngineError }[];
  readonly indexFiles: { readonly removed: number; readonly written: number };
}

export interface ApplyIndexRepairOptions extends CallOptions {
  readonly onPack?: () => void;
  /** The headers are read; old index files are gone through. */
  readonly onRewrite?: () => void;
}

/** Errors: the backend's; then no index file was removed that is not replaced. */
export async function applyIndexRepair(
  repo: Repository,
  plan: IndexRepairPlan,
  o: ApplyIndexRepairOptions = {},
): Promise<IndexRepairReport> {
  if (!needsIndexRepair(plan)) return emptyReport();
  const writer = new IndexWriter(repo.files, { ...callOf(o), fromReserve: true });
  const headers = await readHeaders(repo, plan, writer, o);
  await writer.flush();
  o.onRewrite?.();
  const removed = [...plan.gone, ...headers.hopeless];
  const now = await rewriteIndex(repo, {
    ...callOf(o),
    files: plan.goodIndexes,
    without: new Set([...removed, ...headers.reindexed]),
  });
  for (const id of plan.damagedIndexes) await repo.files.remove('index', id, callOf(o));
  const stayed = new Set(plan.goodIndexes);
  const { reindexed, kept, unusable, unread } = headers;
  const written = writer.saved.length + now.filter((id) => !stayed.has(id)).length;
  const left = now.filter((id) => stayed.has(id)).length;
  const obsolete = plan.goodIndexes.length - left + plan.damagedIndexes.length;
  return { reindexed, removed, kept, unusable, unread, indexFiles: { removed: obsolete, written } };
}

function emptyReport(): IndexRepairReport {
  const indexFiles = { removed: 0, written: 0 };
  return { reindexed: [], removed: [], kept: [], unusable: [], unread: [], indexFiles };
}

interface Headers {
  readonly reindexed: Id[];
  readonly kept: Id[];
  readonly unusable: Id[];
  /** Listed, but neither the header nor a single entry can be used. */
  readonly hopeless: Id[];
  readonly unread: { readonly pack: Id; readonly error: EngineError }[];
}

async function readHeaders(
  repo: Repository,
  plan: IndexRepairPlan,
  writer: IndexWriter,
  o: ApplyIndexRepairOptions,
): Promise<Headers> {
  const result: Headers = { reindexed: [], kept: [], unusable: [], hopeless: [], unread: [] };
  await forEachLimit(plan.reread, repo.backend.traits.connections, async (item) => {
    const blobs = await readHeader(repo, item, o);
    if (Array.isArray(blobs)) {
      await writer.add({ id: item.pack, blobs });
      result.reindexed.push(item.pack);
    } else if (isEngineError(blobs, 'io', 'permission'))
      result.unread.push({ pack: item.pack, error: blobs });
    else if (item.usableEntries > 0) result.kept.push(item.pack);
    else (item.reason === 'unlisted' ? result.unusable : result.hopeless).push(item.pack);
    o.onPack?.();
  });
  return result;
}

/** The blobs; or why they can't be told, where that concerns this pack alone. */
async function readHeader(
  repo: Repository,
  { pack, size }: Reread,
  o: CallOptions,
): Promise<PackedBlob[] | EngineError> {
  try {
    return await loadPackHeader(repo, pack, size, callOf(o));
  } catch (e) {
    if (isEngineError(e, 'damaged', 'range', 'not-found', 'io', 'permission')) return e;
    throw e;
  }
}

function callOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
