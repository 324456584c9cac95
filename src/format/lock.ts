/** Locks between their value and restic's JSON. */
import { asObject, boolField, intField, needTimestamp, textField, uint32Field } from './fields.ts';
import { jsonString, parseJson } from './go-json.ts';
import type { Lock } from './types.ts';

const WHAT = 'a lock';

/** The lock in a lock file (opened and unpacked). Ids of user and group that are 0 are left out. Error: 'damaged'. */
export function parseLock(bytes: Uint8Array): Lock {
  const o = asObject(parseJson(bytes, WHAT), WHAT);
  const uid = uint32Field(o, 'uid', WHAT);
  const gid = uint32Field(o, 'gid', WHAT);
  return {
    time: needTimestamp(o, 'time', WHAT),
    exclusive: boolField(o, 'exclusive', WHAT),
    hostname: textField(o, 'hostname', WHAT),
    username: textField(o, 'username', WHAT),
    pid: intField(o, 'pid', WHAT, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    ...(uid === 0 ? {} : { uid }),
    ...(gid === 0 ? {} : { gid }),
  };
}

/** The lock as restic's JSON, without a newline. */
export function serializeLock(l: Lock): Buffer {
  const uid = l.uid ? `,"uid":${l.uid}` : '';
  const gid = l.gid ? `,"gid":${l.gid}` : '';
  return Buffer.from(
    `{"time":"${l.time}","exclusive":${l.exclusive},"hostname":${jsonString(l.hostname)}` +
      `,"username":${jsonString(l.username)},"pid":${l.pid}${uid}${gid}}`,
    'utf8',
  );
}
