import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildKernel } from '../../scripts/build-wasm.ts';
import { EngineError } from '../../src/api/errors.ts';
import {
  Chunker,
  loadKernelModule,
  MAX_CHUNK,
  MIN_CHUNK,
  TABLE_BYTES,
  writeTables,
} from '../../src/chunker/chunker.ts';
import {
  degree,
  formatPolynomial,
  isIrreducible,
  mod,
  parsePolynomial,
  randomPolynomial,
} from '../../src/chunker/polynomial.ts';
import { chunkLengths } from '../../src/chunker/rabin.ts';
import golden from '../golden/chunker.json' with { type: 'json' };
import { goldenInput, plantCut, randomBytes } from '../helpers/chunker-data.ts';
import { chunkerOn, cutAll, memoryWith, sharedMemory } from '../helpers/chunker-memory.ts';
import type { CutRequest } from '../helpers/chunker-worker.ts';

const POLYNOMIAL = parsePolynomial('3da3358b4dc173');
const MIB = 1024 * 1024;

const damaged = expect.objectContaining({ code: 'damaged' });

describe('polynomials', () => {
  test('irreducible ones are told from reducible ones', () => {
    const irreducible = (hex: string) => isIrreducible(BigInt(`0x${hex}`));
    expect(golden.irreducible.filter((hex) => !irreducible(hex))).toEqual([]);
    expect(golden.reducible.filter(irreducible)).toEqual([]);
  });

  test('constants are not irreducible, x and x + 1 are', () => {
    expect([0n, 1n, 2n, 3n].map(isIrreducible)).toEqual([false, false, true, true]);
  });

  test('degree and remainder', () => {
    expect([0n, 1n, 2n, 0x3da3358b4dc173n].map(degree)).toEqual([-1, 0, 1, 53]);
    // x^3 + x + 1 = x · (x^2 + 1) + 1
    expect(mod(0b1011n, 0b101n)).toBe(1n);
    expect(() => mod(1n, 0n)).toThrow(EngineError);
  });

  test.each(golden.derived)(
    'random bytes of seed $seed give the polynomial that restic derives from them',
    (d) => {
      const source = randomBytes(d.seed, 8192);
      let used = 0;
      const polynomial = randomPolynomial((count) => {
        used += count;
        return source.subarray(used - count, used);
      });
      expect(formatPolynomial(polynomial)).toBe(d.polynomial);
      expect(used).toBe(d.consumed);
    },
  );

  test('a source of random bytes that always gives the same is found out', () => {
    const reducible = new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0]);
    expect(isIrreducible((1n << 53n) | 3n)).toBe(false);
    expect(() => randomPolynomial(() => reducible)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('the text of a config is read and written back', () => {
    expect(formatPolynomial(parsePolynomial('25b468838dcb75'))).toBe('25b468838dcb75');
    expect(parsePolynomial('25B468838DCB75')).toBe(0x25b468838dcb75n);
  });

  test.each([
    ['empty', ''],
    ['no hex', '25b468838dcb7g'],
    ['a prefix', '0x25b468838dcb75'],
    ['a sign', '-25b468838dcb75'],
    ['white space', ' 25b468838dcb75'],
    ['too long', '0000000000025b468838dcb75'],
    ['zero', '0'],
    ['reducible', '3da3358b4dc172'],
    ['of too high a degree', ((1n << 61n) | 0b100111n).toString(16)],
    ['of too low a degree', '83'],
  ])('a polynomial that is %s is refused as damaged', (_, hex) => {
    expect(() => parsePolynomial(hex)).toThrow(damaged);
  });
});

describe('chunks', () => {
  beforeAll(buildKernel);

  test.each(golden.cases)('golden: $name', ({ input, seed, size, polynomial, sha256, lengths }) => {
    const data = goldenInput(input, seed, size);
    expect(createHash('sha256').update(data).digest('hex')).toBe(sha256);
    const chunker = chunkerOn(memoryWith(data, parsePolynomial(polynomial)));
    expect(cutAll(chunker, TABLE_BYTES, size, () => size)).toEqual(lengths);
    expect(cutAll(chunker, TABLE_BYTES, size, () => 700_001)).toEqual(lengths);
  });

  test.each(golden.cases.filter((c) => c.size <= 3 * MIB))('golden, oracle: $name', (c) => {
    const data = goldenInput(c.input, c.seed, c.size);
    expect(chunkLengths(data, parsePolynomial(c.polynomial))).toEqual(c.lengths);
  });

  test('a chunk without a cut ends at the greatest length, and not a byte before', () => {
    const data = new Uint8Array(MAX_CHUNK + 5).fill(1);
    const chunker = chunkerOn(memoryWith(data, POLYNOMIAL));
    expect(chunker.findCut(TABLE_BYTES, 0, MAX_CHUNK - 1)).toBe(0);
    expect(chunker.findCut(TABLE_BYTES, MAX_CHUNK - 1, MAX_CHUNK)).toBe(MAX_CHUNK);
    expect(chunker.findCut(TABLE_BYTES, 0, MAX_CHUNK + 5)).toBe(MAX_CHUNK);
  });

  test('a cut counts from the least length on', () => {
    const chunker = chunkerOn(memoryWith(new Uint8Array(MIN_CHUNK + 1), POLYNOMIAL));
    expect(chunker.findCut(TABLE_BYTES, 0, MIN_CHUNK - 1)).toBe(0);
    expect(chunker.findCut(TABLE_BYTES, MIN_CHUNK - 1, MIN_CHUNK)).toBe(MIN_CHUNK);
  });

  const LANE = 4096;
  const around = (place: number) => [place - 1, place, place + 1];
  const places = [
    0,
    1,
    ...[1, 2, 3, 4, 5].flatMap((n) => around(n * LANE)),
    8 * LANE - 1,
    8 * LANE,
    9 * LANE,
  ];

  test.each(places)(
    'a single cut %d places after the least length is found from everywhere before it',
    (place) => {
      const min = 64;
      const cut = min + place;
      const data = new Uint8Array(10 * LANE).fill(1);
      plantCut(data, cut, POLYNOMIAL);
      const chunker = chunkerOn(memoryWith(data, POLYNOMIAL), { min, max: MIB });
      for (const scanned of [0, cut - 2, cut - 1].filter((n) => n >= 0)) {
        expect(chunker.findCut(TABLE_BYTES, scanned, data.length)).toBe(cut);
        expect(chunker.findCut(TABLE_BYTES, scanned, cut)).toBe(cut);
        expect(chunker.findCut(TABLE_BYTES, scanned, cut - 1)).toBe(0);
      }
    },
  );

  test('the earliest cut counts, though a later one lies nearer to the beginning of its lane', () => {
    const data = new Uint8Array(8 * LANE).fill(1);
    const chunkerFor = () => chunkerOn(memoryWith(data, POLYNOMIAL), { min: 64, max: MIB });
    for (const lane of [3, 2, 1, 0]) {
      const cut = 64 + lane * LANE + 4000 - lane * 1000;
      plantCut(data, cut, POLYNOMIAL);
      expect(chunkerFor().findCut(TABLE_BYTES, 0, data.length)).toBe(cut);
    }
  });

  test('tables and data may lie anywhere in the memory', () => {
    const data = randomBytes(11, 40_000);
    plantCut(data, 30_000, POLYNOMIAL);
    const memory = sharedMemory(200_000);
    writeTables(memory, POLYNOMIAL, 65_536);
    new Uint8Array(memory.buffer).set(data, 1001);
    const chunker = new Chunker(loadKernelModule(), memory, 65_536, { min: 64, max: MIB });
    expect(chunker.findCut(1001, 0, data.length)).toBe(30_000);
  });

  test('the search leaves the memory as it is', () => {
    const memory = memoryWith(randomBytes(12, 100_000), POLYNOMIAL);
    const before = Buffer.from(new Uint8Array(memory.buffer));
    chunkerOn(memory, { min: 64, max: MIB }).findCut(TABLE_BYTES, 0, 100_000);
    expect(Buffer.from(new Uint8Array(memory.buffer)).equals(before)).toBe(true);
  });

  test('tables are refused for a polynomial that is not usable', () => {
    expect(() => writeTables(sharedMemory(TABLE_BYTES), POLYNOMIAL - 1n)).toThrow(damaged);
  });

  test('bounds that no chunk can keep are refused', () => {
    const memory = sharedMemory(TABLE_BYTES);
    expect(() => chunkerOn(memory, { min: 63, max: 1000 })).toThrow(EngineError);
    expect(() => chunkerOn(memory, { min: 1000, max: 999 })).toThrow(EngineError);
    expect(() => chunkLengths(new Uint8Array(1), POLYNOMIAL, { min: 63 })).toThrow(EngineError);
  });

  test('two threads search one memory at the same time', async () => {
    const whole = golden.cases.find((c) => c.name === 'another polynomial')!;
    const other = golden.cases.find((c) => c.name === 'holes')!;
    const second = TABLE_BYTES + whole.size;
    // The tables hold for one polynomial, so the second input is cut by the first one's.
    const holes = goldenInput(other.input, other.seed, other.size);
    const memory = sharedMemory(second + other.size);
    writeTables(memory, parsePolynomial(whole.polynomial));
    new Uint8Array(memory.buffer).set(goldenInput(whole.input, whole.seed, whole.size), TABLE_BYTES);
    new Uint8Array(memory.buffer).set(holes, second);
    const jobs = [
      { at: TABLE_BYTES, size: whole.size },
      { at: second, size: other.size },
    ];
    const answers = jobs.map(async (job) => {
      const worker = new Worker(new URL('../helpers/chunker-worker.ts', import.meta.url));
      worker.postMessage({ module: loadKernelModule(), memory, ...job } satisfies CutRequest);
      const [lengths] = await once(worker, 'message');
      await worker.terminate();
      return lengths;
    });
    expect(await Promise.all(answers)).toEqual([
      whole.lengths,
      chunkLengths(holes, parsePolynomial(whole.polynomial)),
    ]);
  });
});
