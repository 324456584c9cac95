/** What a place is asked without opening a repository: whether it answers, how much room it has, whose it is. */
import { access, statfs } from 'node:fs/promises';
import path from 'node:path';
import { isEngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { Space, StorageFacts } from '../api/model/destination.ts';
import { type Backend, NO_FACTS } from '../backend/backend.ts';
import { parseLocation } from '../backend/registry.ts';
import { type Place, placeOf } from './logins.ts';
import { systemPatience } from './patience.ts';
import { SCHEMES } from './schemes.ts';

const SPACE_MS = 10_000;

/** A bare location where nothing else is needed. */
export type Somewhere = string | Place;

/** Whether a repository answers at the place, without its password. Errors: why not. */
export async function probe(place: Somewhere, signal?: AbortSignal): Promise<void> {
  await withStorage(placeOf(place), signal, (storage, o) => storage.stat({ type: 'config', name: '' }, o));
}

export async function withStorage<T>(
  { location, ...setting }: Place,
  signal: AbortSignal | undefined,
  work: (storage: Backend, o: { readonly signal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  const { scheme, target } = parseLocation(location, SCHEMES);
  const o = signal ? { signal } : {};
  const storage = await scheme.open(target, { ...setting, ...o });
  try {
    return await work(storage, o);
  } finally {
    await storage.close();
  }
}

export interface Told {
  /** null where nobody can tell. */
  readonly space: Space | null;
  readonly facts: StorageFacts | null;
}

const NOTHING: Told = { space: null, facts: null };

/** What a place tells of itself. Of a folder, the room there, or where it would be made. Errors: none; then it tells nothing. */
export async function toldAt(place: Somewhere, now: Instant, signal?: AbortSignal): Promise<Told> {
  const at = placeOf(place);
  const { scheme, target } = parseLocation(at.location, SCHEMES);
  if (scheme.scheme !== 'local') {
    return withStorage(at, signal, (storage, o) => toldBy(storage, now, o)).catch(() => NOTHING);
  }
  const room = await roomAt(target);
  return { space: room && { ...room, at: now }, facts: null };
}

/** What an open storage tells. Errors: none. */
async function toldBy(storage: Backend, now: Instant, o: { readonly signal?: AbortSignal }): Promise<Told> {
  const space = (await storage.space?.(o).catch(() => null)) ?? null;
  const facts = (await storage.facts?.(o).catch(() => null)) ?? null;
  const known = space !== null && space.free !== null && space.total !== null;
  return { space: known ? { free: space.free, total: space.total, at: now } : null, facts };
}

/** The room where the repository is there; else null, for the room on whatever other disk would be told of. */
export async function spaceOfRepository(somewhere: Somewhere, now: Instant): Promise<Space | null> {
  const place = placeOf(somewhere);
  const { scheme, target } = parseLocation(place.location, SCHEMES);
  const asked = { ms: SPACE_MS, spare: true };
  if (scheme.scheme !== 'local') {
    const told = systemPatience.ask(`space ${place.location}`, asked, (over) => toldAt(place, now, over));
    return told.then(
      ({ space }) => space,
      () => null,
    );
  }
  const config = systemPatience.ask(`config ${target}`, asked, () => access(path.join(target, 'config')));
  return config.then(
    async () => (await toldAt(place, now)).space,
    () => null,
  );
}

/** Any folder does: whose the account is does not depend on it. */
const SOME_FOLDER = '/Holdfast';

/** Whom a login leads to, by what the storage says of it; null where it does not say. Errors: 'auth-expired', those of opening. */
export async function accountAt(kind: string, setting: Omit<Place, 'location'>, signal?: AbortSignal) {
  const place = { ...setting, location: `${kind}:${SOME_FOLDER}` };
  const ask = withStorage(place, signal, async (storage, o) => (await storage.facts?.(o)) ?? NO_FACTS);
  const facts = await ask.catch((e: unknown) => {
    if (isEngineError(e, 'repository-missing', 'not-found')) return NO_FACTS;
    throw e;
  });
  return facts.account;
}

/** Bytes on the disk of a path, or of the nearest folder above it that is there; null where that can't be told. */
export async function roomAt(
  path: string,
): Promise<{ readonly free: number; readonly total: number } | null> {
  try {
    const ask = () => nearest(path).then((folder) => statfs(folder));
    const found = await systemPatience.ask(`room ${path}`, { ms: SPACE_MS, spare: true }, ask);
    return { free: found.bavail * found.bsize, total: found.blocks * found.bsize };
  } catch {
    return null;
  }
}

/** The folder itself, or the nearest above it that is there. */
export async function nearest(folder: string): Promise<string> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = await access(at).then(
      () => true,
      () => false,
    );
    if (found || at === path.dirname(at)) return at;
  }
}
