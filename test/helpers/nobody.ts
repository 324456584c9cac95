/** What only somebody without privileges meets, also where tests run as root. */
import { chownSync } from 'node:fs';
import process from 'node:process';
import { isRoot } from './tools.ts';

const NOBODY = 65_534;

/**
 * Does the work as somebody without privileges, who may look into `folder`. `access(2)` asks for the real user, who stays the
 * same: what rests on it is not tried by this.
 */
export async function asNobody<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (!isRoot()) return work();
  chownSync(folder, NOBODY, NOBODY);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
