/** The password for use beyond this machine, kept only as a scrypt hash (RFC 7914). */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { EngineError } from '../api/errors.ts';
import { Semaphore } from '../util/semaphore.ts';

/** log2 of scrypt's N; 17 takes 128 MiB and a few tenths of a second (OWASP's choice for scrypt). */
const COST = 17;
const R = 8;
const LENGTH = 32;
const SHORTEST = 8;

/** One at a time, so that many who try cannot take all memory. */
const oneAtATime = new Semaphore(1);

/**
 * `scrypt$<log2 N>$<salt>$<hash>`, base64url. Error: 'usage' for a password under eight characters.
 * `cost`: for tests, which have no minute to wait.
 */
export async function hashPassword(password: string, cost: number = COST): Promise<string> {
  if (password.length < SHORTEST) {
    throw new EngineError('usage', `The password is too short: take at least ${SHORTEST} characters.`);
  }
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  return ['scrypt', cost, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Whether it is the password of the hash. A hash that isn't one fits no password. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [kind, cost, salt, hash] = stored.split('$');
  if (kind !== 'scrypt' || !cost || !salt || !hash || !/^1?\d$/.test(cost)) return false;
  const expected = Buffer.from(hash, 'base64url');
  const found = await derive(password, Buffer.from(salt, 'base64url'), Number(cost));
  return expected.length === found.length && timingSafeEqual(expected, found);
}

function derive(password: string, salt: Buffer, cost: number): Promise<Buffer> {
  const options = { N: 2 ** cost, r: R, p: 1, maxmem: 2 ** cost * R * 128 + 2 ** 20 };
  return oneAtATime.run(
    () =>
      new Promise((resolve, reject) =>
        scrypt(password.normalize('NFC'), salt, LENGTH, options, (e, key) => (e ? reject(e) : resolve(key))),
      ),
  );
}
