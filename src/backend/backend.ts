/**
 * The one interface of every storage.
 *
 * handle     names a file: its type and, for all but the config, its name
 * location   where the storage is, safe to show: secrets are removed
 * traits     what the storage can promise
 */
import type { FileType } from '../format/types.ts';

export interface Handle {
  readonly type: FileType;
  /** Hexadecimal; '' for the config. */
  readonly name: string;
}

export interface FileInfo {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export interface CallOptions {
  /** A call begun after the abort changes nothing. */
  readonly signal?: AbortSignal;
  /**
   * On a full disk this write may use the space that the storage keeps back. Only for the small files by which
   * room is made again: locks, indexes, snapshots and keys written by forget, prune, unlock and repair.
   */
  readonly fromReserve?: boolean;
}

export interface Traits {
  /** How many calls at once serve it best. */
  readonly connections: number;
  /** `save` onto an existing name replaces it in one step. */
  readonly atomicReplace: boolean;
  /** A list may lack what was saved just now, or still show what was removed. */
  readonly listLag: boolean;
}

export interface Backend {
  readonly location: string;
  readonly traits: Traits;
  /**
   * All or nothing; a partial file is never visible. `data` may be sent again on retry. Errors: no-space, permission,
   * read-only, unreachable; for settings also unsupported, where a storage has no place for them.
   */
  save(h: Handle, data: readonly Uint8Array[], o?: CallOptions): Promise<void>;
  /** Exactly `length` bytes from `offset` (to the end without a length), or a 'range' error. Absent file: 'not-found'. */
  load(h: Handle, o?: LoadOptions): Promise<Uint8Array>;
  /** Absent file: 'not-found'. */
  stat(h: Handle, o?: CallOptions): Promise<FileInfo>;
  /** Every file of the type, in no order. A storage without the folder lists nothing. */
  list(type: FileType, o?: CallOptions): AsyncIterable<FileInfo>;
  /** Absent file: success. */
  remove(h: Handle, o?: CallOptions): Promise<void>;
  /**
   * Where what a killed writer had begun stays in the storage, out of sight of `list`: removes that, and tells how many
   * files there were.
   */
  cleanTemporary?(o?: CleanOptions): Promise<number>;
  close(): Promise<void>;
}

export interface CleanOptions extends CallOptions {
  /** Files that nobody has written to for this long are taken for left over; seven days unless told otherwise. */
  readonly olderThanMs?: number;
  /** Milliseconds since the epoch; the present unless told otherwise. */
  readonly now?: number;
}

export interface LoadOptions extends CallOptions {
  readonly offset?: number;
  readonly length?: number;
  /** A cache may keep this range of a pack: tree blobs, that will be read again and again. */
  readonly cacheable?: boolean;
}

/** Decorators compose: cache(retry(log(limit(s3)))). */
export type Wrap = (inner: Backend) => Backend;

/** For a decorator that has nothing to do with it. */
export function sameCleaning(inner: Backend): Pick<Backend, 'cleanTemporary'> {
  const cleanTemporary = inner.cleanTemporary?.bind(inner);
  return cleanTemporary ? { cleanTemporary } : {};
}

export const CONFIG_HANDLE: Handle = { type: 'config', name: '' };
