/**
 * Keeps to what Google allows, for all calls of a storage together.
 *
 * queries     12,000 calls in a minute and account are documented
 * creations   about two new files a second; more are answered with rateLimitExceeded, however few the calls
 * gate        after such an answer no call leaves before a time that doubles with each further one
 */
import type { Clock } from '../../util/clock.ts';
import { pause, throwIfAborted } from '../calls.ts';

/** Per second. */
export interface Allowed {
  readonly creations: number;
  readonly queries: number;
}

export interface QuotaParts {
  readonly clock: Clock;
  /** 0 … 1, evenly. */
  readonly random: () => number;
  readonly allowed: Allowed;
}

/** Tokens come evenly; some unused ones are kept. */
class Bucket {
  readonly #clock: Clock;
  readonly #kept: number;
  readonly #usual: number;
  #rate: number;
  #level: number;
  #filled: number;

  /** `rate`: per second. */
  constructor(clock: Clock, rate: number, kept: number) {
    this.#clock = clock;
    this.#usual = rate;
    this.#rate = rate;
    this.#kept = kept;
    this.#level = kept;
    this.#filled = clock.now();
  }

  async take(signal: AbortSignal | undefined): Promise<void> {
    this.#fill();
    this.#level -= 1;
    if (this.#level >= 0) return;
    try {
      await pause(this.#clock, (-this.#level / this.#rate) * 1000, signal);
    } catch (e) {
      this.#level += 1;
      throw e;
    }
  }

  slower(): void {
    this.#fill();
    this.#rate = Math.max(this.#usual / 8, this.#rate / 2);
    this.#level = Math.min(0, this.#level);
  }

  faster(): void {
    this.#fill();
    this.#rate = Math.min(this.#usual, this.#rate * 1.05);
  }

  #fill(): void {
    const now = this.#clock.now();
    // The clock of the machine may be set back.
    const passed = Math.max(0, now - this.#filled) / 1000;
    this.#level = Math.min(this.#kept, this.#level + passed * this.#rate);
    this.#filled = now;
  }
}

const KEPT_SECONDS = 1;
const GATE_MS = { first: 1000, most: 64_000 } as const;

export class Quota {
  readonly #parts: QuotaParts;
  readonly #queries: Bucket;
  readonly #creations: Bucket;
  /** Milliseconds since the epoch. */
  #gate = 0;
  #strain = 0;

  constructor(parts: QuotaParts) {
    this.#parts = parts;
    const { clock, allowed } = parts;
    this.#queries = new Bucket(clock, allowed.queries, allowed.queries * KEPT_SECONDS);
    this.#creations = new Bucket(clock, allowed.creations, allowed.creations * KEPT_SECONDS);
  }

  /** Waits until a call may leave. */
  async pass(o: { readonly creates: boolean; readonly signal: AbortSignal | undefined }): Promise<void> {
    // First too: allowances taken while the gate is closed would all be used at once when it opens.
    await this.#passGate(o.signal);
    if (o.creates) await this.#creations.take(o.signal);
    await this.#queries.take(o.signal);
    await this.#passGate(o.signal);
  }

  async #passGate(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#parts;
    for (let left = this.#gate - clock.now(); left > 0; left = this.#gate - clock.now()) {
      await pause(clock, left, signal);
    }
    throwIfAborted(signal);
  }

  /** Drive asked for a pause of at least so many seconds. Calls that were under way together count once. */
  slowDown(seconds: number): void {
    const { clock, random } = this.#parts;
    const now = clock.now();
    if (now >= this.#gate) {
      this.#strain++;
      this.#creations.slower();
    }
    const usual = Math.min(GATE_MS.most, GATE_MS.first * 2 ** (this.#strain - 1));
    const wait = Math.max(seconds * 1000, usual * (0.5 + random()));
    this.#gate = Math.max(this.#gate, now + wait);
  }

  went(): void {
    if (this.#parts.clock.now() >= this.#gate) this.#strain = 0;
    this.#creations.faster();
  }
}
