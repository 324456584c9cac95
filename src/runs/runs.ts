/**
 * Carrying out tasks with the engine.
 *
 * task         what is to be done; run: one try at it, with a state, progress, a log, problems and a report
 * cancelled    a person stopped it; interrupted: Holdfast ended before it had, so it is to be continued; failed: it could
 *              not be done
 * problem      one thing that could not be done while the rest was: the run ends with warnings
 * wait         queued behind another run at the same repository, or behind as many as may run at once
 *
 * The manager knows no schedule: it is told what to start. Whoever asked may go away; runs end only by themselves, by
 * `cancel` or by `shutdown`.
 */
import { asEngineError, EngineError, messageOf } from '../api/errors.ts';
import type { Run, Task, Trigger } from '../api/model/run.ts';
import { destinationIdsOf, updateDestinations } from './aftermath.ts';
import { RunDiary } from './diary.ts';
import type { QueueWait, RunPorts } from './ports.ts';
import { redactor } from './redact.ts';
import type { RunContext } from './session.ts';
import { cancelled, isShutdown, shuttingDown } from './stop.ts';
import { carryOut, destinationNamed, type Outcome, planFor, stoppedBy } from './work.ts';

export interface StartRun {
  readonly task: Task;
  readonly trigger: Trigger;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly previousId: string | null;
}

export interface StartedRun {
  readonly run: Run;
  /** The run as it ended. Never rejects. */
  readonly ended: Promise<Run>;
}

interface ActiveRun {
  readonly diary: RunDiary;
  /** Stops the work. */
  readonly stop: AbortController;
  /** Stops the commands that come after it. */
  readonly late: AbortController;
  readonly ended: Promise<Run>;
}

/** How long commands after a backup may go on when Holdfast ends. */
const LAST_COMMANDS_MS = 10_000;
const WRITE_AGAIN_MS = 60_000;
/** A run that was interrupted so often is not continued by itself any more: it may be what ends the process. */
const MOST_CONTINUATIONS = 5;
/** What recurs by itself. A restore or a copy is somebody's wish, also where it is continued. */
const PAUSABLE: readonly Task['kind'][] = ['backup', 'check', 'cleanup'];
const NOT_WAITING = { waitingFor: null, waitingCode: null } as const;

export class RunManager {
  readonly #ports: RunPorts;
  readonly #active = new Map<string, ActiveRun>();
  /** Ended, but on record as if they had not: the store could not be written. */
  readonly #unwritten = new Map<string, RunDiary>();
  readonly #writing = new AbortController();
  #closing = false;

  constructor(ports: RunPorts) {
    this.#ports = ports;
  }

