/**
 * Keys: every password has a file of its own that seals the same master key. Source: restic's `doc/design.rst`.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Backend, CallOptions } from '../backend/backend.ts';
import { calibrate, deriveKey, type KdfParameters, newSalt } from '../crypto/kdf.ts';
import { Sealer, type SealKey } from '../crypto/sealer.ts';
import { sha256 } from '../format/hash.ts';
import { parseKeyFile, parseMasterKey, serializeKeyFile, serializeMasterKey } from '../format/key.ts';
import { now } from '../format/time.ts';
import { type Id, isId, type KeyFile } from '../format/types.ts';
import { systemClock } from '../util/clock.ts';
import { loadVerified } from './sealed-files.ts';

export interface OpenedKey {
  readonly id: Id;
  readonly master: SealKey;
}

export interface Identity {
  readonly username: string;
  readonly hostname: string;
}

export interface AddKeyOptions extends CallOptions, Identity {
  /** Cost of the new key; calibrated on this machine if absent. */
  readonly kdf?: KdfParameters;
  readonly fromReserve?: boolean;
}

/**
 * The master key, by trying `password` on the hinted key first, then on every key, up to `maxKeys`.
 * Errors: 'wrong-password' when it fits none; 'repository-missing' when there is no key at all; 'damaged' when keys
 * exist but none can be read.
 */
export async function searchKey(
  backend: Backend,
  password: string,
  o: SearchOptions = {},
): Promise<OpenedKey> {
  const ids = await keyIds(backend, o);
  let unreadable: unknown;
  for (const id of hintedFirst(ids, o.hint).slice(0, o.maxKeys ?? 20)) {
    try {
      return await openKey(backend, id, password, o);
    } catch (e) {
      if (isEngineError(e, 'wrong-password')) continue;
      // One broken key file must not keep a good password out.
      if (!isEngineError(e, 'damaged')) throw e;
      unreadable = e;
    }
  }
  if (unreadable) throw unreadable;
  if (ids.length === 0) throw noKeys(backend);
  throw new EngineError('wrong-password', 'The password fits no key of this repository.', {
    hint: 'Check the password and, with several repositories, whether it belongs to this one.',
  });
}

export interface SearchOptions extends CallOptions {
  /** An id, or the beginning of one. */
  readonly hint?: string;
  readonly maxKeys?: number;
}

function hintedFirst(ids: readonly Id[], hint: string | undefined): readonly Id[] {
  if (!hint) return ids;
  const hinted = ids.filter((id) => id.startsWith(hint));
  return [...hinted, ...ids.filter((id) => !id.startsWith(hint))];
}

function noKeys(backend: Backend): EngineError {
  return new EngineError(
    'repository-missing',
    `There is no key in ${backend.location}, so it can't be opened.`,
    {
      hint: 'A repository without its keys folder is lost; look for a copy of that folder.',
    },
  );
}

/** Errors: 'wrong-password', 'damaged', and the backend's. */
export async function openKey(
  backend: Backend,
  id: Id,
  password: string,
  o?: CallOptions,
): Promise<OpenedKey> {
  const file = await loadKeyFile(backend, id, o);
  const user = await deriveKey(password, file.salt, file);
  const plain = openWith(user, file.data);
  return { id, master: parseMasterKey(plain) };
}

function openWith(user: SealKey, data: Uint8Array): Uint8Array {
  try {
    return new Sealer(user).open(data);
  } catch (cause) {
    throw new EngineError('wrong-password', 'The password does not fit this key.', {}, { cause });
  }
}

export async function loadKeyFile(backend: Backend, id: Id, o?: CallOptions): Promise<KeyFile> {
  return parseKeyFile(await loadVerified(backend, 'key', id, o));
}

/** Stores a new key file that seals `master` with `password`; returns its id. */
export async function addKey(
  backend: Backend,
  master: SealKey,
  password: string,
  o: AddKeyOptions,
): Promise<Id> {
  const kdf = o.kdf ?? calibrate();
  const salt = newSalt();
  const user = await deriveKey(password, salt, kdf);
  const data = new Sealer(user).seal(serializeMasterKey(master));
  const { username, hostname } = o;
  const file = serializeKeyFile({
    created: now(systemClock),
    username,
    hostname,
    kdf: 'scrypt',
    ...kdf,
    salt,
    data,
  });
  const id = sha256(file);
  await backend.save({ type: 'key', name: id }, [file], o);
  await proveKey(backend, id, password, o);
  return id;
}

/** A key that does not open is worse than none: whoever calls may remove the old one next. */
async function proveKey(backend: Backend, id: Id, password: string, o: CallOptions): Promise<void> {
  try {
    await openKey(backend, id, password, o);
  } catch (e) {
    if (isEngineError(e, 'damaged', 'wrong-password')) await backend.remove({ type: 'key', name: id }, o);
    throw e;
  }
}

export async function removeKey(backend: Backend, id: Id, current: Id, o?: CallOptions): Promise<void> {
  if (id === current) {
    throw new EngineError('usage', 'Refusing to remove the key that is in use now.', {
      hint: 'Open the repository with another password to remove this one.',
    });
  }
  await backend.remove({ type: 'key', name: id }, o);
}

export async function keyIds(backend: Backend, o?: CallOptions): Promise<Id[]> {
  const ids: Id[] = [];
  for await (const { name } of backend.list('key', o)) if (isId(name)) ids.push(name);
  return ids.sort();
}
