/**
 * Dropbox's own hash of a file: SHA-256 over the SHA-256 of each block of 4 MiB.
 * Source: Dropbox's developer reference, "Content hash".
 */
import { createHash, type Hash } from 'node:crypto';

/** Bytes. */
export const BLOCK = 4 << 20;

/** The SHA-256 of each block. */
export function blockHashes(data: readonly Uint8Array[]): readonly Buffer[] {
  const hashes: Buffer[] = [];
  let hash: Hash | undefined;
  let room = BLOCK;
  for (const bytes of data) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + room);
      hash ??= createHash('sha256');
      hash.update(part);
      at += part.length;
      room -= part.length;
      if (room > 0) continue;
      hashes.push(hash.digest());
      hash = undefined;
      room = BLOCK;
    }
  }
  if (hash) hashes.push(hash.digest());
  return hashes;
}

/** Hexadecimal. */
export function hashOfBlocks(hashes: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const block of hashes) hash.update(block);
  return hash.digest('hex');
}
