/**
 * prune: removes the data that no snapshot needs.
 *
 * plan   walks the trees of all snapshots, then decides for each pack; changes nothing
 * apply  in this order: unreferenced packs go; needed blobs are brought into new packs and these into new index
 *        files; index files without the old packs are written, then the old index files go; last, the old packs go.
 *        So at every moment each needed blob is in a pack that some index lists, and a stop leaves at most files that
 *        nobody needs, which the next prune removes.
 *
 * A full disk: index files may use the storage's reserve. If there is no room to repack, what needs no repacking is
 * removed first, and then packs are repacked a few at a time.
 *
 * The repository must be locked exclusively by the caller, whose signal this watches.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, PackedBlob, StoredSnapshot } from '../format/types.ts';
import type { BlobIndex } from '../repository/blob-index.ts';
import { rewriteIndex } from '../repository/index-rewrite.ts';
import { IndexWriter } from '../repository/index-writer.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import { transferBlobs } from '../repository/transfer.ts';
import { markUsedBlobs, newMarks } from '../repository/used-blobs.ts';
import { forEachLimit } from '../util/semaphore.ts';
import { removeLeftovers } from './leftovers.ts';
import { decidePacks, type PackDecision, type PruneStats } from './prune-packs.ts';
import { storedPacks } from './stored-packs.ts';

export type { PruneStats } from './prune-packs.ts';

/** How much unused data may stay: a share of all, bytes, or any amount. */
export type UnusedLimit = { readonly percent: number } | { readonly bytes: number } | 'unlimited';

export interface PruneRules {
  /** 5 % unless told otherwise. */
  readonly maxUnused?: UnusedLimit;
  /** Stop repacking before more bytes than this are gone through. */
  readonly maxRepackBytes?: number;
  /** Repack only packs of trees: the others a cache does not hold. */
  readonly repackCacheableOnly?: boolean;
  /** Repack all that is not compressed. */
  readonly repackUncompressed?: boolean;
  /** Packs below this many bytes are small and worth repacking. */
  readonly repackSmallerThan?: number;
}

export type PrunePhase = 'snapshots' | 'unreferenced' | 'repack' | 'index' | 'packs';

/** Where the work is; the caller samples it. */
export interface PruneCounters {
  phase: PrunePhase;
  done: number;
  total: number;
}

export interface PlanPruneOptions extends CallOptions, PruneRules {
  /** Snapshots that count as gone already: a dry run of forget, or a listing that lags. */
  readonly ignoreSnapshots?: ReadonlySet<Id>;
  readonly counters?: PruneCounters;
  /** Milliseconds since the epoch; the present unless told otherwise. */
  readonly now?: number;
}

export interface PrunePlan extends PackDecision {
  readonly repository: IndexedRepository;
  readonly stats: PruneStats;
  readonly rules: PruneRules;
}

export function newPruneCounters(): PruneCounters {
  return { phase: 'snapshots', done: 0, total: 0 };
}

/**
 * Changes nothing. Errors: 'usage' for rules that do not fit; 'damaged' for any snapshot, tree or index that cannot
 * be read and for needed data that is missing, since what it needs cannot be known; the backend's.
 */
export async function planPrune(repo: Repository, o: PlanPruneOptions = {}): Promise<PrunePlan> {
  refuseBadRules(repo, o);
  const signal = signalOf(o);
  const indexed = await repo.loadIndex(signal).catch(refuse);
  const snapshots = await loadAllSnapshots(repo, o).catch(refuse);
  const used = newMarks(indexed);
  const counters = o.counters ?? newPruneCounters();
  Object.assign(counters, { phase: 'snapshots', done: 0, total: snapshots.length });
  const onRoot = () => counters.done++;
  const roots = snapshots.map((s) => s.tree);
  await markUsedBlobs(indexed, roots, used, { ...signal, onRoot }).catch(refuse);
  const files = await packFiles(indexed, o);
  const decision = decidePacks(indexed.index, used, files, {
    maxUnusedBytes: unusedLimit(o.maxUnused ?? { percent: 5 }),
    maxRepackBytes: o.maxRepackBytes ?? Number.POSITIVE_INFINITY,
    repackCacheableOnly: o.repackCacheableOnly === true,
    repackUncompressed: o.repackUncompressed === true,
    smallPackBytes: o.repackSmallerThan ?? 0,
    version: repo.config.version,
  });
  return { ...decision, repository: indexed, rules: o };
}

