/**
 * Which packs prune keeps, repacks and removes: the arithmetic, without any file being read or written.
 *
 * used        a copy of a blob that some snapshot needs; of several copies one is chosen, the others are duplicates
 * listed size what a pack's blobs and header add up to by the index; the file must have exactly that size
 * mixed       a pack with trees and data, as old versions of restic made them
 *
 * The rules are restic's (`doc/060_forget.rst`, "Customize pruning"). Everything is kept in arrays by pack number or
 * entry number of the index, so that a million blobs cost a few megabytes.
 */
import { EngineError } from '../api/errors.ts';
import { COMPRESSED_ENTRY_BYTES, PLAIN_ENTRY_BYTES, packHeaderSize } from '../format/pack-header.ts';
import type { Id } from '../format/types.ts';
import type { BlobIndex } from '../repository/blob-index.ts';

export interface PackRules {
  /** How many unused bytes may stay, given how many are used. */
  readonly maxUnusedBytes: (usedBytes: number) => number;
  readonly maxRepackBytes: number;
  readonly repackCacheableOnly: boolean;
  readonly repackUncompressed: boolean;
  /** Packs below this are small; 0: found from the packs that are there. */
  readonly smallPackBytes: number;
  readonly version: 1 | 2;
}

/** Field names are those of restic's JSON. */
export interface PruneStats {
  readonly blobs: {
    used: number;
    duplicate: number;
    unused: number;
    total: number;
    repack: number;
    repack_remove: number;
    remove: number;
    remove_total: number;
    remaining: number;
  };
  readonly bytes: {
    used: number;
    duplicate: number;
    unused: number;
    unreferenced: number;
    uncompressed: number;
    total: number;
    repack: number;
    repack_remove: number;
    remove: number;
    remove_total: number;
    remaining: number;
    remaining_unused: number;
  };
  readonly packfiles: {
    used: number;
    unused: number;
    partly_used: number;
    unreferenced: number;
    total: number;
    keep: number;
    repack: number;
    remove: number;
    remove_total: number;
  };
}

const KEEP = 0;
const REMOVE = 1;
const REPACK = 2;
/** In the index but not in the storage. */
const MISSING = 3;

type Kind = typeof NO_KIND | typeof DATA | typeof TREE | typeof MIXED;
const NO_KIND = 0;
const DATA = 1;
const TREE = 2;
const MIXED = 3;

/** The smallest size that restic lets people choose for packs; what is much smaller counts as small. */
const LEAST_PACK_BYTES = 4 * 1024 * 1024;
/** Fewer small packs than this are not worth the trouble, and would be repacked each time. */
const FEWEST_SMALL = 10;
const MOST_COPIES = 255;

export interface PackDecision {
  readonly stats: PruneStats;
  readonly unreferenced: readonly Id[];
  readonly remove: readonly Id[];
  readonly repack: readonly Id[];
  readonly missing: readonly Id[];
  /** One copy of each blob that must be brought out of the packs to be repacked. */
  readonly entries: Uint32Array;
}

/**
 * `used` has a mark for each entry of the index (first copies); `files` is every pack of the storage with its size.
 * Errors: 'damaged' where a needed pack is missing or has not the size that the index gives it.
 */
export function decidePacks(
  index: BlobIndex,
  used: Uint8Array,
  files: ReadonlyMap<Id, number>,
  rules: PackRules,
): PackDecision {
  const account = new PackAccount(index, used, files);
  account.refuseIfPacksAreLost();
  account.refuseIfSizesDiffer();
  return new Decider(account, files, rules).decide();
}

/** What the index says about every pack. */
class PackAccount {
  readonly stats = newStats();
  readonly index: BlobIndex;
  readonly used: Uint8Array;
  /** Size of the file; -1 where there is none. */
  readonly fileBytes: Float64Array;
  readonly usedBlobs: Uint32Array;
  readonly unusedBlobs: Uint32Array;
  readonly duplicateBlobs: Uint32Array;
  /** Header included. */
  readonly usedBytes: Float64Array;
  readonly unusedBytes: Float64Array;
  readonly kinds: Uint8Array;
  /** 1: some blob is not compressed. */
  readonly plain: Uint8Array;
  /** Entry numbers of first copies. */
  readonly firsts: Uint32Array;
  /** By first copy: how often the blob is there; later, what is left of the choice between the copies. */
  readonly #copies: Uint8Array;

