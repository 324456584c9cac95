/** Folders of versions, the search over all versions, and a file's past: what the catalog and the repository know together. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../api/errors.ts';
import type { VersionEntry } from '../api/model/destination.ts';
import type {
  CatalogState,
  FileInVersion,
  FolderPage,
  SearchHit,
  SearchResult,
  Span,
  Timeline,
} from '../api/model/look.ts';
import type { FolderEntry } from '../catalog/folder.ts';
import { type FolderSource, Folders } from '../catalog/folders.ts';
import type { NodeState } from '../catalog/node-state.ts';
import { type Hit, type PastState, pastOf, search } from '../catalog/searching.ts';
import type { Id } from '../format/types.ts';
import { pathNames } from '../restorer/find-tree.ts';
import { fromText, toText } from '../util/byte-string.ts';
import { Cataloger, type CatalogPorts } from './cataloger.ts';

export interface LookingPorts extends CatalogPorts {
  /** Absolute; the folder of the catalogs. Made when it is needed. */
  readonly folder: string;
  /** Of a destination's catalog: its id, or that with a dot and more behind, where it holds several repositories by turns. */
  nameOf?(destinationId: string): string;
}

export interface SearchRequest {
  readonly destinationId: string;
  readonly text: string;
  readonly planId?: string | undefined;
  readonly limit: number;
}

