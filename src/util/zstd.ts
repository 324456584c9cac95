/** zstd (RFC 8878) of whole buffers, by Node's own library. */
import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { EngineError } from '../api/errors.ts';

export type Compression = 'auto' | 'off' | 'fastest' | 'better' | 'max';

export const COMPRESSIONS: readonly Compression[] = ['auto', 'off', 'fastest', 'better', 'max'];

const level = (n: number): ZstdOptions => ({ params: { [constants.ZSTD_c_compressionLevel]: n } });

const OPTIONS: Readonly<Record<Compression, ZstdOptions>> = {
  off: level(3),
  fastest: level(1),
  auto: level(3),
  better: level(7),
  max: level(19),
};

/** 'off' concerns the data of files alone: what must be compressed anyway is compressed as with 'auto'. */
export function compress(data: Uint8Array, compression: Compression): Uint8Array {
  return zstdCompressSync(data, OPTIONS[compression]);
}

/** Errors: 'damaged' for what is no zstd frame, or would unfold to more than `maxBytes`. */
export function decompress(data: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return zstdDecompressSync(data, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (cause) {
    throw new EngineError('damaged', 'Compressed data cannot be unfolded: it is damaged.', {}, { cause });
  }
}
