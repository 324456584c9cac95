import { expect, it } from 'vitest';
import { MAX_BLOBS, parsePackHeader, readHeaderLength } from '../../../src/format/pack-header.ts';
import { SEAL_OVERHEAD } from '../../../src/format/types.ts';
import { BufferPool, type FinishedPack, Packer, PackerSet } from '../../../src/repository/packer.ts';
import type { SealedBlob } from '../../../src/workers/blob-codec.ts';
import { idOf, memoryRepository } from '../../helpers/repo.ts';

/** As small as a compressed blob can be; those have the larger entries in the header. */
const least: SealedBlob = {
  id: idOf('b'),
  type: 'data',
  sealed: new Uint8Array(SEAL_OVERHEAD),
  uncompressedLength: 1,
};
const HUGE = Number.MAX_SAFE_INTEGER;

function filled(count: number): Packer {
  const packer = new Packer('data', 0, new BufferPool(0));
  for (let i = 0; i < count; i++) packer.add(least);
  return packer;
}

it('is full at its size', () => {
  const packer = filled(2);
  expect(packer.isFull(2 * SEAL_OVERHEAD + 1)).toBe(false);
  expect(packer.isFull(2 * SEAL_OVERHEAD)).toBe(true);
});

it('is full, whatever its size, with so many blobs as the largest header lists', async () => {
  const { repository } = await memoryRepository();
  expect(filled(MAX_BLOBS - 1).isFull(HUGE)).toBe(false);
  const packer = filled(MAX_BLOBS);
  expect(packer.isFull(HUGE)).toBe(true);
  const pack = packer.finish(repository.sealer);
  const [, header, length] = partsOf(pack);
  expect(readHeaderLength(length, pack.size)).toBe(header.length);
  expect(parsePackHeader(repository.sealer.open(header), pack.size)).toHaveLength(MAX_BLOBS);
});

it('would be lost to every reader with one blob more', async () => {
  const { repository } = await memoryRepository();
  const pack = filled(MAX_BLOBS + 1).finish(repository.sealer);
  const [, , length] = partsOf(pack);
  expect(() => readHeaderLength(length, pack.size)).toThrow(/impossible length/);
});

it('is closed by a set before that can happen', () => {
  const set = new PackerSet('data', HUGE, 1, new BufferPool(0), () => 7);
  let closed: Packer | undefined;
  for (let i = 1; i < MAX_BLOBS; i++) closed ??= set.add(least).full;
  expect(closed).toBeUndefined();
  expect(set.add(least).full?.number).toBe(7);
  expect(set.drain()).toEqual([]);
});

function partsOf({ data }: FinishedPack): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const [blobs, header, length] = data;
  if (!blobs || !header || !length) throw new Error('a pack has three parts');
  return [blobs, header, length];
}