/**
 * Sizes by pack. Where lists lag, the index files that list a young pack may not be shown yet: such packs are left alone until the
 * next time, and so are those of which the storage does not tell when they came.
 */
async function packFiles({ repository: repo, index }: IndexedRepository, o: PlanPruneOptions) {
  const files = new Map<Id, number>();
  const { listLag } = repo.backend.traits;
  const young = (o.now ?? Date.now()) - LEFT_OVER_MS;
  for (const [pack, { size, storedAt }] of await storedPacks(repo, index.packs, signalOf(o))) {
    const isOurs = index.hasPack(pack) || !listLag || (storedAt !== undefined && storedAt < young);
    if (isOurs) files.set(pack, size);
  }
  return files;
}

function refuseBadRules(repo: Repository, o: PruneRules): void {
  if (o.repackUncompressed && repo.config.version < 2) {
    throw new EngineError('usage', 'A repository of version 1 can hold no compressed data.', {
      hint: 'Leave out --repack-uncompressed.',
    });
  }
  if (o.repackUncompressed && repo.options.compression === 'off') {
    throw new EngineError('usage', '--repack-uncompressed makes no sense with compression turned off.');
  }
  if ((o.repackSmallerThan ?? 0) > repo.options.packBytes) {
    throw new EngineError('usage', 'Packs would be called small that are larger than new ones become.', {
      hint: 'Choose a lower --repack-smaller-than or a higher --pack-size.',
    });
  }
}

/** Bytes that may stay unused, by the bytes that are used. */
function unusedLimit(limit: UnusedLimit): (usedBytes: number) => number {
  if (limit === 'unlimited') return () => Number.POSITIVE_INFINITY;
  if ('bytes' in limit) return () => limit.bytes;
  const { percent } = limit;
  // Of used and unused together, the unused ones may be that share.
  return (usedBytes) => Math.floor((percent / (100 - percent)) * usedBytes);
}

/** Unlike elsewhere, a snapshot that is listed but cannot be read ends the work: its data would be removed. */
async function loadAllSnapshots(repo: Repository, o: PlanPruneOptions): Promise<StoredSnapshot[]> {
  const ids = (await repo.files.ids('snapshot', signalOf(o))).filter((id) => !o.ignoreSnapshots?.has(id));
  const found: StoredSnapshot[] = [];
  await forEachLimit(ids, repo.backend.traits.connections, async (id) => {
    found.push(await repo.loadSnapshot(id, signalOf(o)));
  });
  return found;
}

function refuse(e: unknown): never {
  if (!isEngineError(e, 'damaged', 'not-found')) throw e;
  throw new EngineError(
    'damaged',
    `Prune changed nothing, because it can't be known what is needed: ${e.message}`,
    {
      hint:
        e.hint ?? 'Run "check" to learn what is affected; "repair index" and "repair snapshots" may help.',
      context: e.context,
    },
    { cause: e },
  );
}

export interface ApplyPruneOptions extends CallOptions {
  readonly counters?: PruneCounters;
  readonly threads?: number;
  /** Packs that could not be removed: no harm, the next prune tries again. */
  readonly onKeptPack?: (id: Id, error: EngineError) => void;
  /** There was no room to repack everything at once. */
  readonly onNoSpace?: () => void;
  /**
   * For a disk without any room, not even a reserve: all index files are removed before new ones are written. A stop
   * in between needs "repair index".
   */
  readonly unsafeRecovery?: boolean;
}

