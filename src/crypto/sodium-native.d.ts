declare module 'sodium-native' {
  /** Poly1305 of `message` under a one-time key of 32 bytes (r, then s), written into `out` (16 bytes). */
  export function crypto_onetimeauth(out: Uint8Array, message: Uint8Array, key: Uint8Array): void;
  /** Constant-time comparison with the right code. */
  export function crypto_onetimeauth_verify(code: Uint8Array, message: Uint8Array, key: Uint8Array): boolean;
  /** Writes ciphertext ‖ tag (16 bytes) into `out`. `nonce`: 24 bytes; `key`: 32 bytes. Returns the length written. */
  export function crypto_aead_xchacha20poly1305_ietf_encrypt(
    out: Uint8Array,
    message: Uint8Array,
    additional: Uint8Array,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** The reverse; throws a plain Error if the tag does not fit. */
  export function crypto_aead_xchacha20poly1305_ietf_decrypt(
    out: Uint8Array,
    unused: null,
    sealed: Uint8Array,
    additional: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}
