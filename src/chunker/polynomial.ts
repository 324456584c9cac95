import { EngineError } from '../api/errors.ts';

/**
 * A polynomial over the field of two elements: bit n is the coefficient of x^n. Adding and subtracting is XOR.
 */
export type Polynomial = bigint;

/** The degree of the polynomials that new repositories get: the largest prime that leaves a byte of 64 bits free. */
const NEW_DEGREE = 53;

/** A fingerprint of a degree below this has no whole byte at its top to reduce by; above it, it would overflow. */
const LOWEST_DEGREE = 8;
const HIGHEST_DEGREE = 53;

const X: Polynomial = 2n;
const HEX = /^[0-9a-f]{1,16}$/i;

/** The exponent of the highest term; -1 for the zero polynomial. */
export function degree(p: Polynomial): number {
  return p === 0n ? -1 : p.toString(2).length - 1;
}

/** The remainder of `a` divided by `divisor`, which must not be zero. */
export function mod(a: Polynomial, divisor: Polynomial): Polynomial {
  if (divisor === 0n) throw new EngineError('internal', 'a polynomial was divided by zero');
  const low = degree(divisor);
  let rest = a;
  for (let high = degree(rest); high >= low; high = degree(rest)) rest ^= divisor << BigInt(high - low);
  return rest;
}

/** The greatest common divisor; that of zero and `b` is `b`. */
function gcd(a: Polynomial, b: Polynomial): Polynomial {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, mod(x, y)];
  return x;
}

/** Over two elements the mixed terms of a square cancel out: each bit n just moves to 2n. */
function squareMod(p: Polynomial, divisor: Polynomial): Polynomial {
  let square = 0n;
  for (let n = 0n, rest = p; rest !== 0n; n += 2n, rest >>= 1n) {
    if (rest & 1n) square |= 1n << n;
  }
  return mod(square, divisor);
}

/**
 * Whether `p` is of degree 1 at least and no product of polynomials of lower degrees. Ben-Or's test: a factor of
 * degree n divides x^(2^n) - x, and a reducible `p` has one of at most half its own degree.
 */
export function isIrreducible(p: Polynomial): boolean {
  const half = Math.floor(degree(p) / 2);
  if (degree(p) < 1) return false;
  let power = X;
  for (let n = 1; n <= half; n++) {
    power = squareMod(power, p);
    if (gcd(p, power ^ X) !== 1n) return false;
  }
  return true;
}

/** Whether chunks can be cut with `p`: irreducible, and of a degree (8…53) that fits the fingerprint's register. */
export function isUsable(p: Polynomial): boolean {
  const n = degree(p);
  return n >= LOWEST_DEGREE && n <= HIGHEST_DEGREE && isIrreducible(p);
}

/**
 * Reads the polynomial of a repository's config: up to 16 hex digits without a prefix. Throws `damaged` if the
 * text is anything else, or a polynomial that {@link isUsable} refuses.
 */
export function parsePolynomial(hex: string): Polynomial {
  const p = HEX.test(hex) ? BigInt(`0x${hex}`) : 0n;
  if (isUsable(p)) return p;
  throw new EngineError(
    'damaged',
    'The chunker polynomial in the config file of the repository is not a usable one.',
    {
      hint: 'Restore the file "config" of the repository from a copy.',
    },
  );
}

/** The hex digits that a repository's config holds: lower case, no prefix, no leading zeros. */
export function formatPolynomial(p: Polynomial): string {
  return p.toString(16);
}

/**
 * Draws an irreducible polynomial of degree 53, as restic does: 8 bytes, little-endian, cut to the degree, the
 * highest and the constant coefficient set, until one passes. About one in 27 does.
 *
 * @param randomBytes gives `count` bytes from a source fit for secrets
 */
export function randomPolynomial(randomBytes: (count: number) => Uint8Array): Polynomial {
  const highest = 1n << BigInt(NEW_DEGREE);
  for (let tries = 0; tries < 10_000; tries++) {
    const bytes = randomBytes(8);
    const drawn = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    const p = (drawn & (highest - 1n)) | highest | 1n;
    if (isIrreducible(p)) return p;
  }
  throw new EngineError('internal', 'The source of random numbers keeps giving the same ones.');
}
