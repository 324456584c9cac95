/** Folders of versions, the search over all versions, and a file's past: what the catalog and the repository know together. */

import { EngineError } from '../api/errors.ts';
import type { VersionEntry } from '../api/model/destination.ts';
import type { CatalogState, FileInVersion, FolderPage, SearchResult, Timeline } from '../api/model/look.ts';
import type { FolderEntry } from '../catalog/folder.ts';
import { type FolderSource, Folders } from '../catalog/folders.ts';
import type { Id } from '../format/types.ts';
import { pathNames } from '../restorer/find-tree.ts';
import { fromText, toText } from '../util/byte-string.ts';
import type { OpenedVersions } from './opened.ts';

export interface LookingPorts {
  /** Absolute; the folder of the catalogs. Made when it is needed. */
  readonly folder: string;
  versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions>;
  onState(state: CatalogState): void;
  log(level: 'info' | 'warning' | 'error', text: string): void;
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
  /** The destination was removed: its catalog goes. */
  drop(destinationId: string): Promise<void>;
  close(): Promise<void>;
}

export function createLooking(ports: LookingPorts): Looking {
  const browser = new Browser(ports);
  const none = () => Promise.reject(new EngineError('unsupported', 'Not there yet.'));
  return {
    folder: (file, page, signal) => browser.page(file, page, signal),
    search: none,
    catalog: none,
    timeline: none,
    changed() {},
    drop: async (destinationId) => browser.drop(destinationId),
    close: async () => browser.close(),
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
