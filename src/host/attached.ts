/**
 * Destinations on disks that come and go.
 *
 * disk     known by the UUID of its file system, wherever that is mounted; never by its place
 * set      several disks with a repository each are one destination: whichever is plugged in is used
 * place    the repository's folder on a disk, as a path now
 * plain    a destination that lies on no such disk: on the system's own, in a network
 */
import { realpath, statfs } from 'node:fs/promises';
import path from 'node:path';
import { EngineError, type ErrorCode } from '../api/errors.ts';
import type { Destination, KnownDisk } from '../api/model/destination.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../util/clock.ts';
import { folderOn, type Mount, pathOn, realpathOfAny, type Sight } from './disk-identity.ts';
import { localPath } from './disks.ts';
import type { Patience } from './patience.ts';

export interface AttachedPorts {
  readonly store: Pick<Store, 'destinations' | 'values'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly patience: Patience;
  readonly platform: NodeJS.Platform;
  /** Of these nothing comes or goes: the system's root, the person's folders, Holdfast's own. */
  readonly system: readonly string[];
  look(): Promise<Sight>;
  /** Where its disks are has changed, and is on record. */
  changed(destination: Destination): void;
  /** A disk of it was plugged in; or is at another place than before. */
  appeared(destination: Destination): void;
  gone(destination: Destination): void;
}

interface Place {
  readonly disk: KnownDisk;
  readonly mount: Mount;
  readonly path: string;
}

const ASK_MS = 5000;
const LAST_BACKUP = 'disk-backup:';
/** What a run meets whose disk is pulled out under it. */
const OF_A_LOST_DISK: readonly ErrorCode[] = [
  'unreachable',
  'io',
  'not-found',
  'repository-missing',
  'lock-lost',
  'damaged',
  'range',
  'timeout',
  'read-only',
  'permission',
  'conflict',
];

export class Attached {
  readonly #ports: AttachedPorts;
  /** Destinations that were found to lie on no disk of this kind, with their locations. */
  readonly #plain = new Map<string, string>();
  /** Of each destination the disk that was last found. */
  readonly #used = new Map<string, KnownDisk>();

  constructor(ports: AttachedPorts) {
    this.#ports = ports;
  }

  /**
   * The location where a destination is now. Errors: 'unreachable' with `context.disk` where none of its disks is plugged in, whatever
   * else may lie where it was; 'conflict' for clones.
   */
  async locate(destination: Destination): Promise<string> {
    if (destination.disks.length === 0) return destination.location;
    const sight = await this.#ports.look();
    const known = this.#update(destination.id, sight) ?? destination;
    const { disk, path } = this.#choose(known, sight);
    this.#used.set(destination.id, disk);
    return path;
  }

