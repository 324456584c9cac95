/** A computer with a scheduler in it: its clock, its disks, its power, its diary; and what a host does with runs. */
import type { Schedule } from '../../../src/api/model/plan.ts';
import type { Trigger } from '../../../src/api/model/run.ts';
import type { Conditions, Pause } from '../../../src/api/model/status.ts';
import type { Job, JobState, Outcome, SchedulerPorts, StartRequest } from '../../../src/scheduler/ports.ts';
import { Scheduler } from '../../../src/scheduler/scheduler.ts';
import { decodeJobState, encodeJobState } from '../../../src/scheduler/state.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface RunRecord {
  readonly id: string;
  readonly key: string;
  readonly trigger: Trigger;
  readonly attempt: number;
  readonly previousRunId: string | null;
  readonly queuedAt: number;
  /** Of the job's state before and after it began. */
  readonly handled: readonly [before: number, after: number];
  state: Outcome['state'] | 'running';
  transient: boolean;
}

type End = Pick<Outcome, 'state' | 'transient'>;
export const WELL: End = { state: 'succeeded', transient: false };
export const PASSES: End = { state: 'failed', transient: true };
export const STAYS: End = { state: 'failed', transient: false };

/** Where the process dies: after the scheduler's write, after the run is recorded, after its end is recorded. */
export type DeathPoint = 'state' | 'record' | 'end';

export function job(o: Partial<Omit<Job, 'schedule'>> & { readonly schedule: Partial<Schedule> }): Job {
  const destinationIds = o.destinationIds ?? ['disk'];
  const schedule: Schedule = {
    when: { kind: 'daily', at: ['12:30'] },
    timeZone: 'Europe/Berlin',
    jitterMinutes: 0,
    catchUp: true,
    onConnect: true,
  };
  return {
    key: 'backup',
    task: { kind: 'cleanup', destinationId: destinationIds[0]! },
    since: 0,
    enabled: true,
    onBattery: 'run',
    onMetered: 'run',
    ...o,
    destinationIds,
    schedule: { ...schedule, ...o.schedule },
  };
}

export class World {
  readonly clock: VirtualClock;
  jobs: Job[];
  readonly runs: RunRecord[] = [];
  readonly diary = new Map<string, string>();
  /** Destinations that do not answer. */
  readonly silent = new Set<string>();
  /** How often each was asked. */
  readonly asked: { readonly id: string; readonly at: number }[] = [];
  pause: Pause | null = null;
  conditions: Conditions = { onBattery: false, metered: false, online: true };
  /** The ends of the next runs; then all end well. */
  ends: End[] = [];
  runFor = 10 * MINUTE;
  dieAt: DeathPoint | null = null;
  random: () => number = () => 0;
  changes = 0;
  /** What must never be: sentences. */
  readonly violations: string[] = [];
  readonly #read = new Map<string, { readonly text: string; readonly state: JobState | undefined }>();
  #scheduler: Scheduler | undefined;
  #life = new AbortController();

  constructor(start: string, jobs: readonly Job[]) {
    this.clock = new VirtualClock(start);
    this.jobs = [...jobs];
  }

