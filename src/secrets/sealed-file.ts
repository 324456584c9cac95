/**
 * Secrets in a file sealed with a key: for computers without a keychain, such as servers.
 *
 * sealed file   header ‖ box (crypto/secret-box.ts) of the secrets as JSON; the header is authenticated with the box
 * header        "HFSECRET", version (1 byte, 1), derivation (1 byte: 0 none, 1 scrypt); for scrypt then log2 N, r, p
 *               (1 byte each) and the salt (64 bytes); the key's check
 * check         the first 8 bytes of HMAC-SHA-256 of a fixed text under the key: tells a wrong key from a damaged file
 * key           32 bytes from HOLDFAST_SECRET_KEY or from the key file; or a passphrase, made into a key with the salt that
 *               lies in the file
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { EngineError, isEngineError } from '../api/errors.ts';
import { deriveKey, type KdfParameters, newSalt } from '../crypto/kdf.ts';
import { BOX_KEY_BYTES, openBox, sealBox } from '../crypto/secret-box.ts';
import { type Container, damagedSecrets, FileSecrets } from './file-secrets.ts';
import { createPrivate, fileError, readPrivate } from './private-file.ts';
import type { Secrets } from './secrets.ts';

const MAGIC = Buffer.from('HFSECRET');
const VERSION = 1;
const SALT_BYTES = 64;
const CHECK_BYTES = 8;
/** Up to the parameters of the derivation, and up to the check. */
const START_BYTES = MAGIC.length + 2;
const SCRYPT_START_BYTES = START_BYTES + 3 + SALT_BYTES;
const LEAST_PASSPHRASE = 16;
/** 64 MiB and some tenths of a second, once at start. */
const SCRYPT: KdfParameters = { n: 1 << 16, r: 8, p: 1 };

export const SECRET_KEY_VARIABLE = 'HOLDFAST_SECRET_KEY';

/** A key of 32 bytes, or a passphrase. */
export type FileKey = Uint8Array | { readonly passphrase: string };

const AS_THEY_ARE = {
  seal: async (value: string) => value,
  open: async (stored: string) => stored,
};

/**
 * The secrets in the file at `path`, which is made with the first secret. Errors, now or at any call: 'wrong-password' for
 * another key, 'damaged', 'unsupported', 'permission', 'io'. The file is left as it is then.
 */
export async function openSealedFile(
  path: string,
  key: FileKey,
  o: { readonly kdf?: KdfParameters } = {},
): Promise<Secrets> {
  if (key instanceof Uint8Array && key.length !== BOX_KEY_BYTES) {
    throw new EngineError('usage', `A key has ${BOX_KEY_BYTES} bytes; this one has ${key.length}.`);
  }
  const secrets = new FileSecrets(path, sealedContainer(path, key, o.kdf ?? SCRYPT), AS_THEY_ARE);
  await secrets.load();
  return secrets;
}

function sealedContainer(path: string, key: FileKey, kdf: KdfParameters): Container {
  const keyFor = keyDeriver(key);
  let start = key instanceof Uint8Array ? plainStart() : scryptStart(kdf);
  return {
    async decode(bytes) {
      const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const found = startOf(file, path, key);
      const header = file.subarray(0, found.length + CHECK_BYTES);
      const plain = await open(path, header, file.subarray(header.length), () => keyFor(found));
      // The salt stays, so that the passphrase is stretched once in the life of a process.
      start = Buffer.from(found);
      return plain;
    },
    async encode(json) {
      const used = await keyFor(start);
      const header = Buffer.concat([start, checkOf(used)]);
      return Buffer.concat([header, sealBox(used, json, header)]);
    },
  };
}

/** Gives the key for the start of a header, which holds the salt; stretches each only once. */
function keyDeriver(key: FileKey): (start: Buffer) => Promise<Uint8Array> {
  if (key instanceof Uint8Array) return () => Promise.resolve(key);
  const made = new Map<string, Promise<Uint8Array>>();
  return (start) => {
    const name = start.toString('base64');
    const derived = made.get(name) ?? derive(key.passphrase, start);
    made.set(name, derived);
    return derived;
  };
}

function plainStart(): Buffer {
  return Buffer.concat([MAGIC, Buffer.of(VERSION, 0)]);
}

function scryptStart({ n, r, p }: KdfParameters): Buffer {
  return Buffer.concat([MAGIC, Buffer.of(VERSION, 1, Math.log2(n), r, p), newSalt()]);
}

