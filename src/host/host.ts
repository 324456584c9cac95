/**
 * The host: all rooms put together over one data folder, behind the contract.
 *
 * alone    for one command of the command line: plans are not run by schedule, nothing is continued
 * embedded the destination in the data folder itself, so that a first backup needs no set-up
 * look     what is done every few minutes: alerts, free space, tidying up
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { type Alerts, createAlerts } from '../alerts/alerts.ts';
import type { DesktopNote } from '../alerts/ports.ts';
import {
  asEngineError,
  EngineError,
  type ErrorCode,
  isEngineError,
  messageOf,
  needsSignIn,
  type WireError,
} from '../api/errors.ts';
import { type ConnectionTest, type Destination, DestinationInput } from '../api/model/destination.ts';
import type { HostEvent } from '../api/model/event.ts';
import type { Plan } from '../api/model/plan.ts';
import { ENDED, type Run, type Task } from '../api/model/run.ts';
import { type Conditions, type Pause, Pause as PauseSchema, type Status } from '../api/model/status.ts';
import { cacheDirectory, identity } from '../fs/platform.ts';
import { keepPolicyOf } from '../rules/retention.ts';
import { compileRules } from '../rules/rule-set.ts';
import { selectionOf } from '../rules/selection.ts';
import { destinationIdsOf } from '../runs/aftermath.ts';
import { historyFromSnapshots } from '../runs/history.ts';
import { RunManager } from '../runs/runs.ts';
import { orLeave } from '../runs/stop.ts';
import type { Job, Outcome } from '../scheduler/ports.ts';
import { RunQueue } from '../scheduler/queue.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { decodeJobState, encodeJobState } from '../scheduler/state.ts';
import { expectNoneInKeychain, type KeychainPort, keychainSecrets } from '../secrets/keychain.ts';
import { addRecoveryKey } from '../secrets/recovery-key.ts';
import { recoveryKit } from '../secrets/recovery-kit.ts';
import { asRecoveryWords, newRecoveryWords } from '../secrets/recovery-words.ts';
import { fileKey, openSealedFile } from '../secrets/sealed-file.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { MetricsInput } from '../server/metrics.ts';
import { holdDataFolder } from '../store/data-lock.ts';
import { type DiaryStore, openStore } from '../store/sqlite.ts';
import type { Client } from '../transport/client.ts';
import { serveInProcess } from '../transport/in-process.ts';
import { EventHub, type EventStream } from '../transport/latest.ts';
import { fromText } from '../util/byte-string.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { accountAt, probe, spaceOfRepository, toldAt } from './asking.ts';
import { AttachedDisks } from './attached-disks.ts';
import { createAt, openAt, tightest, tryOut } from './binding.ts';
import { type Computer, createComputer } from './computer.ts';
import { prepareDefaultRepository } from './default-repository.ts';
import {
  type Added,
  addDestination,
  type DestinationPorts,
  destinationNamed,
  passwordName,
  recoveryKeyOf,
  testDestination,
} from './destinations.ts';
import { jobsOf } from './jobs.ts';
import { ownOnly, passwordUnknown, setLogin, setPassword, testKnown } from './known.ts';
import { loginName, newPlaceAt, type Place, storedLogin } from './logins.ts';
import { createLooking, type Looking } from './looking.ts';
import { OpenedRepositories } from './opened.ts';
import { systemPatience } from './patience.ts';
import { createPeek, type Peek } from './peek.ts';
import { loadSettings, saveSettings } from './repository-settings.ts';
import { createRouter } from './router.ts';
import { SCHEMES } from './schemes.ts';
import { SharedPaces } from './shared-paces.ts';
import { SignIns } from './sign-ins.ts';
import { tlsOfEnv } from './tls-of-env.ts';
import { verdictOf } from './verdict.ts';

export interface HostOptions {
  /** Absolute. */
  readonly dataDir: string;
  /** Of Holdfast. */
  readonly version: string;
  /** By schedule, or alone for one command. */
  readonly mode: 'serve' | 'alone';
  readonly clock?: Clock;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The shell's; without it secrets lie in a sealed file. */
  readonly keychain?: KeychainPort;
  readonly desktop?: (note: DesktopNote) => void;
  /** Sentences without secrets. */
  readonly log: (level: 'info' | 'warning' | 'error', text: string) => void;
}

/** Timers take no more than 31 bits, and do not notice that the computer slept. */
const LONGEST_TIMER = 60_000;
const LOOK_MS = 5 * 60_000;
const STATUS_MS = 250;
const PROBE_MS = 60_000;
/** For what is written beside a repository; at the end of the program less. */
const SAVE_MS = 2 * 60_000;
const LAST_SAVES_MS = 10_000;
const REMOTE_SPACE_MS = 3_600_000;
const MOST_RUNNING = 3;
const DAY_MS = 86_400_000;
const PAUSE = 'pause';
const UNSAVED = 'settings-unsaved:';
/** Problems that are over when a storage answers again. */
const OF_SILENCE: readonly ErrorCode[] = [
  'repository-missing',
  'not-found',
  'unreachable',
  'timeout',
  'permission',
  'io',
];
const PROBLEM_SINCE = 'problem-since:';
const INTERRUPTED = 'interrupted-runs';
/** A run that was interrupted so often may be what ends the process. */
const MOST_TRIES = 5;
const FAR = 500;

/** Errors: 'locked' where another host holds the data folder, and those of the diary and of the secret store. */
export async function openHost(o: HostOptions): Promise<Host> {
  const release = holdDataFolder(o.dataDir);
  try {
    const secrets = await openSecrets(o);
    const clock = o.clock ?? systemClock;
    const onProblem = (sentence: string) => o.log('warning', sentence);
    const store = openStore(path.join(o.dataDir, 'holdfast.db'), { clock, onProblem });
    return await begun(() => new Host(o, store, secrets, release), store);
  } catch (e) {
    release();
    throw e;
  }
}

