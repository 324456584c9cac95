/**
 * Checking the pack files: those that the index knows are there, with the right size; and, if asked for, each read
 * whole and looked at in a worker thread.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isEngineError, messageOf } from '../../api/errors.ts';
import type { CallOptions, FileInfo } from '../../backend/backend.ts';
import { isCaching } from '../../backend/cache.ts';
import type { Id } from '../../format/types.ts';
import type { PackListing } from '../../repository/pack-listing.ts';
import type { Repository } from '../../repository/repository.ts';
import { forEachLimit, Semaphore } from '../../util/semaphore.ts';
import { WorkerPool } from '../../workers/pool.ts';
import type { PackFault } from '../../workers/protocol.ts';
import { storedPacks } from '../stored-packs.ts';
import { type Finding, fault, hint } from './findings.ts';

/** Sizes in bytes, by pack. */
export type PackSizes = ReadonlyMap<Id, number>;

export interface PacksOptions extends CallOptions {
  readonly onFinding: (finding: Finding) => void;
}

export interface PackFiles {
  /** Of those that the index and the storage both know. */
  readonly sizes: PackSizes;
  /** Of those, the ones whose bytes are right by the service's own checksum. */
  readonly proven: ReadonlySet<Id>;
}

export interface PackFilesOptions extends PacksOptions {
  /** Ask for the service's checksums. */
  readonly remoteChecksums?: boolean;
}

/** Compares the stored packs with the index. Errors: the backend's. */
export async function checkPackFiles(
  repo: Repository,
  listing: PackListing,
  o: PackFilesOptions,
): Promise<PackFiles> {
  const { remoteChecksums: checksums = false, ...call } = o;
  const stored = await storedPacks(repo, listing.packs(), { ...call, checksums });
  const sizes = new Map<Id, number>();
  const proven = new Set<Id>();
  for (const pack of listing.packs()) {
    const file = stored.get(pack);
    stored.delete(pack);
    if (file === undefined) o.onFinding(missingPack(pack));
    else {
      sizes.set(pack, file.size);
      if (checkPackFile(pack, file, listing.size(pack), o)) proven.add(pack);
    }
  }
  for (const pack of stored.keys()) {
    o.onFinding(hint('pack-orphaned', `Pack ${pack} is in no index.`, { pack }, 'prune'));
  }
  return { sizes, proven };
}

/** Whether its bytes are proven. A pack's name is its SHA-256; of other checksums nobody knows what they should be. */
function checkPackFile(
  pack: Id,
  { size, checksum }: FileInfo,
  expected: number,
  o: Pick<PackFilesOptions, 'onFinding' | 'remoteChecksums'>,
): boolean {
  if (size !== expected) o.onFinding(wrongSize(pack, size, expected));
  if (!o.remoteChecksums || checksum?.kind !== 'sha256') return false;
  if (checksum.value === pack) return true;
  o.onFinding(wrongChecksum(pack, checksum.value));
  return false;
}

function wrongChecksum(pack: Id, actual: string): Finding {
  const sentence = `Pack ${pack} is not what was stored: by the service, its content has the checksum ${actual}.`;
  return fault('pack-damaged', sentence, { pack }, 'repair-packs');
}

function missingPack(pack: Id): Finding {
  const sentence = `Pack ${pack} is missing, though the index lists it.`;
  return fault('pack-missing', sentence, { pack }, 'repair-packs');
}

function wrongSize(pack: Id, actual: number, expected: number): Finding {
  const sentence = `Pack ${pack} has ${actual} bytes; by the index it should have ${expected}.`;
  return fault('pack-size', sentence, { pack }, 'repair-packs');
}

/** Which packs are to be read. */
export type Subset =
  | { readonly kind: 'all' }
  /** Group `group` of `groups` (at most 256), by the first byte of the pack's id: all groups together are all packs. */
  | { readonly kind: 'group'; readonly group: number; readonly groups: number }
  /** A random choice of this share of the packs, at least one. */
  | { readonly kind: 'percent'; readonly percent: number }
  /** The same, with the share that so many bytes have in all packs. */
  | { readonly kind: 'bytes'; readonly bytes: number };

/** The packs of a subset. Equal seeds choose equally. */
export function selectPacks(packs: PackSizes, subset: Subset, seed: string = randomSeed()): Id[] {
  const ids = [...packs.keys()].sort();
  switch (subset.kind) {
    case 'all':
      return ids;
    case 'group':
      return ids.filter((id) => Number.parseInt(id.slice(0, 2), 16) % subset.groups === subset.group - 1);
    case 'percent':
      return choose(ids, subset.percent / 100, seed);
    case 'bytes': {
      const total = [...packs.values()].reduce((sum, size) => sum + size, 0);
      return choose(ids, total === 0 ? 1 : Math.min(1, subset.bytes / total), seed);
    }
  }
}

