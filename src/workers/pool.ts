/**
 * A few threads that take jobs. A job goes to a thread that has nothing to do; the others wait, those said to be
 * urgent first. A thread gets its first job when it has started: one that does not get through its start takes none down.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { EngineError, messageOf } from '../api/errors.ts';
import { returnLargeBuffers } from '../fs/allocator.ts';
import type { Job, ReplyOf, Request, Response, SharedIndexBuffers, WorkerSetup } from './protocol.ts';

interface Pending {
  readonly job: Job;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** It has loaded its modules, or ended. */
  readonly ready: Promise<void>;
  started: boolean;
  readonly running: Map<number, Pending>;
}

/** More threads than this only wait for the disk. */
const MOST_THREADS = 8;
/** Jobs that a thread holds at once: one under way, one behind it, so that it need not wait for this thread. */
const DEPTH = 2;
const PATIENCE_MS = 5000;
const START_PATIENCE_MS = 30_000;
/** A thread that has not started by then never will, however busy the computer is. */
const NEVER_MS = 2 * 60_000;

export function defaultThreads(): number {
  return Math.max(1, Math.min(MOST_THREADS, availableParallelism()));
}

export class WorkerPool {
  readonly size: number;
  readonly #threads: Thread[] = [];
  readonly #queue: Pending[] = [];
  readonly #setup: WorkerSetup;
  readonly #patienceMs: number;
  #index: SharedIndexBuffers | undefined;
  #next = 1;
  #failure: EngineError | undefined;

  /** Threads start when the first jobs come. `patienceMs`: how long one may take to end, asked or forced. */
  constructor(setup: WorkerSetup, size: number = defaultThreads(), patienceMs: number = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
    returnLargeBuffers();
    this.#setup = setup;
    this.#index = setup.chunking?.index;
    this.size = size;
  }

  /** Errors: those of the job, as EngineError; 'internal' if the thread dies. */
  run<J extends Job>(job: J, o: RunOptions = {}): Promise<ReplyOf<J>> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise<unknown>((resolve, reject) => {
      const pending = { job, transfer: o.transfer ?? [], resolve, reject };
      if (o.urgent) this.#queue.unshift(pending);
      else this.#queue.push(pending);
      this.#dispatch();
    }) as Promise<ReplyOf<J>>;
  }

  /** Gives all threads a larger index. */
  shareIndex(index: SharedIndexBuffers): void {
    this.#index = index;
    for (const { worker } of this.#threads) worker.postMessage({ index } satisfies Request);
  }

  async close(): Promise<void> {
    this.#fail(new EngineError('cancelled', 'The workers were stopped.'));
    await Promise.all(this.#threads.map((thread) => stop(thread, this.#patienceMs)));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#leastBusy();
      if (!thread) return;
      const pending = this.#queue.shift()!;
      const number = this.#next++;
      thread.running.set(number, pending);
      thread.worker.ref();
      thread.worker.postMessage(
        { number, job: pending.job } satisfies Request,
        pending.transfer as ArrayBuffer[],
      );
    }
  }

  /** As many threads are started as there are jobs that no other would begin at once. */
  #leastBusy(): Thread | undefined {
    const started = this.#threads.filter((t) => t.started);
    const idle = started.find((t) => t.running.size === 0);
    if (idle) return idle;
    const starting = this.#threads.length - started.length;
    const missing = Math.min(this.size - this.#threads.length, this.#queue.length - starting);
    for (let n = 0; n < missing; n++) this.#start();
    return started.find((t) => t.running.size < DEPTH);
  }

  /** Where not one thread gets through its start, jobs would wait for ever. */
  async #watchStart(ready: Promise<void>): Promise<void> {
    if (await within(NEVER_MS, ready)) return;
    if (!this.#threads.some((t) => t.started)) this.#fail(crashed(new Error('it did not start')));
  }

  #start(): Thread {
    const worker = new Worker(workerUrl(), { workerData: this.#currentSetup() });
    const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
    const thread: Thread = { worker, ready, started: false, running: new Map() };
    worker.on('message', (response: Response) => {
      if (!('ready' in response)) return this.#settle(thread, response);
      isReady();
      thread.started = true;
      // Unless it is being stopped, which keeps the process until it has ended.
      if (!this.#failure) worker.unref();
      this.#dispatch();
    });
    void this.#watchStart(ready);
    worker.on('error', (e) => this.#fail(crashed(e)));
    worker.on('exit', () => {
      isReady();
      this.#fail(crashed(new Error('it ended')));
    });
    this.#threads.push(thread);
    return thread;
  }

  #currentSetup(): WorkerSetup {
    const { chunking } = this.#setup;
    if (!chunking || !this.#index) return this.#setup;
    return { ...this.#setup, chunking: { ...chunking, index: this.#index } };
  }

  #settle(thread: Thread, response: Exclude<Response, { ready: true }>): void {
    const pending = thread.running.get(response.number);
    thread.running.delete(response.number);
    // An idle pool must not keep a finished command alive.
    if (thread.running.size === 0) thread.worker.unref();
    if (pending && 'error' in response) pending.reject(EngineError.fromWire(response.error));
    else if (pending && 'reply' in response) pending.resolve(response.reply);
    this.#dispatch();
  }

  /** One dead thread ends the pool: its jobs cannot be told from those that harmed it. */
  #fail(error: EngineError): void {
    this.#failure ??= error;
    const lost = [...this.#queue.splice(0), ...this.#threads.flatMap((t) => [...t.running.values()])];
    for (const thread of this.#threads) thread.running.clear();
    for (const pending of lost) pending.reject(this.#failure);
  }
}

export interface RunOptions {
  readonly transfer?: readonly ArrayBuffer[];
  /** Before those that wait already. */
  readonly urgent?: boolean;
}

/**
 * Lets a thread end by itself after the job it is at. It may be stuck in the reading of a dead network drive, and is
 * terminated then, but never before it has started: while it loads a native module, that would abort the process
 * (seen with koffi 3.3 and Node 24). One that does not get through its start is left alone.
 */
async function stop({ worker, ready }: Thread, patienceMs: number): Promise<void> {
  if (worker.threadId === -1) return;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.ref();
  worker.postMessage({ stop: true } satisfies Request);
  if (!(await within(START_PATIENCE_MS, ready))) return void worker.unref();
  if (await within(patienceMs, ended)) return;
  // A call into the system that does not return can't be ended from here.
  if (!(await within(patienceMs, worker.terminate()))) worker.unref();
}

/** Whether the promise settles in time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function crashed(cause: unknown): EngineError {
  return new EngineError('internal', `A worker thread broke down: ${messageOf(cause)}.`, {}, { cause });
}

/** Beside this file: TypeScript in the source tree, the bundle in the built program. */
function workerUrl(): URL {
  const built = !import.meta.url.endsWith('.ts');
  return new URL(built ? './worker-main.mjs' : './worker-main.ts', import.meta.url);
}
