/**
 * Gives a large buffer's memory back at once, instead of when the garbage collector comes around: on the hot path
 * a hundred megabytes would gather in between. The buffer is empty afterwards, as is every other view of it.
 */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  // Small ones share a pool with others, and shared memory belongs to everybody.
  if (
    buffer instanceof ArrayBuffer &&
    bytes.byteLength >= LEAST &&
    buffer.byteLength < 2 * bytes.byteLength
  ) {
    buffer.transfer(0);
  }
}

const LEAST = 32 * 1024;
