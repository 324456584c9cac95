/**
 * The connections of one storage.
 *
 * A channel of SSH has a window of 2 MiB: over a line with a round trip of 50 ms one connection carries 40 MB/s at most. So a call
 * that moves much data gets a connection of its own, while there are fewer than allowed; other calls share those that are there. The
 * first is made alone: a login that is not accepted is tried once, not five times at once.
 */
import { isEngineError } from '../../api/errors.ts';
import { throwIfAborted } from '../calls.ts';
import { connect, trustOf } from './connect.ts';
import type { Link } from './link.ts';
import { type Attempts, gatherAttempts } from './login.ts';
import type { Place } from './place.ts';

/** What a call needs of its connection: 'data' asks for one of its own. */
export type Kind = 'data' | 'question';

export class Pool {
  readonly #place: Place;
  readonly #links = new Set<Link>();
  #first: Promise<Link> | undefined;
  /** Connections that are being made beside the first. */
  #coming = 0;
  #most: number;
  #attempts: { readonly login: string; readonly attempts: Attempts } | undefined;
  readonly #closing = new AbortController();

  constructor(place: Place) {
    this.#place = place;
    this.#most = place.connections;
  }

  async use<T>(kind: Kind, work: (link: Link) => Promise<T>): Promise<T> {
    const link = await this.#take(kind);
    try {
      return await work(link);
    } finally {
      link.busy--;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#first?.catch(() => undefined);
    await Promise.all([...this.#links].map((link) => link.close()));
    this.#links.clear();
  }

  /** A connection that counts the caller as one who uses it. */
  async #take(kind: Kind): Promise<Link> {
    for (;;) {
      const free = this.#leastBusy();
      const more = this.#links.size + this.#coming < this.#most;
      if (free !== undefined && (kind === 'question' || free.busy === 0 || !more)) return using(free);
      if (free !== undefined) await this.#another();
      else if (this.#first) await this.#first;
      else return using(await this.#makeFirst());
    }
  }

  #leastBusy(): Link | undefined {
    for (const link of this.#links) if (!link.alive) this.#links.delete(link);
    let best: Link | undefined;
    for (const link of this.#links) if (best === undefined || link.busy < best.busy) best = link;
    return best;
  }

  /** All who come meanwhile wait for it, and then choose anew. */
  async #makeFirst(): Promise<Link> {
    this.#most = this.#place.connections;
    this.#first = this.#connect();
    try {
      return await this.#first;
    } finally {
      this.#first = undefined;
    }
  }

  /** Servers that allow fewer connections than we would like say so in many ways; then those that are there must do. */
  async #another(): Promise<void> {
    this.#coming++;
    try {
      await this.#connect();
    } catch (e) {
      if (this.#leastBusy() === undefined || isEngineError(e, 'cancelled', 'host-unverified')) throw e;
      this.#most = this.#links.size;
    } finally {
      this.#coming--;
    }
  }

  async #connect(): Promise<Link> {
    const login = (await this.#place.login?.get()) ?? {};
    const text = JSON.stringify(login);
    if (this.#attempts?.login !== text) {
      this.#attempts = { login: text, attempts: await gatherAttempts(this.#place, login) };
    }
    const { attempts } = this.#attempts;
    try {
      const trust = await trustOf(this.#place, login);
      const link = await connect(this.#place, trust, attempts, this.#closing.signal);
      if (this.#closing.signal.aborted) await link.close();
      throwIfAborted(this.#closing.signal);
      this.#links.add(link);
      return link;
    } catch (e) {
      // A key file may be put right before the next try.
      this.#attempts = undefined;
      throw e;
    }
  }
}

function using(link: Link): Link {
  link.busy++;
  return link;
}
