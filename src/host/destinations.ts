/**
 * Adding, testing and forgetting destinations.
 *
 * Order when a repository is made: its password goes to the secret store, then the repository is made with it, then the
 * recovery key is added, then the destination is written down. A stop in between leaves a repository whose password is known
 * under `pending-destination:<id>`; adding the same location again finds it.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import {
  type ConnectionTest,
  Destination,
  DestinationInput,
  type DestinationSettings,
  type Space,
} from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { Run } from '../api/model/run.ts';
import { parseLocation } from '../backend/registry.ts';
import type { Repository } from '../repository/repository.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import { SCHEMES } from './schemes.ts';

export interface KeptSettings {
  readonly hostname: string;
  readonly destination: Destination;
  readonly plans: readonly Plan[];
}

/** What this needs of others; host.ts binds them. */
export interface DestinationPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly hostname: string;
  now(): Instant;
  newId(): string;
  open(location: string, password: string, signal?: AbortSignal): Promise<Repository>;
  create(location: string, password: string, signal?: AbortSignal): Promise<Repository>;
  newRecoveryKey(): string;
  /** The form in which a recovery key is a password, or undefined for what is none. */
  asRecoveryKey(text: string): string | undefined;
  addRecoveryKey(repository: Repository, key: string): Promise<void>;
  loadSettings(repository: Repository): Promise<readonly KeptSettings[]>;
  history(repository: Repository, destination: Destination): Promise<readonly Run[]>;
  /** null where nobody can tell. */
  spaceOf(location: string): Promise<Space | null>;
  /** Writes, reads back and removes a file of no meaning. Errors: the storage's. */
  tryOut(location: string, password: string | undefined, signal?: AbortSignal): Promise<ConnectionTest>;
}

export interface Added {
  readonly destination: Destination;
  readonly recoveryKey: string | null;
  readonly restoredPlans: number;
}

export const passwordName = (destinationId: string) => `repository:${destinationId}`;
export const recoveryName = (destinationId: string) => `recovery:${destinationId}`;
const PENDING = 'pending-destination:';

/**
 * Errors: 'conflict' for a repository that is a destination already, 'wrong-password', 'usage', and those of opening and
 * making repositories.
 */
