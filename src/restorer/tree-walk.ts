/**
 * The walk through the trees of a snapshot: names are judged, folders kept apart from the rest, and nothing of a
 * tree is held longer than it is needed.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { isSafeName } from '../format/tree.ts';
import type { Id, Node } from '../format/types.ts';
import { showPath } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { ByteString } from '../util/byte-string.ts';

/** What Windows takes for a separator, a drive or a stream of a file. */
const UNSAFE_ON_WINDOWS = /[\\:]/;

/** No system has longer paths; and so a chain of folders ends, however it was made. */
export const MOST_PATH_BYTES = process.platform === 'win32' ? 32_767 : 4096;

/** How many listings are asked for before they are needed. */
const AHEAD = 2;

/** Whether the name can be used on this system without leading out of its folder. */
export function isUsableName(name: ByteString): boolean {
  return isSafeName(name) && (process.platform !== 'win32' || !UNSAFE_ON_WINDOWS.test(name));
}

export interface Listing {
  readonly folders: readonly Node[];
  readonly others: readonly Node[];
  readonly names: Set<ByteString>;
  /** Entries that cannot be restored: names that lead elsewhere, or that come twice. */
  readonly refused: readonly { readonly name: ByteString; readonly error: EngineError }[];
}

/** A tree, sorted out. Errors: those of `loadTree`. */
export async function loadListing(repo: IndexedRepository, id: Id, o: CallOptions): Promise<Listing> {
  const { nodes } = await repo.loadTree(id, o);
  const listing = {
    folders: [] as Node[],
    others: [] as Node[],
    names: new Set<ByteString>(),
    refused: [] as { name: ByteString; error: EngineError }[],
  };
  for (const node of nodes) {
    const { name } = node;
    if (!isUsableName(name)) listing.refused.push({ name, error: unusable(name) });
    else if (listing.names.has(name)) listing.refused.push({ name, error: twice(name) });
    else (node.type === 'dir' ? listing.folders : listing.others).push(node);
    listing.names.add(name);
  }
  return listing;
}

function unusable(name: ByteString): EngineError {
  return new EngineError(
    'damaged',
    `An entry was left out: its name ${showPath(name)} cannot be that of a file, or leads out of its folder.`,
    { hint: 'No backup program writes such names: this repository was tampered with or is damaged.' },
  );
}

function twice(name: ByteString): EngineError {
  return new EngineError(
    'damaged',
    `An entry was left out: the name ${showPath(name)} is in its folder twice.`,
  );
}

export function tooDeep(path: ByteString): EngineError {
  return new EngineError(
    'unsupported',
    `The folder ${showPath(path.slice(0, 100) as ByteString)}… was left out with all that is in it: its path is too long.`,
  );
}

/** Loads the listings of some folders in their order, a few ahead of their use. */
export class ListingAhead {
  readonly #repo: IndexedRepository;
  readonly #ids: readonly Id[];
  readonly #o: CallOptions;
  readonly #loads: Promise<Listing>[] = [];
  #next = 0;

  constructor(repo: IndexedRepository, ids: readonly Id[], o: CallOptions) {
    this.#repo = repo;
    this.#ids = ids;
    this.#o = o;
  }

  /** The next one; there must be one left. */
  take(): Promise<Listing> {
    while (this.#loads.length <= AHEAD && this.#next < this.#ids.length) {
      const load = loadListing(this.#repo, this.#ids[this.#next++]!, this.#o);
      // Whoever takes it hears of its failure; until then it must not count as unheard.
      load.catch(() => {});
      this.#loads.push(load);
    }
    return this.#loads.shift()!;
  }
}

/** A listing that cannot be read concerns its folder; a storage that does not answer concerns everything. */
export function isDamage(e: unknown): e is EngineError {
  return isEngineError(e, 'damaged', 'not-found', 'range', 'io', 'unsupported', 'permission');
}
