import { EngineError } from '../api/errors.ts';
import { degree, mod, type Polynomial } from './polynomial.ts';

/**
 * The chunker in plain words: what the fast one must agree with. It keeps to the definition, one byte after
 * another, and is slower by far; only tests use it.
 */

const WINDOW = 64;
const CUT_MASK = (1n << 20n) - 1n;

/** A way to take fingerprints: the remainder, divided by a polynomial, of bytes read as one long polynomial. */
interface Fingerprint {
  readonly polynomial: Polynomial;
  readonly topByteAt: bigint;
  /** The remainder of (byte · x^degree): what takes the place of bits that outgrow the fingerprint. */
  readonly carried: readonly Polynomial[];
  /** The remainder of (byte · x^(8 · 64)): what a byte still adds when 64 others have come after it. */
  readonly left: readonly Polynomial[];
}

function fingerprint(polynomial: Polynomial): Fingerprint {
  const size = BigInt(degree(polynomial));
  const remainders = (exponent: bigint): readonly Polynomial[] =>
    Array.from({ length: 256 }, (_, byte) => mod(BigInt(byte) << exponent, polynomial));
  return {
    polynomial,
    topByteAt: size - 8n,
    carried: remainders(size),
    left: remainders(BigInt(8 * WINDOW)),
  };
}

/** The fingerprint of some bytes and one more. */
function append(by: Fingerprint, print: Polynomial, byte: number): Polynomial {
  const top = print >> by.topByteAt;
  const rest = print & ((1n << by.topByteAt) - 1n);
  return ((rest << 8n) | BigInt(byte)) ^ by.carried[Number(top)]!;
}

/** The length of the chunk that begins at `start`: up to the first cut of at least `min`, `max`, or the data's end. */
function chunkLength(
  data: Uint8Array,
  start: number,
  by: Fingerprint,
  bounds: { readonly min: number; readonly max: number },
): number {
  const end = Math.min(data.length, start + bounds.max);
  let print = 0n;
  // Bytes before the window of the first possible cut can't matter.
  for (let at = start + bounds.min - WINDOW; at < end; at++) {
    print = append(by, print, data[at]!);
    if (at >= start + bounds.min) print ^= by.left[data[at - WINDOW]!]!;
    if (at + 1 >= start + bounds.min && (print & CUT_MASK) === 0n) return at + 1 - start;
  }
  return end - start;
}

/**
 * Cuts `data` into chunks as restic does and gives their lengths, in bytes; their sum is the data's length.
 *
 * A chunk ends behind the first 64 bytes whose fingerprint has 20 zero bits at its end, but holds `min` bytes at
 * least (512 KiB unless told otherwise, no less than 64) and `max` at most (8 MiB). The last one may be shorter.
 */
export function chunkLengths(
  data: Uint8Array,
  polynomial: Polynomial,
  { min = 512 * 1024, max = 8 * 1024 * 1024 }: { readonly min?: number; readonly max?: number } = {},
): number[] {
  if (min < WINDOW || max < min) throw new EngineError('internal', 'impossible bounds for chunks');
  const by = fingerprint(polynomial);
  const lengths: number[] = [];
  for (let start = 0; start < data.length; start += lengths.at(-1)!) {
    lengths.push(chunkLength(data, start, by, { min, max }));
  }
  return lengths;
}
