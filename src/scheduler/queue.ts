/**
 * Who works on which repository, and who is next.
 *
 * task   something that needs repositories (by the ids of their destinations) for itself alone
 * ahead  what a waiting task must let go first: whatever came before it and shares a destination with it
 * held   a task that is not to begin now though it could; while it is, it keeps no other waiting, and then has its old place
 *
 * Tasks that share no destination run side by side, up to a maximum. Among those that do, first come is first served; a task
 * that needs two destinations keeps its place at both, so that it is not overtaken for ever.
 */
import { EngineError } from '../api/errors.ts';

/** Why a task waits. */
export interface Wait {
  /** Among all that wait and are not held: 1 is the one that came first. */
  readonly position: number;
  /** The id of the newest task ahead; null: it only waits because the maximum is under way. */
  readonly behind: string | null;
  /** It is held; the rest is of no account. */
  readonly held: boolean;
}

export interface EnqueueOptions {
  /** Takes the task out of the queue, or is handed on to its work. */
  readonly signal?: AbortSignal | undefined;
  /** Called when it has to wait, and whenever its wait changes; not once it has begun. */
  readonly onWait?: ((wait: Wait) => void) | undefined;
  /** Asked whenever it could begin; whoever changes the answer calls `review`. */
  readonly held?: (() => boolean) | undefined;
}

export interface RunQueueOptions {
  /** So many tasks at most run at once. */
  readonly maxRunning: number;
}

interface Entry {
  readonly id: string;
  readonly destinationIds: readonly string[];
  readonly stop: AbortController;
  readonly onWait: ((wait: Wait) => void) | undefined;
  readonly held: () => boolean;
  readonly begin: () => Promise<void>;
  readonly refuse: (reason: unknown) => void;
  told: Wait | null;
}

export class RunQueue {
  readonly #maxRunning: number;
  readonly #running = new Map<string, Entry>();
  readonly #waiting: Entry[] = [];
  #closed: unknown;

  constructor({ maxRunning }: RunQueueOptions) {
    this.#maxRunning = maxRunning;
  }

  /**
   * Runs `work` when its turn has come; settles as it does. `work` gets a signal that `cancel` and `options.signal` abort.
   * Rejects with the reason of the cancel where it had not begun, and with 'internal' for an id that is in use.
   */
  enqueue<T>(
    id: string,
    destinationIds: readonly string[],
    work: (signal: AbortSignal) => Promise<T>,
    options: EnqueueOptions = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { signal, onWait, held = () => false } = options;
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closed !== undefined) return reject(this.#closed);
      if (this.#find(id))
        return reject(new EngineError('internal', `The task ${id} is in the queue already.`));
      const stop = new AbortController();
      const onAbort = () => this.cancel(id, signal?.reason);
      const done = () => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      // What `work` throws before its first await rejects as well.
      const begin = async () => work(stop.signal).then(resolve, reject);
      this.#waiting.push({
        id,
        destinationIds,
        stop,
        onWait,
        held,
        begin: () => begin().catch(reject).finally(done),
        refuse: (reason) => {
          done();
          reject(reason);
        },
        told: null,
      });
      this.#pump();
    });
  }

  /** Takes a waiting task out, or aborts the signal of one that has begun. False: there is no such task. */
  cancel(id: string, reason: unknown = cancelled()): boolean {
    const entry = this.#find(id);
    if (entry === undefined) return false;
    entry.stop.abort(reason);
    const place = this.#waiting.indexOf(entry);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
      entry.refuse(reason);
      this.#pump();
    }
    return true;
  }

  /** What is held may have changed. */
  review(): void {
    this.#pump();
  }

  /** For the end of the program: whoever waits or comes later is refused for this reason; what has begun goes on. */
  close(reason: unknown): void {
    this.#closed = reason;
    for (const entry of this.#waiting.splice(0)) entry.refuse(reason);
  }

  /** Those that have begun, in the order in which they did. */
  running(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Those that wait, the first that came first. */
  waiting(): readonly (Wait & { readonly id: string })[] {
    return this.#waiting.map((entry, place) => ({ id: entry.id, ...this.#waitOf(entry, place) }));
  }

  #find(id: string): Entry | undefined {
    return this.#running.get(id) ?? this.#waiting.find((entry) => entry.id === id);
  }

  /** Begins whatever can begin. Invariant: no two of `#running` share a destination. */
  #pump(): void {
    for (let place = 0; place < this.#waiting.length && this.#running.size < this.#maxRunning; ) {
      const entry = this.#waiting[place]!;
      if (entry.held() || this.#ahead(entry, place) !== null) {
        place++;
        continue;
      }
      this.#waiting.splice(place, 1);
      this.#running.set(entry.id, entry);
      void entry.begin().finally(() => {
        this.#running.delete(entry.id);
        this.#pump();
      });
    }
    this.#tell();
  }

  #ahead(entry: Entry, place: number): string | null {
    const before = [...this.#running.values(), ...this.#before(place)];
    const shares = (other: Entry) => other.destinationIds.some((id) => entry.destinationIds.includes(id));
    return before.findLast(shares)?.id ?? null;
  }

  #before(place: number): readonly Entry[] {
    return this.#waiting.slice(0, place).filter((other) => !other.held());
  }

  #waitOf(entry: Entry, place: number): Wait {
    const position = this.#before(place).length + 1;
    return { position, behind: this.#ahead(entry, place), held: entry.held() };
  }

  #tell(): void {
    for (const entry of [...this.#waiting]) {
      const place = this.#waiting.indexOf(entry);
      // Whoever was told before may have cancelled this one.
      if (place < 0) continue;
      const wait = this.#waitOf(entry, place);
      if (entry.told && sameWait(entry.told, wait)) continue;
      entry.told = wait;
      entry.onWait?.(wait);
    }
  }
}

function sameWait(a: Wait, b: Wait): boolean {
  return a.position === b.position && a.behind === b.behind && a.held === b.held;
}

/** A wait as a sentence to the person. */
export function describeWait({ position, behind, held }: Wait): string {
  if (held) return 'It starts when backups are resumed.';
  const place = position === 1 ? 'It is next' : `It is number ${position} in the queue`;
  return behind === null
    ? `${place}; as many runs as may run at once are under way.`
    : `${place}; another run uses the same destination.`;
}

function cancelled(): EngineError {
  return new EngineError('cancelled', 'Stopped before it began.', { context: { reason: 'person' } });
}
