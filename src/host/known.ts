/**
 * A destination that is known, met again: whether what lies at its place is its own repository, and its password given anew.
 *
 * stranger  another repository at the same place: another disk at the same mount point, say. Nothing is read from it or written to it
 */
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import type { ConnectionTest, Destination, Login } from '../api/model/destination.ts';
import type { Repository } from '../repository/repository.ts';
import { type DestinationPorts, destinationNamed, passwordName, recoveryName } from './destinations.ts';
import { loginName, newPlaceAt, type Place, readLogin } from './logins.ts';

/** Closes a stranger. Error: 'conflict' for one. */
export async function ownOnly(repository: Repository, destination: Destination): Promise<Repository> {
  const { repositoryId, disks } = destination;
  const own = [repositoryId, ...disks.map((disk) => disk.repositoryId)];
  if (own.includes(repository.id)) return repository;
  await repository.close();
  throw new EngineError(
    'conflict',
    `At ${destination.location} lies another repository than that of “${destination.name}”.`,
    {
      hint: 'Connect the right disk there. To use this repository too, add it as a destination of its own, at another place.',
    },
  );
}

/** What there is to know of a destination's place, found out with its own password; never an error but the signal's. */
export async function testKnown(
  ports: Pick<DestinationPorts, 'open' | 'secrets' | 'placeOf' | 'toldAt' | 'tryOut'>,
  destination: Destination,
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  const nothing = { repository: false, writable: false, space: null, facts: null };
  try {
    const password = await ports.secrets.get(passwordName(destination.id));
    if (password === undefined) throw passwordUnknown(destination);
    const place = await ports.placeOf(destination);
    const repository = await ownOnly(await ports.open(place, password, signal), destination);
    await repository.close();
    // Nothing is written where Holdfast may only read.
    if (!destination.readOnly) return await ports.tryOut(place, undefined, signal);
    return { ...nothing, repository: true, ...(await ports.toldAt(place, signal)), problem: null };
  } catch (e) {
    signal?.throwIfAborted();
    const repository = isEngineError(e, 'wrong-password', 'conflict');
    return { ...nothing, repository, problem: asEngineError(e).toWire() };
  }
}

export function passwordUnknown({ name }: Destination): EngineError {
  return new EngineError('wrong-password', `The password of “${name}” is not known on this computer.`, {
    hint: 'Enter its password or its recovery key.',
  });
}

/**
 * Takes note of the password (or recovery key) that opens a destination's repository, after it was changed elsewhere. Nothing
 * is changed if it does not. Errors: 'wrong-password', 'conflict', 'not-found', those of opening.
 */
export async function setPassword(
  ports: DestinationPorts,
  id: string,
  password: string,
  signal?: AbortSignal,
): Promise<Destination> {
  const place = await ports.placeOf(destinationNamed(ports.store, id));
  const words = ports.asRecoveryKey(password);
  const right = await openingOne(
    ports,
    id,
    words === undefined ? [password] : [password, words],
    place,
    signal,
  );
  await ports.secrets.set(passwordName(id), right);
  if (words === right) await ports.secrets.set(recoveryName(id), words);
  const { space } = await ports.toldAt(place, signal);
  // Read again: somebody may have edited it while the repository was opened.
  const now = destinationNamed(ports.store, id);
  const hasRecoveryKey = now.hasRecoveryKey || words === right;
  const seen: Destination = { ...now, hasRecoveryKey, space, problem: null, lastSeenAt: ports.now() };
  ports.store.destinations.put(seen);
  return seen;
}

/** `fields`: one that is '' is forgotten, one that is not named stays. Or all of it anew. */
export type LoginChange = { readonly fields: Login } | { readonly whole: Login };

/**
 * Takes note of the login by which a destination is reached from now on. Nothing is changed if it does not lead to its repository.
 * Errors: 'auth-expired', 'host-unverified', 'conflict', 'not-found', those of opening.
 */
export async function setLogin(
  ports: DestinationPorts,
  id: string,
  change: LoginChange,
  signal?: AbortSignal,
): Promise<Destination> {
  const destination = destinationNamed(ports.store, id);
  const password = await ports.secrets.get(passwordName(id));
  if (password === undefined) throw passwordUnknown(destination);
  const before = await ports.placeOf(destination);
  const login =
    'whole' in change
      ? change.whole
      : { ...(await readLogin(ports.secrets, loginName(id))), ...change.fields };
  const tried = newPlaceAt(before.location, destination.options, login);
  const repository = await ownOnly(await ports.open(tried, password, signal), destination);
  await repository.close();
  const { space, facts } = await ports.toldAt(tried, signal);
  await tried.login?.keep(ports.secrets, loginName(id));
  // Read again: somebody may have edited it, or removed it, while the repository was opened.
  const now = ports.store.destinations.get(id);
  if (!now) await ports.secrets.remove(loginName(id));
  const seen: Destination = {
    ...(now ?? destinationNamed(ports.store, id)),
    facts,
    problem: null,
    lastSeenAt: ports.now(),
    ...(space ? { space } : {}),
  };
  ports.store.destinations.put(seen);
  return seen;
}

/** The first that opens the destination's own repository. Error: 'wrong-password' if none does. */
async function openingOne(
  ports: DestinationPorts,
  id: string,
  passwords: readonly string[],
  place: Place,
  signal: AbortSignal | undefined,
): Promise<string> {
  let last: unknown;
  for (const password of passwords) {
    const destination = destinationNamed(ports.store, id);
    try {
      const repository = await ports.open(place, password, signal);
      await (await ownOnly(repository, destination)).close();
      return password;
    } catch (e) {
      if (!isEngineError(e, 'wrong-password')) throw e;
      last = e;
    }
  }
  throw last;
}
