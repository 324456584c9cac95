/** The contract's handlers. Each is a line or two: what they do is done in the rooms. */
import { implement } from '@orpc/server';
import { contract } from '../api/contract.ts';
import { EngineError } from '../api/errors.ts';
import { Channel } from '../api/model/alert.ts';
import type { SpaceSample } from '../api/model/computer.ts';
import type {
  ConnectionTest,
  Destination,
  Login,
  NewDestination,
  StorageOptions,
} from '../api/model/destination.ts';
import type { HostEvent } from '../api/model/event.ts';
import type { Run, Task } from '../api/model/run.ts';
import { Settings } from '../api/model/settings.ts';
import type { Conditions, Pause, Status } from '../api/model/status.ts';
import { preview } from '../rules/preview.ts';
import { compileRules } from '../rules/rule-set.ts';
import { refuseReadOnly } from '../runs/read-only.ts';
import { upcoming } from '../scheduler/recurrence.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store/store.ts';
import type { EventHub, EventStream } from '../transport/latest.ts';
import { fromText } from '../util/byte-string.ts';
import type { Clock } from '../util/clock.ts';
import type { Computer } from './computer.ts';
import type { ConfigPorts } from './config.ts';
import { exportConfig, importConfig } from './config.ts';
import { type Added, destinationNamed, removeDestination, updateDestination } from './destinations.ts';
import type { Looking } from './looking.ts';
import type { OpenedVersions } from './opened.ts';
import type { Peek } from './peek.ts';
import { createPlan, type PlanPorts, planNamed, statusOf, updatePlan } from './plans.ts';
import type { SignInInput } from './sign-ins.ts';
import { entriesOf, versionOf } from './versions.ts';

/** What opens a storage's door. */
interface Entry {
  readonly login?: Login | undefined;
  readonly signInId?: string | undefined;
}

export interface RouterParts extends PlanPorts, ConfigPorts {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly hub: EventHub;
  readonly clock: Clock;
  status(): Status;
  /** The events from now on, the status first. */
  subscribe(signal: AbortSignal | undefined): EventStream;
  setPause(pause: Pause | null): Status;
  setConditions(conditions: Partial<Conditions>): void;
  /** Something that what is due depends on has changed. */
  wake(): void;
  /** A plan has been made, changed or removed: clients hear of it, the scheduler looks again, repositories are told. */
  planChanged(planId: string, before?: readonly string[]): void;
  destinationRemoved(destinationId: string): void;
  start(task: Task, previousId?: string): Run;
  run(id: string): Run;
  /** With its progress, if it is not over. */
  current(id: string): Run | undefined;
  cancel(id: string): Run;
  again(id: string): Run;
  addDestination(
    input: NewDestination,
    password: string | undefined,
    o?: Entry & { readonly signal?: AbortSignal },
  ): Promise<Added>;
  testDestination(
    o: Entry & {
      readonly location: string;
      readonly options: StorageOptions;
      readonly password?: string | undefined;
    },
    signal?: AbortSignal,
  ): Promise<ConnectionTest>;
  signIn(input: SignInInput): Promise<{ readonly signInId: string; readonly url: string }>;
  signedIn(
    signInId: string,
    pasted?: string,
    signal?: AbortSignal,
  ): Promise<{ readonly account: string | null }>;
  setLogin(id: string, entry: Entry, signal?: AbortSignal): Promise<Destination>;
  /** A storage lets us in again: what waited for that goes on. */
  letIn(destination: Destination): void;
  addDisk(id: string, path: string, signal?: AbortSignal): Promise<Destination>;
  removeDisk(id: string, uuid: string): Promise<Destination>;
  eject(id: string): Promise<Destination>;
  /** The same of one that is known, by its own password; what is found is noted there. */
  retestDestination(destination: Destination, signal?: AbortSignal): Promise<ConnectionTest>;
  setPassword(id: string, password: string, signal?: AbortSignal): Promise<Destination>;
  recoveryKit(destination: Destination): Promise<string>;
  /** The versions of a destination, in a repository that is kept open for a while. */
  versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions>;
  readonly looking: Looking;
  readonly peek: Peek;
  readonly computer: Computer;
  /** Free space over time, oldest first. */
  trend(destinationId: string): readonly SpaceSample[];
  testChannel(id: string, signal?: AbortSignal): Promise<{ readonly ok: boolean; readonly message: string }>;
}