async function begun(make: () => Host, store: DiaryStore): Promise<Host> {
  let host: Host | undefined;
  try {
    host = make();
    await host.begin();
    return host;
  } catch (e) {
    if (host) await host.close();
    else store.close();
    throw e;
  }
}

/** Secrets stay where they are: a folder with a sealed file keeps it, and one whose secrets the keychain seals gets none beside. */
async function openSecrets(o: HostOptions): Promise<Secrets> {
  const inKeychain = path.join(o.dataDir, 'secrets.keychain.json');
  const sealed = path.join(o.dataDir, 'secrets.sealed');
  if (o.keychain) return keychainSecrets(o.keychain, inKeychain);
  if (!existsSync(sealed)) await expectNoneInKeychain(inKeychain);
  const key = await fileKey({ env: o.env ?? process.env, keyFile: path.join(o.dataDir, 'secrets.key') });
  return openSealedFile(sealed, key);
}

export class Host {
  readonly store: DiaryStore;
  readonly secrets: Secrets;
  readonly hub = new EventHub();
  readonly router: ReturnType<typeof createRouter>;
  /** The contract in this process. */
  readonly client: Client;
  readonly #o: HostOptions;
  readonly #clock: Clock;
  readonly #hostname = identity().hostname;
  readonly #queue = new RunQueue({ maxRunning: MOST_RUNNING });
  readonly #runs: RunManager;
  readonly #scheduler: Scheduler;
  readonly #alerts: Alerts;
  readonly #opened: OpenedRepositories;
  readonly #looking: Looking;
  readonly #peek: Peek;
  readonly #computer: Computer;
  readonly #disks: AttachedDisks;
  readonly #signIns: SignIns;
  readonly #paces: SharedPaces;
  readonly #release: () => void;
  readonly #stop = new AbortController();
  readonly #background = new Set<Promise<void>>();
  /** Runs whose beginning monitors have heard of. */
  readonly #begun = new Set<string>();
  /** When remote destinations are next asked how much room they have. */
  readonly #spaceAskAt = new Map<string, number>();
  /** Questions under way to destinations, and looks around. */
  #asking = 0;
  #conditions: Conditions = { onBattery: null, metered: null, online: null };
  #shownStatus = '';
  /** When it was last told, and whether it is about to be. */
  #statusAt = 0;
  #statusDue = false;
  /** Ends the waiting for the end of a pause. */
  #pauseEnd = new AbortController();
  /** Destinations are made one after the other. */
  #making: Promise<unknown> = Promise.resolve();
  #life: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(o: HostOptions, store: DiaryStore, secrets: Secrets, release: () => void) {
    this.#o = o;
    this.#clock = o.clock ?? systemClock;
    this.store = store;
    this.secrets = secrets;
    this.#release = release;
    this.#opened = new OpenedRepositories((id, signal) => this.#openById(id, signal), this.#clock);
    const versions = (id: string, signal?: AbortSignal) => this.#opened.versions(id, signal);
    this.#looking = createLooking({
      folder: path.join(o.dataDir, 'catalogs'),
      versions,
      nameOf: (id) => this.#catalogName(id),
      onState: (catalog) => this.hub.publish({ kind: 'catalog', catalog }),
      log: o.log,
    });
    this.#peek = createPeek({
      clock: this.#clock,
      hostname: this.#hostname,
      versions,
      lastRate: (id) => this.#lastRestoreRate(id),
    });
    this.#computer = createComputer({
      home: homedir(),
      env: o.env ?? process.env,
      plans: () => store.plans.list(),
      destinations: () => store.destinations.list(),
    });
    this.#paces = new SharedPaces(this.#clock);
    this.#signIns = new SignIns({
      schemes: SCHEMES,
      clock: this.#clock,
      env: this.#env,
      newId: randomUUID,
      accountOf: (kind, options, login, signal) =>
        accountAt(kind, { ...newPlaceAt('', options, login), ...this.#reaching }, signal),
    });
    this.#disks = this.#makeDisks();
    this.#alerts = createAlerts({
      alerts: store.alerts,
      channels: {
        ...store.channels,
        // How the last message went is noted there, and shown by windows.
        put: (channel) => {
          store.channels.put(channel);
          this.hub.publish({ kind: 'channels' });
        },
      },
      secrets,
      clock: this.#clock,
      hostname: this.#hostname,
      desktop: o.desktop,
      onChange: (alert) => this.hub.publish({ kind: 'alert', alert }),
      log: (sentence) => o.log('warning', sentence),
    });
    this.#runs = this.#makeRuns();
    this.#scheduler = this.#makeScheduler();
    this.router = this.#makeRouter();
    const onFault = (e: unknown, call: readonly string[]) =>
      o.log('error', `${call.join('.')}: ${messageOf(e)}`);
    this.client = serveInProcess(this.router, { onFault });
  }

  /** Marks what a killed process left, then begins to live by the schedule. */
  async begin(): Promise<void> {
    this.#runs.recover();
    if (this.#o.mode === 'alone') return;
    if (this.store.destinations.list().length === 0) await this.#addEmbedded();
    this.#reviewQueue();
    this.#continue();
    this.#scheduler.start();
    this.#life = Promise.all([this.#lookAround(), this.#disks.watch(this.#stop.signal)]).then(() => {});
  }

  /** What Prometheus reads. */
  metrics(): MetricsInput {
    const { plans, destinations } = this.store;
    const known = destinations.list();
    return {
      now: this.#clock.now(),
      version: this.#o.version,
      backups: plans
        .list()
        .flatMap((plan) =>
          known
            .filter(({ id }) => plan.destinations.includes(id))
            .map((destination) => this.#backupMetrics(plan, destination)),
        ),
      destinations: known.map(({ id, name, space }) => ({
        id,
        name,
        freeBytes: space?.free ?? null,
        totalBytes: space?.total ?? null,
      })),
    };
  }

  status(): Status {
    const { plans, destinations, settings } = this.store;
    const list = plans.list();
    const running = this.#runs.running();
    const jobs = this.#scheduler.plans();
    const next = list.flatMap((plan) =>
      plan.destinations.map((id) => jobs.get(`backup:${plan.id}:${id}`)?.nextAt ?? null),
    );
    return {
      at: this.#clock.now(),
      version: this.#o.version,
      hostname: this.#hostname,
      verdict: verdictOf({
        now: this.#clock.now(),
        plans: list,
        destinations: destinations.list(),
        pause: this.#pause(),
        alertAfterDays: settings.get().alertAfterDays,
        lastSuccess: (planId, destinationId) => this.store.runs.lastSuccess(planId, destinationId),
        lastEnded: (planId, destinationId) => this.#lastBackup(planId, destinationId),
      }),
      pause: this.#pause(),
      lastBackupAt: this.#lastBackupAt(list),
      nextBackupAt: least(next),
      running: running.filter((run) => run.state === 'running').map((run) => run.id),
      queued: running.filter((run) => run.state === 'queued').map((run) => run.id),
    };
  }

  /** Plan by plan, which an index answers at once; else many failures would be read to find one success. */
  #lastBackupAt(plans: readonly Plan[]): number | null {
    const { runs } = this.store;
    const good = plans.flatMap((plan) => plan.destinations.map((id) => runs.lastSuccess(plan.id, id)));
    const known = good.filter((run) => run !== undefined);
    const past = { kinds: ['backup'], states: ['succeeded', 'warnings'], limit: 1 } as const;
    const times = (known.length > 0 ? known : runs.list(past)).map((run) => run.startedAt ?? run.queuedAt);
    return times.length > 0 ? Math.max(...times) : null;
  }

  /** Whether anything is under way: runs, questions to destinations, what is written beside repositories. */
  get busy(): boolean {
    return this.#runs.running().length > 0 || this.#background.size > 0 || this.#asking > 0;
  }

  /** Resolves when no message is on its way to anybody. */
  told(): Promise<void> {
    return this.#alerts.settled();
  }

  /** Lets the current packs get through, notes what was interrupted, and lets go of the data folder. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#scheduler.stop();
      await this.#runs.shutdown();
      await this.#scheduler.ended();
      await this.#lastSaves();
      this.#stop.abort(
        new EngineError('cancelled', 'Holdfast is shutting down.', { context: { reason: 'shutdown' } }),
      );
      await Promise.allSettled([...this.#background, this.#life]);
      this.#signIns.close();
      await this.#looking.close();
      await this.#opened.close();
      await this.#alerts.close();
    } finally {
      this.hub.close();
      try {
        this.store.close();
      } finally {
        this.#release();
      }
    }
  }

  /** Plans are saved beside their repositories before the end, if these answer; else after the next run there. */
  async #lastSaves(): Promise<void> {
    const over = new AbortController();
    const patience = this.#clock.sleep(LAST_SAVES_MS, over.signal).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#background), patience]);
    over.abort();
  }

  // ---- runs

  #makeRuns(): RunManager {
    const { secrets, store } = this;
    return new RunManager({
      store,
      secrets,
      clock: this.#clock,
      queue: this.#queue,
      version: this.#o.version,
      hostname: this.#hostname,
      newId: randomUUID,
      emit: (event) => this.#heard(event),
      settings: () => store.settings.get(),
      paused: () => this.#isPaused(),
      openRepository: (destination, open) => this.#openOwn(destination, open),
      selectionOf: (plan, onWarning) =>
        selectionOf(compileRules(plan.sources, plan.rules, { onWarning, ownFolders: this.#ownFolders() })),
      keepPolicyOf,
      spaceOf: async (destination) =>
        destination.kind === 'local'
          ? (await toldAt(await this.#place(destination), this.#clock.now())).space
          : null,
      explain: (task, error) => this.#disks.explain(task, error),
      ownFolders: [this.#o.dataDir, cacheDirectory()],
      env: this.#o.env ?? process.env,
    });
  }

  #ownFolders() {
    return [this.#o.dataDir, cacheDirectory()].map((folder) => fromText(folder));
  }

  #heard(event: HostEvent): void {
    this.hub.publish(event);
    if (event.kind !== 'run') return;
    const { run } = event;
    if (run.state === 'running' && !this.#begun.has(run.id)) {
      this.#begun.add(run.id);
      this.#apart(() => this.#alerts.runStarted(run, run.planName ?? ''));
    }
    if (ENDED.includes(run.state)) this.#ended(run);
    this.#statusChanged();
  }

  /** What is done beside a run must not harm it: its failure (a full disk under the diary, say) is noted, and that is all. */
  #apart(work: () => void): void {
    try {
      work();
    } catch (e) {
      this.#o.log('error', messageOf(e));
    }
  }

  #ended(run: Run): void {
    this.#begun.delete(run.id);
    this.#opened.changed();
    for (const id of destinationIdsOf(run.task)) this.#looking.changed(id);
    if (run.state === 'interrupted') this.#apart(() => this.#noteInterrupted(run));
    this.#apart(() => this.#alerts.runEnded(run));
    if (needsSignIn(run.error)) this.#apart(() => this.#noteSince(run.destinationId));
    // The run has asked anew how much room there is.
    for (const id of destinationIdsOf(run.task)) this.#apart(() => this.#sampleSpace(id));
    this.#apart(() => this.#tellDestination(run));
    // After the settings, which are saved there first.
    this.#inBackground(this.#disks.ended(run));
  }

  #tellDestination(run: Run): void {
    if (run.destinationId === null) return;
    const destination = this.store.destinations.get(run.destinationId);
    if (destination) this.hub.publish({ kind: 'destination', destination });
    if (run.state === 'succeeded' || run.state === 'warnings') this.#saveSettingsSoon(run.destinationId);
  }

  #start(task: Task, previousId: string | null = null): Run {
    const { run, ended } = this.#runs.start({ task, trigger: 'manual', attempt: 1, previousId });
    this.#adopt(run, ended);
    return run;
  }

  /** A backup by hand makes up for one that is due. It goes on even where that can't be noted. */
  #adopt({ queuedAt, task }: Run, run: Promise<Run>): void {
    const ended = run.then(outcomeOf);
    // Nobody listens to it where the scheduler does not take it.
    ended.catch(() => undefined);
    this.#apart(() => {
      const job = this.#jobs().find((one) => sameTask(one.task, task));
      if (job) this.#scheduler.adopt(job.key, { queuedAt, attempt: 1, ended });
    });
  }

  #again(id: string): Run {
    const { run, ended } = this.#runs.again(id);
    this.#adopt(run, ended);
    return run;
  }

  #lastBackup(planId: string, destinationId: string): Run | undefined {
    return this.store.runs.list({ kinds: ['backup'], states: ENDED, planId, destinationId, limit: 1 })[0];
  }

  /** Kept until a host lives by its schedule again: one for a single command in between continues nothing. */
  #noteInterrupted({ id }: Run): void {
    const ids = new Set([...this.#interrupted(), id]);
    this.store.values.set(INTERRUPTED, JSON.stringify([...ids].slice(-FAR)));
  }

  #interrupted(): readonly string[] {
    return parsed(z.array(z.string()), this.store.values.get(INTERRUPTED)) ?? [];
  }

  /**
   * What no schedule knows of is continued here, each task once; the scheduler sees to the rest. A run that was continued
   * before the process was killed here is on record as the previous one of another.
   */
  #continue(): void {
    const jobs = this.#jobs().filter((job) => job.enabled);
    const continued = new Set(this.store.runs.list({ limit: FAR }).map((run) => run.previousId));
    const left = this.#interrupted().flatMap((id) => this.store.runs.get(id) ?? []);
    const newest = new Map(left.map((run) => [JSON.stringify(run.task), run]));
    for (const run of newest.values()) {
      const over = continued.has(run.id) || run.attempt >= MOST_TRIES;
      if (!over && !jobs.some((job) => sameTask(job.task, run.task))) this.#continueOne(run);
    }
    this.store.values.remove(INTERRUPTED);
  }

  #continueOne({ id, task, attempt }: Run): void {
    try {
      this.#runs.start({ task, trigger: 'continue', attempt: attempt + 1, previousId: id });
    } catch (e) {
      this.#o.log('warning', `A run that was interrupted can't be continued: ${messageOf(e)}`);
    }
  }

  // ---- schedule

  #jobs(): readonly Job[] {
    const { plans, destinations, values } = this.store;
    return jobsOf({ now: this.#clock.now(), plans: plans.list(), destinations: destinations.list(), values });
  }

  #makeScheduler(): Scheduler {
    const { values } = this.store;
    return new Scheduler({
      clock: this.#clock,
      random: this.#o.random ?? Math.random,
      jobs: () => this.#jobs(),
      state: (key) => decodeJobState(values.get(`job:${key}`)),
      setState: (key, state) => values.set(`job:${key}`, encodeJobState(state)),
      outcomeOf: (job, since) => this.#outcomeSince(job, since),
      conditions: () => this.#conditions,
      pause: () => this.#pause(),
      reachable: (id, signal) => this.#reachable(id, signal),
      waitsFor: (id) => waitOf(this.store.destinations.get(id)?.problem),
      start: (request) => this.#startJob(request.job, request),
      onChange: () => this.#statusChanged(),
    });
  }

  async #startJob(
    job: Job,
    o: { readonly trigger: Run['trigger']; readonly attempt: number; readonly previousRunId: string | null },
  ): Promise<Outcome> {
    try {
      const { trigger, attempt } = o;
      const previousId = o.previousRunId || null;
      return outcomeOf(await this.#runs.start({ task: job.task, trigger, attempt, previousId }).ended);
    } catch (e) {
      this.#o.log('error', `A scheduled run could not be carried out: ${messageOf(e)}`);
      // Either its plan or destination is gone, or the diary could not be written, which may be possible again later.
      const gone = isEngineError(e, 'not-found');
      return {
        runId: o.previousRunId ?? '',
        state: gone ? 'cancelled' : 'failed',
        transient: !gone,
        awaits: false,
      };
    }
  }

  #outcomeSince(job: Job, since: number): Outcome | undefined {
    const [destinationId] = job.destinationIds;
    const runs = this.store.runs.list({ kinds: [job.task.kind], destinationId, limit: FAR });
    const run = runs.find((one) => one.queuedAt >= since && sameTask(one.task, job.task));
    return run && ENDED.includes(run.state) ? outcomeOf(run) : undefined;
  }

  async #reachable(id: string, signal: AbortSignal): Promise<boolean> {
    const destination = this.store.destinations.get(id);
    if (!destination) return false;
    this.#asking++;
    try {
      const asked = { ms: PROBE_MS, signal };
      const place = await this.#place(destination);
      await systemPatience.ask(`probe ${id}`, asked, (over) => probe(place, over));
      this.#apart(() => this.#noteAnswer(id));
      return true;
    } catch (e) {
      if (!signal.aborted) this.#apart(() => this.#noteProblem(destination, asEngineError(e).toWire()));
      return false;
    } finally {
      this.#asking--;
    }
  }

  /** A storage that answers says nothing of passwords, damage or room. */
  #noteAnswer(id: string): void {
    const destination = this.store.destinations.get(id);
    if (destination?.problem && OF_SILENCE.includes(destination.problem.code))
      this.#noteProblem(destination, null);
  }

  /** A run has found that a sign-in is needed, and noted it at the destination. */
  #noteSince(id: string | null): void {
    if (id === null) return;
    if (this.store.values.get(PROBLEM_SINCE + id) === undefined)
      this.store.values.set(PROBLEM_SINCE + id, String(this.#clock.now()));
    this.#tellOfSignIn(null, this.store.destinations.get(id)?.problem ?? null);
  }

  #noteProblem({ id }: Destination, problem: WireError | null): void {
    const before = this.store.destinations.get(id);
    if (!before || (problem === null && before.problem === null)) return;
    const now = this.#clock.now();
    if (problem === null) this.store.values.remove(PROBLEM_SINCE + id);
    else if (before.problem === null) this.store.values.set(PROBLEM_SINCE + id, String(now));
    if (before.problem?.message === problem?.message) return;
    const destination = { ...before, problem, ...(problem === null ? { lastSeenAt: now } : {}) };
    this.store.destinations.put(destination);
    this.hub.publish({ kind: 'destination', destination });
    this.#tellOfSignIn(before.problem, problem);
    this.#statusChanged();
  }

  /** Of a login that is not accepted people hear at once, and so of its end. */
  #tellOfSignIn(before: WireError | null, now: WireError | null): void {
    if (this.#o.mode === 'serve' && needsSignIn(before) !== needsSignIn(now))
      this.#apart(() => this.#evaluateAlerts(this.#clock.now()));
  }

  /** Its storage lets us in again: what waited for that is begun, or continued. */
  #letIn({ id }: Destination): void {
    this.store.values.remove(PROBLEM_SINCE + id);
    this.#scheduler.letIn(id);
    this.#saveSettingsSoon(id);
    if (this.#o.mode === 'serve') this.#evaluateAlerts(this.#clock.now());
    this.#statusChanged();
  }

  #pause(): Pause | null {
    const pause = parsed(PauseSchema, this.store.values.get(PAUSE));
    if (pause?.until == null) return pause ?? null;
    return pause.until > this.#clock.now() ? pause : null;
  }

  /** The queue must go on whatever happens to the diary: what can't be read is no pause. */
  #isPaused(): boolean {
    try {
      return this.#pause() !== null;
    } catch {
      return false;
    }
  }

  #setPause(pause: Pause | null): Status {
    if (pause) this.store.values.set(PAUSE, JSON.stringify(pause));
    else this.store.values.remove(PAUSE);
    this.#wake();
    this.#reviewQueue();
    return this.status();
  }

  /** Runs that wait in the queue are held while there is a pause: now, and when it ends by itself. */
  #reviewQueue(): void {
    this.#pauseEnd.abort();
    this.#pauseEnd = new AbortController();
    this.#queue.review();
    const until = this.#pause()?.until;
    if (until == null) return;
    const signal = AbortSignal.any([this.#pauseEnd.signal, this.#stop.signal]);
    const ms = Math.min(LONGEST_TIMER, until - this.#clock.now());
    this.#clock.sleep(ms, signal).then(
      () =>
        this.#apart(() => {
          this.#reviewQueue();
          this.#statusChanged();
        }),
      () => undefined,
    );
  }

  #wake(): void {
    this.#scheduler.wake();
    this.#statusChanged();
  }

  /** Clients hear of it soon: what changes at once, or again within a moment, is told as one. */
  #statusChanged(): void {
    if (this.#statusDue || this.hub.listeners === 0 || this.#closing) return;
    this.#statusDue = true;
    void this.#tellStatusSoon();
  }

  async #tellStatusSoon(): Promise<void> {
    const left = Math.min(STATUS_MS, this.#statusAt + STATUS_MS - this.#clock.now());
    // Even where none is left, it is told only after what goes on now has been done.
    if (left > 0) await this.#clock.sleep(left, this.#stop.signal).catch(() => undefined);
    else await undefined;
    this.#statusDue = false;
    if (this.hub.listeners > 0 && !this.#closing) this.#apart(() => this.#tellStatus());
  }

  /** Told if it differs in more than its time. */
  #tellStatus(): Status {
    const status = this.status();
    this.#statusAt = status.at;
    const shown = JSON.stringify({ ...status, at: 0 });
    if (shown !== this.#shownStatus) this.hub.publish({ kind: 'status', status });
    this.#shownStatus = shown;
    return status;
  }

  /** All listeners have seen the same status, so that all hear of the next. */
  #subscribe(signal: AbortSignal | undefined): EventStream {
    const status = this.#tellStatus();
    return this.hub.subscribe(signal, [{ kind: 'status', status }]);
  }

  // ---- destinations

  get #env() {
    return this.#o.env ?? process.env;
  }

  #makeDisks(): AttachedDisks {
    const { store, secrets } = this;
    const at = (location: string) => ({ location, env: this.#env });
    const options = (signal?: AbortSignal) => (signal ? { signal } : {});
    return new AttachedDisks({
      store,
      secrets,
      clock: this.#clock,
      dataDir: this.#o.dataDir,
      systemDrive: this.#env.SystemDrive,
      open: (location, password, signal) => openAt(at(location), password, options(signal)),
      create: (location, password, chunkerPolynomial, signal) =>
        createAt(at(location), password, { ...options(signal), chunkerPolynomial }),
      addRecoveryKey: async (repository, key) => {
        await addRecoveryKey(repository, key);
      },
      changed: (destination) => this.hub.publish({ kind: 'destination', destination }),
      appeared: (destination) => this.#apart(() => this.#diskAppeared(destination)),
      gone: (destination) => this.#apart(() => this.#diskGone(destination)),
      running: () => this.#runs.running(),
      alone: (id, work) =>
        this.#queue.enqueue(`disk:${randomUUID()}`, [id], work, { signal: this.#stop.signal }),
      letGo: async (id) => {
        await this.#looking.settled(id);
        await this.#opened.drop(id);
      },
      log: this.#o.log,
    });
  }

  /** What waits for the disk is begun, or continued. */
  #diskAppeared(destination: Destination): void {
    const { id, problem } = destination;
    const over = problem && (problem.context?.disk !== undefined || OF_SILENCE.includes(problem.code));
    if (over) this.#noteProblem(destination, null);
    void this.#opened.renew(id);
    this.#looking.changed(id);
    this.#scheduler.connected(id);
    this.#saveSettingsSoon(id);
    this.#inBackground(this.#renewSpace(destination));
    this.#statusChanged();
  }

  #diskGone({ id }: Destination): void {
    void this.#opened.renew(id);
    this.#statusChanged();
  }

  /** Disks of a set hold repositories of their own, whose versions must not be mixed. */
  #catalogName(id: string): string {
    const destination = this.store.destinations.get(id);
    const repository = destination && this.#disks.repositoryId(destination);
    if (!repository || repository === destination.repositoryId) return id;
    return `${id}.${repository.slice(0, 16)}`;
  }

  /** What all places share. */
  get #reaching() {
    return { env: this.#env, tls: tlsOfEnv(this.#env) };
  }

  /** Where a destination is now, and what it takes to reach it. Errors: those of finding it. */
  async #place(destination: Destination): Promise<Place> {
    const { id, options } = destination;
    const location = await this.#disks.locate(destination);
    const login = storedLogin(this.secrets, loginName(id));
    return { location, options: new Map(Object.entries(options)), login, ...this.#reaching };
  }

  /** The destination's own repository, whatever else may lie at its place. */
  async #openOwn(destination: Destination, open: Parameters<typeof openAt>[2]) {
    const password = await this.secrets.get(passwordName(destination.id));
    if (password === undefined) throw passwordUnknown(destination);
    const paces = this.#paces.of(this.store.settings.get(), destination);
    const repository = await openAt(await this.#place(destination), password, { ...open, paces });
    const own = await ownOnly(repository, destination);
    await this.#disks.learn(destination, own);
    return own;
  }

  async #retest(destination: Destination, signal: AbortSignal | undefined): Promise<ConnectionTest> {
    this.#asking++;
    try {
      const test = await testKnown(this.#destinationPorts(), destination, signal);
      this.#apart(() => {
        this.#noteProblem(destination, test.problem);
        const known = this.store.destinations.get(destination.id);
        if (test.facts && known) {
          const renewed = { ...known, facts: test.facts };
          this.store.destinations.put(renewed);
          this.hub.publish({ kind: 'destination', destination: renewed });
        }
        if (test.problem === null && needsSignIn(destination.problem)) this.#letIn(destination);
      });
      return test;
    } finally {
      this.#asking--;
    }
  }

  async #openById(id: string, signal: AbortSignal) {
    const destination = destinationNamed(this.store, id);
    const { uploadLimit, downloadLimit } = destination;
    const limits = tightest([{ upload: uploadLimit ?? 0, download: downloadLimit ?? 0 }]);
    return this.#openOwn(destination, { limits, signal });
  }

  #destinationPorts(): DestinationPorts {
    const { store, secrets } = this;
    const options = (signal?: AbortSignal) => (signal ? { signal } : {});
    return {
      store,
      secrets,
      hostname: this.#hostname,
      now: () => this.#clock.now(),
      newId: randomUUID,
      placeOf: (destination) => this.#place(destination),
      open: (place, password, signal) => openAt({ ...this.#reaching, ...place }, password, options(signal)),
      create: (place, password, signal) =>
        createAt({ ...this.#reaching, ...place }, password, options(signal)),
      newRecoveryKey: newRecoveryWords,
      asRecoveryKey: asRecoveryWords,
      addRecoveryKey: async (repository, key) => {
        await addRecoveryKey(repository, key);
      },
      loadSettings: (repository) =>
        loadSettings(repository, { onProblem: (e) => this.#o.log('warning', e.message) }),
      history: async (repository, destination) => {
        const snapshots = await repository.snapshots({ onDamaged: () => {} });
        const planName = (id: string) => store.plans.get(id)?.name;
        return historyFromSnapshots(snapshots, { destination, hostname: this.#hostname, planName });
      },
      toldAt: (place, signal) => toldAt({ ...this.#reaching, ...place }, this.#clock.now(), signal),
      tryOut: (place, password, signal) =>
        tryOut({ ...this.#reaching, ...place }, password, this.#clock.now(), signal),
    };
  }

  /** Bytes a second of the newest restore from there that wrote anything. */
  #lastRestoreRate(destinationId: string): number | null {
    const past = { kinds: ['restore'], states: ['succeeded', 'warnings'], destinationId, limit: 20 } as const;
    for (const { startedAt, endedAt, report } of this.store.runs.list(past)) {
      if (report?.kind !== 'restore' || report.bytesWritten === 0 || !startedAt || !endedAt) continue;
      return report.bytesWritten / Math.max(0.1, (endedAt - startedAt) / 1000);
    }
    return null;
  }

  async #addEmbedded(): Promise<void> {
    try {
      const { location, password } = await prepareDefaultRepository(this.#o.dataDir);
      const input = { name: 'This computer', location };
      await addDestination(this.#destinationPorts(), DestinationInput.parse(input), password, {
        embedded: true,
      });
    } catch (e) {
      // Whoever has no room for it can still add others.
      if (!isEngineError(e)) throw e;
      this.#o.log('warning', `The destination on this computer could not be made: ${e.message}`);
    }
  }

  /** Two who make a repository at one place at the same time would spoil it for each other. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#making.then(work);
    this.#making = result.catch(() => undefined);
    return result;
  }

  async #recoveryKit({ id }: Destination): Promise<string> {
    const key = await this.#oneByOne(() => recoveryKeyOf(this.#destinationPorts(), id));
    const destination = destinationNamed(this.store, id);
    this.hub.publish({ kind: 'destination', destination });
    const plans = this.store.plans.list().filter((plan) => plan.destinations.includes(destination.id));
    return recoveryKit({
      destination,
      recoveryKey: key,
      madeAt: this.#clock.now(),
      hostname: this.#hostname,
      plans: plans.map((plan) => ({ name: plan.name, sources: plan.sources.map(sourceName) })),
    });
  }

  // ---- settings beside the repository

  #planChanged(planId: string, before: readonly string[] = []): void {
    const plan = this.store.plans.get(planId);
    this.hub.publish(plan ? { kind: 'plan', plan } : { kind: 'plan-removed', planId });
    if (!plan) this.#cancelQueued((run) => run.planId === planId);
    for (const id of new Set([...before, ...(plan?.destinations ?? this.#allDestinations())])) {
      this.#settingsChanged(id);
    }
    this.#wake();
  }

  /** What has not begun when its plan or destination goes would only fail. */
  #cancelQueued(fits: (run: Run) => boolean): void {
    const queued = this.#runs.running().filter((run) => run.state === 'queued');
    for (const run of queued.filter(fits)) this.#runs.cancel(run.id);
  }

  #allDestinations(): readonly string[] {
    return this.store.destinations.list().map((destination) => destination.id);
  }

  #settingsChanged(destinationId: string): void {
    if (this.store.destinations.get(destinationId)?.readOnly) return;
    this.store.values.set(UNSAVED + destinationId, '1');
    this.#saveSettingsSoon(destinationId);
  }

  /** At a destination that does not answer now it is done after the next run there. */
  #saveSettingsSoon(destinationId: string): void {
    if (this.store.values.get(UNSAVED + destinationId) === undefined) return;
    // A login that was refused is not tried again until it is set anew.
    if (needsSignIn(this.store.destinations.get(destinationId)?.problem)) return;
    const work = this.#queue.enqueue(
      `settings:${randomUUID()}`,
      [destinationId],
      (signal) => this.#saveInTime(destinationId, signal),
      { signal: this.#stop.signal },
    );
    this.#inBackground(work);
  }

  /** Runs wait behind it, so it may not wait for ever for a disk that hangs. */
  async #saveInTime(destinationId: string, stop: AbortSignal): Promise<void> {
    const late = new AbortController();
    const over = new AbortController();
    const onLate = () => late.abort(new EngineError('timeout', 'The settings could not be saved in time.'));
    this.#clock.sleep(SAVE_MS, over.signal).then(onLate, () => undefined);
    const signal = AbortSignal.any([stop, late.signal]);
    try {
      const work = this.#saveSettings(destinationId, signal).then(() => true);
      const done = await orLeave(work, { clock: this.#clock, signal, graceMs: 1000 });
      if (!done) this.store.values.set(UNSAVED + destinationId, '1');
    } finally {
      over.abort();
    }
  }

  async #saveSettings(destinationId: string, signal: AbortSignal): Promise<void> {
    const destination = this.store.destinations.get(destinationId);
    if (!destination || this.store.values.get(UNSAVED + destinationId) === undefined) return;
    this.store.values.remove(UNSAVED + destinationId);
    try {
      const repository = await this.#openById(destinationId, signal);
      try {
        const plans = this.store.plans.list().filter((plan) => plan.destinations.includes(destinationId));
        const now = this.#clock.now();
        const settings = { hostname: this.#hostname, destination, plans, savedAt: now };
        await saveSettings(repository, settings, { signal });
      } finally {
        await repository.close();
      }
    } catch (e) {
      // A storage without a place for them.
      if (isEngineError(e, 'unsupported')) return;
      this.store.values.set(UNSAVED + destinationId, '1');
      throw e;
    }
  }

  #inBackground(work: Promise<void>): void {
    const told = work.catch((e) => {
      if (!isEngineError(e, 'cancelled')) this.#o.log('warning', messageOf(e));
    });
    this.#background.add(told);
    void told.then(() => this.#background.delete(told));
  }

  // ---- the look around

  async #lookAround(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#asking++;
      await this.#look().catch((e) => this.#o.log('error', messageOf(e)));
      this.#asking--;
      await this.#clock.sleep(LOOK_MS, this.#stop.signal).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const now = this.#clock.now();
    for (const destination of this.store.destinations.list()) await this.#renewSpace(destination);
    this.#apart(() => this.#reviewQueue());
    this.#apart(() => this.#evaluateAlerts(now));
    const { historyDays } = this.store.settings.get();
    this.#apart(() => void this.store.runs.dropBefore(now - historyDays * DAY_MS));
    await this.store.maintain({ signal: this.#stop.signal });
    this.#statusChanged();
  }

  #evaluateAlerts(now: number): void {
    const { plans, destinations, settings, values } = this.store;
    const { alertAfterDays } = settings.get();
    this.#alerts.evaluate({
      now,
      alertAfterDays,
      plans: plans.list().map((plan) => ({ ...plan, lastSuccessAt: this.#lastSuccessOf(plan) })),
      destinations: destinations.list().map((d) => ({
        ...d,
        // Nobody waits for one that is only read.
        ...(d.readOnly ? { problem: null, warnBelowBytes: 0 } : {}),
        problemSince: Number(values.get(PROBLEM_SINCE + d.id) ?? now),
      })),
    });
  }

  #lastSuccessOf(plan: Plan): number | null {
    const times = plan.destinations
      .map((id) => this.store.runs.lastSuccess(plan.id, id))
      .map((run) => (run ? (run.startedAt ?? run.queuedAt) : null));
    // A plan is as old as its oldest copy: where one destination has none, it has none.
    return times.includes(null) ? null : least(times);
  }

  async #renewSpace(destination: Destination): Promise<void> {
    const { id } = destination;
    if (!this.#mayAskForSpace(destination)) return;
    const place = await this.#place(destination).catch(() => null);
    const space = place && (await spaceOfRepository(place, this.#clock.now()));
    const before = this.store.destinations.get(id);
    if (!space || !before) return;
    const renewed = { ...before, space };
    this.store.destinations.put(renewed);
    this.#sampleSpace(id);
    const same = before.space?.free === space.free && before.space.total === space.total;
    if (!same) this.hub.publish({ kind: 'destination', destination: renewed });
  }

  /** A service is asked less often than a disk, and not at all while it does not let us in. */
  #mayAskForSpace(destination: Destination): boolean {
    if (destination.kind === 'local') return true;
    const now = this.#clock.now();
    if (needsSignIn(destination.problem) || now < (this.#spaceAskAt.get(destination.id) ?? 0)) return false;
    this.#spaceAskAt.set(destination.id, now + REMOTE_SPACE_MS);
    return true;
  }

  /** What is known of the room there goes into its trend. */
  #sampleSpace(id: string): void {
    const space = this.store.destinations.get(id)?.space;
    if (space) this.store.space.add(id, space);
  }

  #backupMetrics(plan: Plan, destination: Destination): MetricsInput['backups'][number] {
    const last = this.#lastBackup(plan.id, destination.id);
    const success = this.store.runs.lastSuccess(plan.id, destination.id);
    const report = success?.report?.kind === 'backup' ? success.report : null;
    const seconds =
      success?.startedAt && success.endedAt ? (success.endedAt - success.startedAt) / 1000 : null;
    const failed = { kinds: ['backup'], states: ['failed'] } as const;
    return {
      planId: plan.id,
      plan: plan.name,
      destinationId: destination.id,
      destination: destination.name,
      state: last?.state ?? 'never',
      lastSuccessAt: success ? (success.startedAt ?? success.queuedAt) : null,
      durationSeconds: seconds,
      bytesProcessed: report?.bytesProcessed ?? null,
      bytesAdded: report?.bytesAdded ?? null,
      failures: this.store.runs.count({ ...failed, planId: plan.id, destinationId: destination.id }),
    };
  }

  // ---- the contract

  #makeRouter() {
    const { store, secrets, hub } = this;
    const ports = () => this.#destinationPorts();
    return createRouter({
      store,
      secrets,
      hub,
      clock: this.#clock,
      now: () => this.#clock.now(),
      newId: randomUUID,
      outlook: (key) => this.#scheduler.plan(key),
      status: () => this.status(),
      subscribe: (signal) => this.#subscribe(signal),
      setPause: (pause) => this.#setPause(pause),
      setConditions: (conditions) => {
        this.#conditions = { ...this.#conditions, ...conditions };
        this.#wake();
      },
      wake: () => this.#wake(),
      planChanged: (id, before) => this.#planChanged(id, before),
      destinationRemoved: (id) => {
        hub.publish({ kind: 'destination-removed', destinationId: id });
        this.#cancelQueued((run) => destinationIdsOf(run.task).includes(id));
        void this.#opened.drop(id);
        void this.#looking.drop(id);
        this.#disks.removed(id);
        for (const name of [UNSAVED, PROBLEM_SINCE]) store.values.remove(name + id);
        this.#wake();
      },
      destinationChanged: (destination) => {
        hub.publish({ kind: 'destination', destination });
        void this.#opened.drop(destination.id);
        this.#settingsChanged(destination.id);
        this.#wake();
      },
      start: (task, previousId) => this.#start(task, previousId),
      run: (id) => this.#runs.get(id),
      current: (id) => this.#runs.current(id),
      cancel: (id) => this.#runs.cancel(id),
      again: (id) => this.#again(id),
      addDestination: (input, password, { login, signInId, signal } = {}): Promise<Added> =>
        this.#oneByOne(() =>
          addDestination(ports(), input, password, {
            login: signInId === undefined ? login : this.#signIns.loginOf(signInId),
            ...(signal ? { signal } : {}),
          }).then((added) => this.#disks.added(added)),
        ),
      testDestination: ({ location, options, password, login, signInId }, signal) =>
        testDestination(
          ports(),
          newPlaceAt(location, options, signInId === undefined ? login : this.#signIns.loginOf(signInId)),
          password,
          signal,
        ),
      signIn: (input) => this.#signIns.begin(input),
      signedIn: (id, pasted, signal) => this.#signIns.ended(id, pasted, signal),
      setLogin: (id, { login, signInId }, signal) =>
        setLogin(
          ports(),
          id,
          signInId === undefined ? { fields: login ?? {} } : { whole: this.#signIns.loginOf(signInId) },
          signal,
        ),
      letIn: (destination) => this.#letIn(destination),
      addDisk: (id, path, signal) => this.#oneByOne(() => this.#disks.addDisk(id, path, signal)),
      removeDisk: (id, uuid) => this.#disks.removeDisk(id, uuid),
      eject: (id) => this.#disks.eject(id),
      retestDestination: (destination, signal) => this.#retest(destination, signal),
      setPassword: (id, password, signal) => setPassword(ports(), id, password, signal),
      recoveryKit: (destination) => this.#recoveryKit(destination),
      versions: (id, signal) => this.#opened.versions(id, signal),
      looking: this.#looking,
      peek: this.#peek,
      computer: this.#computer,
      trend: (id) => store.space.list(id),
      testChannel: (id, signal) => this.#alerts.test(id, signal ? { signal } : {}),
    });
  }
}

function sameTask(a: Task, b: Task): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function outcomeOf(run: Run): Outcome {
  const state = run.state === 'queued' || run.state === 'running' ? 'interrupted' : run.state;
  const awaits = state === 'failed' && waitOf(run.error) !== null;
  return { runId: run.id, state, transient: run.error?.transient ?? false, awaits };
}

/** What a destination with this problem waits for, where the end of that is noticed. */
function waitOf(problem: WireError | null | undefined): 'sign-in' | 'disk' | null {
  if (needsSignIn(problem)) return 'sign-in';
  return problem?.code === 'unreachable' && problem.context?.disk !== undefined ? 'disk' : null;
}

function least(times: readonly (number | null)[]): number | null {
  const known = times.filter((at) => at !== null);
  return known.length > 0 ? Math.min(...known) : null;
}

/** undefined also for what makes no sense. */
function parsed<T>(schema: z.ZodType<T>, json: string | undefined): T | undefined {
  if (json === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

function sourceName(source: Plan['sources'][number]): string {
  return source.kind === 'path' ? source.path : source.command.join(' ');
}
