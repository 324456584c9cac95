/**
 * Decides when each job runs; whether and how is up to its ports.
 *
 * job       see ports.ts, as due, handled
 * missed    the newest due start that is not handled; older ones count as the same, so that one run makes up for all
 * late      begun more than five minutes after its time: caught up, or let go where the schedule does not catch up
 * cause     why a job is to run now
 *
 * Order of writes, on which rests that a start is neither lost nor run twice however the process ends:
 *   1. the job's state, with the start as handled and `started`   (killed before: the start is still missed)
 *   2. the run, recorded by `ports.start`                         (killed before: no run is on record; begun again, as 'continue')
 *   3. the run's end, recorded by whoever carries it out          (killed before: 'interrupted'; continued by one new run)
 *   4. the job's state, without `started`, maybe with `retry`     (killed before: the end is on record and gets its due)
 * What a killed process left behind is read off `started` and `ports.outcomeOf` when the job is next looked at.
 */
import { messageOf } from '../api/errors.ts';
import type { Instant } from '../api/model/common.ts';
import type { Trigger, WaitCode } from '../api/model/run.ts';
import type { Pause } from '../api/model/status.ts';
import type { Job, JobState, Outcome, Retry, SchedulerPorts } from './ports.ts';
import { Reach } from './reach.ts';
import { afterEnd, afterRestart, LONGEST_BACK_OFF } from './retries.ts';
import { type Around, type Start, Starts } from './starts.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LATE = 5 * MINUTE;
/** Timers do not notice that the clock was set, nor some that the computer slept. */
const LONGEST_SLEEP = 2 * MINUTE;
/** A sleep that takes so much longer than asked for was a sleep of the computer, or the clock was set. */
const JUMP = 30_000;
const FAULT_PAUSE = MINUTE;

/** What is shown of a job. */
export interface JobPlan {
  /** When it next starts if all stays as it is; null: by hand only, disabled, paused without an end, or faulty. */
  readonly nextAt: Instant | null;
  /** Why it does not run now although it is due, as a sentence. */
  readonly waitingFor: string | null;
  /** Its kind. */
  readonly waitingCode: WaitCode | null;
}

/** A run of a job that was begun by somebody else. */
export interface AdoptedRun {
  readonly queuedAt: Instant;
  readonly attempt: number;
  readonly ended: Promise<Outcome>;
}

interface Cause {
  readonly trigger: Trigger;
  readonly attempt: number;
  readonly previousRunId: string | null;
}

/** What is to be done about a job, and when to look again at the latest (null: when anything changes). */
type Verdict =
  | { readonly kind: 'rest' | 'let-go' }
  | { readonly kind: 'wait'; readonly why: Why; readonly until: Instant | null }
  | { readonly kind: 'go'; readonly cause: Cause };

interface Look {
  readonly verdict: Verdict;
  readonly around: Around;
  readonly retry: Retry | null;
}

/** What is known of a job while the process lives. */
interface Entry {
  running: boolean;
  /** Its destinations are being asked. */
  asking: boolean;
  /** A destination of it was connected, and nothing has come of that yet. */
  connected: boolean;
  fault: { readonly message: string; readonly until: Instant } | null;
}

/** Why a job waits; `sentence` for the person. */
interface Why {
  readonly code: WaitCode;
  readonly sentence: string;
}

const NOTHING: JobPlan = { nextAt: null, waitingFor: null, waitingCode: null };

