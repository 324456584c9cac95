/** Long work in slices: whoever else lives on this thread gets a turn every few milliseconds. */
import { setImmediate as turn } from 'node:timers/promises';

/** Short enough that a screen which asks meanwhile does not notice. */
const SLICE_MS = 8;

export class Pace {
  readonly #signal: AbortSignal | undefined;
  readonly #others: (() => Promise<unknown> | undefined) | undefined;
  #since = performance.now();

  /** `others` tells what goes first, whenever there is a pause. */
  constructor(signal?: AbortSignal, others?: () => Promise<unknown> | undefined) {
    this.#signal = signal;
    this.#others = others;
  }

  /** The slice is used up. */
  get due(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  /** Lets others have their turn, if it is time. Error: the signal's reason. */
  async breathe(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (this.due) await this.pause();
  }

  /** Error: the signal's reason. */
  async pause(): Promise<void> {
    await turn();
    await this.#others?.();
    this.#since = performance.now();
    this.#signal?.throwIfAborted();
  }
}
