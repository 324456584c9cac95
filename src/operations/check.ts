/**
 * check: is the repository whole? It only reads; what it finds comes as values (see check/findings.ts).
 *
 * The steps: key files, index files, pack files, then snapshots with their trees, then (if asked for) the content of
 * packs. A damaged index ends it: all that follows would only say that everything is missing.
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import { keyIds, loadKeyFile } from '../repository/keys.ts';
import { PackListing } from '../repository/pack-listing.ts';
import { IndexedRepository, type Repository } from '../repository/repository.ts';
import { type Finding, unreadableIndex, unreadableKey, unreadableSnapshot } from './check/findings.ts';
import { indexFindings, type LoadedIndex, loadIndexFiles } from './check/index-files.ts';
import {
  checkPackFiles,
  type PackFiles,
  type PackSizes,
  readPacks,
  type Subset,
  selectPacks,
} from './check/packs.ts';
import { TreeCheck } from './check/trees.ts';

export type { Finding } from './check/findings.ts';
export type { PackSizes, Subset } from './check/packs.ts';
export { selectPacks } from './check/packs.ts';

export type CheckPhase = 'index' | 'packs' | 'snapshots' | 'data';

export interface CheckCounters {
  /** Pieces of work of the phase that is under way: index files, packs or snapshots. */
  done: number;
  total: number;
  trees: number;
  /** Of packs that were read. */
  bytes: number;
}

export function newCheckCounters(): CheckCounters {
  return { done: 0, total: 0, trees: 0, bytes: 0 };
}

export interface CheckOptions extends CallOptions {
  /** Read packs as well: all, or some of them. */
  readonly readData?: Subset;
  /** Decides for random subsets; chosen at random if absent. */
  readonly seed?: string;
  /**
   * Look only at these snapshots, and read only packs that they need. It is called once the index is loaded.
   * Absent: all snapshots.
   */
  readonly snapshots?: () => Promise<readonly StoredSnapshot[]>;
  /**
   * Compare the packs with the checksums that the service keeps. Those that are right need not be read; it costs nothing where the
   * service has none.
   */
  readonly remoteChecksums?: boolean;
  readonly threads?: number;
  readonly counters?: CheckCounters;
  readonly onFinding: (finding: Finding) => void;
  readonly onPhase?: (phase: CheckPhase) => void;
}

export interface CheckReport {
  readonly errors: number;
  readonly hints: number;
  /** Sorted; `repair packs` takes them. */
  readonly brokenPacks: readonly Id[];
  /** Snapshot files that cannot be read. */
  readonly brokenSnapshots: readonly Id[];
  readonly orphanedPacks: number;
  readonly suggestRepairIndex: boolean;
  readonly suggestRepairSnapshots: boolean;
  readonly suggestPrune: boolean;
  readonly snapshots: number;
  readonly trees: number;
  readonly packs: number;
  /** undefined where no content was to be read; those that were proven otherwise are not among them. */
  readonly readPacks: number | undefined;
  /** By the service's checksums; undefined where they were not asked for. */
  readonly packsProven: number | undefined;
  /** Packs whose content was read, or is proven: each counted once. */
  readonly packsCovered: number;
}

/** Errors: the backend's and the signal's reason. Damage is in the report. */
export async function check(repo: Repository, o: CheckOptions): Promise<CheckReport> {
  return new Check(repo, o).run();
}

class Check {
  readonly #repo: Repository;
  readonly #o: CheckOptions;
  readonly #counters: CheckCounters;
  readonly #brokenPacks = new Set<Id>();
  readonly #brokenSnapshots = new Set<Id>();
  readonly #remedies = new Set<Finding['remedy']>();
  #errors = 0;
  #hints = 0;
  #orphaned = 0;
  #packs = 0;
  #snapshots = 0;
  #read: number | undefined;
  #proven = 0;

  constructor(repo: Repository, o: CheckOptions) {
    this.#repo = repo;
    this.#counters = o.counters ?? newCheckCounters();
    this.#o = o;
  }

  async run(): Promise<CheckReport> {
    await this.#checkKeys();
    // In the reverse of the order of writing, so that a snapshot that others add meanwhile misses nothing.
    const snapshots = await this.#listSnapshots();
    const loaded = await this.#loadIndex();
    if (loaded.unreadable.length > 0) return this.#report();
    const listing = new PackListing(loaded.index);
    const files = await this.#checkPacks(listing);
    const indexed = new IndexedRepository(this.#repo, loaded.index, loaded.indexFiles);
    const used = await this.#checkSnapshots(indexed, snapshots);
    if (this.#o.readData) await this.#readData(indexed, listing, files, used);
    return this.#report();
  }

  readonly #find = (finding: Finding): void => {
    if (finding.severity === 'error') this.#errors++;
    else this.#hints++;
    this.#remedies.add(finding.remedy);
    if (finding.kind === 'pack-orphaned') this.#orphaned++;
    if (finding.kind === 'snapshot-unreadable' && finding.snapshot) {
      this.#brokenSnapshots.add(finding.snapshot);
    }
    if (finding.remedy === 'repair-packs' && finding.pack) this.#brokenPacks.add(finding.pack);
    this.#o.onFinding(finding);
  };

  #begin(phase: CheckPhase, total: number): void {
    this.#o.signal?.throwIfAborted();
    this.#counters.done = 0;
    this.#counters.total = total;
    this.#o.onPhase?.(phase);
  }