export class Scheduler {
  readonly #ports: SchedulerPorts;
  readonly #starts: Starts;
  readonly #reach: Reach;
  readonly #entries = new Map<string, Entry>();
  readonly #runs = new Set<Promise<void>>();
  #shown = '';
  #stopped = false;
  #nap = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(ports: SchedulerPorts) {
    this.#ports = ports;
    this.#starts = new Starts(ports.random);
    this.#reach = new Reach(ports);
  }

  /** Begins to look after the jobs. What an earlier process left unfinished must be marked by then; see `outcomeOf`. */
  start(): void {
    if (!this.#stopped) this.#loop ??= this.#live();
  }

  /**
   * Begins nothing from now on. Resolves as soon as nothing is decided any more; runs that are under way go on. For an orderly
   * end: `stop`, then interrupt the runs, then `ended`; what was interrupted is continued by the next process.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#nap.abort();
    this.#reach.stop();
    await this.#loop;
  }

  /** Resolves when the ends of all runs have been noted. */
  async ended(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs);
  }

  /** The computer woke up, or jobs, conditions or the pause have changed: looks at everything now. */
  wake(): void {
    this.#reach.hurry();
    for (const entry of this.#entries.values()) entry.fault = null;
    this.#nap.abort();
  }

  /** A destination has appeared: what waits for it, or was missed and runs on connection, is tried now. */
  connected(destinationId: string): void {
    this.#reach.hurry(destinationId);
    for (const { key, destinationIds, schedule } of this.#jobs()) {
      if (schedule.onConnect && destinationIds.includes(destinationId)) this.#entry(key).connected = true;
    }
    this.#nap.abort();
  }

  /** A destination lets us in again: what waits for that is tried now. */
  letIn(destinationId: string): void {
    this.#reach.hurry(destinationId);
    this.#nap.abort();
  }

  /** Whether a run of the job is under way or queued, as far as the scheduler began it or was told. */
  running(key: string): boolean {
    return this.#entries.get(key)?.running ?? false;
  }

  /**
   * Takes note of a run that was begun by hand: it makes up for what is due, no other is begun beside it, and it is tried again or
   * continued like one of its own. False: one is under way already, so this one is left alone.
   */
  adopt(key: string, { queuedAt, attempt, ended }: AdoptedRun): boolean {
    const job = this.#jobs().find((one) => one.key === key);
    if (job === undefined || this.running(key)) return false;
    const started: Retry = { at: queuedAt, trigger: 'manual', attempt, previousRunId: null };
    this.#noteStart(job, started);
    this.#follow(key, started, ended);
    this.#nap.abort();
    return true;
  }

  /** What comes next for a job, and why it waits. */
  plan(key: string): JobPlan {
    const job = this.#jobs().find((one) => one.key === key);
    return job === undefined ? NOTHING : this.#planOf(job, this.#ports.clock.now());
  }

  /** The same of all jobs, by their keys. */
  plans(): ReadonlyMap<string, JobPlan> {
    const now = this.#ports.clock.now();
    return new Map(this.#jobs().map((job) => [job.key, this.#planOf(job, now)]));
  }

  async #live(): Promise<void> {
    while (!this.#stopped) {
      this.#nap = new AbortController();
      const now = this.#ports.clock.now();
      const wakeAt = this.#survey(now);
      const ms = Math.max(1, Math.min(LONGEST_SLEEP, wakeAt - now));
      await this.#ports.clock.sleep(ms, this.#nap.signal).catch(() => undefined);
      const slept = this.#ports.clock.now() - now;
      if (slept < 0 || slept > ms + JUMP) this.#reach.hurry();
    }
  }

  /** Whatever fails outside a single job (the list of jobs can't be read, say) is tried again soon. */
  #survey(now: Instant): Instant {
    try {
      return this.#lookAtAll(now);
    } catch {
      return now + FAULT_PAUSE;
    }
  }

  /** Does what is to be done for each job; returns when the next thing happens. */
  #lookAtAll(now: Instant): Instant {
    const jobs = this.#jobs();
    const keys = new Set(jobs.map((job) => job.key));
    this.#starts.keep(keys);
    for (const [key, entry] of this.#entries) {
      if (!keys.has(key) && !entry.running && !entry.asking) this.#entries.delete(key);
    }
    const times = jobs.map((job) => this.#guarded(job, now, () => this.#lookAt(job, now)));
    this.#tell(jobs, now);
    return Math.min(now + LONGEST_SLEEP, ...times);
  }

  /** A fault in one job's data is that job's alone: it is shown, and tried again after a while. */
  #guarded(job: Job, now: Instant, work: () => Instant): Instant {
    const entry = this.#entry(job.key);
    if (entry.fault && now < entry.fault.until && entry.fault.until <= now + FAULT_PAUSE)
      return entry.fault.until;
    entry.fault = null;
    try {
      return work();
    } catch (error) {
      return this.#fault(job.key, error);
    }
  }

  #fault(key: string, error: unknown): Instant {
    const until = this.#ports.clock.now() + FAULT_PAUSE;
    this.#entry(key).fault = { message: messageOf(error), until };
    return until;
  }

  #lookAt(job: Job, now: Instant): Instant {
    this.#mend(job, now);
    const { verdict, around, retry } = this.#look(job, now);
    if (verdict.kind === 'rest') this.#entry(job.key).connected = false;
    if (verdict.kind === 'let-go') this.#letGo(job, around.missed);
    if (verdict.kind === 'go' && !this.#entry(job.key).asking) void this.#attempt(job);
    const later = [around.next?.at, retry?.at, verdict.kind === 'wait' ? verdict.until : null];
    return Math.min(...later.map((at) => (at != null && at > now ? at : now + LONGEST_SLEEP)));
  }

  /**
   * Puts right what a killed process or a wrong clock has left in a job's state, and drops what is not to be tried again.
   * A clock that was far ahead would otherwise have handled all starts for years.
   */
  #mend(job: Job, now: Instant): void {
    const old = this.#ports.state(job.key);
    if (old === undefined || this.running(job.key)) return;
    let state = old;
    if (state.handled > now + DAY) state = { ...state, handled: now };
    if (!job.enabled && (state.retry || state.started)) state = { ...state, retry: null, started: null };
    if (state.started) {
      const outcome = this.#ports.outcomeOf(job, state.started.at);
      state = { ...state, started: null, retry: afterRestart(state.started, outcome, now) };
    }
    const longest = now + LONGEST_BACK_OFF;
    if (state.retry && state.retry.at > longest) state = { ...state, retry: { ...state.retry, at: longest } };
    if (state !== old) this.#ports.setState(job.key, state);
  }

  #letGo(job: Job, missed: Start | null): void {
    const handled = Math.max(missed?.due ?? 0, this.#ports.state(job.key)?.handled ?? 0);
    this.#ports.setState(job.key, { handled, retry: null, started: null });
  }

  /** The verdict on a job; changes nothing. */
  #look(job: Job, now: Instant): Look {
    if (!job.enabled) return { verdict: { kind: 'rest' }, around: { missed: null, next: null }, retry: null };
    const state = this.#ports.state(job.key);
    const retry = state?.retry ?? null;
    const around = this.#starts.around(job, floorOf(job, state, now), now);
    const cause = this.running(job.key) ? null : this.#cause(job, around.missed, retry, now);
    return { verdict: this.#verdict(job, cause, now), around, retry };
  }

  #verdict(job: Job, cause: Cause | 'let-go' | null, now: Instant): Verdict {
    if (cause === null) return { kind: 'rest' };
    if (cause === 'let-go') return { kind: 'let-go' };
    const pause = pauseAt(this.#ports.pause(), now);
    if (pause) return { kind: 'wait', why: whyPaused(pause), until: pause.until };
    const { onBattery, metered } = this.#ports.conditions();
    if (onBattery && job.onBattery === 'wait') {
      return { kind: 'wait', why: ON_BATTERY, until: null };
    }
    if (metered && job.onMetered === 'wait') {
      return { kind: 'wait', why: ON_METERED, until: null };
    }
    if (this.#waits(job, 'sign-in')) return { kind: 'wait', why: FOR_SIGN_IN, until: null };
    const askAt = this.#reach.askAt(job.destinationIds, now);
    return askAt > now ? { kind: 'wait', why: this.#whySilent(job), until: askAt } : { kind: 'go', cause };
  }

  /**
   * Why the job is to run now. A missed start outranks a further try, for it does the same; but a continuation keeps its name
   * and its link to the run before.
   */
  #cause(job: Job, missed: Start | null, retry: Retry | null, now: Instant): Cause | 'let-go' | null {
    const { catchUp, onConnect } = job.schedule;
    const due = retry && retry.at <= now ? retry : null;
    const { connected = false } = this.#entries.get(job.key) ?? {};
    if (due?.trigger === 'continue') return connected ? { ...due, trigger: 'connect' } : due;
    if (connected && (missed || retry)) {
      const { attempt, previousRunId } = (missed ? null : retry) ?? { attempt: 1, previousRunId: null };
      return { trigger: 'connect', attempt, previousRunId };
    }
    const late = (at: Instant) => now - at > LATE;
    if (missed && !late(missed.at)) return { trigger: 'schedule', attempt: 1, previousRunId: null };
    if (missed && catchUp) return { trigger: 'catch-up', attempt: 1, previousRunId: null };
    // Without catching up, a missed start is kept only for the moment when the disk is connected.
    if (missed && !onConnect) return 'let-go';
    if (due && (catchUp || !late(due.at))) return due;
    return due && !missed ? 'let-go' : null;
  }

  /** Asks the destinations; by their answer everything may have changed, so the job is looked at anew. */
  async #attempt({ key, destinationIds }: Job): Promise<void> {
    const entry = this.#entry(key);
    entry.asking = true;
    const answer = await this.#reach.ask(destinationIds);
    entry.asking = false;
    if (this.#stopped) return;
    const now = this.#ports.clock.now();
    if (answer) this.#beginIfStillDue(key, destinationIds, now);
    else if (this.#reach.askAt(destinationIds, now) > now) entry.connected = false;
    this.#nap.abort();
  }

  #beginIfStillDue(key: string, asked: readonly string[], now: Instant): void {
    try {
      const job = this.#jobs().find((one) => one.key === key);
      if (job === undefined || job.destinationIds.some((id) => !asked.includes(id))) return;
      const { verdict } = this.#look(job, now);
      if (verdict.kind === 'go') this.#begin(job, verdict.cause, now);
    } catch (error) {
      this.#fault(key, error);
    }
  }

  #begin(job: Job, { trigger, attempt, previousRunId }: Cause, now: Instant): void {
    const started: Retry = { at: now, trigger, attempt, previousRunId };
    this.#noteStart(job, started);
    const run = (async () => this.#ports.start({ job, trigger, attempt, previousRunId }))();
    this.#follow(job.key, started, run);
  }

  #noteStart(job: Job, started: Retry): void {
    const now = this.#ports.clock.now();
    const state = this.#ports.state(job.key);
    const missed = job.enabled ? this.#starts.around(job, floorOf(job, state, now), now).missed : null;
    const handled = Math.max(missed?.due ?? 0, state?.handled ?? 0);
    this.#ports.setState(job.key, { handled, retry: null, started });
    this.#entry(job.key).connected = false;
  }

  #follow(key: string, started: Retry, ended: Promise<Outcome>): void {
    const entry = this.#entry(key);
    entry.running = true;
    const followed = ended
      .then(
        (outcome) => this.#settle(key, started, outcome),
        (error: unknown) => this.#settleBroken(key, error),
      )
      .catch((error: unknown) => this.#fault(key, error))
      .then(() => {
        entry.running = false;
        this.#runs.delete(followed);
        this.#nap.abort();
      });
    this.#runs.add(followed);
  }

  #settle(key: string, started: Retry, outcome: Outcome): void {
    // Left for the next process to continue.
    if (outcome.state === 'interrupted' && this.#stopped) return;
    const handled = this.#ports.state(key)?.handled ?? 0;
    const retry = afterEnd(started, outcome, this.#ports.clock.now());
    this.#ports.setState(key, { handled, retry, started: null });
  }

  /** `ports.start` has rejected, against its contract. To begin again at once might do so for ever. */
  #settleBroken(key: string, error: unknown): void {
    this.#ports.setState(key, { handled: this.#ports.state(key)?.handled ?? 0, retry: null, started: null });
    this.#fault(key, error);
  }

  #planOf(job: Job, now: Instant): JobPlan {
    const fault = this.#entries.get(job.key)?.fault;
    if (fault) return { nextAt: null, ...shown(whyFaulty(fault.message)) };
    try {
      const look = this.#look(job, now);
      return { nextAt: this.#nextAt(job, look, now), ...shown(this.#why(job, look.verdict)) };
    } catch (error) {
      return { nextAt: null, ...shown(whyFaulty(messageOf(error))) };
    }
  }

  #why(job: Job, verdict: Verdict): Why | null {
    if (verdict.kind === 'wait') return verdict.why;
    // It is being asked again, and did not answer the last time.
    return verdict.kind === 'go' && this.#reach.silent(job.destinationIds) ? this.#whySilent(job) : null;
  }

  #waits({ destinationIds }: Job, what: 'sign-in' | 'disk'): boolean {
    return destinationIds.some((id) => this.#ports.waitsFor?.(id) === what);
  }

  #whySilent(job: Job): Why {
    return this.#waits(job, 'disk') ? FOR_DISK : whySilent(job);
  }

  #nextAt(job: Job, { verdict, around, retry }: Look, now: Instant): Instant | null {
    if (!job.enabled) return null;
    const pause = pauseAt(this.#ports.pause(), now);
    if (pause) return this.#nextAfterPause(job, pause, verdict, retry, now);
    if (verdict.kind === 'go' && !this.#reach.silent(job.destinationIds)) return now;
    return earliest([around.next?.at, retry && retry.at > now ? retry.at : null]);
  }

  /** A start that comes during the pause is begun at its end, unless it is too late by then and not caught up. */
  #nextAfterPause(
    job: Job,
    pause: Pause,
    verdict: Verdict,
    retry: Retry | null,
    now: Instant,
  ): Instant | null {
    if (pause.until === null) return null;
    if (verdict.kind === 'wait' && job.schedule.catchUp) return pause.until;
    const { catchUp } = job.schedule;
    const from = catchUp ? now : Math.max(now, pause.until - LATE - 1);
    const next = new Starts(() => 0).around(job, floorOf(job, this.#ports.state(job.key), now), from).next
      ?.at;
    const first = earliest([next, retry && retry.at > from ? retry.at : null]);
    return first === null ? null : Math.max(pause.until, first);
  }

  /** Tells those who look on when anything that can be seen has changed. */
  #tell(jobs: readonly Job[], now: Instant): void {
    const plans = jobs.map((job) => {
      const { nextAt, waitingFor } = this.#planOf(job, now);
      return [job.key, nextAt, waitingFor];
    });
    const shown = JSON.stringify(plans);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#ports.onChange();
  }

  #jobs(): readonly Job[] {
    return this.#ports.jobs();
  }

  #entry(key: string): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { running: false, asking: false, connected: false, fault: null };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