async function derive(passphrase: string, start: Buffer): Promise<Uint8Array> {
  const [log2n = 0, r = 0, p = 0] = start.subarray(START_BYTES);
  const salt = start.subarray(START_BYTES + 3);
  const key = await deriveKey(passphrase.normalize('NFC'), salt, { n: 2 ** log2n, r, p });
  return key.encrypt;
}

function checkOf(key: Uint8Array): Buffer {
  return createHmac('sha256', key)
    .update('holdfast secrets, check of the key')
    .digest()
    .subarray(0, CHECK_BYTES);
}

/**
 * The header up to the check. Errors: 'damaged' for a file of another kind, 'unsupported' for a later version, 'wrong-password' for
 * the other kind of key.
 */
function startOf(file: Buffer, path: string, key: FileKey): Buffer {
  if (file.length < START_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) throw damagedSecrets(path);
  const [version, derivation] = file.subarray(MAGIC.length);
  if (version !== VERSION || (derivation !== 0 && derivation !== 1)) {
    throw new EngineError('unsupported', `The file of passwords, ${path}, is of a later version.`, {
      hint: 'Install the newest Holdfast.',
    });
  }
  if ((derivation === 0) !== key instanceof Uint8Array) throw wrongKey(path);
  const length = derivation === 0 ? START_BYTES : SCRYPT_START_BYTES;
  if (file.length < length + CHECK_BYTES) throw damagedSecrets(path);
  return file.subarray(0, length);
}

async function open(
  path: string,
  header: Buffer,
  box: Buffer,
  keyOf: () => Promise<Uint8Array>,
): Promise<Uint8Array> {
  try {
    const key = await keyOf();
    if (!timingSafeEqual(checkOf(key), header.subarray(-CHECK_BYTES))) throw wrongKey(path);
    return openBox(key, box, header);
  } catch (e) {
    throw isEngineError(e, 'damaged') ? damagedSecrets(path) : e;
  }
}

function wrongKey(path: string): EngineError {
  return new EngineError('wrong-password', `The file of passwords, ${path}, was sealed with another key.`, {
    hint: `Put back the key file that was there when it was written, or set ${SECRET_KEY_VARIABLE} as it was then. If the key is lost, move the file away and enter the passwords of your destinations again.`,
    context: { file: path },
  });
}

/**
 * The key of the sealed file: what HOLDFAST_SECRET_KEY says (32 bytes as base64 or hexadecimal, else a passphrase of at
 * least 16 characters), else the key in `keyFile`, which is made with a random one at first use.
 * Errors: 'usage' for a passphrase that is too short, 'permission' for a key file that others can read, 'damaged'.
 */
export async function fileKey(o: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keyFile: string;
}): Promise<FileKey> {
  const said = o.env[SECRET_KEY_VARIABLE];
  if (said !== undefined && said !== '') return keyFromText(said);
  const found = await readKeyFile(o.keyFile);
  if (found) return found;
  const made = randomBytes(BOX_KEY_BYTES);
  if (await createPrivate(o.keyFile, Buffer.from(`${made.toString('base64')}\n`))) return made;
  return (await readKeyFile(o.keyFile)) ?? made;
}

function keyFromText(text: string): FileKey {
  const key = asKey(text);
  if (key) return key;
  if ([...text].length >= LEAST_PASSPHRASE) return { passphrase: text };
  throw new EngineError('usage', `${SECRET_KEY_VARIABLE} is too short to keep passwords safe.`, {
    hint: `Give a passphrase of ${LEAST_PASSPHRASE} characters or more, or 32 random bytes in base64 (openssl rand -base64 32).`,
  });
}

function asKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const bytes = Buffer.from(trimmed, 'base64');
  return bytes.length === BOX_KEY_BYTES ? bytes : undefined;
}

async function readKeyFile(file: string): Promise<Uint8Array | undefined> {
  const bytes = await readPrivate(file);
  if (bytes === undefined) return undefined;
  await refuseReadableByOthers(file);
  const key = asKey(bytes.toString('latin1'));
  if (key) return key;
  throw new EngineError('damaged', `The key file ${file} holds no key.`, {
    hint: 'Put back an older copy of it. If there is none, move it and the file of passwords away and enter the passwords again.',
  });
}

/** On Windows the folder of the person's profile keeps others out; modes mean nothing there. */
async function refuseReadableByOthers(file: string): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(file).catch((e: unknown) => {
    throw fileError(e, `look at ${file}`);
  });
  if ((mode & 0o077) === 0) return;
  throw new EngineError('permission', `Others on this computer can read the key file ${file}.`, {
    hint: `Make it yours alone: chmod 600 ${file}`,
    context: { file, mode: (mode & 0o777).toString(8) },
  });
}
