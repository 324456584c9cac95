/**
 * One blob between its plain and its sealed form: compress, seal, and prove that it opens again; or open, unfold
 * and compare with its name. Runs in any thread.
 */
import { EngineError } from '../api/errors.ts';
import { OVERHEAD, type Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import type { BlobType, Id } from '../format/types.ts';
import { type Compression, compressBriefly, decompress, decompressBriefly } from '../util/zstd.ts';

/** No writer makes larger blobs than the chunker's 8 MiB, save for trees of huge directories. */
const MAX_PLAIN_BYTES = 2 * 1024 ** 3;

export interface CodecOptions {
  readonly compression: Compression;
  /** 1 knows no compression. */
  readonly version: 1 | 2;
  /** Open each sealed blob again before it is stored. */
  readonly verify: boolean;
  /** Keep the compressed form even where it is larger: it tells later runs that this was tried. */
  readonly always?: boolean;
}

export interface SealedBlob {
  readonly id: Id;
  readonly type: BlobType;
  /** IV, ciphertext and MAC; with a frame, the ciphertext alone. */
  readonly sealed: Uint8Array;
  /** IV and MAC. */
  readonly frame?: Uint8Array;
  /** 0 when it is stored plain. */
  readonly uncompressedLength: number;
}

/**
 * The sealed form of a blob; `place` gives it room. Errors: 'internal' if it does not open to what went in (bad
 * memory, say).
 */
export function sealBlob(
  sealer: Sealer,
  type: BlobType,
  id: Id,
  plain: Uint8Array,
  o: CodecOptions,
  place: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): SealedBlob {
  const packed = pack(type, plain, o);
  const content = packed ?? plain;
  const sealed = place(content.length + OVERHEAD);
  sealer.sealInto(content, sealed, 0);
  const blob = { id, type, sealed, uncompressedLength: packed ? plain.length : 0 };
  if (o.verify) verify(sealer, blob);
  return blob;
}

/**
 * The same in place: the ciphertext takes the front of the memory in which the plain bytes lie, so that no other is
 * needed. `sealed` is a view of it.
 */
export function sealBlobInPlace(
  sealer: Sealer,
  type: BlobType,
  id: Id,
  plain: Uint8Array,
  o: CodecOptions,
): SealedBlob {
  const packed = pack(type, plain, o);
  const content = packed ?? plain;
  if (content.length > plain.length) throw new EngineError('internal', 'A blob grew beyond its place.');
  const sealed = plain.subarray(0, content.length);
  const frame = sealer.sealDetached(content, sealed);
  const uncompressedLength = packed ? plain.length : 0;
  const blob = { id, type, sealed, frame, uncompressedLength };
  if (o.verify) verify(sealer, blob);
  return blob;
}

/** The compressed form, good until the next call, or undefined where the plain one is kept. */
function pack(type: BlobType, plain: Uint8Array, o: CodecOptions): Uint8Array | undefined {
  if (o.version < 2 || plain.length === 0 || (o.compression === 'off' && type === 'data')) return undefined;
  const packed = compressBriefly(plain, o.compression);
  // restic takes a plain tree in a repository of version 2 for one that still has to be compressed.
  const keep = packed.length < plain.length || type === 'tree' || o.always === true;
  return keep ? packed : undefined;
}

let scratchBuffer = new Uint8Array(0);

/** Room for what is only looked at before the next call. */
function scratch(length: number): Uint8Array {
  if (scratchBuffer.length < length)
    scratchBuffer = new Uint8Array(Math.max(length, 2 * scratchBuffer.length));
  return scratchBuffer.subarray(0, length);
}

function verify(sealer: Sealer, blob: SealedBlob): void {
  try {
    const packed = blob.frame
      ? sealer.openDetached(blob.frame, blob.sealed, scratch)
      : sealer.open(blob.sealed, scratch);
    unpack(packed, blob.id, blob.uncompressedLength, decompressBriefly);
  } catch (cause) {
    throw new EngineError(
      'internal',
      `Blob ${blob.id} did not survive its own sealing, so it was not stored. This points to faulty memory.`,
      { hint: "Test this computer's memory before you rely on its backups.", context: { blob: blob.id } },
      { cause },
    );
  }
}

/**
 * The plain bytes of a blob, the caller's own.
 * Errors: 'damaged' if it does not open, unfold, or fit its name.
 */
export function openBlob(sealer: Sealer, id: Id, sealed: Uint8Array, uncompressedLength: number): Uint8Array {
  return unpack(sealer.open(sealed), id, uncompressedLength, (packed, length) =>
    decompress(packed, length, length),
  );
}

/** The same in memory that the next call of this or of a sealing function in this thread uses again. */
export function viewBlob(sealer: Sealer, id: Id, sealed: Uint8Array, uncompressedLength: number): Uint8Array {
  return unpack(sealer.open(sealed, scratch), id, uncompressedLength, decompressBriefly);
}

type Decompress = (packed: Uint8Array, length: number) => Uint8Array;

function unpack(
  packed: Uint8Array,
  id: Id,
  uncompressedLength: number,
  decompressing: Decompress,
): Uint8Array {
  const plain = uncompressedLength === 0 ? packed : unfold(packed, uncompressedLength, id, decompressing);
  if (sha256(plain) !== id)
    throw new EngineError('damaged', `Blob ${id} holds other bytes than its name says.`);
  return plain;
}

function unfold(
  packed: Uint8Array,
  uncompressedLength: number,
  id: Id,
  decompressing: Decompress,
): Uint8Array {
  if (uncompressedLength > MAX_PLAIN_BYTES) {
    throw new EngineError('damaged', `Blob ${id} claims an impossible size of ${uncompressedLength} bytes.`);
  }
  const plain = decompressing(packed, uncompressedLength);
  if (plain.length !== uncompressedLength) {
    throw new EngineError('damaged', `Blob ${id} unfolds to another size than its index says.`);
  }
  return plain;
}
