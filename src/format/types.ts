/**
 * restic's nouns as values.
 *
 * blob       a piece of a file ("data") or a directory listing ("tree"), named by the SHA-256 of its plain bytes
 * pack       a file of many sealed blobs of one type, with a sealed header at its end; named by the SHA-256 of the file
 * index      a file that tells in which pack each blob lies
 * tree       the nodes (files, folders, links …) of one directory, sorted by name
 * snapshot   one backup: its root tree, and when, where and by whom it was made
 * key        the master key, sealed with a password
 * lock       a note that a process uses the repository, shared or exclusively
 *
 * Source of the format: restic's `doc/design.rst` and the JSON that restic writes.
 */
import type { ByteString } from '../util/byte-string.ts';

/** 64 lowercase hexadecimal digits: a SHA-256, or 32 random bytes for the repository's own id. */
export type Id = string & { readonly __id: unique symbol };

export type BlobType = 'data' | 'tree';

/**
 * The folders of a repository, and the one file that lies beside them. 'settings' are Holdfast's own: what a new
 * computer needs besides the snapshots; restic neither knows nor touches them.
 */
export type FileType = 'config' | 'key' | 'lock' | 'snapshot' | 'index' | 'pack' | 'settings';

/** An unsigned 64-bit number: a plain number where that is exact, else a bigint. */
export type Uint64 = number | bigint;

/** RFC 3339 with up to nine decimals and the zone in which it was taken, exactly as it stands in the JSON. */
export type Timestamp = string & { readonly __timestamp: unique symbol };

export interface Config {
  readonly version: 1 | 2;
  readonly id: Id;
  /** Hexadecimal, an irreducible polynomial of degree 53 over GF(2). */
  readonly chunkerPolynomial: string;
}

export interface KeyFile {
  readonly created: Timestamp;
  readonly username: string;
  readonly hostname: string;
  readonly kdf: 'scrypt';
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  /** The sealed JSON of the master key. */
  readonly data: Uint8Array;
}

/** encrypt: 32 bytes for AES-256-CTR; k and r: 16 bytes each for Poly1305-AES. */
export interface MasterKey {
  readonly encrypt: Uint8Array;
  readonly k: Uint8Array;
  readonly r: Uint8Array;
}

export interface Lock {
  readonly time: Timestamp;
  readonly exclusive: boolean;
  readonly hostname: string;
  readonly username: string;
  readonly pid: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Where a sealed blob lies in its pack. `length` counts sealed bytes; `uncompressedLength` is 0 for a plain blob. */
export interface PackedBlob {
  readonly id: Id;
  readonly type: BlobType;
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
}

export interface IndexPack {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
}

export interface IndexFile {
  readonly supersedes: readonly Id[];
  readonly packs: readonly IndexPack[];
}

export type NodeType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket' | 'irregular' | '';

export interface ExtendedAttribute {
  readonly name: ByteString;
  /** null is what restic writes for an attribute whose value is nil. */
  readonly value: Uint8Array | null;
}

export interface Node {
  readonly name: ByteString;
  readonly type: NodeType;
  /** Go's `os.FileMode`: permission bits below 0o1000, then Go's own high bits (see mode.ts). 0 when absent. */
  readonly mode: number;
  readonly mtime: Timestamp;
  readonly atime: Timestamp;
  readonly ctime: Timestamp;
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
  readonly inode: Uint64;
  readonly deviceId: Uint64;
  /** Bytes; files only. */
  readonly size: Uint64;
  readonly links: Uint64;
  /** Raw bytes of the target; '' for anything but a symlink. */
  readonly linkTarget: ByteString;
  readonly extendedAttributes: readonly ExtendedAttribute[];
  /** Raw JSON values by name (Windows attributes), in the order of the file. */
  readonly genericAttributes: Readonly<Record<string, unknown>> | undefined;
  /** st_rdev of a device node. */
  readonly device: Uint64;
  /** The file's blobs in order; null for everything but files (and for a file written without). */
  readonly content: readonly Id[] | null;
  readonly subtree: Id | undefined;
  readonly error: string;
}

export interface Tree {
  readonly nodes: readonly Node[];
}

export interface SnapshotSummary {
  readonly backup_start: Timestamp;
  readonly backup_end: Timestamp;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly dirs_new: number;
  readonly dirs_changed: number;
  readonly dirs_unmodified: number;
  readonly data_blobs: number;
  readonly tree_blobs: number;
  readonly data_added: number;
  readonly data_added_packed: number;
  readonly total_files_processed: number;
  readonly total_bytes_processed: number;
}

/** Field names are the JSON's own. */
export interface Snapshot {
  readonly time: Timestamp;
  readonly parent?: Id;
  readonly tree: Id;
  readonly paths: readonly string[];
  readonly hostname?: string;
  readonly username?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly excludes?: readonly string[];
  readonly tags?: readonly string[];
  readonly original?: Id;
  readonly program_version?: string;
  readonly summary?: SnapshotSummary;
}

/** A snapshot with the name of the file that holds it. */
export interface StoredSnapshot extends Snapshot {
  readonly id: Id;
}

/** Sizes of the sealed form: 16 bytes of IV before, 16 bytes of MAC after. */
export const SEAL_OVERHEAD = 32;

const ID = /^[0-9a-f]{64}$/;

export function isId(s: string): s is Id {
  return ID.test(s);
}
