/**
 * Gives a large buffer's memory back at once, instead of when the garbage collector comes around: on the hot path
 * a hundred megabytes would gather in between. The buffer is empty afterwards, as is every other view of its memory,
 * which must be the caller's alone.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LEAST) buffer.transfer(0);
}

/** Node's pool for small buffers, which are views of memory shared with others, stays below this. */
const LEAST = 128 * 1024;
