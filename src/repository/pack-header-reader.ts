/** Reading what a stored pack says about itself, without reading all of it. */
import type { Backend, CallOptions } from '../backend/backend.ts';
import type { Sealer } from '../crypto/sealer.ts';
import { HEADER_LENGTH_BYTES, parsePackHeader, readHeaderLength } from '../format/pack-header.ts';
import type { Id, PackedBlob } from '../format/types.ts';

/** Holds the headers of most packs: some 400 blobs. A larger one costs a second call. */
const FIRST_GUESS = 16 * 1024;

/**
 * The blobs that the header of a pack of `size` bytes lists.
 * Errors: 'damaged' if the header cannot be read; 'not-found', 'range' and the other ones of the backend.
 */
export async function loadPackHeader(
  source: { readonly backend: Backend; readonly sealer: Sealer },
  pack: Id,
  size: number,
  o?: CallOptions,
): Promise<PackedBlob[]> {
  const handle = { type: 'pack', name: pack } as const;
  const loadTail = (length: number) => source.backend.load(handle, { ...o, offset: size - length, length });
  const guess = await loadTail(Math.min(size, FIRST_GUESS));
  const sealedLength = readHeaderLength(guess, size);
  const whole = sealedLength + HEADER_LENGTH_BYTES;
  const tail = whole <= guess.length ? guess.subarray(guess.length - whole) : await loadTail(whole);
  return parsePackHeader(source.sealer.open(tail.subarray(0, sealedLength)), size);
}