  get scheduler(): Scheduler {
    if (this.#scheduler === undefined) throw new Error('The process is not alive.');
    return this.#scheduler;
  }

  get alive(): boolean {
    return this.#scheduler !== undefined;
  }

  /** Starts the process, as the host does: what was left unfinished is marked first. */
  boot(): void {
    for (const run of this.runs) if (run.state === 'running') run.state = 'interrupted';
    this.#life = new AbortController();
    this.#scheduler = new Scheduler(this.#ports(this.#life.signal));
    this.#scheduler.start();
  }

  /** Ends it as `kill -9` does: nothing of it writes or begins any more. */
  kill(): void {
    const dying = this.#scheduler;
    this.#scheduler = undefined;
    this.#life.abort();
    void dying?.stop();
  }

  /** Ends it in order: runs are interrupted, and their ends noted. */
  async shutDown(): Promise<void> {
    const { scheduler } = this;
    await scheduler.stop();
    this.#life.abort('shutdown');
    await scheduler.ended();
    this.#scheduler = undefined;
  }

  triggers(key = 'backup'): readonly Trigger[] {
    return this.runs.filter((run) => run.key === key).map((run) => run.trigger);
  }

  /** "2026-03-01T12:30 schedule" of each run, in UTC. */
  history(key = 'backup'): readonly string[] {
    const runs = this.runs.filter((run) => run.key === key);
    return runs.map((run) => `${new Date(run.queuedAt).toISOString().slice(0, 16)} ${run.trigger}`);
  }

  #ports(life: AbortSignal): SchedulerPorts {
    const dead = () => {
      if (life.aborted && life.reason !== 'shutdown') throw new Error('written by a dead process');
    };
    return {
      clock: this.clock,
      random: () => this.random(),
      jobs: () => this.jobs,
      state: (key) => this.#state(key),
      setState: (key, state) => {
        dead();
        this.diary.set(key, encodeJobState(state));
        if (state.started) this.#dieIf('state');
      },
      outcomeOf: ({ key }, since) => {
        const run = this.runs.findLast((one) => one.key === key && one.queuedAt >= since);
        if (run === undefined || run.state === 'running') return undefined;
        return { runId: run.id, state: run.state, transient: run.transient };
      },
      conditions: () => this.conditions,
      pause: () => this.pause,
      reachable: async (id) => {
        this.asked.push({ id, at: this.clock.now() });
        return !this.silent.has(id);
      },
      start: (request) => this.#run(request, life),
      onChange: () => {
        this.changes++;
      },
    };
  }

  /** Read once per text: months have many looks at it. */
  #state(key: string): JobState | undefined {
    const text = this.diary.get(key);
    if (text === undefined) return undefined;
    const known = this.#read.get(key);
    if (known?.text === text) return known.state;
    const state = decodeJobState(text);
    this.#read.set(key, { text, state });
    return state;
  }

  #dieIf(point: DeathPoint): void {
    if (this.dieAt !== point) return;
    this.dieAt = null;
    this.kill();
    throw new Error('killed');
  }

  async #run(
    { job: one, trigger, attempt, previousRunId }: StartRequest,
    life: AbortSignal,
  ): Promise<Outcome> {
    if (life.aborted) throw new Error('begun by a dead process');
    this.#judge(one);
    const after = this.#state(one.key)!.handled;
    const before = this.runs.findLast((run) => run.key === one.key)?.handled[1] ?? 0;
    const run: RunRecord = {
      id: `run-${this.runs.length}`,
      key: one.key,
      trigger,
      attempt,
      previousRunId,
      queuedAt: this.clock.now(),
      handled: [before, after],
      state: 'running',
      transient: false,
    };
    this.runs.push(run);
    this.#dieIf('record');
    const end = this.ends.shift() ?? WELL;
    return this.#end(run, end, life);
  }

  async #end(run: RunRecord, end: End, life: AbortSignal): Promise<Outcome> {
    const interrupted = { state: 'interrupted', transient: false } as const;
    const { state, transient } = await this.clock.sleep(this.runFor, life).then(
      () => end,
      () => interrupted,
    );
    // Nobody is there to hear of it.
    if (life.aborted && life.reason !== 'shutdown') return new Promise(() => undefined);
    run.state = state;
    run.transient = transient;
    this.#dieIf('end');
    return { runId: run.id, state, transient };
  }

  #judge({ key, destinationIds, onBattery, onMetered, enabled }: Job): void {
    const is = (what: string, wrong: boolean | null) => {
      if (wrong)
        this.violations.push(`${key} began although ${what}, ${new Date(this.clock.now()).toISOString()}`);
    };
    const { pause, conditions } = this;
    is(
      'it runs',
      this.runs.some((run) => run.key === key && run.state === 'running'),
    );
    is('all is paused', pause !== null && (pause.until === null || pause.until > this.clock.now()));
    is('it runs on battery', onBattery === 'wait' && conditions.onBattery);
    is('the network is metered', onMetered === 'wait' && conditions.metered);
    is('it is disabled', !enabled);
    for (const id of destinationIds) is(`${id} is silent`, this.silent.has(id));
  }
}
