/** What the rooms ask of the engine, for destinations: opening, making, probing. */
import { mkdtemp, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { ConnectionTest, StorageFacts } from '../api/model/destination.ts';
import type { Backend, Pace } from '../backend/backend.ts';
import { parseLocation } from '../backend/registry.ts';
import { sha256 } from '../format/hash.ts';
import { errnoName, showPath, translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import type { Repository } from '../repository/repository.ts';
import type { Limits, OpenForRun } from '../runs/ports.ts';
import { type ByteString, fromText, toText } from '../util/byte-string.ts';
import { nearest, probe, type Somewhere, toldAt, withStorage } from './asking.ts';
import { createRepository, openRepository, type RepositorySettings } from './engine.ts';
import { type Place, placeOf } from './logins.ts';
import { SCHEMES } from './schemes.ts';

const SETTINGS: RepositorySettings = {
  compression: 'auto',
  packSize: 0,
  extraVerify: true,
  limits: { upload: 0, download: 0 },
  cacheDir: undefined,
};

/** The smaller of the limits that are set; 0: none is. */
export function tightest(limits: readonly Limits[]): Limits {
  const least = (values: readonly number[]) => {
    const set = values.filter((value) => value > 0);
    return set.length === 0 ? 0 : Math.min(...set);
  };
  return { upload: least(limits.map((l) => l.upload)), download: least(limits.map((l) => l.download)) };
}

export interface Opening extends Partial<OpenForRun> {
  /** Of a new repository; drawn by lot if absent. */
  readonly chunkerPolynomial?: string | undefined;
  /** Allowances of bytes that are shared with others. */
  readonly paces?: readonly Pace[];
}

/** Errors: those of opening a repository. */
export function openAt(place: Somewhere, password: string, o: Opening): Promise<Repository> {
  return openRepository(request(place, password, o));
}

/** Errors: those of making a repository. */
export function createAt(place: Somewhere, password: string, o: Opening): Promise<Repository> {
  const { chunkerPolynomial } = o;
  const cutting = chunkerPolynomial === undefined ? {} : { chunkerPolynomial };
  return createRepository({ ...request(place, password, o), ...cutting, version: 2 });
}

function request(place: Somewhere, password: string, o: Opening) {
  return {
    ...placeOf(place),
    password: async () => password,
    keyHint: undefined,
    settings: { ...SETTINGS, limits: o.limits ?? SETTINGS.limits },
    signal: o.signal ?? new AbortController().signal,
    warn: o.warn ?? (() => {}),
    ...(o.paces ? { paces: o.paces } : {}),
  };
}

/**
 * What there is at a location, and whether it can be written to. A repository gets a small file of our own, which goes at once.
 * Errors: those of the storage but for a missing repository.
 */
export async function tryOut(
  somewhere: Somewhere,
  password: string | undefined,
  now: Instant,
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  const place = placeOf(somewhere);
  try {
    await probe(place, signal);
  } catch (e) {
    if (!isEngineError(e, 'repository-missing', 'not-found')) throw e;
    const told = await toldAt(place, now, signal);
    const unmakable = await problemOf(tryToMake(place));
    return { repository: false, writable: unmakable === null, ...told, problem: unmakable };
  }
  const told = await toldAt(place, now, signal);
  const problem = password === undefined ? null : await problemOf(openAndClose(place, password, signal));
  const unwritable = await problemOf(writeAndRemove(place, told.facts, signal).catch(sayKindly));
  return { repository: true, writable: unwritable === null, ...told, problem: problem ?? unwritable };
}

async function problemOf(work: Promise<void>): Promise<ConnectionTest['problem']> {
  try {
    await work;
    return null;
  } catch (e) {
    return asEngineError(e).toWire();
  }
}

async function openAndClose(place: Place, password: string, signal?: AbortSignal): Promise<void> {
  const repository = await openAt(place, password, signal ? { signal } : {});
  await repository.close();
}

/**
 * Where a storage has no place for anything of our own, a pack is tried, since one that is left behind by a killed process harms nobody:
 * the next prune removes it. Where nothing can be removed but locks, it is one of these: what they keep others from, forget and
 * prune, is refused there anyway.
 */
async function writeAndRemove(place: Place, facts: StorageFacts | null, signal?: AbortSignal): Promise<void> {
  await withStorage(place, signal, async (storage, o) => {
    if (facts?.appendOnly) return tryFile(storage, 'lock', o);
    try {
      await tryFile(storage, 'settings', o);
    } catch (e) {
      if (!isEngineError(e, 'unsupported')) throw e;
      await tryFile(storage, 'pack', o);
    }
  });
}

async function tryFile(
  storage: Backend,
  type: 'settings' | 'pack' | 'lock',
  o: { readonly signal?: AbortSignal },
): Promise<void> {
  const data = Buffer.from(`A test by Holdfast, ${Math.random()}`);
  const handle = { type, name: sha256(data) } as const;
  await storage.save(handle, [data], o);
  await storage.load(handle, o);
  await storage.remove(handle, o);
}

/** A medium that takes no writes is good for one thing all the same. */
function sayKindly(e: unknown): never {
  if (!isEngineError(e, 'read-only', 'permission')) throw e;
  const message = `There is a repository that can be read, but nothing can be written there. ${e.message}`;
  const hint =
    'To get files back from it, add it for reading only. Backups need a place that can be written to.';
  throw new EngineError(e.code, message, { context: e.context, hint }, { cause: e });
}

/**
 * Makes an empty folder in the nearest one that is there, and takes it away at once: only trying tells. Other storages tell when a
 * repository is made. Errors: why nothing can be made there.
 */
async function tryToMake({ location }: Place): Promise<void> {
  const { scheme, target } = parseLocation(location, SCHEMES);
  if (scheme.scheme !== 'local') return;
  const folder = fromText(await nearest(target));
  if (!(await stat(nodePath(folder))).isDirectory()) throw noFolder(folder);
  try {
    await rmdir(await mkdtemp(path.join(toText(folder), '.holdfast-test-')));
  } catch (e) {
    // Of a folder that is there, only systems say so in which nothing can be made at all.
    if (errnoName(e) === 'ENOENT') throw noPlace(folder);
    throw translateFsError(e, folder, 'make a folder in');
  }
}

function noPlace(path: ByteString): EngineError {
  return new EngineError('unsupported', `No folders can be made in ${showPath(path)}.`, {
    hint: 'Choose another folder.',
  });
}

function noFolder(path: ByteString): EngineError {
  return new EngineError('conflict', `${showPath(path)} is a file: nothing can be made below it.`, {
    hint: 'Choose a folder.',
  });
}
