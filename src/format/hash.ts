import { createHash, hash } from 'node:crypto';
import type { Id } from './types.ts';

/** The SHA-256 of bytes, as an id. */
export function sha256(bytes: Uint8Array): Id {
  return hash('sha256', bytes, 'hex') as Id;
}

/** The SHA-256 of a list of buffers as if they were one. */
export function sha256Of(parts: readonly Uint8Array[]): Id {
  const h = createHash('sha256');
  for (const part of parts) h.update(part);
  return h.digest('hex') as Id;
}
