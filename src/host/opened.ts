/**
 * Repositories that are kept open for a while for whoever looks into versions: to open one costs half a second of key
 * derivation on purpose, and its index must be read. Nobody else's lock is disturbed: looking takes none, as `ls` in restic's
 * --no-lock; a version that is forgotten meanwhile shows as missing.
 */
import { isEngineError } from '../api/errors.ts';
import type { StoredSnapshot } from '../format/types.ts';
import type { IndexedRepository, Repository } from '../repository/repository.ts';
import { findSnapshot } from '../repository/snapshot-filter.ts';
import { orLeave } from '../runs/stop.ts';
import type { Clock } from '../util/clock.ts';

export interface OpenedVersions {
  /** Oldest first. */
  readonly snapshots: readonly StoredSnapshot[];
  /** By id, prefix or 'latest'. Errors: 'snapshot-missing', 'ambiguous', 'usage'. */
  named(reference: string): StoredSnapshot;
  indexed(): Promise<IndexedRepository>;
}

interface Entry {
  readonly repository: Promise<Repository>;
  /** It has been opened. */
  ready: boolean;
  index: Promise<IndexedRepository> | undefined;
  /** Identifies the run that was the last when the index was read. */
  generation: number;
  until: number;
}

const KEEP_MS = 5 * 60_000;
/** A storage that does not answer is not waited for any longer at the end. */
const CLOSE_MS = 2000;

export class OpenedRepositories {
  readonly #open: (destinationId: string, signal: AbortSignal) => Promise<Repository>;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  #generation = 0;

  /** The signal that `open` gets aborts when all is closed. */
  constructor(open: (destinationId: string, signal: AbortSignal) => Promise<Repository>, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** A run has ended: indexes may be out of date. */
  changed(): void {
    this.#generation++;
  }

  /** Errors: those of opening; nothing is kept after one. */
  async versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions> {
    const kept = this.#entries.get(destinationId)?.ready ?? false;
    try {
      return await this.#versions(destinationId, signal);
    } catch (e) {
      if (!kept || !isEngineError(e, 'unreachable')) throw e;
      // Its disk was unplugged meanwhile, and may be at another place by now; or another one of its set is there.
      await this.drop(destinationId);
      return this.#versions(destinationId, signal);
    }
  }

  async #versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions> {
    const entry = this.#entry(destinationId);
    const repository = await entry.repository;
    // Damaged ones are left out here: a check names them.
    const snapshots = await repository.snapshots({ ...(signal ? { signal } : {}), onDamaged: () => {} });
    return {
      snapshots,
      named: (reference) => findSnapshot(snapshots, reference).snapshot,
      indexed: () => {
        // Whoever works with it for long asks again and again, so that it is not closed under their hands.
        entry.until = Math.max(entry.until, this.#clock.now() + KEEP_MS);
        return this.#indexed(entry, repository);
      },
    };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const dropped = Promise.all([...this.#entries.keys()].map((id) => this.drop(id)));
    await orLeave(dropped, { clock: this.#clock, signal: this.#stop.signal, graceMs: CLOSE_MS });
  }

  /** Closes what is open of a destination: it was changed or removed. */
  async drop(destinationId: string): Promise<void> {
    const entry = this.#entries.get(destinationId);
    this.#entries.delete(destinationId);
    await entry?.repository.then((repository) => repository.close()).catch(() => {});
  }

  /** The same of one whose disk has come or gone; what is just being opened is on the right one. */
  async renew(destinationId: string): Promise<void> {
    if (this.#entries.get(destinationId)?.ready) await this.drop(destinationId);
  }

  #entry(destinationId: string): Entry {
    const now = this.#clock.now();
    const known = this.#entries.get(destinationId);
    if (known) {
      known.until = now + KEEP_MS;
      return known;
    }
    const repository = this.#open(destinationId, this.#stop.signal);
    const entry: Entry = {
      repository,
      ready: false,
      index: undefined,
      generation: this.#generation,
      until: now + KEEP_MS,
    };
    this.#entries.set(destinationId, entry);
    repository.then(
      () => {
        entry.ready = true;
        void this.#closeLater(destinationId, entry);
      },
      () => this.#forget(destinationId, entry),
    );
    return entry;
  }

  async #closeLater(destinationId: string, entry: Entry): Promise<void> {
    try {
      for (;;) {
        const left = entry.until - this.#clock.now();
        if (left <= 0) break;
        await this.#clock.sleep(left, this.#stop.signal);
      }
    } catch {
      return;
    }
    if (this.#entries.get(destinationId) === entry) await this.drop(destinationId);
  }

  /** Unless another has taken its place. */
  #forget(destinationId: string, entry: Entry): void {
    if (this.#entries.get(destinationId) === entry) this.#entries.delete(destinationId);
  }

  #indexed(entry: Entry, repository: Repository): Promise<IndexedRepository> {
    if (entry.index && entry.generation === this.#generation) return entry.index;
    entry.generation = this.#generation;
    const index = repository.loadIndex({ onDamaged: () => {} });
    entry.index = index;
    index.catch(() => {
      if (entry.index === index) entry.index = undefined;
    });
    return index;
  }
}
