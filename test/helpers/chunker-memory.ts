import {
  type ChunkBounds,
  Chunker,
  loadKernelModule,
  TABLE_BYTES,
  writeTables,
} from '../../src/chunker/chunker.ts';
import type { Polynomial } from '../../src/chunker/polynomial.ts';

export function sharedMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 65536);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** A memory that holds `data` at byte `at`, behind the tables of `polynomial`. */
export function memoryWith(data: Uint8Array, polynomial: Polynomial, at = TABLE_BYTES): WebAssembly.Memory {
  const memory = sharedMemory(at + data.length);
  writeTables(memory, polynomial);
  new Uint8Array(memory.buffer).set(data, at);
  return memory;
}

export function chunkerOn(memory: WebAssembly.Memory, bounds?: ChunkBounds): Chunker {
  return new Chunker(loadKernelModule(), memory, 0, bounds);
}

/** The lengths of the chunks of the `size` bytes at `at`, with `read` bytes coming in at a time. */
export function cutAll(chunker: Chunker, at: number, size: number, read: () => number): number[] {
  const lengths: number[] = [];
  let start = 0;
  let scanned = 0;
  let filled = 0;
  while (start < size) {
    filled = Math.min(size, Math.max(filled, start) + read());
    for (let cut = 1; cut > 0; ) {
      cut = chunker.findCut(at + start, scanned, filled - start);
      scanned = cut > 0 ? 0 : filled - start;
      if (cut > 0) lengths.push(cut);
      start += cut;
    }
    if (filled === size && start < size) {
      lengths.push(size - start);
      start = size;
    }
  }
  return lengths;
}
