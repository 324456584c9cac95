/**
 * The worker's part of `check --read-data`: looks at a whole pack. Its name must be its hash, its header must open
 * and say what the index says, and every blob must open, unfold and have the hash that is its name.
 */
import { isEngineError, messageOf } from '../api/errors.ts';
import { OVERHEAD, type Sealer } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import { HEADER_LENGTH_BYTES, parsePackHeader, readHeaderLength } from '../format/pack-header.ts';
import type { PackedBlob } from '../format/types.ts';
import { viewBlob } from './blob-codec.ts';
import type { InspectJob, InspectReply, PackFault } from './protocol.ts';

export function inspect(sealer: Sealer, job: InspectJob): InspectReply {
  const faults: PackFault[] = [];
  const name = sha256(job.data);
  if (name !== job.pack) faults.push({ kind: 'name', sentence: `its content has the hash ${name}` });
  const header = readHeader(sealer, job.data, faults);
  if (header) compareWithIndex(header, job.blobs, faults);
  for (const blob of union(job.blobs, header ?? [])) checkBlob(sealer, job.data, blob, faults);
  return { faults };
}

/** The blobs that the header at the end of a whole pack lists. Error: 'damaged'. */
export function openPackHeader(sealer: Sealer, pack: Uint8Array): PackedBlob[] {
  const sealedLength = readHeaderLength(pack, pack.length);
  const end = pack.length - HEADER_LENGTH_BYTES;
  const header = sealer.open(pack.subarray(end - sealedLength, end));
  return parsePackHeader(header, pack.length);
}

function readHeader(sealer: Sealer, pack: Uint8Array, faults: PackFault[]): PackedBlob[] | undefined {
  try {
    return openPackHeader(sealer, pack);
  } catch (e) {
    if (!isEngineError(e, 'damaged')) throw e;
    faults.push({ kind: 'header', sentence: `its header cannot be read: ${messageOf(e)}` });
    return undefined;
  }
}

function compareWithIndex(
  header: readonly PackedBlob[],
  index: readonly PackedBlob[],
  faults: PackFault[],
): void {
  const [inHeader, inIndex] = [new Set(header.map(placeOf)), new Set(index.map(placeOf))];
  for (const blob of header) {
    if (inIndex.has(placeOf(blob))) continue;
    const sentence = `the index does not know its ${blob.type} blob ${blob.id}, or has it elsewhere in the pack`;
    faults.push({ kind: 'index', blob: blob.id, sentence });
  }
  for (const blob of index) {
    if (inHeader.has(placeOf(blob))) continue;
    const sentence = `the index places the ${blob.type} blob ${blob.id} where the pack's header does not`;
    faults.push({ kind: 'index', blob: blob.id, sentence });
  }
}

/** All that the index and a header say about a blob's place, as a text to compare. */
export function placeOf(b: PackedBlob): string {
  return `${b.type} ${b.id} ${b.offset} ${b.length} ${b.uncompressedLength}`;
}

/** The blobs of both lists, each place once. */
export function union(a: readonly PackedBlob[], b: readonly PackedBlob[]): readonly PackedBlob[] {
  const known = new Set(a.map(placeOf));
  return [...a, ...b.filter((blob) => !known.has(placeOf(blob)))];
}

function checkBlob(sealer: Sealer, pack: Uint8Array, blob: PackedBlob, faults: PackFault[]): void {
  const { id, type, offset, length, uncompressedLength } = blob;
  const end = offset + length;
  if (end > pack.length || length < OVERHEAD) {
    const sentence = `the ${type} blob ${id} would reach from byte ${offset} to ${end}, outside of the pack`;
    faults.push({ kind: 'blob', blob: id, sentence });
    return;
  }
  try {
    viewBlob(sealer, id, pack.subarray(offset, end), uncompressedLength);
  } catch (e) {
    if (!isEngineError(e, 'damaged')) throw e;
    faults.push({ kind: 'blob', blob: id, sentence: `the ${type} blob ${id} is damaged: ${messageOf(e)}` });
  }
}
