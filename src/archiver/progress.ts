/** What a backup counts while it runs. Plain numbers, to be sampled by whoever shows them. */
import type { EngineError } from '../api/errors.ts';
import type { Node } from '../format/types.ts';
import type { ByteString } from '../util/byte-string.ts';

export interface BackupCounters {
  /** Found so far by the scan that runs ahead; final when `scanned`. */
  filesTotal: number;
  bytesTotal: number;
  scanned: boolean;
  filesDone: number;
  bytesDone: number;
  filesNew: number;
  filesChanged: number;
  filesUnmodified: number;
  dirsNew: number;
  dirsChanged: number;
  dirsUnmodified: number;
  /** Source files that could not be read. */
  errors: number;
  /** Large files that are being read now. */
  readonly current: Set<ByteString>;
}

export function newCounters(): BackupCounters {
  return {
    filesTotal: 0,
    bytesTotal: 0,
    scanned: false,
    filesDone: 0,
    bytesDone: 0,
    filesNew: 0,
    filesChanged: 0,
    filesUnmodified: 0,
    dirsNew: 0,
    dirsChanged: 0,
    dirsUnmodified: 0,
    errors: 0,
    current: new Set(),
  };
}

export type ItemAction = 'new' | 'changed' | 'unmodified';

/** One file or folder of the snapshot has been dealt with. */
export interface ItemEvent {
  /** Path in the snapshot; a folder's ends with a slash. */
  readonly path: ByteString;
  readonly kind: 'file' | 'dir';
  readonly action: ItemAction;
  readonly node: Node;
  /** Plain and stored bytes that this item added to the repository. */
  readonly dataBytes: number;
  readonly dataStoredBytes: number;
  /** From the first look at it until it was saved; a folder's is that of all that is in it as well. */
  readonly ms: number;
}

/** Heard as a backup goes on. None may throw. */
export interface BackupEvents {
  /** A source file could not be read; it is not in the snapshot (or lacks what could not be read). */
  readonly onError?: (path: ByteString, error: EngineError) => void;
  /** Something to know that does not make the backup incomplete. */
  readonly onWarning?: (path: ByteString, sentence: string) => void;
  readonly onExcluded?: (path: ByteString, rule: string) => void;
  readonly onItem?: (item: ItemEvent) => void;
  /** The scan that runs ahead has ended. */
  readonly onScanned?: () => void;
}
