import { createHash } from 'node:crypto';
import type { Handle } from '../../../src/backend/backend.ts';
import type { FileType } from '../../../src/format/types.ts';
import type { Clock } from '../../../src/util/clock.ts';

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (b: Uint8Array): string => Buffer.from(b).toString();

/** A file whose name is the SHA-256 of its content, as restic's are. */
export function named(type: FileType, content: string): { readonly h: Handle; readonly data: Uint8Array[] } {
  const name = createHash('sha256').update(content).digest('hex');
  return { h: { type, name }, data: [bytes(content)] };
}

/** A clock that stands still but for the sleeps, which it notes. */
export function fakeClock(): Clock & { readonly slept: readonly number[]; advance(ms: number): void } {
  let time = 1_000_000;
  const slept: number[] = [];
  return {
    slept,
    now: () => time,
    advance(ms) {
      time += ms;
    },
    async sleep(ms) {
      slept.push(ms);
      time += ms;
    },
  };
}
