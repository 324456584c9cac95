/**
 * From a password to a key: scrypt (RFC 7914) with 64 bytes of output: the encryption key (32), then k and r of
 * the MAC (16 each). Source: restic's `doc/design.rst` ("Keys, Encryption and MAC").
 */
import { randomBytes, scrypt, scryptSync } from 'node:crypto';
import { promisify } from 'node:util';
import { EngineError } from '../api/errors.ts';
import type { SealKey } from './sealer.ts';

export interface KdfParameters {
  /** Cost, a power of two. */
  readonly n: number;
  /** Block size. */
  readonly r: number;
  /** Parallelisation. */
  readonly p: number;
}

const SALT_BYTES = 64;
/** A stored key may ask for this much memory at most, so that a hostile repository can't exhaust the machine. */
const MAX_MEMORY = 1024 ** 3;
/** The same for its time; see format/key.ts, which refuses more as well. */
const MAX_PARALLEL = 64;
/** What calibration aims at: time on this machine, and memory in bytes. restic's own targets. */
const TARGET_MS = 500;
const TARGET_MEMORY = 60 * 1024 ** 2;
const BLOCK_SIZE = 8;
const LEAST: KdfParameters = { n: 1 << 15, r: BLOCK_SIZE, p: 1 };

const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

/** The key that a password stands for. Errors: 'damaged' for parameters that no key file may have. */
export async function deriveKey(password: string, salt: Uint8Array, kdf: KdfParameters): Promise<SealKey> {
  checkParameters(kdf);
  const maxmem = 128 * kdf.r * (kdf.n + kdf.p) + (1 << 20);
  const bytes = await derive(password, salt, 64, { N: kdf.n, r: kdf.r, p: kdf.p, maxmem });
  return { encrypt: bytes.subarray(0, 32), k: bytes.subarray(32, 48), r: bytes.subarray(48, 64) };
}

export function newSalt(): Uint8Array {
  return randomBytes(SALT_BYTES);
}

export function newSealKey(): SealKey {
  return { encrypt: randomBytes(32), k: randomBytes(16), r: randomBytes(16) };
}

/**
 * Parameters that take about half a second and 60 MiB here: memory first (n), then time (p). Never below
 * n = 2^15, r = 8, p = 1.
 */
export function calibrate(clock: () => number = () => performance.now()): KdfParameters {
  let n = LEAST.n;
  while (128 * BLOCK_SIZE * n * 2 <= TARGET_MEMORY) n *= 2;
  const started = clock();
  scryptSync('calibration', new Uint8Array(SALT_BYTES), 64, {
    N: n,
    r: BLOCK_SIZE,
    p: 1,
    maxmem: MAX_MEMORY,
  });
  const once = Math.max(1, clock() - started);
  return { n, r: BLOCK_SIZE, p: Math.max(1, Math.min(MAX_PARALLEL, Math.floor(TARGET_MS / once))) };
}

function checkParameters({ n, r, p }: KdfParameters): void {
  const whole = [n, r, p].every((x) => Number.isSafeInteger(x) && x >= 1);
  const sane =
    whole && n >= 2 && Number.isInteger(Math.log2(n)) && p <= MAX_PARALLEL && 128 * r * (n + p) <= MAX_MEMORY;
  if (!sane)
    throw new EngineError(
      'damaged',
      `A key file asks for impossible scrypt parameters (N=${n}, r=${r}, p=${p}).`,
    );
}
