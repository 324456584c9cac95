/** Folders of versions, the search over all versions, and a file's past: what the catalog and the repository know together. */

import { EngineError } from '../api/errors.ts';
import type { CatalogState, FileInVersion, FolderPage, SearchResult, Timeline } from '../api/model/look.ts';
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

export function createLooking(_ports: LookingPorts): Looking {
  const none = () => Promise.reject(new EngineError('unsupported', 'Not there yet.'));
  return {
    folder: none,
    search: none,
    catalog: none,
    timeline: none,
    changed() {},
    drop: async () => {},
    close: async () => {},
  };
}
