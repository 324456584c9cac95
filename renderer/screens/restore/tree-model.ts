/**
 * The folders of a version as rows, of which only what is looked at is loaded.
 *
 * place   an entry by its folder and its number in there
 * page    so many entries of a folder, loaded together
 * row     what one line of the tree shows
 * note    a row that is no entry: still loading, could not be loaded, empty folder
 */
import type { VersionEntry } from '../../../src/api/model/destination.ts';
import type { FolderPage } from '../../../src/api/model/look.ts';

export const PAGE = 200;

/** Kept in memory: some ten thousand entries, however far a person scrolls. */
const MOST_PAGES = 240;
const MOST_AT_ONCE = 4;

export type LoadFolder = (
  path: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
) => Promise<FolderPage>;

export interface Place {
  readonly folder: string;
  readonly index: number;
}

export type TreeRow = { readonly depth: number; readonly place: Place; readonly total: number } & (
  | { readonly kind: 'entry'; readonly entry: VersionEntry; readonly open: boolean }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'failed'; readonly error: unknown }
);

type Page =
  | { readonly state: 'loading'; readonly stop: AbortController }
  | { readonly state: 'there'; readonly entries: readonly VersionEntry[] }
  | { readonly state: 'failed'; readonly error: unknown };

/** A folder that is open, between its parent's row and the parent's next entry. */
interface OpenFolder {
  readonly path: string;
  readonly depth: number;
  readonly parent: OpenFolder | undefined;
  /** Of its own entry in the parent. */
  readonly index: number;
  /** undefined: its first page has not come yet. */
  total: number | undefined;
  readonly pages: Map<number, Page>;
  /** Open ones, by their index. */
  readonly children: OpenFolder[];
  /** With those of open children. */
  rows: number;
}

interface Wanted {
  readonly folder: OpenFolder;
  readonly nr: number;
}

export class TreeModel {
  readonly #load: LoadFolder;
  readonly #root: OpenFolder;
  readonly #byPath = new Map<string, OpenFolder>();
  readonly #listeners = new Set<() => void>();
  /** Pages that are there, the longest unseen first. */
  readonly #seen = new Map<string, Wanted>();
  #wanted: readonly Wanted[] = [];
  #loading = 0;
  #version = 0;

