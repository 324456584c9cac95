/**
 * A host without a repository: plans, destinations and runs in memory, behind the real contract. Runs do what a test tells
 * them to. For the tests of whoever talks to a host.
 */
import { randomUUID } from 'node:crypto';
import { implement } from '@orpc/server';
import { contract } from '../../src/api/contract.ts';
import { EngineError } from '../../src/api/errors.ts';
import { type Alert, Channel } from '../../src/api/model/alert.ts';
import { Destination, type StorageFacts } from '../../src/api/model/destination.ts';
import type { HostEvent } from '../../src/api/model/event.ts';
import { Plan, type PlanStatus } from '../../src/api/model/plan.ts';
import type { LogLine, Problem, Run, Task } from '../../src/api/model/run.ts';
import type { Status } from '../../src/api/model/status.ts';
import { serveInProcess } from '../../src/transport/in-process.ts';
import { EventHub } from '../../src/transport/latest.ts';
import { backupRunOf, destinationOf } from './host-values.ts';

export interface FakeHostOptions {
  readonly plans?: readonly Plan[];
  readonly destinations?: readonly Destination[];
  readonly runs?: readonly Run[];
  readonly alerts?: readonly Alert[];
  /** One for the desktop can't be told anything, all others can. */
  readonly channels?: readonly Channel[];
  readonly status?: Partial<Status>;
  /** Called for each run that is started; what it yields is told to the listeners, one event after the other. */
  readonly onRun?: (run: Run) => AsyncIterable<HostEvent> | Iterable<HostEvent>;
  /** Locations that are opened by nothing but this login. */
  readonly logins?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whom a sign-in in the browser leads to; without one it is refused. */
  readonly account?: string;
  /** What is found at a location beyond its files. */
  readonly facts?: Readonly<Record<string, StorageFacts>>;
  /** The question that a server asks at a location, until its fingerprint comes as `hostKey`. */
  readonly fingerprints?: Readonly<Record<string, string>>;
  /** Locations that hold a repository, and its password. */
  readonly repositories?: Readonly<Record<string, string>>;
  readonly problems?: readonly Problem[];
  readonly log?: readonly LogLine[];
}

interface Entry {
  readonly login?: Readonly<Record<string, string>> | undefined;
  readonly signInId?: string | undefined;
}

export const RECOVERY_KEY =
  'abandon ability able about above absent absorb abstract absurd abuse access accident';

