/**
 * copy: brings snapshots from one repository into another, blob by blob, without cutting files anew.
 *
 * similar  a snapshot of the target that tells of the same backup: its copy, or the one that it was copied from
 * batch    snapshots whose blobs are brought over before any of them is written: packs stay large that way
 *
 * What a stopped run has brought over is in packs that an index lists, so the next run goes on from there.
 * The caller locks the source shared and the target shared.
 */
import { performance } from 'node:perf_hooks';
import type { CallOptions } from '../backend/backend.ts';
import { toEpochNs } from '../format/time.ts';
import type { BlobType, Id, Snapshot, StoredSnapshot } from '../format/types.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { transferBlobs } from '../repository/transfer.ts';
import { missingBlob, newMarks, walkTrees } from '../repository/used-blobs.ts';

export interface CopyCounters {
  /** Packs of the source, for the snapshot at hand. */
  packsDone: number;
  packsTotal: number;
}

export interface CopyOptions extends CallOptions {
  readonly counters?: CopyCounters;
  readonly threads?: number;
  /** `existing` is the snapshot of the target that tells the same. */
  readonly onSkipped?: (snapshot: StoredSnapshot, existing: StoredSnapshot) => void;
  readonly onStart?: (snapshot: StoredSnapshot) => void;
  readonly onCounted?: (snapshot: StoredSnapshot, needed: CopiedAmount) => void;
  readonly onSaved?: (snapshot: StoredSnapshot, id: Id) => void;
}

export interface CopiedAmount {
  readonly blobs: number;
  /** As they lie in the source's packs. */
  readonly bytes: number;
  readonly packs: number;
}

export interface CopyResult {
  readonly copied: number;
  readonly skipped: number;
}

/** A batch ends when it has this many packs, and not before a minute is over: small packs cost more than waiting. */
const BATCH_PACKS = 100;
const BATCH_MS = 60_000;

/** Files that are in both repositories are only shared if both cut them at the same places. */
export function sharesChunks(a: IndexedRepository, b: IndexedRepository): boolean {
  return a.repository.config.chunkerPolynomial === b.repository.config.chunkerPolynomial;
}

/**
 * Copies the snapshots that the target lacks. Errors: 'damaged' for a tree or blob of the source that can't be read;
 * those of both backends; the signal's reason.
 */
export async function copySnapshots(
  from: IndexedRepository,
  to: IndexedRepository,
  snapshots: readonly StoredSnapshot[],
  o: CopyOptions = {},
): Promise<CopyResult> {
  const existing = await to.repository.snapshots(o);
  const wanted: StoredSnapshot[] = [];
  for (const snapshot of snapshots) {
    const similar = findSimilar(snapshot, existing);
    if (similar) o.onSkipped?.(snapshot, similar);
    else wanted.push(snapshot);
  }
  const run = new CopyRun(from, to, o);
  await run.copy(wanted);
  return { copied: wanted.length, skipped: snapshots.length - wanted.length };
}

class CopyRun {
  readonly #from: IndexedRepository;
  readonly #to: IndexedRepository;
  readonly #o: CopyOptions;
  readonly #counters: CopyCounters;
  /** By entry of the source's index: gone through, or on its way. */
  readonly #seen: Uint8Array;

  constructor(from: IndexedRepository, to: IndexedRepository, o: CopyOptions) {
    this.#from = from;
    this.#to = to;
    this.#o = o;
    this.#counters = o.counters ?? { packsDone: 0, packsTotal: 0 };
    this.#seen = newMarks(from);
  }

  async copy(snapshots: readonly StoredSnapshot[]): Promise<void> {
    const most = this.#to.repository.options.packBytes * BATCH_PACKS;
    const left = [...snapshots];
    while (left.length > 0) {
      const writer = this.#to.writer(this.#signal());
      const batch: StoredSnapshot[] = [];
      const start = performance.now();
      try {
        while (left[0] && (writer.totals.storedBytes < most || performance.now() - start < BATCH_MS)) {
          await this.#copyBlobs(left[0], writer);
          batch.push(left.shift()!);
        }
        await writer.flush();
      } catch (e) {
        await writer.keep();
        throw e;
      }
      for (const snapshot of batch) {
        const id = await this.#to.repository.saveSnapshot(copyOf(snapshot), this.#signal());
        this.#o.onSaved?.(snapshot, id);
      }
    }
  }

  async #copyBlobs(snapshot: StoredSnapshot, writer: BlobWriter): Promise<void> {
    this.#o.onStart?.(snapshot);
    const entries = await this.#entriesToCopy(snapshot.tree);
    const { index } = this.#from;
    const packs = new Set(entries.map((entry) => index.packNumberOf(entry))).size;
    const bytes = entries.reduce((sum, entry) => sum + index.lengthOf(entry), 0);
    this.#o.onCounted?.(snapshot, { blobs: entries.length, bytes, packs });
    Object.assign(this.#counters, { packsDone: 0, packsTotal: packs });
    await transferBlobs({
      ...this.#signal(),
      from: this.#from,
      to: this.#to.repository,
      writer,
      entries: Uint32Array.from(entries),
      again: () => true,
      duplicate: false,
      ...(this.#o.threads === undefined ? {} : { threads: this.#o.threads }),
      onPack: () => this.#counters.packsDone++,
    });
  }

  /**
   * Every tree of the snapshot is gone through even where the target has it: after a stop its content may be missing
   * there.
   */
  async #entriesToCopy(root: Id): Promise<number[]> {
    const entries: number[] = [];
    const take = (type: BlobType, id: Id): boolean => {
      const entry = this.#from.index.entryOf(type, id);
      if (entry < 0) throw missingBlob(type, id);
      if (this.#seen[entry] === 1) return false;
      this.#seen[entry] = 1;
      if (!this.#to.index.has(type, id)) entries.push(entry);
      return true;
    };
    await walkTrees(this.#from, root, {
      ...this.#signal(),
      enter: (id) => take('tree', id),
      onTree: (tree) => {
        for (const { content } of tree.nodes) for (const id of content ?? []) take('data', id);
      },
    });
    return entries;
  }

  #signal(): CallOptions {
    return this.#o.signal ? { signal: this.#o.signal } : {};
  }
}

/** `parent` means nothing in the other repository; `original` keeps the first name through all copies. */
function copyOf(snapshot: StoredSnapshot): Snapshot {
  const { parent: _, id, ...rest } = snapshot;
  return { ...rest, original: snapshot.original ?? id };
}

function findSimilar(
  snapshot: StoredSnapshot,
  existing: readonly StoredSnapshot[],
): StoredSnapshot | undefined {
  const first = snapshot.original ?? snapshot.id;
  return existing.find((s) => (s.id === first || s.original === first) && isSimilar(s, snapshot));
}

/** All but `parent`, `original`, the program and its summary must be the same. */
function isSimilar(a: Snapshot, b: Snapshot): boolean {
  return (
    toEpochNs(a.time) === toEpochNs(b.time) &&
    a.tree === b.tree &&
    (a.hostname ?? '') === (b.hostname ?? '') &&
    (a.username ?? '') === (b.username ?? '') &&
    (a.uid ?? 0) === (b.uid ?? 0) &&
    (a.gid ?? 0) === (b.gid ?? 0) &&
    sameMembers(a.paths, b.paths) &&
    sameMembers(a.tags ?? [], b.tags ?? []) &&
    sameList(a.excludes ?? [], b.excludes ?? [])
  );
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && b.every((member) => a.includes(member));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member, i) => member === b[i]);
}
