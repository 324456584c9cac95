/**
 * Adding, testing and forgetting destinations.
 *
 * Order when a repository is made: its password goes to the secret store, then the repository is made with it, then the
 * recovery key is added, then the destination is written down. A stop in between leaves a repository whose password is known
 * under `pending-destination:<id>`; adding the same location again finds it.
 *
 * kept  what computers have written beside the repository: their plans, and how they know the destination
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
  type Login,
  type NewDestination,
  type Space,
  WARN_BELOW,
} from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import type { Run } from '../api/model/run.ts';
import { parseLocation, redactLocation } from '../backend/registry.ts';
import type { Repository } from '../repository/repository.ts';
import { refuseReadOnly } from '../runs/read-only.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import type { Told } from './asking.ts';
import { loginName, type NewPlace, newPlaceAt, type Place, readLogin } from './logins.ts';
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
  /** Where a destination is now. Errors: those of finding it. */
  placeOf(destination: Destination): Promise<Place>;
  open(place: Place, password: string, signal?: AbortSignal): Promise<Repository>;
  create(place: Place, password: string, signal?: AbortSignal): Promise<Repository>;
  newRecoveryKey(): string;
  /** The form in which a recovery key is a password, or undefined for what is none. */
  asRecoveryKey(text: string): string | undefined;
  addRecoveryKey(repository: Repository, key: string): Promise<void>;
  loadSettings(repository: Repository): Promise<readonly KeptSettings[]>;
  history(repository: Repository, destination: Destination): Promise<readonly Run[]>;
  toldAt(place: Place, signal?: AbortSignal): Promise<Told>;
  /** Writes, reads back and removes a file of no meaning. Errors: the storage's. */
  tryOut(place: Place, password: string | undefined, signal?: AbortSignal): Promise<ConnectionTest>;
}

export interface Added {
  readonly destination: Destination;
  readonly recoveryKey: string | null;
  readonly restoredPlans: number;
}

export const passwordName = (destinationId: string) => `repository:${destinationId}`;
export const recoveryName = (destinationId: string) => `recovery:${destinationId}`;
const PENDING = 'pending-destination:';
/** Errors after which it is certain that no repository was made. */
const NOTHING_MADE = [
  'repository-exists',
  'permission',
  'read-only',
  'auth-expired',
  'host-unverified',
  'conflict',
  'usage',
  'unsupported',
] as const;

/**
 * One that is only to be read is opened and nothing more: it gets no key and no settings, and must be there.
 * Errors: 'conflict' for a repository that is a destination already and for a name that another one has, 'wrong-password',
 * 'usage', 'repository-missing' for one to be read, and those of opening and making repositories.
 */
export async function addDestination(
  ports: DestinationPorts,
  input: NewDestination,
  password: string | undefined,
  o: AddOptions = {},
): Promise<Added> {
  const location = normalize(input.location);
  refuseSecrets(location);
  refuseTwin(ports.store, input.name);
  const said = { ...input, location };
  const at = await newPlace(ports, said, o.login);
  const opened = await openExisting(ports, at, password, o.signal);
  if (opened) return adopt(ports, said, at, opened, o.embedded === true);
  if (input.readOnly) throw nothingToRead(location);
  return make(ports, said, at, password, o);
}

export interface AddOptions {
  readonly embedded?: boolean;
  readonly login?: Login | undefined;
  readonly signal?: AbortSignal;
}

/** Where no login is given, that of a stopped earlier try may do. */
async function newPlace(
  ports: DestinationPorts,
  { location, options }: NewDestination,
  login: Login | undefined,
): Promise<NewPlace> {
  if (login) return newPlaceAt(location, options, login);
  const [left] = await leftAt(ports, location);
  const earlier = left && (await readLogin(ports.secrets, loginName(left.pendingId)));
  return newPlaceAt(location, options, earlier);
}

function nothingToRead(location: string): EngineError {
  return new EngineError('repository-missing', `There is no repository at ${location}.`, {
    hint: 'To get files back, give the folder that holds the repository: the one with a file “config” in it.',
  });
}

/** What is shown and stored everywhere is no place for a password. Error: 'usage'. */
function refuseSecrets(location: string): void {
  if (redactLocation(location) === location) return;
  throw new EngineError('usage', `The location holds a password: ${redactLocation(location)}`, {
    hint: 'Leave it out there, and give it as the login.',
  });
}

/** People and configurations name destinations by their names. Error: 'conflict'. */
function refuseTwin(store: Store, name: string, except?: string): void {
  const twin = store.destinations.list().find((d) => d.name === name && d.id !== except);
  if (twin) throw new EngineError('conflict', `There is a destination called “${name}” already.`);
}