export interface PruneOutcome {
  readonly removedPacks: number;
  /** Packs that stayed because the storage refused to remove them. */
  readonly keptPacks: number;
  /** Halves of files that killed writers had left in the storage. */
  readonly removedLeftovers: number;
}

/**
 * Errors: 'damaged' for a needed blob that is whole in no pack; 'no-space' where even a few packs can't be repacked;
 * the backend's; the signal's reason. After any of them the repository is as good as before, and prune can be run
 * again.
 */
export async function applyPrune(plan: PrunePlan, o: ApplyPruneOptions = {}): Promise<PruneOutcome> {
  const run = new PruneRun(plan, o);
  await run.removeLeftovers();
  await run.removePacks('unreferenced', plan.unreferenced);
  if (o.unsafeRecovery) await run.recover();
  else await run.repackAndRetire();
  return run.outcome;
}

/** Nobody else writes while prune holds its lock; a day is for clocks that differ and for writers that do without one. */
const LEFT_OVER_MS = 86_400_000;
/** After a full disk: so many packs at once. */
const FEW_PACKS = 8;

class PruneRun {
  readonly outcome = { removedPacks: 0, keptPacks: 0, removedLeftovers: 0 };
  readonly #plan: PrunePlan;
  readonly #repo: Repository;
  readonly #index: BlobIndex;
  readonly #o: ApplyPruneOptions;
  readonly #counters: PruneCounters;
  /** Those of higher numbers are ours. */
  readonly #oldPacks: number;
  #indexFiles: readonly Id[];

  constructor(plan: PrunePlan, o: ApplyPruneOptions) {
    this.#plan = plan;
    this.#repo = plan.repository.repository;
    this.#index = plan.repository.index;
    this.#o = o;
    this.#counters = o.counters ?? newPruneCounters();
    this.#oldPacks = this.#index.packs.length;
    this.#indexFiles = plan.repository.indexFiles;
  }

  /** To be done first: it makes room. */
  async removeLeftovers(): Promise<void> {
    const o = { ...signalOf(this.#o), olderThanMs: LEFT_OVER_MS };
    this.outcome.removedLeftovers = await removeLeftovers(this.#repo.backend, o);
  }

  async repackAndRetire(): Promise<void> {
    const { repack, remove, missing, entries } = this.#plan;
    try {
      this.#enter('repack', repack.length);
      await this.#repack(entries);
    } catch (e) {
      if (!isEngineError(e, 'no-space')) throw e;
      this.#o.onNoSpace?.();
      return this.#littleByLittle();
    }
    await this.#retire([...remove, ...missing, ...repack]);
  }

  /** First what needs no room, then a few packs at a time, each time giving back what they took. */
  async #littleByLittle(): Promise<void> {
    const { repack, remove, missing } = this.#plan;
    await this.#retire([...remove, ...missing]);
    for (let i = 0; i < repack.length; i += FEW_PACKS) {
      const few = repack.slice(i, i + FEW_PACKS);
      this.#enter('repack', few.length);
      await this.#repack(this.#notYetMoved(new Set(few)));
      await this.#retire(few);
    }
  }

  /** Brings the blobs into new packs, listed in new index files. */
  async #repack(entries: Uint32Array): Promise<void> {
    if (entries.length === 0) return;
    const signal = signalOf(this.#o);
    const writer = this.#plan.repository.writer({ ...signal, indexFromReserve: true });
    const { compression, version } = this.#repo.codec;
    const always = this.#plan.rules.repackUncompressed === true;
    const onPack = () => this.#counters.done++;
    try {
      await transferBlobs({
        ...signal,
        from: this.#plan.repository,
        to: this.#repo,
        writer,
        entries,
        again: ({ type, uncompressedLength }) =>
          version === 2 && uncompressedLength === 0 && (type === 'tree' || compression !== 'off'),
        duplicate: true,
        codec: { ...this.#repo.codec, always },
        ...(this.#o.threads === undefined ? {} : { threads: this.#o.threads }),
        onPack,
      });
      await writer.flush();
    } catch (e) {
      await writer.keep();
      throw e;
    } finally {
      this.#indexFiles = [...this.#indexFiles, ...writer.savedIndexes];
    }
  }

  /** Entries of these packs whose blobs are in none of our new packs. */
  #notYetMoved(packs: ReadonlySet<Id>): Uint32Array {
    return this.#plan.entries.filter((entry) => {
      const { pack, type, id } = this.#index.at(entry);
      return packs.has(pack) && !this.#index.copies(type, id).some((copy) => this.#isOurs(copy.pack));
    });
  }

  #isOurs(pack: Id): boolean {
    // A pack that was never stored has no name.
    return pack !== '' && this.#index.packs.indexOf(pack, this.#oldPacks) >= 0;
  }

