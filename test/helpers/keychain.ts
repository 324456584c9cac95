/** A keychain as the shell offers it: seals for real, and can be locked. */
import { randomBytes } from 'node:crypto';
import { openBox, sealBox } from '../../src/crypto/secret-box.ts';
import type { KeychainPort } from '../../src/secrets/keychain.ts';

export interface TestKeychain extends KeychainPort {
  locked: boolean;
}

const NO_HEADER = new Uint8Array();

export function keychain(): TestKeychain {
  const key = randomBytes(32);
  const port: TestKeychain = {
    locked: false,
    async encrypt(text) {
      // As careless as an error of another program may be.
      if (port.locked) throw new Error(`could not encrypt ${text}: locked`);
      return Buffer.from(sealBox(key, Buffer.from(text), NO_HEADER)).toString('base64');
    },
    async decrypt(base64) {
      if (port.locked) throw new Error(`could not decrypt ${base64}: locked`);
      try {
        return Buffer.from(openBox(key, Buffer.from(base64, 'base64'), NO_HEADER)).toString();
      } catch {
        throw new Error('could not decrypt: sealed by another keychain');
      }
    },
  };
  return port;
}