  constructor(index: BlobIndex, used: Uint8Array, files: ReadonlyMap<Id, number>) {
    const packs = index.packs.length;
    this.index = index;
    this.used = used;
    this.fileBytes = Float64Array.from(index.packs, (id) => files.get(id) ?? -1);
    this.usedBlobs = new Uint32Array(packs);
    this.unusedBlobs = new Uint32Array(packs);
    this.duplicateBlobs = new Uint32Array(packs);
    this.usedBytes = new Float64Array(packs).fill(packHeaderSize([]));
    this.unusedBytes = new Float64Array(packs);
    this.kinds = new Uint8Array(packs);
    this.plain = new Uint8Array(packs);
    this.firsts = new Uint32Array(used.length);
    this.#copies = new Uint8Array(used.length);
    this.#countCopies();
    this.#countBlobs();
    this.#chooseCopies();
  }

  get packCount(): number {
    return this.fileBytes.length;
  }

  isThere(pack: number): boolean {
    return this.fileBytes[pack]! >= 0;
  }

  listedBytes(pack: number): number {
    return this.usedBytes[pack]! + this.unusedBytes[pack]!;
  }

  #countCopies(): void {
    for (let entry = 0; entry < this.used.length; entry++) {
      const first = this.index.firstOf(entry);
      this.firsts[entry] = first;
      if (!this.#isNeeded(entry)) continue;
      // Saturated: beyond that the choice is less than the best, and never wrong.
      if (this.#copies[first]! < MOST_COPIES) this.#copies[first]!++;
    }
  }

  /** A copy of a used blob, in a pack that is there. */
  #isNeeded(entry: number): boolean {
    return this.used[this.firsts[entry]!] === 1 && this.isThere(this.index.packNumberOf(entry));
  }

  #countBlobs(): void {
    const { blobs, bytes } = this.stats;
    for (let entry = 0; entry < this.used.length; entry++) {
      const pack = this.index.packNumberOf(entry);
      const length = this.index.lengthOf(entry);
      this.#noteForm(pack, entry);
      const copies = this.#isNeeded(entry) ? this.#copies[this.firsts[entry]!]! : 0;
      if (copies === 1) {
        this.#use(pack, length);
        continue;
      }
      this.unusedBlobs[pack]!++;
      this.unusedBytes[pack]! += length;
      // All copies count as unused until one of them is chosen.
      if (copies > 1) this.duplicateBlobs[pack]!++;
      blobs[copies > 1 ? 'duplicate' : 'unused']++;
      bytes[copies > 1 ? 'duplicate' : 'unused'] += length;
    }
  }

  #noteForm(pack: number, entry: number): void {
    const kind: Kind = this.index.typeOf(entry) === 'tree' ? TREE : DATA;
    const before = this.kinds[pack];
    this.kinds[pack] = before === NO_KIND || before === kind ? kind : MIXED;
    const compressed = this.index.isCompressed(entry);
    if (!compressed) this.plain[pack] = 1;
    this.usedBytes[pack]! += compressed ? COMPRESSED_ENTRY_BYTES : PLAIN_ENTRY_BYTES;
  }

  #use(pack: number, length: number): void {
    this.usedBlobs[pack]!++;
    this.usedBytes[pack]! += length;
    this.stats.blobs.used++;
    this.stats.bytes.used += length;
  }

  /**
   * Of several copies the one is used that lies among other used blobs, or in a pack of nothing but duplicates (an
   * interrupted prune leaves such); otherwise the last.
   */
  #chooseCopies(): void {
    const left = this.#copies;
    // 1 is "chosen"; a blob of which one copy is left to choose is marked by 0.
    for (let entry = 0; entry < this.used.length; entry++) {
      const first = this.firsts[entry]!;
      if (!this.#isNeeded(entry) || left[first] === 1) continue;
      const pack = this.index.packNumberOf(entry);
      const good = this.usedBlobs[pack]! > 0 || this.duplicateBlobs[pack] === this.unusedBlobs[pack];
      if (good || left[first] === 0) {
        this.#choose(pack, this.index.lengthOf(entry));
        left[first] = 1;
      } else {
        left[first] = left[first] === 2 ? 0 : left[first]! - 1;
      }
    }
  }

  #choose(pack: number, length: number): void {
    this.unusedBlobs[pack]!--;
    this.unusedBytes[pack]! -= length;
    this.stats.blobs.duplicate--;
    this.stats.bytes.duplicate -= length;
    this.#use(pack, length);
  }

  /** A used blob of which no copy was chosen lies only in packs that are gone. */
  refuseIfPacksAreLost(): void {
    const lost = new Set<Id>();
    for (let entry = 0; entry < this.used.length; entry++) {
      const first = this.firsts[entry]!;
      if (this.used[first] === 1 && this.#copies[first] !== 1) {
        lost.add(this.index.packs[this.index.packNumberOf(entry)]!);
      }
    }
    if (lost.size > 0) throw packsLost([...lost]);
  }

  refuseIfSizesDiffer(): void {
    const wrong: number[] = [];
    for (let pack = 0; pack < this.packCount; pack++) {
      if (this.usedBlobs[pack] === 0 || !this.isThere(pack)) continue;
      if (this.listedBytes(pack) !== this.fileBytes[pack]) wrong.push(pack);
    }
    if (wrong.length > 0) throw sizesDiffer(this, wrong);
  }
}