/** No start before this is due any more. A plan made under a clock that was far ahead is not put off for years. */
function floorOf({ since }: Job, state: JobState | undefined, now: Instant): Instant {
  return Math.max(since > now + DAY ? 0 : since, state === undefined ? 0 : state.handled + 1);
}

function pauseAt(pause: Pause | null, now: Instant): Pause | null {
  return pause && (pause.until === null || pause.until > now) ? pause : null;
}

function earliest(times: readonly (Instant | null | undefined)[]): Instant | null {
  const known = times.filter((at) => at != null);
  return known.length === 0 ? null : Math.min(...known);
}

function shown(why: Why | null): Pick<JobPlan, 'waitingFor' | 'waitingCode'> {
  return { waitingFor: why?.sentence ?? null, waitingCode: why?.code ?? null };
}

const ON_BATTERY: Why = { code: 'power', sentence: 'It starts when the computer is on mains power.' };
const ON_METERED: Why = { code: 'network', sentence: 'It starts on a network that is not metered.' };

const FOR_SIGN_IN: Why = {
  code: 'sign-in',
  sentence: 'It starts when you have signed in at its destination again.',
};
const FOR_DISK: Why = { code: 'disk', sentence: 'It starts when the disk is plugged in.' };

const whyPaused = ({ until }: Pause): Why =>
  until === null
    ? { code: 'pause', sentence: 'Paused; it starts when backups are resumed.' }
    : { code: 'pause-until', sentence: 'Paused; it starts when the pause is over.' };

const whySilent = ({ destinationIds }: Job): Why =>
  destinationIds.length === 1
    ? { code: 'destination', sentence: 'It starts when the destination answers.' }
    : { code: 'destinations', sentence: 'It starts when all its destinations answer.' };

const whyFaulty = (message: string): Why => ({ code: 'fault', sentence: `It can't be started: ${message}` });