export interface Looking {
  folder(
    file: FileInVersion,
    page: { readonly offset: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<FolderPage>;
  search(request: SearchRequest, signal?: AbortSignal): Promise<SearchResult>;
  catalog(destinationId: string, signal?: AbortSignal): Promise<CatalogState>;
  timeline(file: FileInVersion, signal?: AbortSignal): Promise<Timeline>;
  /** A run has ended that may have made or removed versions. */
  changed(destinationId: string): void;
  /** Nobody fills its catalog any more, or it takes too long to wait for. */
  settled(destinationId: string): Promise<void>;
  /** The destination was removed: its catalog goes. */
  drop(destinationId: string): Promise<void>;
  close(): Promise<void>;
}

export function createLooking(ports: LookingPorts): Looking {
  const browser = new Browser(ports);
  const shelf = new Shelf(ports);
  return {
    folder: (file, page, signal) => browser.page(file, page, signal),
    search: (request, signal) => shelf.search(request, signal),
    catalog: async (destinationId) => shelf.state(destinationId),
    timeline: (file) => shelf.timeline(file),
    changed: (destinationId) => shelf.at(destinationId).changed(),
    settled: (destinationId) => shelf.settled(destinationId),
    drop: async (destinationId) => {
      browser.drop(destinationId);
      await shelf.drop(destinationId);
    },
    close: async () => {
      browser.close();
      await shelf.close();
    },
  };
}

/** The catalogs, one for each repository, by their names. */
class Shelf {
  readonly #ports: LookingPorts;
  readonly #catalogers = new Map<string, Cataloger>();

  constructor(ports: LookingPorts) {
    this.#ports = ports;
  }

  at(destinationId: string): Cataloger {
    const name = this.#ports.nameOf?.(destinationId) ?? destinationId;
    const known = this.#catalogers.get(name);
    if (known) return known;
    const made = new Cataloger(destinationId, this.#fileOf(name), this.#ports);
    this.#catalogers.set(name, made);
    return made;
  }

  #fileOf(name: string): string {
    return join(this.#ports.folder, `${name}.db`);
  }

  async settled(destinationId: string): Promise<void> {
    for (const name of this.#namesOf(destinationId)) await this.#catalogers.get(name)?.settled();
  }

  #namesOf(destinationId: string): readonly string[] {
    const isOf = (name: string) => name === destinationId || name.startsWith(`${destinationId}.`);
    return [...this.#catalogers.keys()].filter(isOf);
  }

  state(destinationId: string): CatalogState {
    const cataloger = this.at(destinationId);
    cataloger.wanted(true);
    return cataloger.state;
  }

  async search({ destinationId, ...query }: SearchRequest, signal?: AbortSignal): Promise<SearchResult> {
    const cataloger = this.at(destinationId);
    cataloger.wanted(false);
    const found = await cataloger.read((catalog) => search(catalog, { ...query, signal }));
    return {
      hits: (found?.hits ?? []).map(hitOf),
      more: found?.more ?? false,
      catalog: cataloger.state,
    };
  }

  async timeline({ destinationId, versionId, path }: FileInVersion): Promise<Timeline> {
    const cataloger = this.at(destinationId);
    cataloger.wanted(false);
    const names = namesOf(path);
    const past = await cataloger.read((catalog) => {
      const version = catalog.versionNamed(versionId);
      return version && pastOf(catalog, version.line, names);
    });
    const state = cataloger.state;
    if (past === undefined && !state.working && state.problem === null) {
      throw new EngineError('snapshot-missing', `There is no version ${versionId} at this destination.`);
    }
    return { spans: (past ?? []).map((one) => spanOf(one, names)), catalog: state };
  }

  async drop(destinationId: string): Promise<void> {
    this.at(destinationId);
    const files = await readdir(this.#ports.folder).catch(() => []);
    const left = files.flatMap((file) =>
      (file.startsWith(`${destinationId}.`) ? (/^(.+)\.db$/.exec(file) ?? []) : []).slice(1),
    );
    for (const name of new Set([...this.#namesOf(destinationId), ...left])) {
      const cataloger =
        this.#catalogers.get(name) ?? new Cataloger(destinationId, this.#fileOf(name), this.#ports);
      this.#catalogers.delete(name);
      await cataloger.drop();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#catalogers.values()].map((cataloger) => cataloger.close()));
  }
}

function hitOf({ names, state, version, states, gone }: Hit): SearchHit {
  return { ...entryAt(names, state), versionId: version.id, at: version.at, states, gone };
}

function spanOf({ state, first, last, versions }: PastState, names: readonly string[]): Span {
  return {
    first: { versionId: first.id, at: first.at },
    last: { versionId: last.id, at: last.at },
    versions,
    entry: entryAt(names, state),
  };
}

function entryAt(names: readonly string[], { kind, size, mtime }: NodeState): VersionEntry {
  return {
    name: names.at(-1) ?? '',
    path: `/${names.join('/')}`,
    kind,
    bytes: kind === 'file' ? size : null,
    modifiedAt: mtime,
  };
}

/** Pages of folders. */
class Browser {
  readonly #ports: LookingPorts;
  readonly #folders = new Folders();
  /** Root trees by destination and full id of the version: further pages then ask nothing of the repository. */
  readonly #roots = new Map<string, Map<string, Id>>();

  constructor(ports: LookingPorts) {
    this.#ports = ports;
  }

  async page(
    { destinationId, versionId, path }: FileInVersion,
    { offset, limit }: { readonly offset: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<FolderPage> {
    const names = namesOf(path);
    const root = this.#roots.get(destinationId)?.get(versionId);
    const known = root && this.#folders.known(root, names);
    const folder = known ?? (await this.#open(destinationId, versionId, names, signal));
    const parent = names.length === 0 ? '' : `/${names.join('/')}`;
    const entries = folder.page(offset, limit).map((entry) => entryOf(entry, parent));
    return { total: folder.total, offset, entries };
  }

  async #open(destinationId: string, versionId: string, names: readonly string[], signal?: AbortSignal) {
    const opened = await this.#ports.versions(destinationId, signal);
    const { id, tree: root } = opened.named(versionId);
    const roots = this.#roots.get(destinationId) ?? new Map<string, Id>();
    this.#roots.set(destinationId, roots.set(id, root));
    const loadTree: FolderSource['loadTree'] = async (tree, signal) =>
      (await opened.indexed()).loadBlob('tree', tree, { signal });
    return this.#folders.open({ root, loadTree }, names, signal);
  }

  drop(destinationId: string): void {
    this.#roots.delete(destinationId);
  }

  close(): void {
    this.#folders.clear();
  }
}

/** '.', '..' and doubled slashes fall away. */
function namesOf(path: string): readonly string[] {
  return pathNames(fromText(path)).map(toText);
}

function entryOf({ name, kind, bytes, modifiedAt }: FolderEntry, parent: string): VersionEntry {
  const text = toText(name);
  return { name: text, path: `${parent}/${text}`, kind, bytes, modifiedAt };
}
