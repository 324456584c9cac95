/**
 * The end of a pack: `sealed blobs … | sealed header | length of the sealed header, 4 bytes, little-endian`.
 *
 * The opened header has one entry for each blob, in the order of the blobs:
 *
 *   plain       type 0 (data) or 1 (tree) | sealed length, 4 bytes | id, 32 bytes
 *   compressed  type 2 (data) or 3 (tree) | sealed length, 4 bytes | plain length, 4 bytes | id, 32 bytes
 *
 * Offsets are not stored: each blob begins where the one before it ends.
 */
import { EngineError } from '../api/errors.ts';
import { damaged } from './go-json.ts';
import { ID_BYTES, idFromBytes } from './id.ts';
import { type PackedBlob, SEAL_OVERHEAD } from './types.ts';

const WHAT = 'the header of a pack';

/** Bytes of the length field at the very end of a pack. */
export const HEADER_LENGTH_BYTES = 4;
/** Bytes of an entry for a plain blob. */
export const PLAIN_ENTRY_BYTES = 1 + 4 + ID_BYTES;
/** Bytes of an entry for a compressed blob. */
export const COMPRESSED_ENTRY_BYTES = PLAIN_ENTRY_BYTES + 4;
/** The largest sealed header that restic reads. */
export const MAX_SEALED_HEADER = 16 * 1024 * 1024;
/**
 * How many blobs a pack may hold, whatever their kind: the header of one more could be larger than readers take, ours and
 * restic's. restic closes its packs at the same number (`Packer.HeaderFull`).
 */
export const MAX_BLOBS = Math.floor((MAX_SEALED_HEADER - SEAL_OVERHEAD) / COMPRESSED_ENTRY_BYTES);
/** The smallest pack: one empty, plain blob without its seal, as restic counts. */
const MIN_PACK = PLAIN_ENTRY_BYTES + SEAL_OVERHEAD + HEADER_LENGTH_BYTES;

const COMPRESSED = 2;
const TREE = 1;
const MAX_UINT32 = 0xffff_ffff;

/** Bytes that the sealed header and its length field add to a pack of these blobs. */
export function packHeaderSize(blobs: Iterable<Pick<PackedBlob, 'uncompressedLength'>>): number {
  let size = SEAL_OVERHEAD + HEADER_LENGTH_BYTES;
  for (const blob of blobs) size += packEntrySize(blob);
  return size;
}

/** Bytes of the header entry for this blob. */
export function packEntrySize(blob: Pick<PackedBlob, 'uncompressedLength'>): number {
  return blob.uncompressedLength === 0 ? PLAIN_ENTRY_BYTES : COMPRESSED_ENTRY_BYTES;
}

/**
 * The length of the sealed header, from bytes that end where a pack of `packSize` bytes ends.
 * Error: 'damaged' where no header of that length can be in the pack.
 */
export function readHeaderLength(tail: Uint8Array, packSize: number): number {
  if (packSize < MIN_PACK || tail.length < HEADER_LENGTH_BYTES) throw damaged('a pack', 'is too short');
  const length = viewOf(tail).getUint32(tail.length - HEADER_LENGTH_BYTES, true);
  if (length < SEAL_OVERHEAD || length > MAX_SEALED_HEADER || length > packSize - HEADER_LENGTH_BYTES) {
    throw damaged(WHAT, 'has an impossible length');
  }
  return length;
}

/** The four bytes after a sealed header. */
export function buildHeaderLength(sealedLength: number): Buffer {
  const field = Buffer.alloc(HEADER_LENGTH_BYTES);
  field.writeUInt32LE(sealedLength);
  return field;
}

/**
 * The blobs that an opened header lists.
 * Error: 'damaged', also where blobs and header do not fill exactly the `packSize` bytes of the pack.
 */
export function parsePackHeader(header: Uint8Array, packSize: number): PackedBlob[] {
  const view = viewOf(header);
  const blobs: PackedBlob[] = [];
  let offset = 0;
  for (let at = 0; at < header.length; ) {
    const blob = parseEntry(header, view, at, offset);
    blobs.push(blob);
    at += packEntrySizeAt(header, at);
    offset += blob.length;
  }
  if (offset + header.length + SEAL_OVERHEAD + HEADER_LENGTH_BYTES !== packSize) {
    throw damaged(WHAT, 'does not account for the size of its pack');
  }
  return blobs;
}

function packEntrySizeAt(header: Uint8Array, at: number): number {
  const type = header[at]!;
  if (type > (COMPRESSED | TREE)) throw damaged(WHAT, 'has a blob of an unknown type');
  return (type & COMPRESSED) === 0 ? PLAIN_ENTRY_BYTES : COMPRESSED_ENTRY_BYTES;
}

function parseEntry(header: Uint8Array, view: DataView, at: number, offset: number): PackedBlob {
  const size = packEntrySizeAt(header, at);
  if (at + size > header.length) throw damaged(WHAT, 'ends within an entry');
  const compressed = size === COMPRESSED_ENTRY_BYTES;
  const uncompressedLength = compressed ? view.getUint32(at + 5, true) : 0;
  if (compressed && uncompressedLength === 0) throw damaged(WHAT, 'has a compressed blob without a length');
  return {
    id: idFromBytes(header, at + size - ID_BYTES),
    type: (header[at]! & TREE) === 0 ? 'data' : 'tree',
    offset,
    length: view.getUint32(at + 1, true),
    uncompressedLength,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The header, not yet sealed, for blobs that lie in this order without gaps. */
export function buildPackHeader(blobs: readonly PackedBlob[]): Buffer {
  const header = Buffer.alloc(packHeaderSize(blobs) - SEAL_OVERHEAD - HEADER_LENGTH_BYTES);
  let at = 0;
  for (const blob of blobs) at = writeEntry(header, at, blob);
  return header;
}

function writeEntry(header: Buffer, at: number, blob: PackedBlob): number {
  const compressed = blob.uncompressedLength !== 0;
  if (blob.length > MAX_UINT32 || blob.uncompressedLength > MAX_UINT32) {
    throw new EngineError('internal', 'a blob of 4 GiB or more fits no pack');
  }
  header[at] = (compressed ? COMPRESSED : 0) | (blob.type === 'tree' ? TREE : 0);
  let next = header.writeUInt32LE(blob.length, at + 1);
  if (compressed) next = header.writeUInt32LE(blob.uncompressedLength, next);
  return next + header.write(blob.id, next, ID_BYTES, 'hex');
}