function randomSeed(): string {
  return randomBytes(16).toString('hex');
}

function choose(ids: readonly Id[], share: number, seed: string): Id[] {
  const wanted = Math.max(1, Math.floor(ids.length * share));
  const rank = (id: Id) => createHash('sha256').update(seed).update(id).digest('hex');
  const ranked = ids.map((id) => ({ id, rank: rank(id) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked
    .slice(0, wanted)
    .map(({ id }) => id)
    .sort();
}

export interface ReadPacksOptions extends PacksOptions {
  readonly threads?: number;
  /** After each pack. */
  readonly onPack?: (bytes: number) => void;
}

/** Bytes of packs in memory at once; a larger pack comes alone. */
const MOST_BYTES = 192 * 1024 * 1024;
/** A pack that is longer than its index says by more than this is not read: what it has too much is no blob. */
const MOST_SURPLUS = 64 * 1024 * 1024;

/** Reads packs whole and reports all that is wrong with them. Errors: the backend's, if the storage as such fails. */
export async function readPacks(
  repo: Repository,
  listing: PackListing,
  packs: readonly Id[],
  sizes: PackSizes,
  o: ReadPacksOptions,
): Promise<void> {
  const pool = new WorkerPool({ key: repo.key.master, codec: repo.codec }, o.threads);
  const room = new Semaphore(MOST_BYTES);
  const parallel = Math.max(repo.backend.traits.connections, pool.size + 1);
  try {
    await forEachLimit(packs, parallel, async (pack) => {
      const size = sizes.get(pack) ?? 0;
      const needed = Math.min(size, MOST_BYTES);
      await room.acquire(needed);
      try {
        if (size <= listing.size(pack) + MOST_SURPLUS) await readPack(repo, pool, listing, pack, o);
      } finally {
        room.release(needed);
      }
      o.onPack?.(size);
    });
  } finally {
    await pool.close();
  }
}

/** A pack with faults is read a second time: a cable or a cache may be at fault. */
async function readPack(
  repo: Repository,
  pool: WorkerPool,
  listing: PackListing,
  pack: Id,
  o: ReadPacksOptions,
): Promise<void> {
  try {
    const first = await inspectPack(repo, pool, listing, pack, o);
    if (first.length === 0) return;
    if (isCaching(repo.backend)) await repo.backend.forget({ type: 'pack', name: pack });
    const second = await inspectPack(repo, pool, listing, pack, o);
    o.onFinding(second.length > 0 ? damagedPack(pack, second) : unsteadyPack(pack, first));
  } catch (e) {
    // One pack that the disk or the service does not give; what ails the storage as a whole ends the check.
    if (!isEngineError(e, 'not-found', 'range', 'io', 'permission')) throw e;
    const sentence = `Pack ${pack} can't be read, so what is in it was not checked: ${messageOf(e)}`;
    o.onFinding(fault('pack-unread', sentence, { pack }));
  }
}

async function inspectPack(
  repo: Repository,
  pool: WorkerPool,
  listing: PackListing,
  pack: Id,
  o: CallOptions,
): Promise<readonly PackFault[]> {
  const data = ownBuffer(await repo.backend.load({ type: 'pack', name: pack }, o));
  o.signal?.throwIfAborted();
  const job = { kind: 'inspect', pack, data, blobs: listing.blobs(pack) } as const;
  return (await pool.run(job, { transfer: [data.buffer] })).faults;
}

/** Only memory that holds nothing else may be transferred. */
function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  const owns = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
  return owns ? new Uint8Array(buffer) : Uint8Array.from(bytes);
}

/** More faults than this make no sentence clearer. */
const MOST_NAMED = 10;

function describe(faults: readonly PackFault[]): string {
  const named = faults.slice(0, MOST_NAMED).map(({ sentence }) => sentence);
  const more = faults.length - named.length;
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}

function damagedPack(pack: Id, faults: readonly PackFault[]): Finding {
  return fault('pack-damaged', `Pack ${pack}: ${describe(faults)}`, { pack }, 'repair-packs');
}

function unsteadyPack(pack: Id, faults: readonly PackFault[]): Finding {
  const sentence = `Pack ${pack} was read wrongly once and rightly the second time (${describe(faults)}) The disk, its cable or the memory may be failing.`;
  return fault('pack-unsteady', sentence, { pack });
}
