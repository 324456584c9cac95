/** What the rooms ask of the engine, for destinations: opening, making, probing. */
import { access, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { ConnectionTest, Space } from '../api/model/destination.ts';
import type { Backend } from '../backend/backend.ts';
import { parseLocation } from '../backend/registry.ts';
import { sha256 } from '../format/hash.ts';
import { errnoName, showPath, translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import type { Repository } from '../repository/repository.ts';
import type { Limits, OpenForRun } from '../runs/ports.ts';
import { type ByteString, fromText, toText } from '../util/byte-string.ts';
import { createRepository, openRepository, type RepositorySettings } from './engine.ts';
import { systemPatience } from './patience.ts';
import { SCHEMES } from './schemes.ts';

const SPACE_MS = 10_000;

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

/** Errors: those of opening a repository. */
export function openAt(location: string, password: string, o: Partial<OpenForRun>): Promise<Repository> {
  return openRepository(request(location, password, o));
}

/** Errors: those of making a repository. */
export function createAt(location: string, password: string, o: Partial<OpenForRun>): Promise<Repository> {
  return createRepository({ ...request(location, password, o), version: 2 });
}

function request(location: string, password: string, o: Partial<OpenForRun>) {
  return {
    location,
    password: async () => password,
    keyHint: undefined,
    settings: { ...SETTINGS, limits: o.limits ?? SETTINGS.limits },
    signal: o.signal ?? new AbortController().signal,
    warn: o.warn ?? (() => {}),
  };
}

/** Whether a repository answers at the location, without its password. Errors: why not. */
export async function probe(location: string, signal?: AbortSignal): Promise<void> {
  await withStorage(location, signal, (storage, o) => storage.stat({ type: 'config', name: '' }, o));
}

async function withStorage<T>(
  location: string,
  signal: AbortSignal | undefined,
  work: (storage: Backend, o: { readonly signal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  const { scheme, target } = parseLocation(location, SCHEMES);
  const o = signal ? { signal } : {};
  const storage = await scheme.open(target, o);
  try {
    return await work(storage, o);
  } finally {
    await storage.close();
  }
}

/** The room at a location in the file system, or where it would be made; null for all others. */
export async function spaceAt(location: string, now: Instant): Promise<Space | null> {
  const { scheme, target } = parseLocation(location, SCHEMES);
  const room = scheme.scheme === 'local' ? await roomAt(target) : null;
  return room && { ...room, at: now };
}

/** The same where the repository is there; else null, for the room on whatever other disk would be told of. */
export async function spaceOfRepository(location: string, now: Instant): Promise<Space | null> {
  const { scheme, target } = parseLocation(location, SCHEMES);
  if (scheme.scheme !== 'local') return null;
  const asked = { ms: SPACE_MS, spare: true };
  const config = systemPatience.ask(`config ${target}`, asked, () => access(path.join(target, 'config')));
  return config.then(
    () => spaceAt(location, now),
    () => null,
  );
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
async function nearest(folder: string): Promise<string> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = await access(at).then(
      () => true,
      () => false,
    );
    if (found || at === path.dirname(at)) return at;
  }
}

/**
 * What there is at a location, and whether it can be written to. A repository gets a small file of our own, which goes at once.
 * Errors: those of the storage but for a missing repository.
 */
export async function tryOut(
  location: string,
  password: string | undefined,
  now: Instant,
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  const space = await spaceAt(location, now);
  try {
    await probe(location, signal);
  } catch (e) {
    if (!isEngineError(e, 'repository-missing', 'not-found')) throw e;
    const unmakable = await problemOf(tryToMake(location));
    return { repository: false, writable: unmakable === null, space, facts: null, problem: unmakable };
  }
  const problem = password === undefined ? null : await problemOf(openAndClose(location, password, signal));
  const unwritable = await problemOf(writeAndRemove(location, signal).catch(sayKindly));
  return {
    repository: true,
    writable: unwritable === null,
    space,
    facts: null,
    problem: problem ?? unwritable,
  };
}

async function problemOf(work: Promise<void>): Promise<ConnectionTest['problem']> {
  try {
    await work;
    return null;
  } catch (e) {
    return asEngineError(e).toWire();
  }
}

async function openAndClose(location: string, password: string, signal?: AbortSignal): Promise<void> {
  const repository = await openAt(location, password, signal ? { signal } : {});
  await repository.close();
}

async function writeAndRemove(location: string, signal?: AbortSignal): Promise<void> {
  await withStorage(location, signal, async (storage, o) => {
    const data = Buffer.from(`A test by Holdfast, ${Math.random()}`);
    const handle = { type: 'settings', name: sha256(data) } as const;
    await storage.save(handle, [data], o);
    await storage.load(handle, o);
    await storage.remove(handle, o);
  });
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
async function tryToMake(location: string): Promise<void> {
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
