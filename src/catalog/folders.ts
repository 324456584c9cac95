/** Folders of versions that are looked at: the last ones stay in memory, so that their further pages come at once. */
import { EngineError } from '../api/errors.ts';
import type { Id } from '../format/types.ts';
import { type ByteString, fromText, toText } from '../util/byte-string.ts';
import { nodeNamed, readFolder, type SortedFolder } from './folder.ts';
import { Pace } from './pace.ts';

/** Entries in memory: some 40 bytes each. A single larger folder is kept all the same. */
const MOST_ENTRIES = 1_000_000;
/** Paths whose tree is known. */
const MOST_PATHS = 20_000;

/** The version, and how to read its trees. Trees are named by their content: what was read once is never out of date. */
export interface FolderSource {
  readonly root: Id;
  loadTree(id: Id, signal: AbortSignal): Promise<Uint8Array>;
}

interface Loading {
  readonly folder: Promise<SortedFolder>;
  readonly stop: AbortController;
  waiting: number;
}

export class Folders {
  readonly #mostEntries: number;
  /** Least recently used first. */
  readonly #kept = new Map<Id, SortedFolder>();
  readonly #loading = new Map<Id, Loading>();
  /** Trees by the root's id and the path below it. */
  readonly #paths = new Map<string, Id>();
  #entries = 0;

  constructor(mostEntries = MOST_ENTRIES) {
    this.#mostEntries = mostEntries;
  }

  /** The folder, if it is in memory. `names` leads to it from the root. */
  known(root: Id, names: readonly string[]): SortedFolder | undefined {
    const tree = names.length === 0 ? root : this.#paths.get(keyOf(root, names));
    return tree === undefined ? undefined : this.#recent(tree);
  }

  /** Errors: 'path-missing', 'damaged', those of `loadTree`, the signal's reason. */
  async open(source: FolderSource, names: readonly string[], signal?: AbortSignal): Promise<SortedFolder> {
    const tree = await this.#treeAt(source, names, signal);
    return this.#recent(tree) ?? this.#load(source, tree, signal);
  }

  clear(): void {
    for (const { stop } of this.#loading.values())
      stop.abort(new EngineError('cancelled', 'Holdfast is shutting down.'));
    this.#kept.clear();
    this.#paths.clear();
    this.#entries = 0;
  }

  async #treeAt(source: FolderSource, names: readonly string[], signal?: AbortSignal): Promise<Id> {
    let tree = source.root;
    for (let depth = 1; depth <= names.length; depth++) {
      const key = keyOf(source.root, names.slice(0, depth));
      tree = this.#paths.get(key) ?? (await this.#subtree(source, tree, names.slice(0, depth), signal));
      this.#rememberPath(key, tree);
    }
    return tree;
  }

  async #subtree(
    source: FolderSource,
    tree: Id,
    names: readonly string[],
    signal?: AbortSignal,
  ): Promise<Id> {
    const name = names.at(-1) ?? '';
    const known = this.#recent(tree)?.folderNamed(fromText(name));
    if (known?.subtree) return known.subtree;
    const pace = new Pace(signal);
    const bytes = await source.loadTree(tree, signal ?? new AbortController().signal);
    const node = await nodeNamed(bytes, isCalled(name), pace);
    if (node?.type === 'dir' && node.subtree !== undefined) return node.subtree;
    const path = `/${names.join('/')}`;
    throw new EngineError(
      'path-missing',
      node ? `"${path}" is not a folder in this version.` : `There is no folder "${path}" in this version.`,
    );
  }

  #rememberPath(key: string, tree: Id): void {
    this.#paths.delete(key);
    this.#paths.set(key, tree);
    if (this.#paths.size > MOST_PATHS) this.#paths.delete(this.#paths.keys().next().value!);
  }

  #recent(tree: Id): SortedFolder | undefined {
    const folder = this.#kept.get(tree);
    if (!folder) return undefined;
    this.#kept.delete(tree);
    this.#kept.set(tree, folder);
    return folder;
  }

  /** Those who ask for the same folder at once wait for one reading; it stops when the last of them has gone. */
  async #load(source: FolderSource, tree: Id, signal?: AbortSignal): Promise<SortedFolder> {
    const loading = this.#loading.get(tree) ?? this.#begin(source, tree);
    loading.waiting++;
    try {
      return await orAborted(loading.folder, signal);
    } finally {
      loading.waiting--;
      if (loading.waiting === 0) this.#end(tree, loading);
    }
  }

  #begin(source: FolderSource, tree: Id): Loading {
    const stop = new AbortController();
    const folder = source
      .loadTree(tree, stop.signal)
      .then((bytes) => readFolder(bytes, new Pace(stop.signal)));
    const loading: Loading = { folder, stop, waiting: 0 };
    this.#loading.set(tree, loading);
    folder.then(
      (read) => this.#keep(tree, read, loading),
      () => {},
    );
    return loading;
  }

  #end(tree: Id, loading: Loading): void {
    if (this.#loading.get(tree) === loading) this.#loading.delete(tree);
    loading.stop.abort(new EngineError('cancelled', 'Nobody waits for the folder any more.'));
  }

  #keep(tree: Id, folder: SortedFolder, loading: Loading): void {
    if (loading.stop.signal.aborted || this.#kept.has(tree)) return;
    this.#kept.set(tree, folder);
    this.#entries += folder.total;
    for (const [oldest, { total }] of this.#kept) {
      if (this.#entries <= this.#mostEntries || oldest === tree) break;
      this.#kept.delete(oldest);
      this.#entries -= total;
    }
  }
}

function keyOf(root: Id, names: readonly string[]): string {
  return `${root}/${names.join('/')}`;
}

/**
 * Whether a name is the one that a person was shown as `text`. A name that is no UTF-8 was shown with U+FFFD in place of
 * what could not be read, and is asked for like that.
 */
export function isCalled(text: string): (name: ByteString) => boolean {
  const exact = fromText(text);
  if (!text.includes('\ufffd')) return (name) => name === exact;
  return (name) => name === exact || toText(name) === text;
}

async function orAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