export async function addDestination(
  ports: DestinationPorts,
  input: DestinationSettings,
  password: string | undefined,
  o: { readonly embedded?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Added> {
  const location = normalize(input.location);
  const opened = await openExisting(ports, location, password, o.signal);
  if (opened) return adopt(ports, { ...input, location }, opened, o.embedded === true);
  return make(ports, { ...input, location }, password, o);
}

/** A path is meant from nowhere: the host's working folder says nothing to the person. */
function normalize(text: string): string {
  const { scheme, target } = parseLocation(text.trim(), SCHEMES);
  if (scheme.scheme !== 'local') return text.trim();
  if (!path.isAbsolute(target)) {
    throw new EngineError('usage', `"${target}" is no absolute path.`, {
      hint: 'Give the whole path of the folder, from the root on.',
    });
  }
  return path.normalize(target);
}

interface Opened {
  readonly repository: Repository;
  readonly password: string;
  /** Under which a stopped earlier try left the password. */
  readonly pendingId?: string;
}

/** undefined where there is no repository yet. */
async function openExisting(
  ports: DestinationPorts,
  location: string,
  password: string | undefined,
  signal?: AbortSignal,
): Promise<Opened | undefined> {
  let last: unknown;
  for (const candidate of await candidates(ports, location, password)) {
    try {
      return { ...candidate, repository: await ports.open(location, candidate.password, signal) };
    } catch (e) {
      if (isEngineError(e, 'repository-missing')) return undefined;
      if (!isEngineError(e, 'wrong-password')) throw e;
      last = e;
    }
  }
  if (last === undefined || password !== undefined) throw last ?? passwordNeeded(location);
  throw passwordNeeded(location);
}

/** What may open it: what the person gave, as it is and as a recovery key; else what a stopped try left, or nothing. */
async function candidates(ports: DestinationPorts, location: string, password: string | undefined) {
  if (password !== undefined) {
    const words = ports.asRecoveryKey(password);
    return [{ password }, ...(words !== undefined && words !== password ? [{ password: words }] : [])];
  }
  const known = [];
  for (const name of await ports.secrets.names()) {
    const pendingId = /^repository:(.+)$/.exec(name)?.[1];
    if (pendingId === undefined || ports.store.values.get(PENDING + pendingId) !== location) continue;
    const secret = await ports.secrets.get(name);
    if (secret !== undefined) known.push({ password: secret, pendingId });
  }
  // A password that fits nothing: tells whether a repository is there at all.
  return known.length > 0 ? known : [{ password: randomPassword() }];
}

function passwordNeeded(location: string): EngineError {
  return new EngineError('wrong-password', `There is a repository at ${location} already.`, {
    hint: 'Give its password or its recovery key to use it.',
  });
}

function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

async function adopt(
  ports: DestinationPorts,
  input: DestinationSettings,
  { repository, password, pendingId }: Opened,
  embedded: boolean,
): Promise<Added> {
  try {
    refuseTwice(ports, repository);
    const kept = (await ports.loadSettings(repository)).filter(
      (settings) => settings.destination.repositoryId === repository.id,
    );
    const mine = kept.find((settings) => settings.hostname === ports.hostname) ?? kept[0];
    const id = pendingId ?? freeId(ports, mine?.destination.id);
    const recovery = await recoveryFor(ports, repository, id, pendingId !== undefined, password);
    await ports.secrets.set(passwordName(id), password);
    const destination = await describe(ports, input, repository, { id, embedded, recovery });
    ports.store.destinations.put(destination);
    ports.store.values.remove(PENDING + id);
    const restoredPlans = restorePlans(ports, kept);
    await restoreHistory(ports, repository, destination);
    return { destination, recoveryKey: recovery.made, restoredPlans };
  } finally {
    await repository.close();
  }
}

/** The id under which plans of an earlier database know the destination, where it is free. */
function freeId(ports: DestinationPorts, wanted: string | undefined): string {
  return wanted !== undefined && !ports.store.destinations.get(wanted) ? wanted : ports.newId();
}

interface Recovery {
  /** To be shown once. */
  readonly made: string | null;
  readonly known: boolean;
}

/** A repository that came with its own password keeps its keys as they are; one that was half made gets its second. */
async function recoveryFor(
  ports: DestinationPorts,
  repository: Repository,
  id: string,
  halfMade: boolean,
  password: string,
): Promise<Recovery> {
  if (!halfMade) {
    const words = ports.asRecoveryKey(password);
    if (words !== undefined) await ports.secrets.set(recoveryName(id), words);
    return { made: null, known: words !== undefined };
  }
  return { made: await giveRecoveryKey(ports, repository, id), known: true };
}

async function giveRecoveryKey(ports: DestinationPorts, repository: Repository, id: string): Promise<string> {
  const key = ports.newRecoveryKey();
  await ports.secrets.set(recoveryName(id), key);
  await ports.addRecoveryKey(repository, key);
  return key;
}

function refuseTwice({ store }: DestinationPorts, repository: Repository): void {
  const same = store.destinations.list().find((d) => d.repositoryId === repository.id);
  if (!same) return;
  throw new EngineError('conflict', `This repository is the destination “${same.name}” already.`, {
    hint: `It was added as ${same.location}. Change that destination instead.`,
  });
}

async function make(
  ports: DestinationPorts,
  input: DestinationSettings,
  given: string | undefined,
  o: { readonly embedded?: boolean; readonly signal?: AbortSignal },
): Promise<Added> {
  const id = ports.newId();
  const password = given ?? randomPassword();
  await ports.secrets.set(passwordName(id), password);
  ports.store.values.set(PENDING + id, input.location);
  const repository = await createOrTidy(ports, id, input.location, password, o.signal);
  try {
    const recoveryKey = await giveRecoveryKey(ports, repository, id);
    const recovery = { made: recoveryKey, known: true };
    const destination = await describe(ports, input, repository, {
      id,
      embedded: o.embedded === true,
      recovery,
    });
    ports.store.destinations.put(destination);
    ports.store.values.remove(PENDING + id);
    return { destination, recoveryKey, restoredPlans: 0 };
  } finally {
    await repository.close();
  }
}

async function createOrTidy(
  ports: DestinationPorts,
  id: string,
  location: string,
  password: string,
  signal?: AbortSignal,
): Promise<Repository> {
  try {
    return await ports.create(location, password, signal);
  } catch (e) {
    // Whether it was made is not known after a cancel or a lost connection; then the password stays.
    if (isEngineError(e, 'repository-exists', 'permission', 'read-only', 'usage', 'unsupported')) {
      await ports.secrets.remove(passwordName(id));
      ports.store.values.remove(PENDING + id);
    }
    throw e;
  }
}

async function describe(
  ports: DestinationPorts,
  input: DestinationSettings,
  repository: Repository,
  o: { readonly id: string; readonly embedded: boolean; readonly recovery: Recovery },
): Promise<Destination> {
  const now = ports.now();
  return Destination.parse({
    ...input,
    id: o.id,
    kind: parseLocation(input.location, SCHEMES).scheme.scheme,
    repositoryId: repository.id,
    createdAt: now,
    embedded: o.embedded,
    space: await ports.spaceOf(input.location),
    usedBytes: null,
    lastSeenAt: now,
    problem: null,
    lastCheck: null,
    hasRecoveryKey: o.recovery.known,
  });
}

/**
 * Plans that the repository remembers and the database does not. Those of another computer come switched off: the same files
 * must not be backed up twice, nor this computer's files under another's name.
 */
function restorePlans({ store, hostname }: DestinationPorts, kept: readonly KeptSettings[]): number {
  let count = 0;
  for (const settings of kept) {
    for (const plan of settings.plans) {
      if (store.plans.get(plan.id)) continue;
      store.plans.put({ ...plan, enabled: plan.enabled && settings.hostname === hostname });
      count++;
    }
  }
  return count;
}

/** A history that can't be read must not keep anybody from their files. */
async function restoreHistory(
  ports: DestinationPorts,
  repository: Repository,
  destination: Destination,
): Promise<void> {
  const past = await ports.history(repository, destination).catch((): readonly Run[] => []);
  ports.store.transaction(() => {
    for (const run of past) if (!ports.store.runs.get(run.id)) ports.store.runs.put(run);
  });
}

/** What is found at a location; never an error but the signal's. */
export async function testDestination(
  ports: DestinationPorts,
  location: string,
  password: string | undefined,
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  try {
    return await ports.tryOut(normalize(location), password, signal);
  } catch (e) {
    signal?.throwIfAborted();
    return { repository: false, writable: false, space: null, problem: asEngineError(e).toWire() };
  }
}

/** The repository stays, and so do its passwords' keys in it; this computer forgets them. Errors: 'not-found', 'conflict'. */
export async function removeDestination(
  { store, secrets }: Pick<DestinationPorts, 'store' | 'secrets'>,
  id: string,
): Promise<void> {
  const destination = destinationNamed(store, id);
  const users = store.plans.list().filter((plan) => plan.destinations.includes(id));
  if (users.length > 0) {
    const names = users.map((plan) => `“${plan.name}”`).join(', ');
    throw new EngineError('conflict', `“${destination.name}” is still used by ${names}.`, {
      hint: 'Give these plans another destination, or remove them, first.',
    });
  }
  store.destinations.remove(id);
  await secrets.remove(passwordName(id));
  await secrets.remove(recoveryName(id));
}

export function destinationNamed(store: Store, id: string): Destination {
  const found = store.destinations.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such destination any more.');
  return found;
}

/** The settings that a person may change later. Errors: 'not-found'. */
export function updateDestination(
  store: Store,
  id: string,
  said: Omit<DestinationSettings, 'location'>,
): Destination {
  const before = destinationNamed(store, id);
  const settings = DestinationInput.omit({ location: true }).parse(said);
  const after = { ...before, ...settings };
  store.destinations.put(after);
  return after;
}
