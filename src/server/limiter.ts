/**
 * How often sign-in may be tried. Each address has some tries at once and then waits longer and longer; all addresses
 * together have a budget that fills up again slowly. A try counts when it begins, so that many at once gain nothing.
 */
import { isIPv6 } from 'node:net';
import type { Clock } from '../util/clock.ts';

const FREE = 5;
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 15 * 60_000;
/** After so long without a try an address is forgotten. */
const FORGET = 60 * 60_000;
const ADDRESSES = 10_000;
const BUDGET = 60;
/** Milliseconds after which the budget has one more. */
const REFILL = 5_000;

interface Tries {
  readonly count: number;
  readonly next: number;
  readonly last: number;
}

export class SignInLimiter {
  readonly #clock: Clock;
  /** In the order of the last try, so that the first is the oldest. */
  readonly #tries = new Map<string, Tries>();
  #budget = BUDGET;
  #filledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.now();
  }

  /** Counts a try. Returns 0 when it may be made, else the milliseconds to wait; a try too early costs nothing. */
  attempt(address: string): number {
    const now = this.#clock.now();
    const key = subnet(address);
    const before = this.#recent(key, now);
    const wait = Math.max((before?.next ?? 0) - now, this.#budgetWait(now));
    if (wait > 0) return wait;
    const count = (before?.count ?? 0) + 1;
    this.#budget -= 1;
    this.#remember(key, { count, last: now, next: count < FREE ? 0 : now + waitAfter(count) });
    return 0;
  }

  /** The address has proven that it may. */
  succeeded(address: string): void {
    this.#tries.delete(subnet(address));
  }

  #recent(key: string, now: number): Tries | undefined {
    const tries = this.#tries.get(key);
    // A clock that was set back must not lock anybody out.
    return tries && Math.abs(now - tries.last) < FORGET ? tries : undefined;
  }

  #remember(key: string, tries: Tries): void {
    this.#tries.delete(key);
    this.#tries.set(key, tries);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size > ADDRESSES && oldest !== undefined) this.#tries.delete(oldest);
  }

  #budgetWait(now: number): number {
    const earned = Math.floor(Math.max(0, now - this.#filledAt) / REFILL);
    this.#budget = Math.min(BUDGET, this.#budget + earned);
    this.#filledAt = now < this.#filledAt ? now : this.#filledAt + earned * REFILL;
    return this.#budget >= 1 ? 0 : this.#filledAt + REFILL - now;
  }
}

const waitAfter = (count: number) => Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(count - FREE, 20));

/** An IPv4 address, or the /64 that one household or server has of IPv6. */
export function subnet(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
