/**
 * A box for small secrets on this machine: XChaCha20-Poly1305, whose nonces are long enough to be drawn at random for ever.
 * Not part of restic's format. Source: draft-irtf-cfrg-xchacha-03, by way of libsodium.
 *
 * box   nonce (24 bytes) ‖ ciphertext (as long as the plain bytes) ‖ tag (16 bytes)
 */
import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Sodium from 'sodium-native';
import { EngineError } from '../api/errors.ts';

const sodium = createRequire(import.meta.url)('sodium-native') as typeof Sodium;

/** Length of a key, in bytes. */
export const BOX_KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** The box of `plain` under `key`. `header` lies beside the box in the clear, and the box opens only with the same one. */
export function sealBox(key: Uint8Array, plain: Uint8Array, header: Uint8Array): Uint8Array {
  const box = new Uint8Array(NONCE_BYTES + plain.length + TAG_BYTES);
  const nonce = randomFillSync(box.subarray(0, NONCE_BYTES));
  sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    box.subarray(NONCE_BYTES),
    plain,
    header,
    null,
    nonce,
    key,
  );
  return box;
}

/** The plain bytes. Error: 'damaged' for another key, another header, or bytes that changed; nobody can tell which. */
export function openBox(key: Uint8Array, box: Uint8Array, header: Uint8Array): Uint8Array {
  if (box.length < NONCE_BYTES + TAG_BYTES) throw new EngineError('damaged', 'The sealed bytes are too few.');
  const plain = new Uint8Array(box.length - NONCE_BYTES - TAG_BYTES);
  const [nonce, sealed] = [box.subarray(0, NONCE_BYTES), box.subarray(NONCE_BYTES)];
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, null, sealed, header, nonce, key);
  } catch (cause) {
    throw new EngineError('damaged', 'The sealed bytes do not open with this key.', {}, { cause });
  }
  return plain;
}