  /** The disk that was last found; else the one that was seen last. undefined for a plain destination. */
  disk({ id, disks }: Destination): KnownDisk | undefined {
    const used = disks.find(({ uuid }) => uuid === this.#used.get(id)?.uuid);
    return used ?? [...disks].sort((a, b) => (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0))[0];
  }

  /** Whether a repository may be that of one of the destination's disks is `ownOnly`'s to say; this takes note of where it lies. */
  async learn(destination: Destination, repositoryId: string): Promise<void> {
    const { id, kind, embedded, disks, location } = destination;
    if (kind !== 'local' || embedded || disks.length > 0 || this.#plain.get(id) === location) return;
    const disk = await this.describe(location, repositoryId).catch(() => null);
    if (disk === null) this.#plain.set(id, location);
    const now = this.#ports.store.destinations.get(id);
    if (!disk || !now || now.disks.length > 0) return;
    const known = { ...now, disks: [disk] };
    this.#ports.store.destinations.put(known);
    this.#ports.changed(known);
  }

  /** The disk that a folder lies on; null where that is none that comes and goes. Errors: 'timeout', those of the system. */
  async describe(location: string, repositoryId: string): Promise<KnownDisk | null> {
    const found = await this.diskUnder(location);
    if (!found) return null;
    const { mount, folder } = found;
    const asked = { ms: ASK_MS };
    const room = await this.#ports.patience.ask(`size ${mount.path}`, asked, () => statfs(mount.path));
    return {
      uuid: mount.uuid,
      label: mount.label,
      capacity: room.blocks * room.bsize,
      folder,
      repositoryId,
      lastSeenAt: this.#ports.clock.now(),
      mountPoint: mount.path,
    };
  }

  /** The same of a folder that need not be there yet. */
  async diskUnder(location: string): Promise<{ readonly mount: Mount; readonly folder: string } | null> {
    const target = localPath(location);
    if (target === undefined) return null;
    const { patience, platform } = this.#ports;
    const sight = await this.#ports.look();
    const asked = { ms: ASK_MS };
    const real = await patience.ask(`disk under ${target}`, asked, () => realpathOfAny(path.resolve(target)));
    const mount = sight.holderOf(real);
    if (!mount || (await this.#isSystem(mount, sight))) return null;
    return { mount, folder: folderOn(mount, real, platform) };
  }

  /** All places where the disk in use is mounted; empty where it is not plugged in. */
  async mountsOf(destination: Destination): Promise<readonly Mount[]> {
    const sight = await this.#ports.look();
    const known = this.#update(destination.id, sight) ?? destination;
    const { mount } = this.#choose(known, sight);
    return sight.mounts.filter(({ device }) => device === mount.device);
  }

  /** Looks where all disks are, and tells of each change. Errors: those of the store. */
  async review(): Promise<void> {
    const { store } = this.#ports;
    if (store.destinations.list().every(({ disks }) => disks.length === 0)) return;
    const sight = await this.#ports.look();
    for (const { id } of store.destinations.list()) this.#update(id, sight);
  }

  /** A backup went well: of a set, the other disks' turns come first. */
  backedUp(destination: Destination): void {
    const disk = this.#used.get(destination.id);
    if (!disk || destination.disks.length < 2) return;
    this.#ports.store.values.set(turnOf(destination, disk), String(this.#ports.clock.now()));
  }

  /**
   * What a run failed by, said so that a person understands: that its disk was pulled out, if it was. Where it is back already, the
   * run may simply be tried again.
   */
  async explain(destination: Destination, error: EngineError): Promise<EngineError> {
    if (destination.disks.length === 0 || error.context.disk !== undefined) return error;
    if (!OF_A_LOST_DISK.includes(error.code) || error.context.program !== undefined) return error;
    const sight = await this.#ports.look();
    const disk = this.#used.get(destination.id) ?? destination.disks[0]!;
    const there = sight.mounts.some(({ uuid }) => uuid === disk.uuid);
    this.#update(destination.id, sight);
    if (!there) return pulledOut(destination, disk, error);
    if (error.code !== 'unreachable') return error;
    return new EngineError(
      error.code,
      error.message,
      { ...error.toWire(), transient: true },
      { cause: error },
    );
  }

  /** Errors: see `locate`. */
  #choose(destination: Destination, sight: Sight): Place {
    const places = destination.disks.flatMap((disk) => this.#placeOf(disk, sight) ?? []);
    const clone = places.find(({ mount }) => isDouble(mount, sight));
    if (clone) throw cloned(destination, clone.disk);
    const turn = ({ disk }: Place) => Number(this.#ports.store.values.get(turnOf(destination, disk)) ?? 0);
    const [first] = places.sort((a, b) => turn(a) - turn(b));
    if (!first) throw notPluggedIn(destination);
    return first;
  }

  /** Where it was is as good as any other place; else where most of it is seen. */
  #placeOf(disk: KnownDisk, { mounts }: Sight): Place | undefined {
    const places = mounts.flatMap((mount): Place[] => {
      const found = mount.uuid === disk.uuid ? pathOn(mount, disk.folder, this.#ports.platform) : undefined;
      return found === undefined ? [] : [{ disk, mount, path: found }];
    });
    const rank = ({ mount }: Place) => (mount.path === disk.mountPoint ? -1 : mount.part.length);
    return places.sort((a, b) => rank(a) - rank(b) || a.mount.path.length - b.mount.path.length)[0];
  }

  /** Writes down where the disks are, if that has changed, and tells of it. */
  #update(id: string, sight: Sight): Destination | undefined {
    const { store, clock } = this.#ports;
    const before = store.destinations.get(id);
    if (!before || before.disks.length === 0) return before;
    const places = before.disks.map((disk) => this.#placeOf(disk, sight));
    const moved = before.disks.map((disk, n) => disk.mountPoint !== (places[n]?.mount.path ?? null));
    const location = locationOf(before, places, moved.includes(true));
    if (!moved.includes(true) && location === before.location) return before;
    const now = clock.now();
    const disks = before.disks.map((disk, n) => {
      const { mount } = places[n] ?? {};
      // A label may be changed; it is read anew each time.
      const label = mount?.label ?? disk.label;
      return moved[n] ? { ...disk, label, mountPoint: mount?.path ?? null, lastSeenAt: now } : disk;
    });
    // What was counted was counted in another repository.
    const isOther = before.disks.length > 1 && location !== before.location;
    const usedBytes = isOther ? null : before.usedBytes;
    const after = { ...before, disks, location, usedBytes };
    store.destinations.put(after);
    this.#ports.changed(after);
    if (moved.some((one, n) => one && places[n] === undefined)) this.#ports.gone(after);
    if (moved.some((one, n) => one && places[n] !== undefined)) this.#ports.appeared(after);
    return after;
  }

  async #isSystem(mount: Mount, sight: Sight): Promise<boolean> {
    const { patience, system } = this.#ports;
    for (const folder of system) {
      const asked = { ms: ASK_MS };
      const real = await patience.ask(`real ${folder}`, asked, () => realpath(folder)).catch(() => folder);
      if (sight.holderOf(real)?.device === mount.device) return true;
    }
    return false;
  }
}

/** What is shown as the place: where one of the disks is now. A path that was typed stays while its disk does. */
function locationOf(
  { location, disks }: Destination,
  places: readonly (Place | undefined)[],
  moved: boolean,
): string {
  const paths = places.flatMap((place) => place?.path ?? []);
  if (paths.includes(location) || (!moved && disks.length === 1)) return location;
  return paths[0] ?? location;
}

const turnOf = ({ id }: Destination, { uuid }: KnownDisk) => `${LAST_BACKUP}${id}:${uuid}`;

function isDouble({ uuid, device }: Mount, { mounts }: Sight): boolean {
  return mounts.some((other) => other.uuid === uuid && other.device !== device);
}

export function diskName({ label }: Pick<KnownDisk, 'label'>, { name }: Destination): string {
  return label === null ? `of “${name}”` : `“${label}”`;
}

function notPluggedIn(destination: Destination): EngineError {
  const { disks, name } = destination;
  const sentence =
    disks.length === 1
      ? `The disk ${diskName(disks[0]!, destination)} is not plugged in.`
      : `None of the disks of “${name}” is plugged in.`;
  return new EngineError('unreachable', sentence, {
    hint: 'Plug it in: what is due begins by itself.',
    context: { disk: disks[0]!.uuid },
  });
}

function pulledOut(destination: Destination, disk: KnownDisk, cause: EngineError): EngineError {
  const sentence = `The disk ${diskName(disk, destination)} was unplugged before the run had ended.`;
  return new EngineError(
    'unreachable',
    `${sentence} Waiting for the disk.`,
    { hint: 'Plug it in again: the run goes on by itself.', context: { disk: disk.uuid } },
    { cause },
  );
}

function cloned(destination: Destination, disk: KnownDisk): EngineError {
  return new EngineError(
    'conflict',
    `Two disks are plugged in that say they are the disk ${diskName(disk, destination)}: one is a copy of the other.`,
    {
      hint: 'Unplug the copy. To keep both, give one of them a UUID of its own first.',
      context: { disk: disk.uuid },
    },
  );
}
