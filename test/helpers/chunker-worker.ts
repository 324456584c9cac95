import { parentPort } from 'node:worker_threads';
import { Chunker } from '../../src/chunker/chunker.ts';
import { cutAll } from './chunker-memory.ts';

/** What the worker is asked: to cut a part of a memory that it shares with others. */
export interface CutRequest {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly at: number;
  readonly size: number;
}

parentPort?.on('message', ({ module, memory, at, size }: CutRequest) => {
  parentPort?.postMessage(cutAll(new Chunker(module, memory), at, size, () => size));
});
