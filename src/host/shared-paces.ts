/** The allowances of bytes that runs share: one of the whole host, and one of each destination. */
import type { Pace } from '../backend/backend.ts';
import { createPace } from '../backend/limit.ts';
import type { Clock } from '../util/clock.ts';

/** Bytes per second; null: no limit. */
interface Rates {
  readonly uploadLimit: number | null;
  readonly downloadLimit: number | null;
}

interface Made {
  readonly rates: string;
  readonly pace: Pace;
}

export class SharedPaces {
  readonly #clock: Clock;
  readonly #made = new Map<string, Made>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those that work at a destination has to keep to. Limits that have changed since hold for what begins later. */
  of(everything: Rates, destination: Rates & { readonly id: string }): readonly Pace[] {
    return [...this.#one('', everything), ...this.#one(destination.id, destination)];
  }

  #one(name: string, { uploadLimit, downloadLimit }: Rates): readonly Pace[] {
    if (uploadLimit === null && downloadLimit === null) return [];
    const rates = `${uploadLimit} ${downloadLimit}`;
    const known = this.#made.get(name);
    if (known?.rates === rates) return [known.pace];
    const pace = createPace(
      {
        ...(uploadLimit === null ? {} : { uploadBytesPerSecond: uploadLimit }),
        ...(downloadLimit === null ? {} : { downloadBytesPerSecond: downloadLimit }),
      },
      this.#clock,
    );
    this.#made.set(name, { rates, pace });
    return [pace];
  }
}