/** Turns the account into a decision for every pack. */
class Decider {
  readonly #account: PackAccount;
  readonly #files: ReadonlyMap<Id, number>;
  readonly #rules: PackRules;
  readonly #fates: Uint8Array;
  readonly #smallBytes: number;

  constructor(account: PackAccount, files: ReadonlyMap<Id, number>, rules: PackRules) {
    this.#account = account;
    this.#files = files;
    this.#rules = rules;
    this.#fates = new Uint8Array(account.packCount);
    this.#smallBytes = rules.smallPackBytes || usualSmallBytes(account);
  }

  decide(): PackDecision {
    const unreferenced = this.#findUnreferenced();
    const small: number[] = [];
    const candidates: number[] = [];
    for (let pack = 0; pack < this.#account.packCount; pack++) this.#sort(pack, candidates, small);
    if (small.length >= FEWEST_SMALL) candidates.push(...small);
    else this.#packs.keep += small.length;
    this.#repackWhatIsWorthIt(candidates);
    if (this.#rules.version < 2) this.#bytes.uncompressed = 0;
    const of = (fate: number) => this.#account.index.packs.filter((_, pack) => this.#fates[pack] === fate);
    const [remove, repack] = [of(REMOVE), of(REPACK)];
    Object.assign(this.#packs, { repack: repack.length, remove: remove.length });
    sumUp(this.#account.stats);
    const entries = this.#entriesToBringOut();
    return { stats: this.#account.stats, unreferenced, remove, repack, missing: of(MISSING), entries };
  }

  get #bytes() {
    return this.#account.stats.bytes;
  }

  get #packs() {
    return this.#account.stats.packfiles;
  }

  #findUnreferenced(): Id[] {
    const found: Id[] = [];
    for (const [id, size] of this.#files) {
      if (this.#account.index.hasPack(id)) continue;
      found.push(id);
      this.#bytes.unreferenced += size;
    }
    this.#packs.unreferenced = found.length;
    return found;
  }

  #sort(pack: number, candidates: number[], small: number[]): void {
    const a = this.#account;
    if (!a.isThere(pack)) return this.#remove(pack, MISSING);
    if (a.usedBlobs[pack] === 0) {
      this.#packs.unused++;
      return this.#remove(pack, REMOVE);
    }
    if (a.plain[pack]) this.#bytes.uncompressed += a.listedBytes(pack);
    this.#packs[a.unusedBlobs[pack] === 0 ? 'used' : 'partly_used']++;
    if (this.#rules.repackCacheableOnly && a.kinds[pack] === DATA) {
      this.#packs.keep++;
    } else if (a.unusedBlobs[pack]! > 0 || a.kinds[pack] === MIXED || this.#mustCompress(pack)) {
      candidates.push(pack);
    } else if (a.fileBytes[pack]! < this.#smallBytes) {
      small.push(pack);
    } else {
      this.#packs.keep++;
    }
  }

  #remove(pack: number, fate: typeof REMOVE | typeof MISSING): void {
    this.#fates[pack] = fate;
    this.#account.stats.blobs.remove += this.#account.unusedBlobs[pack]!;
    this.#bytes.remove += this.#account.unusedBytes[pack]!;
  }

  #mustCompress(pack: number): boolean {
    const { kinds, plain } = this.#account;
    if (this.#rules.version < 2 || plain[pack] === 0) return false;
    return kinds[pack] === TREE || this.#rules.repackUncompressed;
  }

  /** Trees first, then small packs, then those with the largest share of unused bytes. */
  #repackWhatIsWorthIt(candidates: number[]): void {
    const a = this.#account;
    const rank = (pack: number) => (a.kinds[pack] === DATA ? 2 : 0) + (this.#isSmall(pack) ? 0 : 1);
    const share = (pack: number) => a.unusedBytes[pack]! / a.listedBytes(pack);
    candidates.sort((x, y) => rank(x) - rank(y) || share(y) - share(x) || x - y);
    const mayStay = this.#rules.maxUnusedBytes(this.#bytes.used);
    for (const pack of candidates) {
      if (this.#isWorthIt(pack, mayStay)) this.#repack(pack);
      else this.#packs.keep++;
    }
  }

  #isWorthIt(pack: number, mayStay: number): boolean {
    const { duplicate, unused, remove, repack, repack_remove } = this.#bytes;
    if (repack + this.#account.listedBytes(pack) >= this.#rules.maxRepackBytes) return false;
    if (this.#account.kinds[pack] !== DATA || this.#mustCompress(pack) || this.#isSmall(pack)) return true;
    return duplicate + unused - remove - repack_remove >= mayStay;
  }

  #isSmall(pack: number): boolean {
    return this.#account.listedBytes(pack) < this.#smallBytes;
  }

  #repack(pack: number): void {
    const a = this.#account;
    this.#fates[pack] = REPACK;
    a.stats.blobs.repack += a.unusedBlobs[pack]! + a.usedBlobs[pack]!;
    a.stats.blobs.repack_remove += a.unusedBlobs[pack]!;
    this.#bytes.repack += a.listedBytes(pack);
    this.#bytes.repack_remove += a.unusedBytes[pack]!;
    if (a.plain[pack]) this.#bytes.uncompressed -= a.listedBytes(pack);
  }

  /** One copy of each used blob that no kept pack holds. Error: 'internal' if one would get lost. */
  #entriesToBringOut(): Uint32Array {
    const { index, used, firsts } = this.#account;
    const needed = used.slice();
    const fateOf = (entry: number) => this.#fates[index.packNumberOf(entry)];
    for (let entry = 0; entry < used.length; entry++) {
      if (fateOf(entry) === KEEP) needed[firsts[entry]!] = 0;
    }
    const found: number[] = [];
    for (let entry = 0; entry < used.length; entry++) {
      if (fateOf(entry) !== REPACK || needed[firsts[entry]!] !== 1) continue;
      needed[firsts[entry]!] = 0;
      found.push(entry);
    }
    if (needed.includes(1)) {
      throw new EngineError('internal', 'Prune would have removed data that is needed, so it did nothing.');
    }
    return Uint32Array.from(found);
  }
}

