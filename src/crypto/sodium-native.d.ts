declare module 'sodium-native' {
  /** Poly1305 of `message` under a one-time key of 32 bytes (r, then s), written into `out` (16 bytes). */
  export function crypto_onetimeauth(out: Uint8Array, message: Uint8Array, key: Uint8Array): void;
  /** Constant-time comparison with the right code. */
  export function crypto_onetimeauth_verify(code: Uint8Array, message: Uint8Array, key: Uint8Array): boolean;
}
