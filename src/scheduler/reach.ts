/** Whether destinations answer: asked before each run, and with growing pauses while they don't. */
import type { Instant } from '../api/model/common.ts';
import type { Clock } from '../util/clock.ts';

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 15 * 60_000;
/** Whoever takes longer does not answer. */
const ASK_LIMIT = 60_000;

interface Silence {
  readonly count: number;
  readonly askAt: Instant;
}

interface Ask {
  readonly stop: AbortController;
  answer: Promise<boolean>;
  /** Something has changed since it was asked: a no is not to be believed. */
  stale: boolean;
}

export interface ReachPorts {
  readonly clock: Clock;
  reachable(destinationId: string, signal: AbortSignal): Promise<boolean>;
}

export class Reach {
  readonly #ports: ReachPorts;
  readonly #silent = new Map<string, Silence>();
  readonly #asked = new Map<string, Ask>();

  constructor(ports: ReachPorts) {
    this.#ports = ports;
  }

  /** Whether all of them answer. Several who ask for one at the same time share the answer. */
  async ask(destinationIds: readonly string[]): Promise<boolean> {
    const answers = await Promise.all(destinationIds.map((id) => this.#askOne(id)));
    return answers.every((answer) => answer);
  }

  /** Whether one of them did not answer when it was last asked. */
  silent(destinationIds: readonly string[]): boolean {
    return destinationIds.some((id) => this.#silent.has(id));
  }

  /** When to ask next; in the past where none is silent. */
  askAt(destinationIds: readonly string[], now: Instant): Instant {
    const times = destinationIds.map((id) => this.#silent.get(id)?.askAt ?? 0);
    const at = Math.max(0, ...times);
    // Noted by a clock that has been set back since.
    return at > now + LONGEST_PAUSE ? now : at;
  }

  /** Asks again without a pause: one of them, or all. They count as silent until they answer. */
  hurry(destinationId?: string): void {
    const ids = destinationId === undefined ? [...this.#silent.keys()] : [destinationId];
    for (const id of ids) if (this.#silent.has(id)) this.#silent.set(id, { count: 0, askAt: 0 });
    for (const [id, ask] of this.#asked)
      if (destinationId === undefined || id === destinationId) ask.stale = true;
  }

  /** Nobody waits for answers any more. */
  stop(): void {
    for (const { stop } of this.#asked.values()) stop.abort();
  }

  #askOne(id: string): Promise<boolean> {
    const under = this.#asked.get(id);
    if (under) return under.answer;
    const stop = new AbortController();
    const ask: Ask = { stop, stale: false, answer: this.#answer(id, stop) };
    ask.answer = ask.answer.then((yes) => {
      this.#asked.delete(id);
      this.#note(id, yes, ask.stale);
      return yes;
    });
    this.#asked.set(id, ask);
    return ask.answer;
  }

  async #answer(id: string, stop: AbortController): Promise<boolean> {
    const no = () => false;
    const late = this.#ports.clock.sleep(ASK_LIMIT, stop.signal).then(no, no);
    const asked = (async () => this.#ports.reachable(id, stop.signal))().catch(no);
    const answer = await Promise.race([asked, late]);
    stop.abort();
    return answer;
  }

  #note(id: string, yes: boolean, stale: boolean): void {
    if (yes) {
      this.#silent.delete(id);
      return;
    }
    if (stale) {
      this.#silent.set(id, { count: 0, askAt: 0 });
      return;
    }
    const count = (this.#silent.get(id)?.count ?? 0) + 1;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (count - 1));
    this.#silent.set(id, { count, askAt: this.#ports.clock.now() + pause });
  }
}
