/** A run manager on real folders with real repositories, and a diary in memory. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { Plan, PlanInput } from '../../../src/api/model/plan.ts';
import type { Problem, Run } from '../../../src/api/model/run.ts';
import { Settings } from '../../../src/api/model/settings.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { createLocal, openLocal } from '../../../src/backend/local/local.ts';
import { freeSpace } from '../../../src/fs/disk.ts';
import { createRepository, openRepository, type Repository } from '../../../src/repository/repository.ts';
import { keepPolicyOf } from '../../../src/rules/retention.ts';
import type { RunPorts } from '../../../src/runs/ports.ts';
import { RunManager, type StartRun } from '../../../src/runs/runs.ts';
import { RunQueue } from '../../../src/scheduler/queue.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { CHEAP_KDF, PASSWORD } from '../../helpers/repo.ts';
import type { Temp } from '../../helpers/temp.ts';

/** Small, so that a few files make many packs. */
const PACK_BYTES = 64 * 1024;
export const HOST = 'test-host';

export interface WorldOptions {
  readonly clock?: Clock;
  readonly ports?: Partial<RunPorts>;
  /** Put around each storage that is opened. */
  readonly wrap?: (backend: Backend) => Backend;
}

export class World {
  readonly temp: Temp;
  readonly store: Store;
  readonly events: HostEvent[] = [];
  readonly queue = new RunQueue({ maxRunning: 4 });
  readonly runs: RunManager;
  readonly ports: RunPorts;
  readonly secrets = new Map<string, string>();
  readonly home: string;

  constructor(temp: Temp, o: WorldOptions = {}) {
    this.temp = temp;
    this.home = temp.dir();
    const fail = (sentence: string) => {
      throw new Error(sentence);
    };
    this.store = openStore(':memory:', { clock: o.clock ?? systemClock, onProblem: fail });
    this.ports = {
      store: this.store,
      secrets: { names: async () => [...this.secrets.keys()], get: async (name) => this.secrets.get(name) },
      clock: o.clock ?? systemClock,
      queue: this.queue,
      version: '9.9.9',
      hostname: HOST,
      newId: randomUUID,
      emit: (event) => void this.events.push(event),
      settings: () => Settings.parse({}),
      paused: () => false,
      openRepository: async ({ location }) => {
        const backend = await openLocal(location);
        return openRepository(o.wrap?.(backend) ?? backend, {
          password: PASSWORD,
          repository: { packBytes: PACK_BYTES },
        });
      },
      selectionOf: () => ({ byName: () => undefined, byStat: () => undefined }),
      keepPolicyOf,
      spaceOf: async ({ location }) => {
        const { available, total } = freeSpace(fromText(location));
        return { free: available, total, at: this.ports.clock.now() };
      },
      ownFolders: [],
      env: process.env,
      ...o.ports,
    };
    this.runs = new RunManager(this.ports);
  }

  path(...names: readonly string[]): string {
    return join(this.home, ...names);
  }

  /** A destination with a new repository. */
  async destination(said: Partial<Destination> = {}): Promise<Destination> {
    const location = this.path(`repository-${randomUUID()}`);
    const backend = await createLocal(location);
    const who = { hostname: 'host', username: 'user', password: PASSWORD };
    const repo = await createRepository(backend, { ...who, kdf: CHEAP_KDF });
    await repo.close();
    const destination = destinationOf({ location, repositoryId: repo.id, ...said });
    this.store.destinations.put(destination);
    return destination;
  }

  plan(destination: Destination, said: Partial<Plan> & Partial<PlanInput> = {}): Plan {
    const plan = planOf({ destinations: [destination.id], ...said });
    this.store.plans.put(plan);
    return plan;
  }

  begin(task: StartRun['task'], more: Partial<StartRun> = {}) {
    return this.runs.start({ task, trigger: 'manual', attempt: 1, previousId: null, ...more });
  }

  async run(task: StartRun['task'], more: Partial<StartRun> = {}): Promise<Run> {
    return this.begin(task, more).ended;
  }

  backUp(plan: Plan): Promise<Run> {
    return this.run({ kind: 'backup', planId: plan.id, destinationId: plan.destinations[0]! });
  }

  logOf({ id }: Pick<Run, 'id'>): string {
    return this.store.runs
      .log(id)
      .map((line) => line.text)
      .join('\n');
  }

  problemsOf({ id }: Pick<Run, 'id'>): readonly Problem[] {
    return this.store.runs.problems(id, 0, 1000);
  }

  async repository<T>({ location }: Destination, work: (repo: Repository) => Promise<T>): Promise<T> {
    const repo = await openRepository(await openLocal(location), {
      password: PASSWORD,
      repository: { packBytes: PACK_BYTES },
    });
    try {
      return await work(repo);
    } finally {
      await repo.close();
    }
  }
}
