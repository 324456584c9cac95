/**
 * A job's starts around now: the newest that is due and the first that comes, with jitter.
 *
 * A start is put off by less than the time to the next one, whatever the jitter: starts keep their order, and the newest due one
 * is always among the last two by the schedule.
 */
import type { Instant } from '../api/model/common.ts';
import type { Schedule } from '../api/model/plan.ts';
import type { Job } from './ports.ts';
import { latestUpTo, nextAfter } from './recurrence.ts';

export interface Start {
  /** By the schedule. */
  readonly due: Instant;
  /** With jitter: when it is to begin. */
  readonly at: Instant;
}

export interface Around {
  /** The newest that has come. */
  readonly missed: Start | null;
  /** The first that is to come. */
  readonly next: Start | null;
}

interface Known extends Around {
  readonly fingerprint: string;
  readonly from: Instant;
  /** Of each start: which share of the jitter it gets. */
  readonly shares: ReadonlyMap<Instant, number>;
}

/** For so long an answer is used again. Not for ever: the computer may have travelled to another time zone. */
const KNOWN_FOR = 3_600_000;
const MINUTE = 60_000;

export class Starts {
  readonly #random: () => number;
  readonly #known = new Map<string, Known>();

  /** @param random 0 ≤ x < 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * The starts around `now` of those that are due at `floor` or later.
   * @throws EngineError 'usage' for a schedule that is none.
   */
  around({ key, schedule }: Job, floor: Instant, now: Instant): Around {
    const { when, timeZone, jitterMinutes } = schedule;
    const fingerprint = JSON.stringify([when, timeZone, jitterMinutes, floor]);
    const known = this.#known.get(key);
    if (known?.fingerprint === fingerprint && holds(known, now)) return known;
    const shares = new Map<Instant, number>();
    const start = (due: Instant | null): Start | null => {
      if (due === null) return null;
      const share = known?.shares.get(due) ?? this.#random();
      shares.set(due, share);
      return { due, at: due + delay(schedule, due, share) };
    };
    const around = { ...find(schedule, floor, now, start), fingerprint, from: now, shares };
    this.#known.set(key, around);
    return around;
  }

  /** Forgets jobs that are no more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
  }
}

function holds({ from, next }: Known, now: Instant): boolean {
  return now >= from && now < from + KNOWN_FOR && (next === null || now < next.at);
}

function find(
  { when, timeZone }: Schedule,
  floor: Instant,
  now: Instant,
  start: (due: Instant | null) => Start | null,
): Around {
  const newest = start(latestUpTo(when, timeZone, now, floor));
  if (newest !== null && newest.at > now) {
    return { missed: start(latestUpTo(when, timeZone, newest.due - 1, floor)), next: newest };
  }
  return { missed: newest, next: start(nextAfter(when, timeZone, Math.max(now, floor - 1))) };
}

function delay({ when, timeZone, jitterMinutes }: Schedule, due: Instant, share: number): number {
  if (jitterMinutes === 0) return 0;
  const gap = (nextAfter(when, timeZone, due) ?? Number.POSITIVE_INFINITY) - due;
  return Math.floor(share * Math.min(jitterMinutes * MINUTE, gap));
}
