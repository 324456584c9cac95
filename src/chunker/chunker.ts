/**
 * Cuts file content into chunks whose borders follow the content, so that an insertion changes the chunks around
 * it and leaves the others, which are stored already, alone.
 *
 * Glossary
 * - chunk: a piece of a file, 512 KiB to 8 MiB long; the last one of a file may be shorter.
 * - window: the 64 bytes that end at a place. They alone decide whether the place is a cut.
 * - fingerprint: the remainder of the window, read as a polynomial over two elements, divided by the repository's
 *   polynomial (Rabin, "Fingerprinting by Random Polynomials", 1981).
 * - cut: a place whose fingerprint ends in 20 zero bits: one in 2^20.
 * - polynomial: chosen at random for each repository, so that chunk sizes don't tell what a file is.
 * - kernel: the loop that searches for cuts, in WebAssembly; `kernel/index.ts` is its source.
 * - tables: what the kernel looks up for a polynomial; written once at the bottom of the memory.
 *
 * Memory is shared: its owner makes it and writes the tables, then any number of threads make a Chunker on it.
 */
/// <reference path="./webassembly.d.ts" />
import { readFileSync } from 'node:fs';
import { EngineError } from '../api/errors.ts';
import { degree, isUsable, mod, type Polynomial } from './polynomial.ts';

/** The least length of a chunk, in bytes, except at the end of a file. */
export const MIN_CHUNK = 512 * 1024;
/** The greatest length of a chunk, in bytes. */
export const MAX_CHUNK = 8 * 1024 * 1024;

const WINDOW = 64;

// The kernel knows this layout: 256 words for bytes that leave the window, 256 for the reduction, then the shift.
const LEAVING = 0;
const APPEND = 256;
const SHIFT = 512;

/** The bytes that the tables take in the memory. A multiple of 64, so that data can follow on a cache line. */
export const TABLE_BYTES = 8 * SHIFT + 64;

let kernel: WebAssembly.Module | undefined;

/** The compiled kernel, from `kernel.wasm` beside this file. It can be posted to other threads. */
export function loadKernelModule(): WebAssembly.Module {
  kernel ??= new WebAssembly.Module(readKernel());
  return kernel;
}

function readKernel(): Buffer<ArrayBuffer> {
  try {
    return readFileSync(new URL('./kernel.wasm', import.meta.url));
  } catch (cause) {
    throw new EngineError(
      'internal',
      'The file kernel.wasm of Holdfast is missing.',
      { hint: 'Install Holdfast again, or run its build if you work on its source.' },
      { cause },
    );
  }
}

/**
 * Fills the tables for a polynomial. The memory's owner does this once, before any thread searches.
 *
 * @param at byte offset of the tables, a multiple of 8; {@link TABLE_BYTES} from there are overwritten
 */
export function writeTables(memory: WebAssembly.Memory, polynomial: Polynomial, at = 0): void {
  if (!isUsable(polynomial)) throw new EngineError('damaged', 'The chunker polynomial is not a usable one.');
  const table = new BigUint64Array(memory.buffer, at, TABLE_BYTES / 8);
  const size = BigInt(degree(polynomial));
  for (let byte = 0; byte < 256; byte++) {
    const bits = BigInt(byte);
    table[LEAVING + byte] = mod(bits << BigInt(8 * WINDOW), polynomial);
    // The kernel shifts the top byte out without clearing it; the second term does so in the same XOR.
    table[APPEND + byte] = mod(bits << size, polynomial) ^ (bits << size);
  }
  table[SHIFT] = size - 8n;
}

/** Other lengths than a repository's, for tests on small data. `min` is 64 at least. */
export interface ChunkBounds {
  readonly min: number;
  readonly max: number;
}

type FindCut = (tables: number, from: number, to: number) => number;

/** Searches a memory for the ends of chunks. Cheap to make: one for each thread. */
export class Chunker {
  readonly #find: FindCut;
  readonly #tablesAt: number;
  readonly #bounds: ChunkBounds;

  /**
   * @param module from {@link loadKernelModule}
   * @param memory shared, of 65 536 pages at most, with tables at `tablesAt` ({@link writeTables})
   */
  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    tablesAt = 0,
    bounds: ChunkBounds = { min: MIN_CHUNK, max: MAX_CHUNK },
  ) {
    if (bounds.min < WINDOW || bounds.max < bounds.min) {
      throw new EngineError('internal', 'impossible bounds for chunks');
    }
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    this.#find = instance.exports.findCut as FindCut;
    this.#tablesAt = tablesAt;
    this.#bounds = bounds;
  }

  /**
   * The length of the chunk that begins at byte `start` of the memory, or 0 if it doesn't end within the `length`
   * bytes that are there. At the end of a file the caller takes what is left as the last chunk.
   *
   * @param scanned how many of the bytes an earlier call for the same chunk has searched in vain; 0 at first
   */
  findCut(start: number, scanned: number, length: number): number {
    const { min, max } = this.#bounds;
    const shortest = Math.max(min, scanned + 1);
    const longest = Math.min(length, max);
    // The kernel takes unsigned addresses and gives a signed one back.
    const end = shortest > longest ? 0 : this.#find(this.#tablesAt, start + shortest, start + longest) >>> 0;
    if (end !== 0) return end - start;
    return length >= max ? max : 0;
  }
}
