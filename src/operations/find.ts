/**
 * find: which snapshots hold a file by its name, or a blob, a tree or the blobs of a pack by their ids.
 *
 * wanted   ids or beginnings of ids; one that fits no longer id is only said to be missing at the end
 */
import { EngineError } from '../api/errors.ts';
import type { CallOptions } from '../backend/backend.ts';
import { toEpochNs } from '../format/time.ts';
import type { BlobType, Id, StoredSnapshot } from '../format/types.ts';
import type { BlobLocation } from '../repository/blob-index.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import type { ByteString } from '../util/byte-string.ts';
import { match, type PatternList } from '../util/pattern.ts';
import { type DamagedFolder, ROOT, type WalkedNode, walkTree } from './walk.ts';

export interface NameQuery {
  readonly patterns: PatternList;
  /** Nanoseconds since the epoch, inclusive. */
  readonly oldest?: bigint | undefined;
  readonly newest?: bigint | undefined;
}

export interface FindEvents<Match> {
  readonly onMatch: (found: Match) => void | Promise<void>;
  readonly onDamaged: (folder: DamagedFolder, snapshot: StoredSnapshot) => void;
}

/** Files and folders of one snapshot whose path fits. Errors: the backend's, the signal's reason. */
export async function findNames(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  query: NameQuery,
  events: FindEvents<WalkedNode>,
  o: CallOptions = {},
): Promise<void> {
  const visit = async (item: WalkedNode) => {
    const { matched, childMayMatch } = match(query.patterns, item.path);
    if (matched && isInTime(item, query)) await events.onMatch(item);
    return childMayMatch;
  };
  const onDamaged = (folder: DamagedFolder) => events.onDamaged(folder, snapshot);
  await walkTree(repo, snapshot.tree, { visit, onDamaged }, o);
}

function isInTime({ node }: WalkedNode, { oldest, newest }: NameQuery): boolean {
  if (oldest === undefined && newest === undefined) return true;
  const time = toEpochNs(node.mtime);
  return (oldest === undefined || time >= oldest) && (newest === undefined || time <= newest);
}

/** Blobs that are looked for: whole ids, or beginnings of ids as people copy them. */
export class WantedIds {
  readonly #whole = new Set<string>();
  readonly #prefixes: string[] = [];

  constructor(ids: Iterable<string> = []) {
    for (const id of ids) this.add(id);
  }

  get isEmpty(): boolean {
    return this.#whole.size === 0 && this.#prefixes.length === 0;
  }

  add(id: string): void {
    if (id.length === 64) this.#whole.add(id);
    else this.#prefixes.push(id);
  }

  has(id: Id): boolean {
    if (this.#whole.has(id)) return true;
    if (!this.#prefixes.some((prefix) => id.startsWith(prefix))) return false;
    this.#whole.add(id);
    return true;
  }

  /** The whole ids that were asked for or found. */
  get found(): readonly Id[] {
    return [...this.#whole] as Id[];
  }
}

export interface IdQuery {
  readonly blobs: WantedIds;
  readonly trees: WantedIds;
}

export interface FoundObject {
  readonly kind: 'blob' | 'tree';
  readonly id: Id;
  readonly path: ByteString;
  /** The tree that holds the file; undefined for a tree. */
  readonly parentTree: Id | undefined;
  readonly snapshot: StoredSnapshot;
}

/** Where one snapshot refers to the wanted blobs and trees. Errors: the backend's, the signal's reason. */
export async function findIds(
  repo: IndexedRepository,
  snapshot: StoredSnapshot,
  query: IdQuery,
  events: FindEvents<FoundObject>,
  o: CallOptions = {},
): Promise<void> {
  const tree = async (id: Id, path: ByteString) => {
    if (!query.trees.has(id)) return;
    await events.onMatch({ kind: 'tree', id, path, parentTree: undefined, snapshot });
  };
  await tree(snapshot.tree, ROOT);
  const visit = async ({ node, path, tree: parentTree }: WalkedNode) => {
    if (node.type === 'dir' && node.subtree !== undefined) await tree(node.subtree, path);
    if (node.type === 'file' && !query.blobs.isEmpty) {
      for (const id of node.content ?? []) {
        if (query.blobs.has(id)) await events.onMatch({ kind: 'blob', id, path, parentTree, snapshot });
      }
    }
    return true;
  };
  const onDamaged = (folder: DamagedFolder) => events.onDamaged(folder, snapshot);
  await walkTree(repo, snapshot.tree, { visit, onDamaged }, o);
}

/**
 * The blobs that the index places in these packs.
 * Error: 'not-found' for packs that it does not know.
 */
export function blobsOfPacks(repo: IndexedRepository, packs: readonly string[]): IdQuery {
  const query = { blobs: new WantedIds(), trees: new WantedIds() };
  const missing = new Set(packs);
  const asked = new Map<Id, boolean>();
  const isAsked = (pack: Id) => {
    const fitting = packs.filter((prefix) => pack.startsWith(prefix));
    for (const prefix of fitting) missing.delete(prefix);
    return fitting.length > 0;
  };
  for (const { pack, type, id } of repo.index) {
    const wanted = asked.get(pack) ?? isAsked(pack);
    asked.set(pack, wanted);
    if (wanted) (type === 'tree' ? query.trees : query.blobs).add(id);
  }
  if (missing.size === 0) return query;
  throw new EngineError('not-found', `The index knows no pack ${[...missing].sort().join(', ')}.`, {
    hint: 'If the file is there, `repair index` makes it known.',
  });
}

/** Where a blob lies, by its first copy. */
export function packOf(repo: IndexedRepository, type: BlobType, id: Id): BlobLocation | undefined {
  return repo.index.get(type, id);
}
