/** This process, as its locks name it. */
import { identity } from '../fs/platform.ts';
import type { Holder } from '../repository/locks.ts';

export function currentHolder(): Holder {
  const { hostname, username, uid, gid } = identity();
  const ids = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
  return { hostname, username, pid: process.pid, ...ids };
}
