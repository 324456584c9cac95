/**
 * repair packs: every blob of some damaged packs that still opens moves into new packs; then the damaged ones go.
 *
 * Order of writes: raw copies for the person, new packs and their index, an index without the damaged packs, and
 * only then the removal. Stopped anywhere, no blob is in fewer places than before.
 */
import { isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { type BlobType, type Id, type PackedBlob, SEAL_OVERHEAD } from '../format/types.ts';
import type { BlobWriter } from '../repository/blob-writer.ts';
import { rewriteIndex } from '../repository/index-rewrite.ts';
import { PackListing } from '../repository/pack-listing.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { openBlob } from '../workers/blob-codec.ts';
import { openPackHeader, union } from '../workers/inspect.ts';

export interface PacksRepairOptions extends CallOptions {
  /** Keeps the raw bytes of a pack out of the repository, before anything is changed. */
  readonly saveCopy: (pack: Id, content: Uint8Array) => Promise<void>;
  readonly onPack?: () => void;
}

export interface LostBlob {
  readonly pack: Id;
  readonly type: BlobType;
  readonly blob: Id;
  /** Another pack, that was not to be repaired, has it as well, says the index. */
  readonly elsewhere: boolean;
}

export interface PacksRepairReport {
  readonly salvaged: number;
  readonly lost: readonly LostBlob[];
  /** Packs that were not there, or of which not a byte could be read. */
  readonly withoutCopy: readonly Id[];
  /** Packs that the index does not know and whose header can't be read: nothing tells what was in them. */
  readonly unknown: readonly Id[];
  readonly removed: readonly Id[];
  /** Could not be removed in the end; no index lists them any more, and `prune` removes them. */
  readonly leftover: readonly Id[];
}

/**
 * Salvages and removes the packs `ids`. Needs an exclusive lock.
 * Errors: those of `saveCopy`, the backend's; then no pack was removed.
 */
export async function repairPacks(
  repo: IndexedRepository,
  ids: readonly Id[],
  o: PacksRepairOptions,
): Promise<PacksRepairReport> {
  const { repository } = repo;
  const salvage = new Salvage(repo, ids, o);
  for (const id of ids) await salvage.pack(id);
  await salvage.finish();
  const files = await repository.files.ids('index', callOf(o));
  await rewriteIndex(repository, { ...callOf(o), files, without: new Set(ids) });
  const leftover: Id[] = [];
  for (const id of ids) {
    try {
      await repository.files.remove('pack', id, callOf(o));
    } catch (e) {
      if (!isEngineError(e, 'permission', 'io', 'read-only')) throw e;
      leftover.push(id);
    }
  }
  return { ...salvage.report, removed: ids.filter((id) => !leftover.includes(id)), leftover };
}

class Salvage {
  readonly #repo: IndexedRepository;
  readonly #ids: ReadonlySet<Id>;
  readonly #o: PacksRepairOptions;
  readonly #listing: PackListing;
  readonly #writer: BlobWriter;
  readonly #salvaged = new Set<string>();
  readonly #lost: LostBlob[] = [];
  readonly #withoutCopy: Id[] = [];
  readonly #unknown: Id[] = [];

  constructor(repo: IndexedRepository, ids: readonly Id[], o: PacksRepairOptions) {
    this.#repo = repo;
    this.#ids = new Set(ids);
    this.#o = o;
    this.#listing = new PackListing(repo.index);
    this.#writer = repo.writer({ ...callOf(o), indexFromReserve: true });
  }

  async pack(pack: Id): Promise<void> {
    const content = await this.#load(pack);
    if (content) await this.#o.saveCopy(pack, content);
    else this.#withoutCopy.push(pack);
    const listed = this.#listing.blobs(pack);
    const blobs = union(listed, content ? this.#header(content) : []);
    if (blobs.length === 0) this.#unknown.push(pack);
    for (const blob of blobs) {
      const sealed = content ? cut(content, blob) : await this.#loadBlob(pack, blob);
      if (!sealed || !(await this.#keep(blob, sealed))) this.#lose(pack, blob);
    }
    this.#o.onPack?.();
  }

  async finish(): Promise<void> {
    await this.#writer.flush();
  }

  get report(): Omit<PacksRepairReport, 'removed' | 'leftover'> {
    // A blob that one damaged pack has lost may have been salvaged from another.
    const lost = this.#lost.filter(({ type, blob }) => !this.#salvaged.has(`${type} ${blob}`));
    const [withoutCopy, unknown] = [this.#withoutCopy, this.#unknown];
    return { salvaged: this.#salvaged.size, lost, withoutCopy, unknown };
  }

  /** The whole pack; undefined where it is gone, or the disk gives it only in parts if at all. */
  async #load(pack: Id): Promise<Uint8Array | undefined> {
    try {
      return await this.#repo.repository.backend.load({ type: 'pack', name: pack }, callOf(this.#o));
    } catch (e) {
      if (!isEngineError(e, 'not-found', 'io', 'range')) throw e;
      return undefined;
    }
  }

  async #loadBlob(pack: Id, { offset, length }: PackedBlob): Promise<Uint8Array | undefined> {
    try {
      const span = { ...callOf(this.#o), offset, length };
      return await this.#repo.repository.backend.load({ type: 'pack', name: pack }, span);
    } catch (e) {
      if (!isEngineError(e, 'not-found', 'io', 'range')) throw e;
      return undefined;
    }
  }

  #header(content: Uint8Array): readonly PackedBlob[] {
    try {
      return openPackHeader(this.#repo.repository.sealer, content);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      return [];
    }
  }

  /** Stores a blob that opens, as it is sealed; false if it does not. */
  async #keep(blob: PackedBlob, sealed: Uint8Array): Promise<boolean> {
    const { id, type, uncompressedLength } = blob;
    const plainLength = this.#tryOpen(blob, sealed);
    if (plainLength === undefined) return false;
    const key = `${type} ${id}`;
    if (this.#salvaged.has(key)) return true;
    this.#salvaged.add(key);
    await this.#writer.add({ id, type, sealed, uncompressedLength }, plainLength, true);
    return true;
  }

  #tryOpen({ id, uncompressedLength }: PackedBlob, sealed: Uint8Array): number | undefined {
    try {
      return openBlob(this.#repo.repository.sealer, id, sealed, uncompressedLength).length;
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      return undefined;
    }
  }

  #lose(pack: Id, { type, id }: PackedBlob): void {
    const copies = this.#repo.index.copies(type, id);
    const elsewhere = copies.some((copy) => copy.pack !== '' && !this.#ids.has(copy.pack));
    this.#lost.push({ pack, type, blob: id, elsewhere });
  }
}

function cut(content: Uint8Array, { offset, length }: PackedBlob): Uint8Array | undefined {
  if (length < SEAL_OVERHEAD || offset + length > content.length) return undefined;
  return content.subarray(offset, offset + length);
}

function callOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
