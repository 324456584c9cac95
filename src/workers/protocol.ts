/**
 * What is said between the engine's thread and its workers. Everything is plain data; large buffers are transferred
 * or lie in shared memory.
 *
 * slab    a piece of the shared memory into which a large file is read, scanned for cuts and sealed from
 * files   many small files, each one blob: read, hashed and sealed in one go
 * scan    fill a slab from an open file and find where to cut
 * seal    hash chunks of a slab and seal those that the repository does not have
 * unseal  open the blobs of a piece of a pack and write them to where they belong
 * compare find out which blobs lie already where they belong
 * reseal  prove that blobs of a piece of a pack are whole, and seal them anew where that is asked for
 * inspect look at a whole pack: name, header, every blob
 */
import type { WireError } from '../api/errors.ts';
import type { SealKey } from '../crypto/sealer.ts';
import type { BlobType, Id, Node, PackedBlob } from '../format/types.ts';
import type { ApplyOptions } from '../fs/node.ts';
import type { FileStat } from '../fs/stat.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { CodecOptions } from './blob-codec.ts';

/** The two shared buffers of a blob index; see repository/blob-index.ts. */
export interface SharedIndexBuffers {
  readonly entries: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

export interface WorkerSetup {
  readonly key: SealKey;
  readonly codec: CodecOptions;
  /** The threads give way to other programs. */
  readonly lowPriority?: boolean;
  /** The key that opens what is to be sealed anew with `key`; absent: the same. */
  readonly sourceKey?: SealKey;
  /** Present for backups: the kernel, its memory with the tables written, and the index. */
  readonly chunking?: {
    readonly module: WebAssembly.Module;
    readonly memory: WebAssembly.Memory;
    readonly index: SharedIndexBuffers;
  };
}

export type Job = FilesJob | ScanJob | SealJob | UnsealJob | CompareJob | InspectJob | ResealJob;

export interface FilesJob {
  readonly kind: 'files';
  readonly paths: readonly ByteString[];
  /** A file that turns out to have at least this many bytes is left to the slabs. */
  readonly limit: number;
}

/** A new blob: its place in the reply's buffer. */
export interface NewBlob {
  readonly id: Id;
  readonly plainLength: number;
  readonly uncompressedLength: number;
  readonly offset: number;
  readonly length: number;
}

export type FileOutcome =
  | FileRead
  | { readonly kind: 'large'; readonly stat: FileStat }
  | { readonly kind: 'failed'; readonly error: WireError };

export interface FileRead {
  readonly kind: 'read';
  /** As it was when the file was opened. */
  readonly stat: FileStat;
  /** Bytes that were read. */
  readonly size: number;
  /** It was written to meanwhile. */
  readonly changed: boolean;
  /** undefined for an empty file. */
  readonly id: Id | undefined;
  /** undefined if the repository or this batch has it. */
  readonly blob: NewBlob | undefined;
}

export interface FilesReply {
  readonly files: readonly FileOutcome[];
  readonly buffer: Uint8Array;
}

export interface ScanJob {
  readonly kind: 'scan';
  /** An open file, or -1: the slab has been filled already. */
  readonly fd: number;
  /** Where in the file the first new byte is. */
  readonly position: number;
  /** Byte offsets in the shared memory. */
  readonly slab: number;
  readonly slabBytes: number;
  /** Bytes of an unfinished chunk to be copied from `carryFrom` to the slab's start first, and how far searched. */
  readonly carryFrom: number;
  readonly carryBytes: number;
  readonly scanned: number;
  /** With fd -1: how many new bytes follow the carried ones. */
  readonly filled: number;
  /** With fd -1: no more will come. */
  readonly last: boolean;
}

export interface ScanReply {
  /** Lengths of the finished chunks, in order from the slab's start. */
  readonly cuts: readonly number[];
  /** New bytes taken in. */
  readonly read: number;
  /** What is left behind the last cut; 0 at the end of the file. */
  readonly rest: number;
  /** How much of the rest has been searched. */
  readonly scanned: number;
  readonly end: boolean;
}

export interface SealJob {
  readonly kind: 'seal';
  /** Chunks in the shared memory. */
  readonly chunks: readonly { readonly offset: number; readonly length: number }[];
}

/** A new blob in the chunk's own place in the shared memory: `offset` and `length` are those of its ciphertext. */
export interface NewChunk extends NewBlob {
  /** The IV and MAC that belong around the ciphertext. */
  readonly frame: Uint8Array;
}

export interface SealReply {
  readonly ids: readonly Id[];
  /** For each chunk its new blob, or undefined if the repository has it. */
  readonly blobs: readonly (NewChunk | undefined)[];
}

export interface UnsealJob {
  readonly kind: 'unseal';
  /** A piece of a pack. */
  readonly data: Uint8Array;
  readonly blobs: readonly UnsealBlob[];
  /** Files that come into being in this job: made, filled, given their attributes and closed. */
  readonly files: readonly NewFile[];
  /** Leave holes in new files where the bytes are zero. */
  readonly sparse: boolean;
  /** How attributes are given to the new files; undefined: whoever asked will see to it. */
  readonly metadata: Omit<ApplyOptions, 'selectXattr'> | undefined;
}

export interface UnsealBlob {
  readonly id: Id;
  /** In `data`. */
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
  /** Open files and positions that get the plain bytes; `sparse`: the file is a hole there. */
  readonly writes: readonly { readonly fd: number; readonly position: number; readonly sparse: boolean }[];
}

export interface NewFile {
  readonly path: ByteString;
  readonly node: Node;
  /** Number of the blob that is its whole content; -1 for an empty file. */
  readonly blob: number;
}

/** What went wrong, by number in the job; nothing else did. Files of a damaged blob were not touched. */
export interface UnsealReply {
  readonly damaged: readonly { readonly blob: number; readonly error: WireError }[];
  readonly failedWrites: readonly {
    readonly blob: number;
    readonly write: number;
    readonly error: WireError;
  }[];
  /** Could not be made; nothing of them was left. */
  readonly failedFiles: readonly { readonly file: number; readonly error: WireError }[];
  /** Content is there, but not all attributes. */
  readonly incomplete: readonly { readonly file: number; readonly errors: readonly WireError[] }[];
}

export interface CompareJob {
  readonly kind: 'compare';
  readonly ranges: readonly CompareRange[];
}

/** A run of blobs that a file should hold from `position` on; `lengths` are of the plain bytes. */
export interface CompareRange {
  readonly path: ByteString;
  readonly position: number;
  readonly ids: readonly Id[];
  readonly lengths: readonly number[];
}

export type CompareOutcome =
  | { readonly kind: 'file'; readonly size: number; readonly matches: readonly boolean[] }
  | { readonly kind: 'failed'; readonly error: WireError };

export interface CompareReply {
  readonly ranges: readonly CompareOutcome[];
}

export interface InspectJob {
  readonly kind: 'inspect';
  readonly pack: Id;
  /** The whole pack. */
  readonly data: Uint8Array;
  /** What the index says about it. */
  readonly blobs: readonly PackedBlob[];
}

/** name: the pack's hash is another; header: it can't be read; index: it and the header differ; blob: one is damaged. */
export interface PackFault {
  readonly kind: 'name' | 'header' | 'index' | 'blob';
  readonly blob?: Id;
  /** What is wrong, to stand after "pack …: ". */
  readonly sentence: string;
}

export interface InspectReply {
  readonly faults: readonly PackFault[];
}

export interface ResealJob {
  readonly kind: 'reseal';
  /** A piece of a pack; comes back with the reply. */
  readonly data: Uint8Array;
  readonly blobs: readonly ResealBlob[];
}

export interface ResealBlob {
  readonly id: Id;
  readonly type: BlobType;
  /** In `data`. */
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength: number;
  /** Seal it anew; else it is only proven to be whole. */
  readonly again: boolean;
}

export interface ResealReply {
  readonly data: Uint8Array;
  /** Holds what was sealed anew. */
  readonly buffer: Uint8Array;
  /** For each blob its new form in `buffer`, or undefined where it was not sealed anew. */
  readonly sealed: readonly (NewBlob | undefined)[];
  readonly damaged: readonly { readonly blob: number; readonly error: WireError }[];
}

export type ReplyOf<J extends Job> = J extends FilesJob
  ? FilesReply
  : J extends ScanJob
    ? ScanReply
    : J extends SealJob
      ? SealReply
      : J extends UnsealJob
        ? UnsealReply
        : J extends CompareJob
          ? CompareReply
          : J extends InspectJob
            ? InspectReply
            : ResealReply;

/** What is posted to a worker. */
export type Request =
  | { readonly number: number; readonly job: Job }
  | { readonly index: SharedIndexBuffers }
  | { readonly stop: true };

/** What comes back: first of all that the thread has loaded all it needs. */
export type Response =
  | { readonly ready: true }
  | { readonly number: number; readonly reply: unknown }
  | { readonly number: number; readonly error: WireError };
