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
  /** Only in lists that were asked for checksums, and only where the service keeps one of the whole file. */
  readonly checksum?: Checksum;
  /** Milliseconds since the epoch; only where a list tells it anyway. */
  readonly storedAt?: number;
}

/** What a service says of the bytes it holds. `sha256` and `md5`: hexadecimal. */
export interface Checksum {
  /** 'dropbox': SHA-256 over the SHA-256 of each 4 MiB; hexadecimal. */
  readonly kind: 'sha256' | 'md5' | 'dropbox';
  readonly value: string;
}

/**
 * An allowance of bytes. Each direction resolves when so many bytes may travel (have travelled, downwards); an abort ends
 * the wait with 'cancelled'.
 */
export interface Pace {
  up(bytes: number, signal?: AbortSignal): Promise<void>;
  down(bytes: number, signal?: AbortSignal): Promise<void>;
  /** Bytes that should be asked for at once, at most. */
  readonly piece: number;
}

export interface CallOptions {
  /** A call begun after the abort changes nothing. */
  readonly signal?: AbortSignal;
  /**
   * On a full disk this write may use the space that the storage keeps back. Only for the small files by which
   * room is made again: locks, indexes, snapshots and keys written by forget, prune, unlock and repair.
   */
  readonly fromReserve?: boolean;
  /** To be kept to by storages with the trait `paced`; the others may leave it alone. */
  readonly pace?: Pace;
}

export interface ListOptions extends CallOptions {
  /** Tell the service's own checksums, at some cost in calls where its lists do not hold them. */
  readonly checksums?: boolean;
}

export interface Traits {
  /** How many calls at once serve it best. */
  readonly connections: number;
  /** `save` onto an existing name replaces it in one step. */
  readonly atomicReplace: boolean;
  /** A list may lack what was saved just now, or still show what was removed. */
  readonly listLag: boolean;
  /** It keeps to `CallOptions.pace` while it sends and reads. */
  readonly paced?: boolean;
}

/** Bytes; null where the service does not tell. */
export interface StorageSpace {
  readonly free: number | null;
  readonly total: number | null;
  /** By everything in the account. */
  readonly used: number | null;
}

/** What a person should know of the place beyond its files. */
export interface StorageFacts {
  /** Whose it is: an address or a name. */
  readonly account: string | null;
  /** Nothing that is there can be changed or removed. */
  readonly appendOnly: boolean;
  /** Of a bucket. */
  readonly versioning: 'on' | 'suspended' | 'off' | null;
  /** The bucket's default; `days` null: files are locked only one by one. */
  readonly objectLock: {
    readonly mode: 'governance' | 'compliance' | null;
    readonly days: number | null;
  } | null;
}

export const NO_FACTS: StorageFacts = {
  account: null,
  appendOnly: false,
  versioning: null,
  objectLock: null,
};

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
  list(type: FileType, o?: ListOptions): AsyncIterable<FileInfo>;
  /** Absent file: success. */
  remove(h: Handle, o?: CallOptions): Promise<void>;
  /**
   * Where what a killed writer had begun stays in the storage, out of sight of `list`: removes that, and tells how many
   * files there were.
   */
  cleanTemporary?(o?: CleanOptions): Promise<number>;
  /** Errors: the storage's. */
  space?(o?: CallOptions): Promise<StorageSpace>;
  /** Errors: the storage's. */
  facts?(o?: CallOptions): Promise<StorageFacts>;
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

type Extras = Pick<Backend, 'cleanTemporary' | 'space' | 'facts'>;

/** For a decorator that has nothing to do with what only some storages can. */
export function passOn(inner: Backend): Extras {
  const cleanTemporary = inner.cleanTemporary?.bind(inner);
  const space = inner.space?.bind(inner);
  const facts = inner.facts?.bind(inner);
  return {
    ...(cleanTemporary ? { cleanTemporary } : {}),
    ...(space ? { space } : {}),
    ...(facts ? { facts } : {}),
  };
}

export const CONFIG_HANDLE: Handle = { type: 'config', name: '' };