  /** The packs leave the index, then the storage. */
  async #retire(packs: readonly Id[]): Promise<void> {
    if (packs.length === 0) return;
    this.#enter('index', this.#indexFiles.length);
    this.#indexFiles = await rewriteIndex(this.#repo, {
      ...signalOf(this.#o),
      files: this.#indexFiles,
      without: new Set(packs),
      onFile: () => this.#counters.done++,
    });
    const missing = new Set(this.#plan.missing);
    await this.removePacks(
      'packs',
      packs.filter((id) => !missing.has(id)),
    );
  }

  async removePacks(phase: 'unreferenced' | 'packs', packs: readonly Id[]): Promise<void> {
    this.#enter(phase, packs.length);
    await forEachLimit(packs, this.#repo.backend.traits.connections, async (id) => {
      try {
        await this.#repo.files.remove('pack', id, signalOf(this.#o));
        this.outcome.removedPacks++;
      } catch (e) {
        this.#o.signal?.throwIfAborted();
        if (!isEngineError(e)) throw e;
        this.outcome.keptPacks++;
        this.#o.onKeptPack?.(id, e);
      }
      this.#counters.done++;
    });
  }

  /** Without repacking: index files go first, so that there is room for new ones. */
  async recover(): Promise<void> {
    const { remove, missing } = this.#plan;
    const without = new Set([...remove, ...missing]);
    this.#enter('index', this.#indexFiles.length);
    await forEachLimit(this.#indexFiles, this.#repo.backend.traits.connections, async (id) => {
      await this.#repo.files.remove('index', id, signalOf(this.#o));
      this.#counters.done++;
    });
    await this.removePacks('packs', remove);
    const writer = new IndexWriter(this.#repo.files, { ...signalOf(this.#o), fromReserve: true });
    for (const pack of packsIn(this.#index)) if (!without.has(pack.id)) await writer.add(pack);
    await writer.flush();
  }

  #enter(phase: PrunePhase, total: number): void {
    Object.assign(this.#counters, { phase, done: 0, total });
  }
}

/** All packs of the index with their blobs, in the order of the packs. */
function* packsIn(index: BlobIndex): Generator<{ readonly id: Id; readonly blobs: readonly PackedBlob[] }> {
  const order = Uint32Array.from({ length: index.size }, (_, entry) => entry).sort(
    (a, b) => index.packNumberOf(a) - index.packNumberOf(b) || index.offsetOf(a) - index.offsetOf(b),
  );
  let blobs: PackedBlob[] = [];
  for (let i = 0; i < order.length; i++) {
    const { pack, ...blob } = index.at(order[i]!);
    blobs.push(blob);
    const next = order[i + 1];
    if (next !== undefined && index.packNumberOf(next) === index.packNumberOf(order[i]!)) continue;
    yield { id: pack, blobs };
    blobs = [];
  }
}

function signalOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
