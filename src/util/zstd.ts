/**
 * zstd (RFC 8878) of whole buffers, by Node's own library. Each function comes in two forms: one whose result is the
 * caller's, and one ("briefly") whose result lies in memory that the next such call in this thread uses again.
 */
import { constants, type ZstdOptions, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { EngineError } from '../api/errors.ts';
import { Compressor, Decompressor } from './zstd-context.ts';

export type Compression = 'auto' | 'off' | 'fastest' | 'better' | 'max';

export const COMPRESSIONS: readonly Compression[] = ['auto', 'off', 'fastest', 'better', 'max'];

const SMALL = 16 * 1024;
const LEAST_CHUNK = 1024;
const MOST_CHUNK = 8 * 1024 * 1024;

/** 512 KiB, as restic's: little is lost on chunks of about a megabyte, and each call takes far less memory. */
const WINDOW_LOG = 19;

function level(n: number, windowLog = WINDOW_LOG): ZstdOptions {
  return { params: { [constants.ZSTD_c_compressionLevel]: n, [constants.ZSTD_c_windowLog]: windowLog } };
}

const OPTIONS: Readonly<Record<Compression, ZstdOptions>> = {
  off: level(3),
  fastest: level(1),
  auto: level(3),
  better: level(7, 23),
  max: level(19, 23),
};

/** 'off' concerns the data of files alone: what must be compressed anyway is compressed as with 'auto'. */
export function compress(data: Uint8Array, compression: Compression): Uint8Array {
  const options = OPTIONS[compression];
  if (data.length < SMALL) return zstdCompressSync(data, options);
  // All output in one piece: nothing to be put together afterwards. What cannot be compressed grows by less.
  return zstdCompressSync(data, { ...options, chunkSize: data.length + (data.length >>> 8) + 1024 });
}

/** Contexts of the others would hold up to a hundred megabytes each. */
const compressors: Partial<Record<Compression, Compressor>> = {
  off: new Compressor(OPTIONS.auto),
  fastest: new Compressor(OPTIONS.fastest),
  auto: new Compressor(OPTIONS.auto),
};
const decompressor = new Decompressor();

export function compressBriefly(data: Uint8Array, compression: Compression): Uint8Array {
  return compressors[compression]?.compress(data) ?? compress(data, compression);
}

/**
 * The `length` bytes that are said to be in `data`; more or fewer if that is wrong.
 * Errors: 'damaged' for what is no zstd frame, or would unfold to more than `length` bytes.
 */
export function decompressBriefly(data: Uint8Array, length: number): Uint8Array {
  return decompressor.decompress(data, length) ?? decompress(data, length, length);
}

/**
 * Fastest when `expectedBytes` is the exact size of the result.
 * Errors: 'damaged' for what is no zstd frame, or would unfold to more than `maxBytes`.
 */
export function decompress(data: Uint8Array, maxBytes: number, expectedBytes?: number): Uint8Array {
  const small = expectedBytes === maxBytes && maxBytes < SMALL && decompressor.decompress(data, maxBytes);
  if (small) return small.slice();
  try {
    // The expected size is somebody's claim: it may not make us take memory that the data cannot fill.
    const chunkSize = Math.min(Math.max(LEAST_CHUNK, expectedBytes ?? 0), MOST_CHUNK);
    return zstdDecompressSync(data, { maxOutputLength: Math.max(1, maxBytes), chunkSize });
  } catch (cause) {
    throw new EngineError('damaged', 'Compressed data cannot be unfolded: it is damaged.', {}, { cause });
  }
}