/** Four fifths of what all but three in a hundred packs reach: so a repository without small packs has none to repack. */
function usualSmallBytes(account: PackAccount): number {
  const sizes = Float64Array.from({ length: account.packCount }, (_, pack) =>
    account.listedBytes(pack),
  ).sort();
  const typical = sizes[Math.floor((sizes.length * 3) / 100)] ?? 0;
  return Math.floor((Math.max(LEAST_PACK_BYTES, typical) * 4) / 5);
}

function newStats(): PruneStats {
  return {
    blobs: {
      used: 0,
      duplicate: 0,
      unused: 0,
      total: 0,
      repack: 0,
      repack_remove: 0,
      remove: 0,
      remove_total: 0,
      remaining: 0,
    },
    bytes: {
      used: 0,
      duplicate: 0,
      unused: 0,
      unreferenced: 0,
      uncompressed: 0,
      total: 0,
      repack: 0,
      repack_remove: 0,
      remove: 0,
      remove_total: 0,
      remaining: 0,
      remaining_unused: 0,
    },
    packfiles: {
      used: 0,
      unused: 0,
      partly_used: 0,
      unreferenced: 0,
      total: 0,
      keep: 0,
      repack: 0,
      remove: 0,
      remove_total: 0,
    },
  };
}

function sumUp({ blobs, bytes, packfiles }: PruneStats): void {
  blobs.total = blobs.used + blobs.unused + blobs.duplicate;
  blobs.remove_total = blobs.remove + blobs.repack_remove;
  blobs.remaining = blobs.total - blobs.remove_total;
  bytes.total = bytes.used + bytes.duplicate + bytes.unused + bytes.unreferenced;
  bytes.remove_total = bytes.remove + bytes.repack_remove + bytes.unreferenced;
  bytes.remaining = bytes.total - bytes.remove_total;
  bytes.remaining_unused = bytes.duplicate + bytes.unused - bytes.remove - bytes.repack_remove;
  packfiles.total = packfiles.used + packfiles.partly_used + packfiles.unused + packfiles.unreferenced;
  packfiles.remove_total = packfiles.unreferenced + packfiles.remove;
}

const NAMED_AT_MOST = 10;

function packsLost(ids: readonly Id[]): EngineError {
  const more = ids.length > NAMED_AT_MOST ? ` and ${ids.length - NAMED_AT_MOST} more` : '';
  return new EngineError(
    'damaged',
    `Snapshots need data of packs that are not in the repository: ${ids.slice(0, NAMED_AT_MOST).join(', ')}${more}.`,
    {
      hint: 'Nothing was changed. If these files can be brought back, do that; else run "repair index", then "repair snapshots".',
      context: { packs: ids.length },
    },
  );
}

function sizesDiffer(account: PackAccount, packs: readonly number[]): EngineError {
  const [first] = packs;
  const text = `pack ${account.index.packs[first!]} has ${account.fileBytes[first!]} bytes, but ${account.listedBytes(first!)} by the index`;
  const more = packs.length > 1 ? `, and ${packs.length - 1} more are like that` : '';
  return new EngineError('damaged', `The index does not fit the packs: ${text}${more}.`, {
    hint: 'Nothing was changed. Run "repair index", then "check".',
    context: { packs: packs.length },
  });
}
