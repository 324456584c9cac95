import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { buildKernel } from '../../scripts/build-wasm.ts';
import { TABLE_BYTES } from '../../src/chunker/chunker.ts';
import {
  degree,
  formatPolynomial,
  isIrreducible,
  mod,
  parsePolynomial,
  randomPolynomial,
} from '../../src/chunker/polynomial.ts';
import { chunkLengths } from '../../src/chunker/rabin.ts';
import { plantCut, randomBytes } from '../helpers/chunker-data.ts';
import { chunkerOn, cutAll, memoryWith } from '../helpers/chunker-memory.ts';

beforeAll(buildKernel);

const POLYNOMIALS = ['3da3358b4dc173', '25b468838dcb75', '800000100001'].map(parsePolynomial);
const polynomials = fc.constantFrom(...POLYNOMIALS);

/** Random, constant, of two symbols, and repeating data: up to two blocks of the kernel and a bit. */
const contents = fc
  .record({
    size: fc.integer({ min: 0, max: 36_000 }),
    seed: fc.integer({ min: 1, max: 0xffff }),
    kind: fc.oneof(
      fc.constantFrom('random', 'two symbols' as const),
      fc.record({ period: fc.integer({ min: 1, max: 5000 }) }),
      fc.record({ byte: fc.integer({ min: 0, max: 255 }) }),
    ),
  })
  .map(({ size, seed, kind }) => {
    const data = randomBytes(seed, size + 4).subarray(0, size);
    if (kind === 'two symbols') return data.map((b) => b & 1);
    if (typeof kind === 'string') return data;
    if ('byte' in kind) return data.fill(kind.byte);
    return data.map((_, at) => data[at % kind.period]!);
  });

const inputs = fc
  .record({
    polynomial: polynomials,
    data: contents,
    cuts: fc.array(fc.integer({ min: 64, max: 36_000 }), { maxLength: 12 }),
    min: fc.constantFrom(64, 65, 200, 3000),
    room: fc.constantFrom(0, 1, 500, 20_000, 40_000),
  })
  .map(({ polynomial, data, cuts, min, room }) => {
    for (const cut of cuts.filter((end) => end <= data.length)) plantCut(data, cut, polynomial);
    return { polynomial, data, bounds: { min, max: min + room } };
  });

const readSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })), {
  minLength: 1,
  maxLength: 8,
});

test('the kernel cuts as the oracle does, however the data comes in, and loses nothing', () => {
  fc.assert(
    fc.property(inputs, readSizes, ({ polynomial, data, bounds }, sizes) => {
      const chunker = chunkerOn(memoryWith(data, polynomial), bounds);
      const lengths = chunkLengths(data, polynomial, bounds);
      let reads = 0;
      const read = () => sizes[reads++ % sizes.length]!;
      expect(cutAll(chunker, TABLE_BYTES, data.length, () => data.length)).toEqual(lengths);
      expect(cutAll(chunker, TABLE_BYTES, data.length, read)).toEqual(lengths);
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(data.length);
      expect(lengths.every((length) => length <= bounds.max)).toBe(true);
      expect(lengths.slice(0, -1).every((length) => length >= bounds.min)).toBe(true);
    }),
    { numRuns: 120 },
  );
});

test('a change at the beginning does not move the cuts far behind it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 100 }), (seed, inserted) => {
      const polynomial = POLYNOMIALS[0]!;
      const data = randomBytes(seed, 20_000);
      for (let end = 1000; end <= data.length; end += 1000) plantCut(data, end, polynomial);
      const moved = new Uint8Array(inserted + data.length);
      moved.set(data, inserted);
      const cut = (bytes: Uint8Array) => {
        const chunker = chunkerOn(memoryWith(bytes, polynomial), { min: 64, max: 5000 });
        return cutAll(chunker, TABLE_BYTES, bytes.length, () => bytes.length);
      };
      expect(cut(moved).slice(-10)).toEqual(cut(data).slice(-10));
    }),
    { numRuns: 20 },
  );
});

test('a product is never irreducible', () => {
  const factors = fc.bigInt({ min: 2n, max: (1n << 26n) - 1n });
  fc.assert(
    fc.property(factors, factors, (a, b) => {
      let product = 0n;
      for (let n = 0n; n < 26n; n++) if ((b >> n) & 1n) product ^= a << n;
      expect(mod(product, a)).toBe(0n);
      expect(isIrreducible(product)).toBe(false);
    }),
    { numRuns: 50 },
  );
});

test('a drawn polynomial is of degree 53 and comes back from its text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffff }), (seed) => {
      const source = randomBytes(seed, 1 << 14);
      let used = 0;
      const polynomial = randomPolynomial((count) => {
        used += count;
        return source.subarray(used - count, used);
      });
      expect(degree(polynomial)).toBe(53);
      expect(parsePolynomial(formatPolynomial(polynomial))).toBe(polynomial);
    }),
    { numRuns: 10 },
  );
});
