import { mod, type Polynomial } from '../../src/chunker/polynomial.ts';

/** Xorshift32: the same bytes for the same seed, everywhere. Words are little-endian; a last part-word stays 0. */
export function randomBytes(seed: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let x = seed;
  for (let at = 0; at + 4 <= size; at += 4) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    view.setUint32(at, x, true);
  }
  return bytes;
}

/**
 * The inputs that the golden lists were made from:
 * random; zeros; repeat: the same 4096 random bytes again and again; holes: random, every second 64 KiB zero.
 */
export function goldenInput(input: string, seed: number, size: number): Uint8Array {
  switch (input) {
    case 'random':
      return randomBytes(seed, size);
    case 'zeros':
      return new Uint8Array(size);
    case 'repeat': {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 4096) bytes.set(randomBytes(seed, 4096), at);
      return bytes;
    }
    case 'holes': {
      const bytes = randomBytes(seed, size);
      for (let at = 65536; at < size; at += 2 * 65536) bytes.fill(0, at, at + 65536);
      return bytes;
    }
    default:
      throw new Error(`no such input: ${input}`);
  }
}

/**
 * Makes `end` a cut: changes the 3 bytes before it so that the fingerprint of the 64 bytes before it ends in zeros.
 * Worked out from the definition, without the product's tables.
 */
export function plantCut(data: Uint8Array, end: number, polynomial: Polynomial): void {
  data.fill(0, end - 3, end);
  const window = BigInt(`0x${Buffer.from(data.subarray(end - 64, end)).toString('hex')}`);
  const print = Number(mod(window, polynomial) & 0xff_ffffn);
  data.set([print >>> 16, (print >>> 8) & 255, print & 255], end - 3);
}
