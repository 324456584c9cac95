/**
 * What a computer keeps in the repository besides its versions, so that a new computer gets the plans back with the
 * destination: sealed files of the type `settings`, which restic does not look at.
 *
 * settings   of one computer and one moment; the newest of each computer counts
 *
 * Nothing here may stand between a person and their files: what can't be read is reported and passed over, and a storage
 * that keeps no settings is none the worse for it.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { EngineError, isEngineError } from '../api/errors.ts';
import { Instant } from '../api/model/common.ts';
import { Destination } from '../api/model/destination.ts';
import { Plan } from '../api/model/plan.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id } from '../format/types.ts';
import type { Repository } from '../repository/repository.ts';

export interface RepositorySettings {
  readonly hostname: string;
  /** As this computer knows the repository. */
  readonly destination: Destination;
  /** Those that back up to it. */
  readonly plans: readonly Plan[];
  readonly savedAt: Instant;
}

export interface LoadSettingsOptions extends CallOptions {
  /** Hears of each settings file, or plan in it, that can't be read. */
  readonly onProblem?: (error: EngineError) => void;
}

/** Of each computer so many stay: the last ones, in case the newest turns out to be damaged. */
const KEPT = 3;
const VERSION = 1;
/** More than 200 plans with all their rules come to. */
const MOST_BYTES = 64 * 1024 ** 2;

/** `plans` one by one: one that can't be read must not cost the others. */
const Stored = z.object({
  version: z.literal(VERSION),
  hostname: z.string(),
  savedAt: Instant,
  destination: Destination,
  plans: z.array(z.unknown()),
});

interface Found {
  readonly id: Id;
  readonly settings: RepositorySettings;
}

/**
 * Stores them, unless they are just what was stored last, and removes all but the newest three of this computer. They become
 * the newest even if the clock was set back. Returns the name of their file, or undefined for a storage that keeps none.
 * Errors: the storage's.
 */
export async function saveSettings(
  repository: Repository,
  settings: RepositorySettings,
  o: CallOptions = {},
): Promise<Id | undefined> {
  try {
    const mine = (await loadAll(repository, o)).filter((f) => f.settings.hostname === settings.hostname);
    const newest = mine[0];
    if (newest && sameButForTime(newest.settings, settings)) return newest.id;
    const savedAt = Math.max(settings.savedAt, (newest?.settings.savedAt ?? -1) + 1);
    const id = await repository.files.save('settings', serialize({ ...settings, savedAt }), o);
    await removeAll(repository, mine.slice(KEPT - 1), o);
    return id;
  } catch (e) {
    if (isEngineError(e, 'unsupported')) return undefined;
    throw e;
  }
}

/** The newest of each computer, the newest first; none from a storage that keeps none. Errors: the storage's. */
export async function loadSettings(
  repository: Repository,
  o: LoadSettingsOptions = {},
): Promise<readonly RepositorySettings[]> {
  const newest = new Map<string, RepositorySettings>();
  for (const { settings } of await loadAll(repository, o)) {
    if (!newest.has(settings.hostname)) newest.set(settings.hostname, settings);
  }
  return [...newest.values()];
}

/** All that can be read, the newest first. One at a time: they are few, and this is never in a hurry. */
async function loadAll(repository: Repository, o: LoadSettingsOptions): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const { id, size } of await stored(repository, o)) {
    try {
      refuseTooLarge(id, size);
      const content = await repository.files.load('settings', id, callOf(o));
      found.push({ id, settings: parse(id, content, o) });
    } catch (e) {
      // Removed by another run since it was listed.
      if (isEngineError(e, 'not-found')) continue;
      if (!isEngineError(e, 'damaged', 'unsupported')) throw e;
      o.onProblem?.(e);
    }
  }
  return found.sort((a, b) => b.settings.savedAt - a.settings.savedAt || (a.id < b.id ? -1 : 1));
}

async function stored(
  repository: Repository,
  o: CallOptions,
): Promise<readonly { readonly id: Id; readonly size: number }[]> {
  const files = [];
  try {
    for await (const { name, size } of repository.files.list('settings', callOf(o))) {
      files.push({ id: name, size });
    }
  } catch (e) {
    if (!isEngineError(e, 'unsupported')) throw e;
  }
  return files;
}

function refuseTooLarge(id: Id, size: number): void {
  if (size <= MOST_BYTES) return;
  throw new EngineError('damaged', `The settings file ${id} is much too large to be one.`);
}

function serialize(settings: RepositorySettings): Uint8Array {
  const { hostname, savedAt, destination, plans } = settings;
  return Buffer.from(JSON.stringify({ version: VERSION, hostname, savedAt, destination, plans }));
}

/** Errors: 'damaged', 'unsupported' for those of a later version. */
function parse(id: Id, content: Uint8Array, o: LoadSettingsOptions): RepositorySettings {
  const json = parseJson(id, content);
  if (json.version > VERSION) {
    throw new EngineError('unsupported', `The settings file ${id} was written by a later Holdfast.`, {
      hint: 'Install the newest Holdfast to get the plans in it back.',
    });
  }
  const { data, error } = Stored.safeParse(json);
  if (!data) throw damaged(id, error);
  const { hostname, savedAt, destination } = data;
  return {
    hostname,
    savedAt,
    destination,
    plans: data.plans.flatMap((plan) => parsePlan(plan, hostname, o)),
  };
}

function parseJson(id: Id, content: Uint8Array): { readonly version: number } {
  try {
    return z.looseObject({ version: z.int().positive() }).parse(JSON.parse(Buffer.from(content).toString()));
  } catch (e) {
    throw damaged(id, e);
  }
}

function parsePlan(json: unknown, hostname: string, o: LoadSettingsOptions): readonly Plan[] {
  const { data, error } = Plan.safeParse(json);
  if (data) return [data];
  const named = z.object({ name: z.string() }).safeParse(json).data?.name ?? 'without a name';
  const message = `The plan “${named}” of ${hostname}, as the repository keeps it, can't be read.`;
  o.onProblem?.(new EngineError('damaged', message, {}, { cause: error }));
  return [];
}

function damaged(id: Id, cause: unknown): EngineError {
  return new EngineError(
    'damaged',
    `The settings file ${id} does not hold settings.`,
    { context: { type: 'settings', id } },
    { cause },
  );
}

/** What was merely noticed, when it was looked at last, is no reason to store them again. */
function sameButForTime(a: RepositorySettings, b: RepositorySettings): boolean {
  const lasting = ({ hostname, plans, destination }: RepositorySettings): unknown => {
    const { space: _1, usedBytes: _2, lastSeenAt: _3, problem: _4, lastCheck: _5, ...kept } = destination;
    return JSON.parse(JSON.stringify({ hostname, plans, destination: kept }));
  };
  return isDeepStrictEqual(lasting(a), lasting(b));
}

/** A storage that only takes (append-only) keeps the old ones: no harm but a few kilobytes. */
async function removeAll(repository: Repository, old: readonly Found[], o: CallOptions): Promise<void> {
  for (const { id } of old) {
    try {
      await repository.files.remove('settings', id, callOf(o));
    } catch (e) {
      if (!isEngineError(e, 'permission', 'read-only', 'unsupported')) throw e;
    }
  }
}

function callOf(o: CallOptions): CallOptions {
  return o.signal ? { signal: o.signal } : {};
}
