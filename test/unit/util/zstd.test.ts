import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPRESSIONS, compressBriefly, decompressBriefly } from '../../../src/util/zstd.ts';
import { Compressor, Decompressor, MOST_BYTES } from '../../../src/util/zstd-context.ts';
import { generatedBytes } from '../../helpers/tree.ts';

const randomBytes = (size: number) => Buffer.concat([...generatedBytes({ seed: size, size })]);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(70_000).map((length) => new Uint8Array(length).fill(7)),
  fc.nat(70_000).map((size) => randomBytes(size)),
);

describe('contexts that live on', () => {
  it('are in use on this Node', () => {
    expect(new Compressor({}).compress(Buffer.from('text'))).toBeInstanceOf(Uint8Array);
  });

  it('write what the documented calls read, and the other way round', () => {
    const [fold, unfold] = [new Compressor({}), new Decompressor()];
    fc.assert(
      fc.property(bytes, (plain) => {
        const frame = fold.compress(plain)!;
        expect(zstdDecompressSync(frame).equals(plain)).toBe(true);
        expect(Buffer.compare(unfold.decompress(frame, plain.length)!, plain)).toBe(0);
        expect(Buffer.compare(unfold.decompress(zstdCompressSync(plain), plain.length)!, plain)).toBe(0);
      }),
    );
  });

  it('refuse a frame that is harmed, cut, wrongly announced or followed by more, and are none the worse', () => {
    const unfold = new Decompressor();
    const plain = randomBytes(5000);
    const frame = zstdCompressSync(plain);
    const harmed = Uint8Array.from(frame);
    harmed[0]! ^= 1;
    const bad: readonly (readonly [Uint8Array, number])[] = [
      [harmed, 5000],
      [frame.subarray(0, 4000), 5000],
      [frame, 4999],
      [frame, 5001],
      [Buffer.concat([frame, frame]), 5000],
      [new Uint8Array(0), 0],
    ];
    for (const [input, length] of bad) {
      expect(unfold.decompress(input, length)).toBeUndefined();
      expect(Buffer.compare(unfold.decompress(frame, 5000)!, plain)).toBe(0);
    }
  });

  it('leave what is very large to others', () => {
    expect(new Compressor({}).compress(new Uint8Array(MOST_BYTES + 1))).toBeUndefined();
  });
});

describe('brief results', () => {
  it.each(COMPRESSIONS)('come back equal with %s, small and large', (compression) => {
    for (const size of [0, 1, 1000, 100_000, MOST_BYTES, MOST_BYTES + 1]) {
      const plain = new Uint8Array(size).fill(3);
      const frame = Uint8Array.from(compressBriefly(plain, compression));
      expect(Buffer.compare(decompressBriefly(frame, size), plain)).toBe(0);
    }
  });

  it('say what is damaged', () => {
    expect(() => decompressBriefly(Buffer.from('no frame at all'), 10)).toThrowError(/damaged/);
    expect(() => decompressBriefly(zstdCompressSync(new Uint8Array(100)), 10)).toThrowError(/damaged/);
  });
});
