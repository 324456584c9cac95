/** Disks that come and go, as the host lives with them: watched, added to sets, ejected when nothing uses them. */
import { homedir } from 'node:os';
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Destination } from '../api/model/destination.ts';
import type { Run } from '../api/model/run.ts';
import type { Repository } from '../repository/repository.ts';
import { destinationIdsOf } from '../runs/aftermath.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { Attached, type AttachedPorts, diskName } from './attached.ts';
import { addDisk, cuttingName, removeDisk, type SetPorts } from './attached-set.ts';
import { watchDisks } from './attached-watch.ts';
import { type Added, destinationNamed } from './destinations.ts';
import { look } from './disk-identity.ts';
import { systemTool } from './disk-identity-tool.ts';
import { ejectDisk } from './eject.ts';
import { systemPatience } from './patience.ts';

export interface DisksPorts
  extends Pick<SetPorts, 'open' | 'create' | 'addRecoveryKey'>,
    Pick<AttachedPorts, 'changed' | 'appeared' | 'gone'> {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly dataDir: string;
  readonly systemDrive: string | undefined;
  /** Queued and under way. */
  running(): readonly Run[];
  /** Carries out the work when nothing else uses the destination. */
  alone(destinationId: string, work: () => Promise<void>): Promise<void>;
  /** Closes what is kept open there, and waits for who reads it. */
  letGo(destinationId: string): Promise<void>;
  log(level: 'info' | 'warning' | 'error', text: string): void;
}

export class AttachedDisks {
  readonly #ports: DisksPorts;
  readonly #attached: Attached;
  /** Destinations of which it is known that their way of cutting is written down. */
  readonly #noted = new Set<string>();

  constructor(ports: DisksPorts) {
    this.#ports = ports;
    const windows = process.platform === 'win32';
    this.#attached = new Attached({
      store: ports.store,
      clock: ports.clock,
      patience: systemPatience,
      platform: process.platform,
      system: [windows ? `${ports.systemDrive ?? 'C:'}\\` : '/', homedir(), ports.dataDir],
      look: () => look({ platform: process.platform, root: '/', tool: systemTool }),
      changed: ports.changed,
      appeared: ports.appeared,
      gone: ports.gone,
    });
  }

  /** See `Attached.locate`. */
  locate(destination: Destination): Promise<string> {
    return this.#attached.locate(destination);
  }

  /** The repository of the disk in use; the destination's own where it is plain. */
  repositoryId(destination: Destination): string {
    return this.#attached.disk(destination)?.repositoryId ?? destination.repositoryId;
  }

  /** What was opened there was the destination's own repository. Nothing of this must keep anybody from it. */
  async learn(destination: Destination, repository: Repository): Promise<void> {
    const { store, secrets } = this.#ports;
    const { id } = destination;
    await this.#attached.learn(destination, repository.id);
    if (this.#noted.has(id) || (store.destinations.get(id)?.disks.length ?? 0) === 0) return;
    this.#noted.add(id);
    const name = cuttingName(id);
    const known = await secrets.get(name).catch(() => undefined);
    if (known === undefined) await secrets.set(name, repository.config.chunkerPolynomial).catch(() => {});
  }

  /** A destination that has just been made, with the disk it lies on. */
  async added(added: Added): Promise<Added> {
    const { destination } = added;
    await this.#attached.learn(destination, destination.repositoryId);
    return { ...added, destination: this.#ports.store.destinations.get(destination.id) ?? destination };
  }

  removed(id: string): void {
    this.#noted.delete(id);
    this.#ports.secrets.remove(cuttingName(id)).catch(() => undefined);
  }

  /** See `Attached.explain`; never an error of its own. */
  async explain(task: Run['task'], error: EngineError): Promise<EngineError> {
    for (const id of destinationIdsOf(task)) {
      const destination = this.#ports.store.destinations.get(id);
      const said = destination && (await this.#attached.explain(destination, error).catch(() => error));
      if (said && said !== error) return said;
    }
    return error;
  }

  /** By the system's clock, whatever the host's is: disks come and go in the real world. */
  watch(signal: AbortSignal): Promise<void> {
    const { store, log } = this.#ports;
    return watchDisks(
      {
        clock: systemClock,
        platform: process.platform,
        root: '/',
        wanted: () => store.destinations.list().some(({ disks }) => disks.length > 0),
        review: () => this.#attached.review(),
        onFault: (e) => log('warning', `The disks could not be looked for: ${String(e)}`),
      },
      signal,
    );
  }

  /** Takes note of a run's end. Resolves when its disk has been ejected, where that is wanted. */
  async ended({ task, state }: Run): Promise<void> {
    if (state !== 'succeeded' && state !== 'warnings') return;
    if (task.kind === 'restore' || task.kind === 'copy') return;
    const destination = this.#ports.store.destinations.get(task.destinationId);
    if (!destination || destination.disks.length === 0) return;
    if (task.kind === 'backup') this.#attached.backedUp(destination);
    if (!destination.ejectWhenDone) return;
    await this.#ports.alone(destination.id, () => this.#ejectUnlessWanted(destination.id));
  }

  /** What is queued needs the disk; it is ejected after that. It may be unplugged by now. */
  async #ejectUnlessWanted(id: string): Promise<void> {
    if (this.#user(id)) return;
    try {
      await this.#eject(id);
    } catch (e) {
      if (!isEngineError(e, 'unreachable')) throw e;
    }
  }

  /** Errors: 'locked' while it is in use, 'unreachable' where it is not plugged in, 'unsupported', 'permission'. */
  async eject(id: string): Promise<Destination> {
    const destination = destinationNamed(this.#ports.store, id);
    if (destination.disks.length === 0) {
      throw new EngineError(
        'unsupported',
        `“${destination.name}” does not lie on a disk that can be ejected.`,
      );
    }
    if (this.#user(id)) {
      throw new EngineError('locked', `“${destination.name}” is in use.`, {
        hint: 'Wait until what runs there has ended, or cancel it.',
      });
    }
    await this.#ports.alone(id, () => this.#eject(id));
    return destinationNamed(this.#ports.store, id);
  }

  async #eject(id: string): Promise<void> {
    const destination = destinationNamed(this.#ports.store, id);
    await this.#ports.letGo(id);
    const mounts = await this.#attached.mountsOf(destination);
    const name = diskName(mounts[0] ?? { label: null }, destination);
    try {
      await ejectDisk({ platform: process.platform, tool: systemTool }, mounts, name);
    } finally {
      await this.#attached.review();
    }
  }

  #user(id: string): Run | undefined {
    const busy = (run: Run) => run.state === 'queued' || run.state === 'running';
    return this.#ports.running().find((run) => busy(run) && destinationIdsOf(run.task).includes(id));
  }

  /** See `addDisk` of attached-set.ts. */
  async addDisk(id: string, path: string, signal?: AbortSignal): Promise<Destination> {
    await this.#attached.review();
    await addDisk({ ...this.#ports, attached: this.#attached }, id, path, signal);
    return this.#reviewed(id);
  }

  /** See `removeDisk` of attached-set.ts. */
  async removeDisk(id: string, uuid: string): Promise<Destination> {
    removeDisk(this.#ports, id, uuid);
    return this.#reviewed(id);
  }

  async #reviewed(id: string): Promise<Destination> {
    await this.#attached.review();
    return destinationNamed(this.#ports.store, id);
  }
}