  constructor(load: LoadFolder) {
    this.#load = load;
    this.#root = openFolder('/', 0, undefined, 0);
    this.#byPath.set('/', this.#root);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another one after every change. */
  get version(): number {
    return this.#version;
  }

  get count(): number {
    return this.#root.rows;
  }

  rowAt(row: number): TreeRow | undefined {
    if (row < 0 || row >= this.#root.rows) return undefined;
    const { folder, index } = findRow(this.#root, row);
    const place = { folder: folder.path, index };
    const base = { depth: folder.depth, place, total: folder.total ?? 1 };
    if (folder.total === 0) return { ...base, kind: 'empty' };
    const page = folder.pages.get(Math.floor(index / PAGE));
    if (page?.state === 'failed') return { ...base, kind: 'failed', error: page.error };
    const entry = page?.state === 'there' ? page.entries[index % PAGE] : undefined;
    if (!entry) return { ...base, kind: 'waiting' };
    return { ...base, kind: 'entry', entry, open: this.#byPath.has(entry.path) };
  }

  /** undefined: its folder is not open. */
  rowOf({ folder: path, index }: Place): number | undefined {
    const folder = this.#byPath.get(path);
    if (!folder || index >= ownRows(folder)) return undefined;
    return startOf(folder) + index + rowsBefore(folder, index);
  }

  /** The row of the folder that a row is in; undefined at the top. */
  parentRow(row: number): number | undefined {
    const { folder } = findRow(this.#root, row);
    return folder.parent && startOf(folder) - 1;
  }

  entryAt({ folder, index }: Place): VersionEntry | undefined {
    const page = this.#byPath.get(folder)?.pages.get(Math.floor(index / PAGE));
    return page?.state === 'there' ? page.entries[index % PAGE] : undefined;
  }

  open(place: Place): void {
    const parent = this.#byPath.get(place.folder);
    const entry = this.entryAt(place);
    if (!parent || entry?.kind !== 'dir' || this.#byPath.has(entry.path)) return;
    const folder = openFolder(entry.path, parent.depth + 1, parent, place.index);
    const at = parent.children.findIndex(({ index }) => index > place.index);
    parent.children.splice(at < 0 ? parent.children.length : at, 0, folder);
    this.#byPath.set(folder.path, folder);
    grow(parent, folder.rows);
    this.#want([{ folder, nr: 0 }, ...this.#wanted]);
    this.#changed();
  }

  close(path: string): void {
    const folder = this.#byPath.get(path);
    if (!folder?.parent) return;
    const { parent } = folder;
    parent.children.splice(parent.children.indexOf(folder), 1);
    grow(parent, -folder.rows);
    this.#forget(folder);
    this.#changed();
  }

  /** Rows that are, or are about to be, in view: their pages are loaded, others that wait or are on their way no longer. */
  look(first: number, last: number): void {
    const wanted = new Map<string, Wanted>();
    for (let row = Math.max(0, first); row <= Math.min(last, this.#root.rows - 1); row++) {
      const { folder, index } = findRow(this.#root, row);
      const nr = Math.floor(index / PAGE);
      wanted.set(keyOf(folder, nr), { folder, nr });
    }
    this.#want([...wanted.values()]);
  }

  /** Tries a folder's failed pages again. */
  retry(path: string): void {
    const folder = this.#byPath.get(path);
    if (!folder) return;
    for (const [nr, page] of folder.pages) if (page.state === 'failed') folder.pages.delete(nr);
    this.#want(this.#wanted);
    this.#changed();
  }

  retryAll(): void {
    for (const path of this.#byPath.keys()) this.retry(path);
  }

  /**
   * Opens the folders above a path and says where it is; undefined: it is not in this version. Error: what a folder's loading fails
   * with.
   */
  async reveal(path: string, signal: AbortSignal): Promise<Place | undefined> {
    const names = path.split('/').filter((name) => name !== '');
    let folder = '/';
    for (const [i, name] of names.entries()) {
      const index = await this.#find(folder, name, signal);
      if (index === undefined) return undefined;
      const place = { folder, index };
      if (i === names.length - 1) return place;
      this.open(place);
      folder = folder === '/' ? `/${name}` : `${folder}/${name}`;
    }
    return undefined;
  }

  /** Opens a folder after the other as long as each holds nothing but one more folder. */
  async descend(signal: AbortSignal): Promise<Place | undefined> {
    let place: Place = { folder: '/', index: 0 };
    for (;;) {
      await this.#fetch(this.#folder(place.folder), 0, signal);
      const folder = this.#folder(place.folder);
      const entry = this.entryAt(place);
      if (folder.total !== 1 || entry?.kind !== 'dir') return folder.total ? place : undefined;
      this.open(place);
      place = { folder: entry.path, index: 0 };
    }
  }

  /** Nobody looks any more. */
  rest(): void {
    this.#wanted = [];
    for (const folder of this.#byPath.values()) stopPages(folder);
  }

  #folder(path: string): OpenFolder {
    const folder = this.#byPath.get(path);
    if (!folder) throw new DOMException('The folder was closed meanwhile.', 'AbortError');
    return folder;
  }

  /**
   * Where a name is in a folder. The host's order (folders first, then names as people sort them) is good for a guess by halves, but
   * only what is found counts: where the guess fails, all pages are looked through.
   */
  async #find(path: string, name: string, signal: AbortSignal): Promise<number | undefined> {
    await this.#fetch(this.#folder(path), 0, signal);
    for (const isFolder of [true, false]) {
      const found = await this.#findByHalves(path, name, isFolder, signal);
      if (found !== undefined) return found;
    }
    const pages = Math.ceil((this.#folder(path).total ?? 0) / PAGE);
    for (let nr = 0; nr < pages; nr++) {
      const entries = await this.#fetch(this.#folder(path), nr, signal);
      const at = entries.findIndex((entry) => entry.name === name);
      if (at >= 0) return nr * PAGE + at;
    }
    return undefined;
  }

  async #findByHalves(
    path: string,
    name: string,
    isFolder: boolean,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    let low = 0;
    let high = Math.ceil((this.#folder(path).total ?? 0) / PAGE) - 1;
    while (low <= high) {
      const nr = (low + high) >> 1;
      const entries = await this.#fetch(this.#folder(path), nr, signal);
      const at = entries.findIndex((entry) => entry.name === name);
      if (at >= 0) return nr * PAGE + at;
      const [first] = entries;
      if (first && isBefore(name, isFolder, first)) high = nr - 1;
      else low = nr + 1;
    }
    return undefined;
  }

  /** A page, now. */
  async #fetch(folder: OpenFolder, nr: number, signal: AbortSignal): Promise<readonly VersionEntry[]> {
    const page = folder.pages.get(nr);
    if (page?.state === 'there') return page.entries;
    const { entries, total } = await this.#load(folder.path, nr * PAGE, PAGE, signal);
    signal.throwIfAborted();
    if (page?.state === 'loading') page.stop.abort();
    this.#put(folder, nr, entries, total);
    return entries;
  }

  #want(wanted: readonly Wanted[]): void {
    this.#wanted = wanted;
    const keys = new Set(wanted.map(({ folder, nr }) => keyOf(folder, nr)));
    for (const folder of this.#byPath.values()) {
      for (const [nr, page] of folder.pages) {
        if (page.state === 'loading' && !keys.has(keyOf(folder, nr))) page.stop.abort();
      }
    }
    for (const key of keys) {
      const seen = this.#seen.get(key);
      if (!seen) continue;
      this.#seen.delete(key);
      this.#seen.set(key, seen);
    }
    this.#next();
  }

  #next(): void {
    for (const { folder, nr } of this.#wanted) {
      if (this.#loading >= MOST_AT_ONCE) return;
      if (folder.pages.has(nr) || this.#byPath.get(folder.path) !== folder) continue;
      void this.#loadPage(folder, nr);
    }
  }

  async #loadPage(folder: OpenFolder, nr: number): Promise<void> {
    const page: Page = { state: 'loading', stop: new AbortController() };
    folder.pages.set(nr, page);
    this.#loading++;
    const { signal } = page.stop;
    try {
      const { entries, total } = await this.#load(folder.path, nr * PAGE, PAGE, signal);
      if (folder.pages.get(nr) === page && !signal.aborted) this.#put(folder, nr, entries, total);
    } catch (error) {
      if (folder.pages.get(nr) === page && !signal.aborted) {
        folder.pages.set(nr, { state: 'failed', error });
        this.#changed();
      }
    } finally {
      // What was stopped is not there: it may be wanted again.
      if (folder.pages.get(nr) === page) folder.pages.delete(nr);
      this.#loading--;
      this.#next();
    }
  }

  #put(folder: OpenFolder, nr: number, entries: readonly VersionEntry[], total: number): void {
    folder.pages.set(nr, { state: 'there', entries });
    if (folder.total === undefined) {
      const before = ownRows(folder);
      folder.total = total;
      grow(folder, ownRows(folder) - before);
    }
    this.#seen.set(keyOf(folder, nr), { folder, nr });
    this.#evict();
    this.#changed();
  }

  #evict(): void {
    const keep = new Set(this.#wanted.map(({ folder, nr }) => keyOf(folder, nr)));
    for (const [key, { folder, nr }] of this.#seen) {
      if (this.#seen.size <= MOST_PAGES) return;
      if (keep.has(key)) continue;
      this.#seen.delete(key);
      folder.pages.delete(nr);
    }
  }

  #forget(folder: OpenFolder): void {
    for (const child of folder.children) this.#forget(child);
    stopPages(folder);
    for (const nr of folder.pages.keys()) this.#seen.delete(keyOf(folder, nr));
    this.#byPath.delete(folder.path);
  }

  #changed(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

const keyOf = ({ path }: OpenFolder, nr: number) => `${nr}:${path}`;

function openFolder(path: string, depth: number, parent: OpenFolder | undefined, index: number): OpenFolder {
  return { path, depth, parent, index, total: undefined, pages: new Map(), children: [], rows: 1 };
}

function stopPages(folder: OpenFolder): void {
  for (const page of folder.pages.values()) if (page.state === 'loading') page.stop.abort();
}

/** Without those of open children. One that is empty or not known yet has a row that says so. */
function ownRows({ total }: OpenFolder): number {
  return Math.max(1, total ?? 1);
}

function grow(folder: OpenFolder | undefined, rows: number): void {
  for (let at = folder; at; at = at.parent) at.rows += rows;
}

/** Rows that open children put before an entry. */
function rowsBefore(folder: OpenFolder, index: number): number {
  return folder.children.reduce((sum, child) => (child.index < index ? sum + child.rows : sum), 0);
}

/** The row of its first entry. */
function startOf(folder: OpenFolder): number {
  const { parent, index } = folder;
  return parent ? startOf(parent) + index + rowsBefore(parent, index) + 1 : 0;
}

function findRow(root: OpenFolder, row: number): { readonly folder: OpenFolder; readonly index: number } {
  let left = row;
  for (const child of root.children) {
    if (left <= child.index) break;
    if (left <= child.index + child.rows) return findRow(child, left - child.index - 1);
    left -= child.rows;
  }
  return { folder: root, index: left };
}

const collator = new Intl.Collator('en', { numeric: true });

function isBefore(name: string, isFolder: boolean, entry: VersionEntry): boolean {
  const entryIsFolder = entry.kind === 'dir';
  if (isFolder !== entryIsFolder) return isFolder;
  return collator.compare(name, entry.name) < 0;
}
