/** Key files, and the master key inside them, between their values and restic's JSON. */
import { EngineError } from '../api/errors.ts';
import { asObject, base64Field, intField, needTimestamp, textField } from './fields.ts';
import { damaged, type JsonObject, jsonBase64, jsonString, parseJson } from './go-json.ts';
import { type KeyFile, type MasterKey, SEAL_OVERHEAD } from './types.ts';

const WHAT = 'a key file';
const WHAT_MASTER = 'the master key';

/** scrypt takes 128·N·r bytes; restic's own keys stay below 64 MiB. More than this is an attack on memory. */
const MAX_SCRYPT_BYTES = 1 << 30;
const MAX_PARALLEL = 64;

/**
 * The key in a key file, which is stored as plain JSON.
 * Errors: 'damaged', also for scrypt parameters that are invalid or ask for more than 1 GiB; 'unsupported' for
 * another way to derive keys.
 */
export function parseKeyFile(bytes: Uint8Array): KeyFile {
  const o = asObject(parseJson(bytes, WHAT), WHAT);
  const kdf = textField(o, 'kdf', WHAT);
  if (kdf !== 'scrypt') throw new EngineError('unsupported', 'a key file does not use scrypt');
  const data = needBytes(o, 'data', WHAT);
  if (data.length < SEAL_OVERHEAD) throw damaged(WHAT, 'holds too few sealed bytes');
  return {
    created: needTimestamp(o, 'created', WHAT),
    username: textField(o, 'username', WHAT),
    hostname: textField(o, 'hostname', WHAT),
    kdf,
    ...scryptParameters(o),
    salt: needBytes(o, 'salt', WHAT),
    data,
  };
}

function scryptParameters(o: JsonObject): Pick<KeyFile, 'n' | 'r' | 'p'> {
  const n = intField(o, 'N', WHAT, 2, MAX_SCRYPT_BYTES / 128);
  const r = intField(o, 'r', WHAT, 1, MAX_SCRYPT_BYTES / 128);
  const p = intField(o, 'p', WHAT, 1, MAX_PARALLEL);
  if ((n & (n - 1)) !== 0 || 128 * n * r > MAX_SCRYPT_BYTES) {
    throw damaged(WHAT, 'has scrypt parameters that no safe writer would choose');
  }
  return { n, r, p };
}

function needBytes(o: JsonObject, key: string, what: string): Uint8Array {
  const bytes = base64Field(o, key, what);
  if (bytes === null) throw damaged(what, `lacks the field "${key}"`);
  return bytes;
}

/** The key file as restic's JSON, without a newline. Its id is the hash of these bytes. */
export function serializeKeyFile(k: KeyFile): Buffer {
  return Buffer.from(
    `{"created":"${k.created}","username":${jsonString(k.username)},"hostname":${jsonString(k.hostname)}` +
      `,"kdf":"${k.kdf}","N":${k.n},"r":${k.r},"p":${k.p}` +
      `,"salt":${jsonBase64(k.salt)},"data":${jsonBase64(k.data)}}`,
    'utf8',
  );
}

/** The master key in the opened `data` of a key file. Error: 'damaged', also for an all-zero key. */
export function parseMasterKey(bytes: Uint8Array): MasterKey {
  const o = asObject(parseJson(bytes, WHAT_MASTER), WHAT_MASTER);
  const mac = asObject(o.mac, WHAT_MASTER);
  return {
    encrypt: keyPart(o, 'encrypt', 32),
    k: keyPart(mac, 'k', 16),
    r: keyPart(mac, 'r', 16),
  };
}

function keyPart(o: JsonObject, key: string, length: number): Uint8Array {
  const part = needBytes(o, key, WHAT_MASTER);
  if (part.length !== length) throw damaged(WHAT_MASTER, `has a part "${key}" of a wrong length`);
  if (part.every((byte) => byte === 0)) throw damaged(WHAT_MASTER, `has an empty part "${key}"`);
  return part;
}

/** The master key as restic's JSON, without a newline. */
export function serializeMasterKey(m: MasterKey): Buffer {
  return Buffer.from(
    `{"mac":{"k":${jsonBase64(m.k)},"r":${jsonBase64(m.r)}},"encrypt":${jsonBase64(m.encrypt)}}`,
    'latin1',
  );
}