const os = implement(contract);

export function createRouter(p: RouterParts) {
  const { store } = p;
  const emit = (event: HostEvent) => p.hub.publish(event);
  return os.router({
    system: {
      status: os.system.status.handler(() => p.status()),
      pause: os.system.pause.handler(({ input }) => p.setPause({ until: input.until })),
      resume: os.system.resume.handler(() => p.setPause(null)),
      setConditions: os.system.setConditions.handler(({ input }) => {
        p.setConditions(input as Partial<Conditions>);
        return {};
      }),
      wake: os.system.wake.handler(() => {
        p.wake();
        return {};
      }),
      // No generator: that would begin to listen only when it is first asked, and miss what happened until then.
      events: os.system.events.handler(({ signal }) => p.subscribe(signal)),
    },
    computer: {
      folder: os.computer.folder.handler(({ input, signal }) => p.computer.folder(input.path, signal)),
      makeFolder: os.computer.makeFolder.handler(async ({ input }) => {
        await p.computer.makeFolder(input.path);
        return {};
      }),
      disks: os.computer.disks.handler(({ signal }) => p.computer.disks(signal)),
      suggestions: os.computer.suggestions.handler(({ signal }) => p.computer.suggestions(signal)),
    },
    plans: {
      list: os.plans.list.handler(() => store.plans.list().map((plan) => statusOf(p, plan))),
      get: os.plans.get.handler(({ input }) => statusOf(p, planNamed(store, input.id))),
      create: os.plans.create.handler(({ input }) => {
        const plan = createPlan(p, input);
        p.planChanged(plan.id);
        return plan;
      }),
      update: os.plans.update.handler(({ input }) => {
        const before = planNamed(store, input.id).destinations;
        const plan = updatePlan(p, input.id, input);
        p.planChanged(plan.id, before);
        return plan;
      }),
      remove: os.plans.remove.handler(({ input }) => {
        store.plans.remove(input.id);
        p.planChanged(input.id);
        return {};
      }),
      run: os.plans.run.handler(({ input }) => runPlan(p, input.id, input.destinationIds)),
      testRule: os.plans.testRule.handler(({ input }) =>
        compileRules(input.sources, input.rules).verdict(fromText(input.path)),
      ),
      preview: os.plans.preview.handler(({ input, signal }) =>
        preview(input.sources, input.rules, { signal, clock: p.clock }),
      ),
      upcoming: os.plans.upcoming.handler(({ input }) => [
        ...upcoming(input.when, input.timeZone, p.now(), input.count),
      ]),
    },
    destinations: {
      list: os.destinations.list.handler(() => [...store.destinations.list()]),
      get: os.destinations.get.handler(({ input }) => destinationNamed(store, input.id)),
      add: os.destinations.add.handler(async ({ input: { password, login, signInId, ...input }, signal }) => {
        const entry = { login, signInId, ...(signal ? { signal } : {}) };
        const added = await p.addDestination(input, password, entry);
        p.destinationChanged(added.destination);
        for (const plan of store.plans.list()) emit({ kind: 'plan', plan });
        return added;
      }),
      update: os.destinations.update.handler(({ input }) => {
        const destination = updateDestination(store, input.id, input);
        p.destinationChanged(destination);
        return destination;
      }),
      remove: os.destinations.remove.handler(async ({ input }) => {
        await removeDestination(p, input.id);
        p.destinationRemoved(input.id);
        return {};
      }),
      test: os.destinations.test.handler(({ input, signal }) => p.testDestination(input, signal)),
      signIn: os.destinations.signIn.handler(({ input }) => p.signIn(input)),
      signedIn: os.destinations.signedIn.handler(({ input, signal }) =>
        p.signedIn(input.signInId, input.pasted, signal),
      ),
      setLogin: os.destinations.setLogin.handler(async ({ input: { id, ...entry }, signal }) => {
        const destination = await p.setLogin(id, entry, signal);
        p.destinationChanged(destination);
        p.letIn(destination);
        return destination;
      }),
      addDisk: os.destinations.addDisk.handler(async ({ input, signal }) => {
        const destination = await p.addDisk(input.id, input.path, signal);
        p.destinationChanged(destination);
        return destination;
      }),
      removeDisk: os.destinations.removeDisk.handler(async ({ input }) => {
        const destination = await p.removeDisk(input.id, input.uuid);
        p.destinationChanged(destination);
        return destination;
      }),
      eject: os.destinations.eject.handler(({ input }) => p.eject(input.id)),
      retest: os.destinations.retest.handler(({ input, signal }) =>
        p.retestDestination(destinationNamed(store, input.id), signal),
      ),
      setPassword: os.destinations.setPassword.handler(async ({ input, signal }) => {
        const destination = await p.setPassword(input.id, input.password, signal);
        p.destinationChanged(destination);
        return destination;
      }),
      check: os.destinations.check.handler(({ input }) =>
        p.start({ kind: 'check', destinationId: known(p, input.id), percent: input.percent }),
      ),
      cleanUp: os.destinations.cleanUp.handler(({ input }) =>
        p.start({ kind: 'cleanup', destinationId: writable(p, input.id) }),
      ),
      copy: os.destinations.copy.handler(({ input }) =>
        p.start({
          kind: 'copy',
          destinationId: known(p, input.id),
          toDestinationId: writable(p, input.toDestinationId),
          versionIds: input.versionIds,
        }),
      ),
      trend: os.destinations.trend.handler(({ input }) => [...p.trend(known(p, input.id))]),
      recoveryKit: os.destinations.recoveryKit.handler(async ({ input }) => ({
        html: await p.recoveryKit(destinationNamed(store, input.id)),
      })),
    },
    versions: {
      list: os.versions.list.handler(async ({ input, signal }) => {
        const { snapshots } = await p.versions(known(p, input.destinationId), signal);
        const nameOf = (id: string) => store.plans.get(id)?.name;
        const all = snapshots.map((snapshot) => versionOf(snapshot, nameOf)).reverse();
        return input.planId === undefined ? all : all.filter((version) => version.planId === input.planId);
      }),
      entries: os.versions.entries.handler(async ({ input, signal }) => {
        const opened = await p.versions(known(p, input.destinationId), signal);
        const repo = await opened.indexed();
        return entriesOf(repo, opened.named(input.versionId), input.path, signal ? { signal } : {});
      }),
      folder: os.versions.folder.handler(({ input: { offset, limit, ...file }, signal }) => {
        known(p, file.destinationId);
        return p.looking.folder(file, { offset, limit }, signal);
      }),
      search: os.versions.search.handler(({ input, signal }) => {
        known(p, input.destinationId);
        return p.looking.search(input, signal);
      }),
      catalog: os.versions.catalog.handler(({ input, signal }) =>
        p.looking.catalog(known(p, input.destinationId), signal),
      ),
      timeline: os.versions.timeline.handler(({ input, signal }) => {
        known(p, input.destinationId);
        return p.looking.timeline(input, signal);
      }),
      preview: os.versions.preview.handler(({ input, signal }) => {
        known(p, input.destinationId);
        return p.peek.preview(input, signal);
      }),
      compare: os.versions.compare.handler(({ input, signal }) => {
        known(p, input.destinationId);
        return p.peek.compare(input, signal);
      }),
      estimate: os.versions.estimate.handler(({ input, signal }) => {
        known(p, input.destinationId);
        return p.peek.estimate(input, signal);
      }),
    },
    runs: {
      list: os.runs.list.handler(({ input }) =>
        store.runs
          .list(input)
          .map((run) => p.current(run.id) ?? run)
          .filter(({ state }) => input.states?.includes(state) ?? true),
      ),
      get: os.runs.get.handler(({ input }) => p.run(input.id)),
      log: os.runs.log.handler(({ input }) => [...store.runs.log(p.run(input.id).id)]),
      problems: os.runs.problems.handler(({ input }) => [
        ...store.runs.problems(p.run(input.id).id, input.offset, input.limit),
      ]),
      restore: os.runs.restore.handler(({ input }) => {
        known(p, input.destinationId);
        return p.start({ kind: 'restore', request: input });
      }),
      cancel: os.runs.cancel.handler(({ input }) => p.cancel(input.id)),
      again: os.runs.again.handler(({ input }) => p.again(input.id)),
    },
    alerts: {
      list: os.alerts.list.handler(() => [...store.alerts.list(200)]),
      channels: os.alerts.channels.handler(() => [...store.channels.list()]),
      addChannel: os.alerts.addChannel.handler(async ({ input }) => {
        const channel = await putChannel(p, p.newId(), input);
        emit({ kind: 'channels' });
        return channel;
      }),
      updateChannel: os.alerts.updateChannel.handler(async ({ input: { id, ...said } }) => {
        channelNamed(p, id);
        const channel = await putChannel(p, id, said);
        emit({ kind: 'channels' });
        return channel;
      }),
      removeChannel: os.alerts.removeChannel.handler(async ({ input }) => {
        store.channels.remove(input.id);
        await p.secrets.remove(`channel:${input.id}`);
        emit({ kind: 'channels' });
        return {};
      }),
      testChannel: os.alerts.testChannel.handler(({ input, signal }) =>
        p.testChannel(channelNamed(p, input.id).id, signal),
      ),
    },
    settings: {
      get: os.settings.get.handler(() => store.settings.get()),
      update: os.settings.update.handler(({ input }) => {
        const settings = Settings.parse({ ...store.settings.get(), ...input });
        store.settings.set(settings);
        emit({ kind: 'settings', settings });
        p.wake();
        return settings;
      }),
    },
    config: {
      export: os.config.export.handler(() => ({ yaml: exportConfig(p) })),
      import: os.config.import.handler(async ({ input, signal }) => {
        try {
          return await importConfig(p, input, signal);
        } finally {
          // Of plans and destinations clients hear one by one; an import that ended half way has changed something too.
          emit({ kind: 'channels' });
          emit({ kind: 'settings', settings: store.settings.get() });
        }
      }),
    },
  });
}

