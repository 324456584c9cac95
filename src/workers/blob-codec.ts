/**
 * One blob between its plain and its sealed form: compress, seal, and prove that it opens again; or open, unfold
 * and compare with its name. Runs in any thread.
 */
import { EngineError } from '../api/errors.ts';
import { OVERHEAD, type Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import type { BlobType, Id } from '../format/types.ts';
import { release } from '../util/release.ts';
import { type Compression, compress, decompress } from '../util/zstd.ts';

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
  /** IV, ciphertext and MAC. */
  readonly sealed: Uint8Array;
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
  if (packed) release(packed);
  const blob = { id, type, sealed, uncompressedLength: packed ? plain.length : 0 };
  if (o.verify) verify(sealer, blob);
  return blob;
}

/** The compressed form, or undefined where the plain one is kept. */
function pack(type: BlobType, plain: Uint8Array, o: CodecOptions): Uint8Array | undefined {
  if (o.version < 2 || plain.length === 0 || (o.compression === 'off' && type === 'data')) return undefined;
  const packed = compress(plain, o.compression);
  // restic takes a plain tree in a repository of version 2 for one that still has to be compressed.
  const keep = packed.length < plain.length || type === 'tree' || o.always === true;
  if (keep) return packed;
  release(packed);
  return undefined;
}

function verify(sealer: Sealer, blob: SealedBlob): void {
  try {
    release(openBlob(sealer, blob.id, blob.sealed, blob.uncompressedLength));
  } catch (cause) {
    throw new EngineError(
      'internal',
      `Blob ${blob.id} did not survive its own sealing, so it was not stored. This points to faulty memory.`,
      { hint: "Test this computer's memory before you rely on its backups.", context: { blob: blob.id } },
      { cause },
    );
  }
}

/** The plain bytes of a blob. Errors: 'damaged' if it does not open, unfold, or fit its name. */
export function openBlob(sealer: Sealer, id: Id, sealed: Uint8Array, uncompressedLength: number): Uint8Array {
  const packed = sealer.open(sealed);
  const plain = uncompressedLength === 0 ? packed : unfold(packed, uncompressedLength, id);
  if (sha256(plain) !== id)
    throw new EngineError('damaged', `Blob ${id} holds other bytes than its name says.`);
  return plain;
}

function unfold(packed: Uint8Array, uncompressedLength: number, id: Id): Uint8Array {
  if (uncompressedLength > MAX_PLAIN_BYTES) {
    throw new EngineError('damaged', `Blob ${id} claims an impossible size of ${uncompressedLength} bytes.`);
  }
  const plain = decompress(packed, uncompressedLength, uncompressedLength);
  release(packed);
  if (plain.length !== uncompressedLength) {
    throw new EngineError('damaged', `Blob ${id} unfolds to another size than its index says.`);
  }
  return plain;
}

/** The length that a blob of `plainLength` bytes has in a pack when it is not compressed. */
export function plainSealedLength(plainLength: number): number {
  return plainLength + OVERHEAD;
}