  /**
   * Queues a run; it begins as soon as its repositories are free. `signal` cancels it, with its reason.
   * Errors: 'not-found' for a plan or destination that is gone, 'cancelled' once `shutdown` has been called.
   */
  start(request: StartRun, signal?: AbortSignal): StartedRun {
    if (this.#closing) throw shuttingDown();
    const run = this.#newRun(request);
    const diary = new RunDiary(this.#ports, run);
    const stop = new AbortController();
    const late = new AbortController();
    diary.begin();
    const ended = this.#enqueue(diary, stop.signal, late.signal);
    this.#active.set(run.id, { diary, stop, late, ended });
    void ended.then(() => this.#forget(diary));
    follow(signal, stop);
    return { run: diary.run, ended };
  }

  /**
   * Ends a run as soon as it safely can; returns it as it is now. The commands after a backup still run, since they may
   * start again what was stopped for it; a second cancel ends these too. One that has ended stays as it is.
   * Error: 'not-found'.
   */
  cancel(id: string): Run {
    const active = this.#active.get(id);
    if (!active) return this.get(id);
    if (active.stop.signal.aborted) active.late.abort(cancelled());
    else active.stop.abort(cancelled());
    return active.diary.run;
  }

  /** Does the same once more. Errors: 'not-found', those of `start`. */
  again(id: string): StartedRun {
    const { task } = this.#stored(id);
    return this.start({ task, trigger: 'manual', attempt: 1, previousId: id });
  }

  /** Queued and under way, with their progress, in the order in which they were started. */
  running(): readonly Run[] {
    return [...this.#active.values()].map(({ diary }) => diary.run);
  }

  /** The run if it is queued or under way, or has ended and could not be stored so. */
  current(id: string): Run | undefined {
    return (this.#active.get(id)?.diary ?? this.#unwritten.get(id))?.run;
  }

  /** A run as it is now, with its progress. Error: 'not-found'. */
  get(id: string): Run {
    return this.current(id) ?? this.#stored(id);
  }

  /** Interrupts everything: packs on their way get through, so that the next run need not send them again. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    const reason = shuttingDown();
    const active = [...this.#active.values()];
    for (const { stop } of active) if (!stop.signal.aborted) stop.abort(reason);
    const over = new AbortController();
    const patience = this.#ports.clock.sleep(LAST_COMMANDS_MS, over.signal).then(
      () => {
        for (const { late } of active) late.abort(reason);
      },
      () => undefined,
    );
    await Promise.allSettled(active.map(({ ended }) => ended));
    over.abort();
    await patience;
    this.#writing.abort();
    for (const diary of this.#unwritten.values()) diary.write();
  }

  /**
   * For the start of the program, before anything runs: runs that a killed process left are marked 'interrupted'.
   * Returns those to be continued, each task once, oldest first.
   */
  recover(): readonly Run[] {
    const { store, clock, emit } = this.#ports;
    const left = store.runs.unfinished().filter(({ id }) => !this.#active.has(id));
    const error = killed().toWire();
    const ended = left.map((run) => {
      const marked: Run = {
        ...run,
        state: 'interrupted',
        endedAt: clock.now(),
        ...NOT_WAITING,
        progress: null,
        error,
        problemCount: store.runs.countProblems(run.id),
      };
      store.runs.put(marked);
      emit({ kind: 'run', run: marked });
      return marked;
    });
    const newest = new Map(ended.map((run) => [JSON.stringify(run.task), run]));
    return [...newest.values()].filter((run) => run.attempt < MOST_CONTINUATIONS && this.#canRun(run.task));
  }

  // ---- the life of a run

  #enqueue(diary: RunDiary, stop: AbortSignal, late: AbortSignal): Promise<Run> {
    const { id, task, trigger } = diary.run;
    const pausable = trigger !== 'manual' && PAUSABLE.includes(task.kind);
    return this.#ports.queue
      .enqueue(id, destinationIdsOf(task), (signal) => this.#carryOut(diary, anyOf(stop, signal), late), {
        signal: stop,
        onWait: (wait) => diary.change(this.#waitingFor(wait)),
        held: () => pausable && this.#ports.paused(),
      })
      .catch((e: unknown) =>
        // It was stopped before its turn came, or the queue takes nothing any more.
        this.#end(diary, stop.aborted ? stoppedBy(stop) : refused(e)),
      );
  }

  /** Until its end is stored, it is known here, and tried again: else it would be shown as running for ever. */
  #forget(diary: RunDiary): void {
    const { id } = diary.run;
    this.#active.delete(id);
    if (diary.write()) return;
    const first = this.#unwritten.size === 0;
    this.#unwritten.set(id, diary);
    if (first) void this.#writeLater();
  }

  async #writeLater(): Promise<void> {
    while (this.#unwritten.size > 0) {
      try {
        await this.#ports.clock.sleep(WRITE_AGAIN_MS, this.#writing.signal);
      } catch {
        return;
      }
      for (const [id, diary] of this.#unwritten) if (diary.write()) this.#unwritten.delete(id);
    }
  }

  async #carryOut(diary: RunDiary, signal: AbortSignal, late: AbortSignal): Promise<Run> {
    const { task } = diary.run;
    const seen: RunContext['seen'] = new Map();
    diary.change({ state: 'running', startedAt: this.#ports.clock.now(), ...NOT_WAITING });
    diary.startSampling();
    let outcome: Outcome;
    try {
      diary.redact = await redactor(this.#ports.secrets);
      diary.info(`${sentenceCase(titleOf(diary.run))} starts.`);
      const destination = destinationNamed(this.#ports.store, destinationIdsOf(task)[0]!);
      outcome = await carryOut({ ports: this.#ports, diary, destination, signal, seen }, task, late);
      outcome = await this.#explained(task, outcome);
    } catch (e) {
      outcome = { state: 'failed', report: null, error: asEngineError(e) };
    } finally {
      diary.stopSampling();
    }
    try {
      await updateDestinations(this.#ports, diary.run, outcome, seen, signal);
    } catch (e) {
      diary.warn(`What was learnt of the destination could not be noted: ${messageOf(e)}`);
    }
    return this.#end(diary, outcome);
  }

  async #explained(task: Task, outcome: Outcome): Promise<Outcome> {
    const { state, error } = outcome;
    if (state !== 'failed' || error === null || !this.#ports.explain) return outcome;
    return { ...outcome, error: await this.#ports.explain(task, error) };
  }

  #end(diary: RunDiary, { state, report, error }: Outcome): Run {
    const wire = error?.toWire() ?? null;
    const failed = state === 'failed';
    if (wire) diary.log(failed ? 'error' : 'warning', wire.message);
    else diary.info(state === 'warnings' ? 'Done, with problems.' : 'Done.');
    diary.change({
      state,
      report,
      error: wire && { ...wire, message: diary.redact(wire.message) },
      endedAt: this.#ports.clock.now(),
      ...NOT_WAITING,
      progress: null,
    });
    return diary.run;
  }

  // ---- what it is called

  #newRun({ task, trigger, attempt, previousId }: StartRun): Run {
    const { store, clock, newId } = this.#ports;
    const [destination] = destinationIdsOf(task).map((id) => destinationNamed(store, id));
    const plan = task.kind === 'backup' ? planFor(store, task.planId) : undefined;
    return {
      id: newId(),
      task,
      trigger,
      state: 'queued',
      planId: plan?.id ?? null,
      planName: plan?.name ?? null,
      destinationId: destination?.id ?? null,
      destinationName: destination?.name ?? null,
      queuedAt: clock.now(),
      startedAt: null,
      endedAt: null,
      attempt,
      previousId,
      ...NOT_WAITING,
      progress: null,
      report: null,
      error: null,
      problemCount: 0,
    };
  }

  #stored(id: string): Run {
    const run = this.#ports.store.runs.get(id);
    if (!run) throw new EngineError('not-found', 'There is no such run any more.');
    return run;
  }

  #canRun(task: Task): boolean {
    const { destinations, plans } = this.#ports.store;
    const there = destinationIdsOf(task).every((id) => destinations.get(id));
    return there && (task.kind !== 'backup' || plans.get(task.planId) !== undefined);
  }

  #waitingFor({ behind, position, held }: QueueWait): Pick<Run, 'waitingFor' | 'waitingCode'> {
    if (held) return { waitingCode: 'pause', waitingFor: 'Paused; it starts when backups are resumed.' };
    const ahead = behind === null ? undefined : this.#active.get(behind)?.diary.run;
    if (ahead) return { waitingCode: 'run', waitingFor: `Waits until ${titleOf(ahead)} has ended.` };
    const place = position === 1 ? 'it is next' : `it is number ${position} in the queue`;
    return {
      waitingCode: behind === null ? 'queue' : 'run',
      waitingFor: `Waits until another run has ended; ${place}.`,
    };
  }
}

const VERBS: Readonly<Record<Task['kind'], string>> = {
  backup: 'the backup',
  restore: 'the restore',
  check: 'the check',
  cleanup: 'the clean-up',
  copy: 'the copy',
};

/** "the backup of “Documents” to “USB disk”" */
function titleOf({ task, planName, destinationName }: Run): string {
  const preposition = { backup: 'to', restore: 'from', check: 'of', cleanup: 'of', copy: 'of' }[task.kind];
  const plan = planName === null ? '' : ` of “${planName}”`;
  return `${VERBS[task.kind]}${plan} ${preposition} “${destinationName ?? ''}”`;
}

function sentenceCase(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function refused(e: unknown): Outcome {
  return { state: isShutdown(e) ? 'interrupted' : 'failed', report: null, error: asEngineError(e) };
}

function killed(): EngineError {
  return new EngineError('cancelled', 'Holdfast ended unexpectedly before this run had.', {
    transient: true,
    context: { reason: 'shutdown' },
  });
}

function anyOf(a: AbortSignal, b: AbortSignal): AbortSignal {
  return AbortSignal.any([a, b]);
}

function follow(from: AbortSignal | undefined, to: AbortController): void {
  if (from?.aborted) to.abort(from.reason);
  else from?.addEventListener('abort', () => to.abort(from.reason), { once: true, signal: to.signal });
}