function known({ store }: RouterParts, destinationId: string): string {
  return destinationNamed(store, destinationId).id;
}

/** Errors: 'not-found', 'usage' for one that is only read. */
function writable({ store }: RouterParts, destinationId: string): string {
  const destination = destinationNamed(store, destinationId);
  refuseReadOnly(destination);
  return destination.id;
}

/**
 * To all of the plan's destinations, or to some. One of all that is not there (any more, or yet) is left out: the verdict names it.
 * Errors: 'not-found', 'usage' for a destination that is none of the plan's.
 */
function runPlan(p: RouterParts, id: string, only: readonly string[] | undefined): Run[] {
  const plan = planNamed(p.store, id);
  const foreign = only?.find((destinationId) => !plan.destinations.includes(destinationId));
  if (foreign !== undefined) {
    throw new EngineError('usage', `“${plan.name}” does not back up to that destination.`);
  }
  const there = plan.destinations.filter((destinationId) => p.store.destinations.get(destinationId));
  const wanted = [...new Set(only ?? (there.length > 0 ? there : plan.destinations))];
  // All are looked up before any is started.
  const tasks = wanted.map((destinationId) => known(p, destinationId));
  return tasks.map((destinationId) => p.start({ kind: 'backup', planId: id, destinationId }));
}

function channelNamed({ store }: RouterParts, id: string): Channel {
  const found = store.channels.get(id);
  if (!found) throw new EngineError('not-found', 'There is no such channel any more.');
  return found;
}

async function putChannel(
  p: RouterParts,
  id: string,
  {
    secret,
    ...said
  }: Omit<Channel, 'id' | 'hasSecret' | 'lastResult'> & { readonly secret?: string | undefined },
): Promise<Channel> {
  const before = p.store.channels.get(id);
  if (secret !== undefined) {
    if (secret === '') await p.secrets.remove(`channel:${id}`);
    else await p.secrets.set(`channel:${id}`, secret);
  }
  const hasSecret = secret === undefined ? (before?.hasSecret ?? false) : secret !== '';
  const channel = Channel.parse({ ...said, id, hasSecret, lastResult: null });
  p.store.channels.put(channel);
  return channel;
}
