/** A regular file of the snapshot on its way to the disk. */
import type { EngineError } from '../api/errors.ts';
import { type Node, SEAL_OVERHEAD } from '../format/types.ts';
import type { FileStat } from '../fs/stat.ts';
import type { BlobLocation } from '../repository/blob-index.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { Folder } from './folder.ts';

/** Another name of a file that has several. */
export interface LinkWork {
  readonly node: Node;
  readonly folder: Folder;
  readonly path: ByteString;
  readonly location: ByteString;
}

/** What the names of one file share. */
export interface LinkGroup {
  /** Where the first name is. */
  path: ByteString;
  /** Device, inode and content. */
  readonly key: string;
  state: 'pending' | 'ready' | 'failed';
  /** Those that wait for the first. */
  readonly waiting: LinkWork[];
}

/**
 * new      nothing is there
 * update   a regular file is there, with this single name: blobs that differ are rewritten in place
 * replace  something else is there, that has to go first
 */
export type Placement = 'new' | 'update' | 'replace';

export class FileWork {
  readonly node: Node;
  readonly folder: Folder;
  path: ByteString;
  readonly location: ByteString;
  readonly blobs: readonly BlobLocation[];
  /** Bytes: the sum of the blobs, whatever the node claims. */
  readonly size: number;
  existing: FileStat | undefined;
  readonly group: LinkGroup | undefined;
  placement: Placement;
  /** For each blob whether it lies where it belongs already; undefined: none does. */
  matches: readonly boolean[] | undefined;
  /** Writes that have not been answered. */
  pending = 0;
  failure: EngineError | undefined;
  /** Number of an open file, or -1. */
  fd = -1;
  /** Jobs under way that write to `fd`. */
  users = 0;
  /** It has been made or cut, so that it is opened plainly from now on. */
  begun = false;
  done = false;

  constructor(
    at: LinkWork,
    blobs: readonly BlobLocation[],
    existing: FileStat | undefined,
    group: LinkGroup | undefined,
  ) {
    this.node = at.node;
    this.folder = at.folder;
    this.path = at.path;
    this.location = at.location;
    this.blobs = blobs;
    this.size = blobs.reduce((sum, b) => sum + plainLength(b), 0);
    this.existing = existing;
    this.group = group;
    this.placement = placementOver(existing);
  }

  /** It goes to another path, where nothing is; what is at its own one stays. */
  moveTo(path: ByteString): void {
    if (this.group) this.group.path = path;
    this.path = path;
    this.existing = undefined;
    this.placement = 'new';
  }
}

function placementOver(existing: FileStat | undefined): Placement {
  if (!existing) return 'new';
  // Other names of this file may lie anywhere; what they hold is not ours to change.
  return existing.kind === 'file' && existing.nlink === 1 ? 'update' : 'replace';
}

/** Bytes of a blob once it is opened. */
export function plainLength(b: BlobLocation): number {
  return b.uncompressedLength === 0 ? Math.max(0, b.length - SEAL_OVERHEAD) : b.uncompressedLength;
}
