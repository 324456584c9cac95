/** Prints how fast one thread cuts random data, in MB/s (10^6 bytes): the best of several rounds. */
import { buildKernel } from '../../scripts/build-wasm.ts';
import { TABLE_BYTES } from '../../src/chunker/chunker.ts';
import { parsePolynomial } from '../../src/chunker/polynomial.ts';
import { chunkLengths } from '../../src/chunker/rabin.ts';
import { randomBytes } from '../helpers/chunker-data.ts';
import { chunkerOn, cutAll, memoryWith } from '../helpers/chunker-memory.ts';

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
const POLYNOMIAL = parsePolynomial('3da3358b4dc173');

function bestRate(bytes: number, rounds: number, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    run();
    best = Math.min(best, performance.now() - begun);
  }
  return Math.round(bytes / 1000 / best);
}

await buildKernel();
const data = randomBytes(1, SIZE);
const memory = memoryWith(data, POLYNOMIAL);
const files = chunkerOn(memory);
// Every byte is searched if a chunk may be as short as its window; a file's chunks skip their first 512 KiB.
const search = chunkerOn(memory, { min: 64, max: SIZE });
console.log(
  `search, every byte: ${bestRate(SIZE, 8, () => cutAll(search, TABLE_BYTES, SIZE, () => SIZE))} MB/s`,
);
console.log(
  `files, at once:     ${bestRate(SIZE, 8, () => cutAll(files, TABLE_BYTES, SIZE, () => SIZE))} MB/s`,
);
console.log(
  `files, 1 MiB reads: ${bestRate(SIZE, 8, () => cutAll(files, TABLE_BYTES, SIZE, () => MIB))} MB/s`,
);
const part = data.subarray(0, 4 * MIB);
console.log(
  `oracle, every byte: ${bestRate(part.length, 1, () => chunkLengths(part, POLYNOMIAL, { min: 64 }))} MB/s`,
);
