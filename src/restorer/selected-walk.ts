/**
 * The selected part of a snapshot, folder by folder: each comes before what is in it, in the order of the repository. What a
 * restore would restore, and nothing else: names are judged and selections asked as `restorer.ts` does it.
 */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import { showPath } from '../fs/errors.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';
import type { Select } from './options.ts';
import type { Failure } from './progress.ts';
import { isDamage, type Listing, ListingAhead, loadListing, MOST_PATH_BYTES, tooDeep } from './tree-walk.ts';

export interface SelectedFolder {
  /** From '/'. */
  readonly location: ByteString;
  /** undefined: the root. */
  readonly node: Node | undefined;
  readonly parent: SelectedFolder | undefined;
  /** Itself; else only something below it is. */
  readonly selected: boolean;
  /** What is selected in it and no folder. */
  readonly others: readonly Node[];
  /** What in it can't be restored, itself too where its listing is damaged. */
  readonly failures: readonly Failure[];
}

const NOTHING: Listing = { folders: [], others: [], names: new Set(), refused: [] };

interface Level {
  readonly folder: SelectedFolder;
  readonly children: readonly { readonly node: Node; readonly selected: boolean; readonly enter: boolean }[];
  readonly ahead: ListingAhead;
  next: number;
}

/** Damage is a failure in what it gives. Errors: those of a storage that does not answer, the signal's reason. */
export async function* walkSelected(
  repo: IndexedRepository,
  tree: Id,
  select: Select,
  o: CallOptions = {},
): AsyncGenerator<SelectedFolder, void> {
  const walk = new SelectedWalk(repo, select, o);
  const at = { location: rawByteString('/'), node: undefined, parent: undefined, selected: false };
  const root = await walk.folder(at, () => loadListing(repo, tree, o));
  yield root.folder;
  const levels = [root];
  for (let level = levels.at(-1); level; level = levels.at(-1)) {
    o.signal?.throwIfAborted();
    const child = level.children[level.next++];
    if (!child) {
      levels.pop();
      continue;
    }
    const location = joinPath(level.folder.location, child.node.name);
    const below = { location, node: child.node, parent: level.folder, selected: child.selected };
    const found = await walk.folder(below, child.enter ? () => level.ahead.take() : undefined);
    yield found.folder;
    levels.push(found);
  }
}

class SelectedWalk {
  readonly #repo: IndexedRepository;
  readonly #select: Select;
  readonly #o: CallOptions;

  constructor(repo: IndexedRepository, select: Select, o: CallOptions) {
    this.#repo = repo;
    this.#select = select;
    this.#o = o;
  }

  async folder(
    at: Omit<SelectedFolder, 'others' | 'failures'>,
    load: (() => Promise<Listing>) | undefined,
  ): Promise<Level> {
    const failures: { path: ByteString; error: EngineError }[] = [];
    const fail = (path: ByteString, error: EngineError) => void failures.push({ path, error });
    const listing = load ? await this.#listing(at.location, load, fail) : NOTHING;
    for (const { name, error } of listing.refused) fail(joinPath(at.location, name), error);
    const chosen = (node: Node) => this.#select(joinPath(at.location, node.name), false).selected;
    const others = listing.others.filter(chosen);
    const children = listing.folders.flatMap((node) => this.#child(at.location, node, fail));
    const ids = children.flatMap(({ node, enter }) => (enter ? [node.subtree!] : []));
    const ahead = new ListingAhead(this.#repo, ids, this.#o);
    return { folder: { ...at, others, failures }, children, ahead, next: 0 };
  }

  async #listing(
    location: ByteString,
    load: () => Promise<Listing>,
    fail: (path: ByteString, error: EngineError) => void,
  ): Promise<Listing> {
    try {
      return await load();
    } catch (e) {
      this.#o.signal?.throwIfAborted();
      if (!isDamage(e)) throw e;
      fail(location, e);
      return NOTHING;
    }
  }

  #child(
    parent: ByteString,
    node: Node,
    fail: (path: ByteString, error: EngineError) => void,
  ): Level['children'] {
    const location = joinPath(parent, node.name);
    const { selected, children } = this.#select(location, true);
    if (!selected && !children) return [];
    if (location.length > MOST_PATH_BYTES) {
      fail(parent, tooDeep(location));
      return [];
    }
    if (children && node.subtree === undefined) fail(location, withoutListing(location));
    return [{ node, selected, enter: children && node.subtree !== undefined }];
  }
}

function withoutListing(location: ByteString): EngineError {
  return new EngineError('damaged', `The folder ${showPath(location)} has no listing.`);
}
