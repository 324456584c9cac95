/** What a restore tells while it runs and at its end. */
import type { EngineError } from '../api/errors.ts';
import type { ByteString } from '../util/byte-string.ts';

/** Cheap to count, sampled by whoever shows progress. `newRestoreCounters` makes one. */
export interface RestoreCounters {
  /** Files, folders and everything else that is to be restored, as far as is known. */
  filesTotal: number;
  filesRestored: number;
  /** The folders among them. */
  foldersTotal: number;
  foldersRestored: number;
  /** Left alone: already right, or kept by the overwrite rule. */
  filesSkipped: number;
  filesDeleted: number;
  filesVerified: number;
  filesFailed: number;
  bytesTotal: number;
  /** Content that is in its place, whether it had to be written or was there already. */
  bytesRestored: number;
  bytesSkipped: number;
  /** Content that had to be written. */
  bytesWritten: number;
  /** The totals will not grow any more. */
  totalsKnown: boolean;
}

export function newRestoreCounters(): RestoreCounters {
  return {
    filesTotal: 0,
    filesRestored: 0,
    foldersTotal: 0,
    foldersRestored: 0,
    filesSkipped: 0,
    filesDeleted: 0,
    filesVerified: 0,
    filesFailed: 0,
    bytesTotal: 0,
    bytesRestored: 0,
    bytesSkipped: 0,
    bytesWritten: 0,
    totalsKnown: false,
  };
}

export type RestoreAction = 'restored' | 'updated' | 'unchanged' | 'deleted';

/** Called as things happen; must not throw. Paths are those in the snapshot, from '/'. */
export interface RestoreEvents {
  readonly onItem?: (action: RestoreAction, path: ByteString, size: number) => void;
  /** Something could not be restored, or not with all of its attributes. */
  readonly onError?: (path: ByteString, error: EngineError) => void;
  /** Something is odd or was left out on purpose. */
  readonly onWarning?: (path: ByteString, warning: EngineError) => void;
}

/** One thing that could not be restored. */
export interface Failure {
  readonly path: ByteString;
  readonly error: EngineError;
}

export interface RestoreReport {
  readonly counters: Readonly<RestoreCounters>;
  /** The first of the failures; `errors` counts them all. */
  readonly failed: readonly Failure[];
  readonly errors: number;
}

/** More are counted and told through the events, but not kept. */
const MOST_FAILURES = 1000;

/** Gathers what happens; shared by all parts of one restore. */
export class Reporter {
  readonly counters: RestoreCounters;
  readonly #events: RestoreEvents;
  readonly #failed: Failure[] = [];
  #errors = 0;

  constructor(counters: RestoreCounters, events: RestoreEvents) {
    this.counters = counters;
    this.#events = events;
  }

  fail(path: ByteString, error: EngineError): void {
    this.#errors++;
    this.counters.filesFailed++;
    if (this.#failed.length < MOST_FAILURES) this.#failed.push({ path, error });
    this.#events.onError?.(path, error);
  }

  warn(path: ByteString, warning: EngineError): void {
    this.#events.onWarning?.(path, warning);
  }

  /** A further thing to restore, with so many bytes of content. */
  expect(bytes: number): void {
    this.counters.filesTotal++;
    this.counters.bytesTotal += bytes;
  }

  expectFolder(): void {
    this.counters.foldersTotal++;
    this.expect(0);
  }

  restored(action: 'restored' | 'updated', path: ByteString, size: number): void {
    this.counters.filesRestored++;
    this.#events.onItem?.(action, path, size);
  }

  restoredFolder(path: ByteString): void {
    this.counters.foldersRestored++;
    this.restored('restored', path, 0);
  }

  skipped(path: ByteString, size: number): void {
    this.counters.filesSkipped++;
    this.counters.bytesSkipped += size;
    this.#events.onItem?.('unchanged', path, size);
  }

  deleted(path: ByteString): void {
    this.counters.filesDeleted++;
    this.#events.onItem?.('deleted', path, 0);
  }

  report(): RestoreReport {
    return { counters: this.counters, failed: this.#failed, errors: this.#errors };
  }
}