  readonly #step = (): void => {
    this.#counters.done++;
  };

  /** The key in use was read when the repository was opened; the others may be needed one day. */
  async #checkKeys(): Promise<void> {
    for (const id of await keyIds(this.#repo.backend, this.#o)) {
      try {
        await loadKeyFile(this.#repo.backend, id, this.#o);
      } catch (e) {
        if (isEngineError(e, 'not-found')) continue;
        if (!isEngineError(e, 'damaged', 'unsupported', 'range', 'io')) throw e;
        this.#find(unreadableKey(id, e));
      }
    }
  }

  async #loadIndex(): Promise<LoadedIndex> {
    this.#begin('index', 0);
    const loaded = await loadIndexFiles(this.#repo, {
      ...this.#call,
      onUnreadable: (id, e) => this.#find(unreadableIndex(id, e)),
      onFile: this.#step,
    });
    for (const finding of indexFindings(loaded)) this.#find(finding);
    return loaded;
  }

  async #checkPacks(listing: PackListing): Promise<PackFiles> {
    this.#begin('packs', 0);
    const { remoteChecksums = false } = this.#o;
    const o = { ...this.#call, onFinding: this.#find, remoteChecksums };
    const files = await checkPackFiles(this.#repo, listing, o);
    this.#packs = files.sizes.size;
    this.#proven = files.proven.size;
    return files;
  }

  /** Returns the marks of the blobs that the snapshots need. */
  async #checkSnapshots(
    indexed: IndexedRepository,
    snapshots: readonly StoredSnapshot[],
  ): Promise<Uint8Array> {
    this.#snapshots = snapshots.length;
    this.#begin('snapshots', snapshots.length);
    const trees = new TreeCheck(indexed, {
      ...this.#call,
      onFinding: this.#find,
      onSnapshot: this.#step,
      onTree: () => {
        this.#counters.trees++;
      },
    });
    await trees.run(snapshots);
    return trees.used;
  }

  #listSnapshots(): Promise<readonly StoredSnapshot[]> {
    if (this.#o.snapshots) return this.#o.snapshots();
    const onDamaged = (id: Id, e: unknown) => this.#find(unreadableSnapshot(id, e));
    return this.#repo.snapshots({ ...this.#call, onDamaged });
  }

  async #readData(
    indexed: IndexedRepository,
    listing: PackListing,
    { sizes, proven }: PackFiles,
    used: Uint8Array,
  ): Promise<void> {
    const eligible = this.#o.snapshots ? neededPacks(indexed, used, sizes) : sizes;
    const selected = selectPacks(eligible, this.#o.readData!, this.#o.seed);
    const packs = selected.filter((pack) => !proven.has(pack));
    this.#begin('data', packs.length);
    this.#read = packs.length;
    await readPacks(this.#repo, listing, packs, sizes, {
      ...this.#call,
      ...(this.#o.threads === undefined ? {} : { threads: this.#o.threads }),
      onFinding: this.#find,
      onPack: (bytes) => {
        this.#step();
        this.#counters.bytes += bytes;
      },
    });
  }

  get #call(): CallOptions {
    return this.#o.signal ? { signal: this.#o.signal } : {};
  }

  #report(): CheckReport {
    return {
      errors: this.#errors,
      hints: this.#hints,
      brokenPacks: [...this.#brokenPacks].sort(),
      brokenSnapshots: [...this.#brokenSnapshots].sort(),
      orphanedPacks: this.#orphaned,
      suggestRepairIndex: this.#remedies.has('repair-index'),
      suggestRepairSnapshots: this.#remedies.has('repair-snapshots'),
      suggestPrune: this.#remedies.has('prune'),
      snapshots: this.#snapshots,
      trees: this.#counters.trees,
      packs: this.#packs,
      readPacks: this.#read,
      packsProven: this.#o.remoteChecksums ? this.#proven : undefined,
      packsCovered: (this.#read ?? 0) + this.#proven,
    };
  }
}

/** Packs with a copy of a blob that is marked. */
function neededPacks({ index }: IndexedRepository, used: Uint8Array, sizes: PackSizes): PackSizes {
  const needed = new Set<Id>();
  for (let entry = 0; entry < index.size; entry++) {
    if (used[index.firstOf(entry)] === 1) needed.add(index.packs[index.packNumberOf(entry)]!);
  }
  return new Map([...sizes].filter(([pack]) => needed.has(pack)));
}