/** A path is meant from nowhere: the host's working folder says nothing to the person. Error: 'usage'. */
export function normalize(text: string): string {
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
  place: NewPlace,
  password: string | undefined,
  signal?: AbortSignal,
): Promise<Opened | undefined> {
  const { location } = place;
  let last: unknown;
  for (const candidate of await candidates(ports, location, password)) {
    try {
      return { ...candidate, repository: await ports.open(place, candidate.password, signal) };
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
  const left = await leftAt(ports, location);
  // A password that fits nothing: tells whether a repository is there at all.
  if (password === undefined) return left.length > 0 ? left : [{ password: randomPassword() }];
  const words = ports.asRecoveryKey(password);
  const given = words === undefined || words === password ? [password] : [password, words];
  return given.map((one) => left.find((pending) => pending.password === one) ?? { password: one });
}

/** The passwords that stopped tries to make a repository there have left. */
async function leftAt({ store, secrets }: DestinationPorts, location: string) {
  const left: { readonly password: string; readonly pendingId: string }[] = [];
  for (const name of await secrets.names()) {
    const pendingId = /^repository:(.+)$/.exec(name)?.[1];
    if (pendingId === undefined || store.values.get(PENDING + pendingId) !== location) continue;
    const password = await secrets.get(name);
    if (password !== undefined) left.push({ password, pendingId });
  }
  return left;
}

/** The destination is written down: what stopped tries to make it have left is of no use any more. */
async function tidyUp(ports: DestinationPorts, { id, location }: Destination): Promise<void> {
  const { store, secrets } = ports;
  for (const { pendingId } of await leftAt(ports, location)) {
    if (pendingId !== id && !store.destinations.get(pendingId)) {
      await secrets.remove(passwordName(pendingId));
      await secrets.remove(recoveryName(pendingId));
      await secrets.remove(loginName(pendingId));
    }
    store.values.remove(PENDING + pendingId);
  }
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
  input: NewDestination,
  at: NewPlace,
  { repository, password, pendingId }: Opened,
  embedded: boolean,
): Promise<Added> {
  try {
    refuseTwice(ports, repository);
    const kept = (await ports.loadSettings(repository)).filter((settings) =>
      holdsRepository(settings.destination, repository.id),
    );
    const mine = kept.find((settings) => settings.hostname === ports.hostname);
    const id = pendingId ?? freeId(ports, mine?.destination.id);
    const halfMade = pendingId !== undefined && !input.readOnly;
    const recovery = await recoveryFor(ports, repository, id, halfMade, password);
    await ports.secrets.set(passwordName(id), password);
    await at.login?.keep(ports.secrets, loginName(id));
    const destination = await describe(ports, input, at, repository, { id, embedded, recovery });
    ports.store.destinations.put(destination);
    await tidyUp(ports, destination);
    // What is only read is not this computer's: neither its plans nor its history.
    if (input.readOnly) return { destination, recoveryKey: null, restoredPlans: 0 };
    const restoredPlans = restorePlans(ports, kept, destination);
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
  try {
    await ports.addRecoveryKey(repository, key);
  } catch (e) {
    // Words that open nothing must not get on paper.
    await ports.secrets.remove(recoveryName(id));
    throw e;
  }
  return key;
}

/** Each disk of a set holds one of its own. */
function holdsRepository({ repositoryId, disks }: Destination, id: string): boolean {
  return repositoryId === id || disks.some((disk) => disk.repositoryId === id);
}

function refuseTwice({ store }: DestinationPorts, repository: Repository): void {
  const same = store.destinations.list().find((d) => holdsRepository(d, repository.id));
  if (!same) return;
  throw new EngineError('conflict', `This repository is the destination “${same.name}” already.`, {
    hint: `It was added as ${same.location}. Change that destination instead.`,
  });
}

async function make(
  ports: DestinationPorts,
  input: NewDestination,
  at: NewPlace,
  given: string | undefined,
  o: AddOptions,
): Promise<Added> {
  const id = ports.newId();
  const password = given ?? randomPassword();
  await ports.secrets.set(passwordName(id), password);
  await at.login?.keep(ports.secrets, loginName(id));
  ports.store.values.set(PENDING + id, input.location);
  const repository = await createOrTidy(ports, id, at, password, o.signal);
  try {
    const recoveryKey = await giveRecoveryKey(ports, repository, id);
    const recovery = { made: recoveryKey, known: true };
    const destination = await describe(ports, input, at, repository, {
      id,
      embedded: o.embedded === true,
      recovery,
    });
    ports.store.destinations.put(destination);
    await tidyUp(ports, destination);
    return { destination, recoveryKey, restoredPlans: 0 };
  } finally {
    await repository.close();
  }
}

async function createOrTidy(
  ports: DestinationPorts,
  id: string,
  place: NewPlace,
  password: string,
  signal?: AbortSignal,
): Promise<Repository> {
  try {
    return await ports.create(place, password, signal);
  } catch (e) {
    // Whether it was made is not known after a cancel or a lost connection; then the password stays.
    if (isEngineError(e, ...NOTHING_MADE)) {
      await ports.secrets.remove(passwordName(id));
      await ports.secrets.remove(loginName(id));
      ports.store.values.remove(PENDING + id);
    }
    throw e;
  }
}

/** A tenth of a disk that is smaller than most. */
function usualWarning(space: Space | null): number {
  return Math.floor(Math.min(WARN_BELOW, (space?.total ?? Number.POSITIVE_INFINITY) / 10));
}

async function describe(
  ports: DestinationPorts,
  input: NewDestination,
  at: NewPlace,
  repository: Repository,
  o: { readonly id: string; readonly embedded: boolean; readonly recovery: Recovery },
): Promise<Destination> {
  const now = ports.now();
  const { space, facts } = await ports.toldAt(at);
  return Destination.parse({
    ...input,
    warnBelowBytes: input.warnBelowBytes ?? usualWarning(space),
    id: o.id,
    kind: parseLocation(input.location, SCHEMES).scheme.scheme,
    repositoryId: repository.id,
    createdAt: now,
    embedded: o.embedded,
    space,
    facts,
    usedBytes: null,
    lastSeenAt: now,
    problem: null,
    lastCheck: null,
    hasRecoveryKey: o.recovery.known,
  });
}

/**
 * Plans that the repository remembers and the database does not; this computer's own word on a plan counts before another's.
 * Switched off, for a person to look at first, come:
 *   - those of another computer: the same files must not be backed up twice, nor this computer's files under another's name
 *   - those that run commands (hooks, sources that are a program's output), whoever wrote them: anyone who has the repository's
 *     password could have, under any name, and adding a destination must not let others start programs here
 */
function restorePlans(
  ports: DestinationPorts,
  kept: readonly KeptSettings[],
  destination: Destination,
): number {
  const { store, hostname } = ports;
  const own = (settings: KeptSettings) => settings.hostname === hostname;
  let count = 0;
  for (const settings of [...kept.filter(own), ...kept.filter((one) => !own(one))]) {
    for (const plan of settings.plans) {
      if (store.plans.get(plan.id)) continue;
      // Each computer knows the destination by an id of its own.
      const ids = plan.destinations.map((id) => (id === settings.destination.id ? destination.id : id));
      store.plans.put({
        ...plan,
        name: freeName(store, plan.name, settings.hostname),
        destinations: [...new Set(ids)],
        enabled: plan.enabled && own(settings) && !runsCommands(plan),
      });
      count++;
    }
  }
  return count;
}

function runsCommands({ sources, hooks }: Plan): boolean {
  const { before, after, onFailure } = hooks;
  return (
    sources.some((source) => source.kind === 'command') || before.length + after.length + onFailure.length > 0
  );
}

/** Names of plans are unique; a twin gets the name of its computer. */
function freeName(store: Store, name: string, hostname: string): string {
  const taken = new Set(store.plans.list().map((plan) => plan.name));
  for (let nr = 1; ; nr++) {
    const suffix = nr === 1 ? ` (${hostname.slice(0, 60)})` : ` (${hostname.slice(0, 60)}, ${nr})`;
    const candidate = `${name.slice(0, 120 - suffix.length).trimEnd()}${suffix}`;
    if (!taken.has(name)) return name;
    if (!taken.has(candidate)) return candidate;
  }
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
  place: NewPlace,
  password: string | undefined,
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  try {
    return await ports.tryOut({ ...place, location: normalize(place.location) }, password, signal);
  } catch (e) {
    signal?.throwIfAborted();
    const nothing = { repository: false, writable: false, space: null, facts: null };
    return { ...nothing, problem: asEngineError(e).toWire() };
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
  store.values.remove(PENDING + id);
  await secrets.remove(passwordName(id));
  await secrets.remove(recoveryName(id));
  await secrets.remove(loginName(id));
}

export function destinationNamed(store: Store, id: string): Destination {
  const found = store.destinations.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such destination any more.');
  return found;
}

/**
 * The words that open the repository of a destination. One that came with its own password gets its second key now, since a
 * password is no set of words that a page could tell how to type. Errors: 'not-found', those of opening the repository.
 */
export async function recoveryKeyOf(ports: DestinationPorts, id: string): Promise<string> {
  const known = await ports.secrets.get(recoveryName(id));
  if (known !== undefined) return known;
  const before = destinationNamed(ports.store, id);
  refuseReadOnly(before);
  const { name } = before;
  const password = await ports.secrets.get(passwordName(id));
  if (password === undefined) {
    throw new EngineError('not-found', `No key of “${name}” is known on this computer.`, {
      hint: 'Enter its password at the destination first.',
    });
  }
  const repository = await ports.open(await ports.placeOf(before), password);
  try {
    const key = await giveRecoveryKey(ports, repository, id);
    const destination = ports.store.destinations.get(id);
    if (destination) ports.store.destinations.put({ ...destination, hasRecoveryKey: true });
    return key;
  } finally {
    await repository.close();
  }
}

/**
 * The settings that a person may change later. That a destination is only read stays as it was when it was added, for it decides what
 * was done then. Errors: 'not-found', 'conflict' for a name that another one has.
 */
export function updateDestination(
  store: Store,
  id: string,
  said: Omit<DestinationSettings, 'location'>,
): Destination {
  const before = destinationNamed(store, id);
  refuseTwin(store, said.name, id);
  const settings = DestinationInput.omit({ location: true }).parse(said);
  const after = { ...before, ...settings, readOnly: before.readOnly };
  store.destinations.put(after);
  return after;
}
