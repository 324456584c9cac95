/** The disks of a destination: a further one with a repository of its own, and one that is given up. */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Destination, KnownDisk } from '../api/model/destination.ts';
import type { Repository } from '../repository/repository.ts';
import { refuseReadOnly } from '../runs/read-only.ts';
import { asRecoveryWords } from '../secrets/recovery-words.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import { type Attached, diskName } from './attached.ts';
import { destinationNamed, normalize, passwordName, recoveryName } from './destinations.ts';
import { passwordUnknown } from './known.ts';

export interface SetPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly attached: Attached;
  open(location: string, password: string, signal?: AbortSignal): Promise<Repository>;
  /** Cuts files as the others of the set do, where that is known. */
  create(
    location: string,
    password: string,
    chunkerPolynomial: string | undefined,
    signal?: AbortSignal,
  ): Promise<Repository>;
  addRecoveryKey(repository: Repository, key: string): Promise<void>;
}

/** How the repositories of a destination cut files. A disk may be added while none of the others is plugged in. */
export const cuttingName = (destinationId: string) => `chunker:${destinationId}`;

/**
 * Takes a further disk into the set, with the repository that is there or a new one, which the same password and the same recovery key
 * open. Errors: 'unsupported' for a folder on no disk that comes and goes, 'conflict' for a disk or a repository that is in use,
 * 'wrong-password', those of opening and making repositories; nothing is changed then.
 */
export async function addDisk(
  ports: SetPorts,
  id: string,
  path: string,
  signal?: AbortSignal,
): Promise<Destination> {
  const destination = destinationNamed(ports.store, id);
  refuseReadOnly(destination);
  if (destination.disks.length === 0) throw notASet(destination);
  const location = normalize(path);
  const { uuid } = await freeDisk(ports, destination, location);
  const password = await ports.secrets.get(passwordName(id));
  if (password === undefined) throw passwordUnknown(destination);
  const { repository, isNew } = await openOrCreate(ports, id, location, password, signal);
  try {
    refuseTaken(ports.store, repository, location);
    await shareRecoveryKey(ports, id, repository, { location, isNew, signal });
    const disk = await ports.attached.describe(location, repository.id);
    if (disk?.uuid !== uuid) throw wentAway(location);
    return put(ports.store, id, (now) => ({ ...now, disks: [...now.disks, disk] }));
  } finally {
    await repository.close();
  }
}

async function freeDisk({ attached, store }: SetPorts, destination: Destination, location: string) {
  const found = await attached.diskUnder(location);
  if (!found) {
    throw new EngineError('unsupported', `${location} lies on no disk that can be told from others.`, {
      hint: 'Choose a folder on an external disk that is plugged in.',
    });
  }
  const { mount } = found;
  if (destination.disks.some(({ uuid }) => uuid === mount.uuid)) {
    const name = diskName(mount, destination);
    throw new EngineError('conflict', `The disk ${name} belongs to “${destination.name}” already.`);
  }
  const other = store.destinations.list().find((d) => d.id !== destination.id && d.location === location);
  if (other) throw new EngineError('conflict', `${location} is the destination “${other.name}” already.`);
  return mount;
}

async function openOrCreate(
  ports: SetPorts,
  id: string,
  location: string,
  password: string,
  signal?: AbortSignal,
): Promise<{ readonly repository: Repository; readonly isNew: boolean }> {
  try {
    return { repository: await ports.open(location, password, signal), isNew: false };
  } catch (e) {
    if (!isEngineError(e, 'repository-missing')) throw e;
    const polynomial = await ports.secrets.get(cuttingName(id));
    return { repository: await ports.create(location, password, polynomial, signal), isNew: true };
  }
}

function refuseTaken(store: Store, repository: Repository, location: string): void {
  const holds = (d: Destination) =>
    d.repositoryId === repository.id || d.disks.some((disk) => disk.repositoryId === repository.id);
  const taken = store.destinations.list().find(holds);
  if (!taken) return;
  throw new EngineError('conflict', `The repository at ${location} belongs to “${taken.name}” already.`, {
    hint: 'Is the disk a copy of another one? Each disk of a set needs a repository of its own.',
  });
}

/** The kit on paper opens all disks of a set. */
async function shareRecoveryKey(
  ports: SetPorts,
  id: string,
  repository: Repository,
  o: { readonly location: string; readonly isNew: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const words = await ports.secrets.get(recoveryName(id));
  if (words === undefined) return;
  try {
    if (o.isNew) await ports.addRecoveryKey(repository, words);
    else await (await ports.open(o.location, asRecoveryWords(words) ?? words, o.signal)).close();
  } catch (e) {
    if (!isEngineError(e, 'wrong-password')) throw e;
    await ports.addRecoveryKey(repository, words);
  }
}

/** Forgets a disk; what is on it stays. Errors: 'conflict' for the last one, 'not-found'. */
export function removeDisk({ store }: Pick<SetPorts, 'store'>, id: string, uuid: string): Destination {
  const destination = destinationNamed(store, id);
  if (!destination.disks.some((disk) => disk.uuid === uuid)) {
    throw new EngineError('not-found', `“${destination.name}” has no such disk any more.`);
  }
  const [first, ...others] = destination.disks.filter((disk) => disk.uuid !== uuid);
  if (!first) {
    throw new EngineError('conflict', `“${destination.name}” has no other disk.`, {
      hint: 'Add another disk first, or remove the whole destination.',
    });
  }
  return put(store, id, (now) => ({
    ...now,
    disks: [first, ...others],
    repositoryId: mainOf(now, [first, ...others]),
  }));
}

/** The first one's stands for the set. */
function mainOf({ repositoryId }: Destination, disks: readonly KnownDisk[]): string {
  const still = disks.some((disk) => disk.repositoryId === repositoryId);
  return still ? repositoryId : disks[0]!.repositoryId;
}

/** Read again: somebody may have edited it meanwhile. */
function put(store: Store, id: string, change: (now: Destination) => Destination): Destination {
  const after = change(destinationNamed(store, id));
  store.destinations.put(after);
  return after;
}

function notASet({ name }: Destination): EngineError {
  return new EngineError(
    'unsupported',
    `“${name}” does not lie on an external disk, so none can be added to it.`,
    {
      hint: 'Add the disk as a destination of its own.',
    },
  );
}

function wentAway(location: string): EngineError {
  return new EngineError('unreachable', `The disk at ${location} was unplugged before it was ready.`, {
    hint: 'Plug it in and add it again.',
  });
}