export function fakeHost(o: FakeHostOptions = {}) {
  const os = implement(contract);
  const plans = new Map((o.plans ?? []).map((plan) => [plan.id, plan]));
  const destinations = new Map((o.destinations ?? []).map((d) => [d.id, d]));
  const runs = new Map((o.runs ?? []).map((run) => [run.id, run]));
  let hub = new EventHub();
  let subscriptions = 0;
  const channels = new Map((o.channels ?? []).map((channel) => [channel.id, channel]));
  const calls: { readonly name: string; readonly input: unknown }[] = [];
  const signIns = new Set<string>();
  const imported: unknown[] = [];

  function tell(event: HostEvent): void {
    if (event.kind === 'run') runs.set(event.run.id, event.run);
    hub.publish(event);
  }

  function note(name: string, input: unknown): void {
    calls.push({ name, input });
  }

  function statusOf(plan: Plan): PlanStatus {
    const mine = [...runs.values()].filter((run) => run.planId === plan.id);
    const lastSuccess = plan.destinations.flatMap((destinationId) => {
      const run = mine.find((r) => r.destinationId === destinationId && r.state === 'succeeded');
      return run === undefined
        ? []
        : [{ destinationId, at: run.startedAt ?? 0, runId: run.id, snapshotId: null }];
    });
    return {
      plan,
      nextAt: null,
      lastSuccess,
      lastRunId: mine[0]?.id ?? null,
      waitingFor: null,
      waitingCode: null,
    };
  }

  let pause = o.status?.pause ?? null;
  const status = (): Status => ({
    at: 0,
    version: '0',
    hostname: 'box',
    verdict: { state: 'none', reasons: [] },
    lastBackupAt: null,
    nextBackupAt: null,
    running: [],
    queued: [],
    ...o.status,
    pause,
  });

  function start(task: Task): Run {
    const destinationId = 'destinationId' in task ? task.destinationId : task.request.destinationId;
    const planId = task.kind === 'backup' ? task.planId : null;
    const run = backupRunOf(planId ?? '', destinationId, {
      task,
      planId,
      planName: planId === null ? null : (plans.get(planId)?.name ?? null),
      destinationName: destinations.get(destinationId)?.name ?? null,
      trigger: 'manual',
      state: 'queued',
      startedAt: null,
      endedAt: null,
    });
    runs.set(run.id, run);
    void play(run);
    return run;
  }

  async function play(run: Run): Promise<void> {
    // After the answer to whoever started it.
    await new Promise((resolve) => setImmediate(resolve));
    for await (const event of o.onRun?.(run) ?? [ended(run)]) tell(event);
  }

  const found = <T>(items: ReadonlyMap<string, T>, id: string): T => {
    const item = items.get(id);
    if (item === undefined) throw new EngineError('not-found', 'There is no such thing.');
    return item;
  };

  function testOf(location: string, password: string | undefined, entry: Entry = {}) {
    const right = o.repositories?.[location];
    const wrong = right !== undefined && password !== undefined && password !== right;
    const refused = refusal(location, entry);
    const error = refused ?? (wrong ? new EngineError('wrong-password', 'That is not the password.') : null);
    return {
      repository: right !== undefined && refused === null,
      writable: refused === null,
      space: null,
      facts: o.facts?.[location] ?? null,
      problem: error?.toWire() ?? null,
    };
  }

  /** Why the storage at a location lets nobody in; null: it does. */
  function refusal(location: string, { login = {}, signInId }: Entry): EngineError | null {
    const { hostKey, ...said } = login;
    const fingerprint = o.fingerprints?.[location];
    if (fingerprint !== undefined && hostKey !== fingerprint) {
      const context = { fingerprint, changed: hostKey !== undefined };
      return new EngineError('host-unverified', 'The server is not known yet.', { context });
    }
    const right = o.logins?.[location];
    if (right === undefined || (signInId !== undefined && signIns.has(signInId))) return null;
    const same = Object.entries(right).every(([name, value]) => said[name] === value);
    return same ? null : new EngineError('auth-expired', 'The login is not accepted.');
  }

  function enter(destination: Destination, entry: Entry): Destination {
    const refused = refusal(destination.location, entry);
    if (refused) throw refused;
    const seen = { ...destination, problem: null };
    destinations.set(seen.id, seen);
    tell({ kind: 'destination', destination: seen });
    return seen;
  }

  function withDisks(id: string, change: (disks: Destination['disks']) => Destination['disks']): Destination {
    const before = found(destinations, id);
    const destination = { ...before, disks: change(before.disks) };
    destinations.set(id, destination);
    tell({ kind: 'destination', destination });
    return destination;
  }

  const router = os.router({
    system: {
      status: os.system.status.handler(status),
      pause: os.system.pause.handler(({ input }) => {
        pause = input;
        return status();
      }),
      resume: os.system.resume.handler(() => {
        pause = null;
        return status();
      }),
      setConditions: os.system.setConditions.handler(() => ({})),
      wake: os.system.wake.handler(() => ({})),
      events: os.system.events.handler(async function* ({ signal }) {
        subscriptions++;
        yield* hub.subscribe(signal, [{ kind: 'status', status: status() }]);
      }),
    },
    computer: {
      folder: os.computer.folder.handler(() => refuse()),
      makeFolder: os.computer.makeFolder.handler(() => refuse()),
      disks: os.computer.disks.handler(() => []),
      suggestions: os.computer.suggestions.handler(() => refuse()),
    },
    plans: {
      list: os.plans.list.handler(() => [...plans.values()].map(statusOf)),
      get: os.plans.get.handler(({ input }) => statusOf(found(plans, input.id))),
      create: os.plans.create.handler(({ input }) => {
        const plan = Plan.parse({ ...input, id: randomUUID(), createdAt: 0, updatedAt: 0 });
        plans.set(plan.id, plan);
        return plan;
      }),
      update: os.plans.update.handler(({ input }) => {
        const plan = Plan.parse({ ...found(plans, input.id), ...input });
        plans.set(plan.id, plan);
        return plan;
      }),
      remove: os.plans.remove.handler(({ input }) => {
        found(plans, input.id);
        plans.delete(input.id);
        return {};
      }),
      run: os.plans.run.handler(({ input }) =>
        (input.destinationIds ?? found(plans, input.id).destinations).map((destinationId) =>
          start({ kind: 'backup', planId: input.id, destinationId }),
        ),
      ),
      testRule: os.plans.testRule.handler(() => refuse()),
      preview: os.plans.preview.handler(() => refuse()),
      upcoming: os.plans.upcoming.handler(() => []),
    },
    destinations: {
      list: os.destinations.list.handler(() => [...destinations.values()]),
      get: os.destinations.get.handler(({ input }) => found(destinations, input.id)),
      add: os.destinations.add.handler(({ input: { password, login, signInId, ...settings } }) => {
        note('destinations.add', {
          password,
          ...settings,
          ...(login ? { login } : {}),
          ...(signInId ? { signInId } : {}),
        });
        const refused = refusal(settings.location, { login, signInId });
        if (refused) throw refused;
        const right = o.repositories?.[settings.location];
        if (right !== undefined && right !== password) {
          throw new EngineError('wrong-password', 'That is not the password.');
        }
        const { warnBelowBytes, ...said } = settings;
        const destination = destinationOf({
          ...said,
          ...(warnBelowBytes === undefined ? {} : { warnBelowBytes }),
        });
        destinations.set(destination.id, destination);
        return { destination, recoveryKey: right === undefined ? RECOVERY_KEY : null, restoredPlans: 0 };
      }),
      update: os.destinations.update.handler(({ input }) => {
        const changed = Destination.parse({ ...found(destinations, input.id), ...input });
        destinations.set(changed.id, changed);
        return changed;
      }),
      remove: os.destinations.remove.handler(({ input }) => {
        const used = [...plans.values()].find((plan) => plan.destinations.includes(input.id));
        if (used !== undefined) throw new EngineError('conflict', `“${used.name}” uses it.`);
        destinations.delete(input.id);
        return {};
      }),
      test: os.destinations.test.handler(({ input }) => testOf(input.location, input.password, input)),
      signIn: os.destinations.signIn.handler(({ input }) => {
        note('destinations.signIn', input);
        const signInId = randomUUID();
        return { signInId, url: `https://sign-in.example/${input.kind}?state=${signInId}` };
      }),
      signedIn: os.destinations.signedIn.handler(({ input }) => {
        note('destinations.signedIn', input);
        if (o.account === undefined) throw new EngineError('auth-expired', 'The sign-in was refused.');
        signIns.add(input.signInId);
        return { account: o.account };
      }),
      setLogin: os.destinations.setLogin.handler(({ input }) => {
        note('destinations.setLogin', input);
        return enter(found(destinations, input.id), input);
      }),
      addDisk: os.destinations.addDisk.handler(({ input }) => {
        note('destinations.addDisk', input);
        return withDisks(input.id, (disks) => [...disks, diskAt(input.path, disks.length)]);
      }),
      removeDisk: os.destinations.removeDisk.handler(({ input }) => {
        note('destinations.removeDisk', input);
        return withDisks(input.id, (disks) => disks.filter(({ uuid }) => uuid !== input.uuid));
      }),
      eject: os.destinations.eject.handler(({ input }) => {
        note('destinations.eject', input);
        return withDisks(input.id, (disks) => disks.map((disk) => ({ ...disk, mountPoint: null })));
      }),
      retest: os.destinations.retest.handler(({ input }) =>
        testOf(found(destinations, input.id).location, undefined),
      ),
      setPassword: os.destinations.setPassword.handler(({ input }) => found(destinations, input.id)),
      check: os.destinations.check.handler(({ input }) =>
        start({ kind: 'check', destinationId: input.id, percent: input.percent }),
      ),
      cleanUp: os.destinations.cleanUp.handler(({ input }) =>
        start({ kind: 'cleanup', destinationId: input.id }),
      ),
      copy: os.destinations.copy.handler(() => refuse()),
      trend: os.destinations.trend.handler(() => []),
      recoveryKit: os.destinations.recoveryKit.handler(({ input }) => ({
        html: `<h1>${found(destinations, input.id).name}</h1>`,
      })),
    },
    versions: {
      list: os.versions.list.handler(() => []),
      entries: os.versions.entries.handler(() => []),
      folder: os.versions.folder.handler(() => refuse()),
      search: os.versions.search.handler(() => refuse()),
      catalog: os.versions.catalog.handler(() => refuse()),
      timeline: os.versions.timeline.handler(() => refuse()),
      preview: os.versions.preview.handler(() => refuse()),
      compare: os.versions.compare.handler(() => refuse()),
      estimate: os.versions.estimate.handler(() => refuse()),
    },
    runs: {
      list: os.runs.list.handler(({ input }) => {
        note('runs.list', input);
        return [...runs.values()].reverse().slice(0, input.limit);
      }),
      get: os.runs.get.handler(({ input }) => found(runs, input.id)),
      log: os.runs.log.handler(() => [...(o.log ?? [])]),
      problems: os.runs.problems.handler(({ input }) => (o.problems ?? []).slice(0, input.limit)),
      restore: os.runs.restore.handler(() => refuse()),
      cancel: os.runs.cancel.handler(({ input }) => {
        const run: Run = { ...found(runs, input.id), state: 'cancelled', endedAt: 1 };
        tell({ kind: 'run', run });
        return run;
      }),
      again: os.runs.again.handler(({ input }) => start(found(runs, input.id).task)),
    },
    alerts: {
      list: os.alerts.list.handler(() => [...(o.alerts ?? [])]),
      channels: os.alerts.channels.handler(() => [...channels.values()]),
      addChannel: os.alerts.addChannel.handler(({ input: { secret, ...said } }) => {
        note('alerts.addChannel', { secret, ...said });
        const hasSecret = secret !== undefined;
        const channel = Channel.parse({ ...said, id: randomUUID(), hasSecret, lastResult: null });
        channels.set(channel.id, channel);
        return channel;
      }),
      updateChannel: os.alerts.updateChannel.handler(({ input: { secret, id, ...said } }) => {
        note('alerts.updateChannel', { id, secret, ...said });
        const before = found(channels, id);
        const hasSecret = secret === undefined ? before.hasSecret : secret !== '';
        const channel = Channel.parse({ ...said, id, hasSecret, lastResult: null });
        channels.set(id, channel);
        return channel;
      }),
      removeChannel: os.alerts.removeChannel.handler(({ input }) => {
        found(channels, input.id);
        channels.delete(input.id);
        return {};
      }),
      testChannel: os.alerts.testChannel.handler(({ input }) => {
        const { name, target } = found(channels, input.id);
        return target.kind === 'desktop'
          ? { ok: false, message: 'There is no desktop here.' }
          : { ok: true, message: `${name} has taken the message.` };
      }),
    },
    settings: {
      get: os.settings.get.handler(() => refuse()),
      update: os.settings.update.handler(() => refuse()),
    },
    config: {
      export: os.config.export.handler(() => ({ yaml: 'version: 1\n' })),
      import: os.config.import.handler(({ input }) => {
        imported.push(input);
        return { created: 2, updated: 1 };
      }),
    },
  });
  const faults: unknown[] = [];
  const client = serveInProcess(router, { onFault: (e) => faults.push(e) });
  return {
    client,
    plans,
    destinations,
    runs,
    channels,
    calls,
    imported,
    faults,
    tell,
    subscriptions: () => subscriptions,
    listeners: () => hub.listeners,
    /** Ends every stream of events, as a lost connection does. */
    disconnect: () => {
      hub.close();
      hub = new EventHub();
    },
  };
}

function diskAt(path: string, nr: number): Destination['disks'][number] {
  return {
    uuid: `disk-${nr}`,
    label: `Disk ${nr}`,
    capacity: 1e12,
    folder: 'Holdfast',
    repositoryId: String(nr).repeat(64).slice(0, 64),
    lastSeenAt: 0,
    mountPoint: path,
  };
}

/** The run at its good end. */
export function ended(run: Run, said: Partial<Run> = {}): HostEvent {
  return { kind: 'run', run: { ...run, state: 'succeeded', startedAt: 0, endedAt: 7000, ...said } };
}

function refuse(): never {
  throw new EngineError('unsupported', 'The fake host does not do this.');
}
