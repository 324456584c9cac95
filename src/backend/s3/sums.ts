/** SHA-256 as S3 spells it, in base 64, and as everybody else does. */
import { createHash } from 'node:crypto';

/** In base 64. */
export function sumOf(data: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const bytes of data) hash.update(bytes);
  return hash.digest('base64');
}

/** In hexadecimal; undefined for what is no such sum of a whole file: those of uploads in parts have a number behind them. */
export function wholeSum(text: string | undefined): string | undefined {
  if (text === undefined || !/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return Buffer.from(text, 'base64').toString('hex');
}
