/**
 * The catalog of one destination: opened when it is asked for, filled in the background, begun anew when it is damaged.
 *
 * session   one go at filling it, from asking for the versions until none is left; a problem ends it, and the next who asks
 *           begins another
 */
import * as fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { asEngineError, EngineError } from '../api/errors.ts';
import type { CatalogState } from '../api/model/look.ts';
import { Catalog, type KnownVersion } from '../catalog/catalog.ts';
import { CatalogError, removeCatalogFile } from '../catalog/database.ts';
import { Filling, type TreeSource } from '../catalog/filling.ts';
import type { Id, StoredSnapshot } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { commandOfSnapshot, planOfSnapshot } from '../runs/tags.ts';
import type { OpenedVersions } from './opened.ts';
import { instantOf } from './versions.ts';

/** Between two messages about how far it is. */
const TELL_MS = 250;
/** Other computers may have made versions: the repository is asked again after so long, if somebody looks. */
const FRESH_MS = 60_000;
/** Who types meanwhile does not have a storage that is away asked at each key. */
const PATIENCE_MS = 15_000;
/** Whoever wants to eject the disk does not wait longer. */
const SETTLE_MS = 60_000;

export interface CatalogPorts {
  versions(destinationId: string, signal?: AbortSignal): Promise<OpenedVersions>;
  onState(state: CatalogState): void;
  log(level: 'info' | 'warning' | 'error', text: string): void;
}

export class Cataloger {
  readonly #destinationId: string;
  readonly #ports: CatalogPorts;
  readonly #path: string;
  readonly #stop = new AbortController();
  #catalog: Catalog | undefined;
  #session: Promise<void> | undefined;
  /** The last question under way; the filling lets it go first. */
  #reading: Promise<void> | undefined;
  /** Versions may have come or gone since the session under way has asked for them. */
  #again = false;
  #problem: string | null = null;
  /** It was damaged since a session last came to its end. */
  #anew = false;
  /** How often it was begun anew. */
  #resets = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(destinationId: string, path: string, ports: CatalogPorts) {
    this.#destinationId = destinationId;
    this.#path = path;
    this.#ports = ports;
  }

  /** Never fails: what is wrong is the state's problem. */
  get state(): CatalogState {
    const { done, total } = this.#tried(() => this.#opened().progress) ?? { done: 0, total: 0 };
    const working = this.#session !== undefined;
    return { destinationId: this.#destinationId, done, total, working, problem: this.#problem };
  }

  /** Somebody wants to know: it is filled, if it might not be complete. `now`: whatever went wrong a moment ago. */
  wanted(now: boolean): void {
    const age = performance.now() - this.#endedAt;
    const due = this.#problem === null ? age >= FRESH_MS : now || age >= PATIENCE_MS;
    if (this.#again || due) this.#begin();
  }

  /** Versions may have come or gone: a catalog that is there is brought up to date. */
  changed(): void {
    this.#again = true;
    if (fs.existsSync(this.#path)) this.#begin();
  }

  /** What `work` reads in the catalog; undefined where it can't be read now. Errors: those of `work` that are not the catalog's. */
  async read<T>(work: (catalog: Catalog) => T | Promise<T>): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reading = promise;
    const catalog = this.#tried(() => this.#opened());
    try {
      return catalog && (await work(catalog));
    } catch (e) {
      if (!(e instanceof CatalogError)) throw e;
      // Closed under the question's hands: it was damaged, or goes with its destination.
      if (catalog !== this.#catalog) return undefined;
      if (e.code === 'internal') throw e;
      this.#failed(e);
      return undefined;
    } finally {
      resolve();
      if (this.#reading === promise) this.#reading = undefined;
    }
  }

  /** The filling that is under way has ended, or some time has passed. */
  async settled(): Promise<void> {
    const over = performance.now() + SETTLE_MS;
    while (this.#session && performance.now() < over) {
      const late = new AbortController();
      const patience = setTimeout(over - performance.now(), undefined, late).catch(() => undefined);
      await Promise.race([this.#session, patience]);
      late.abort();
    }
  }

  /** Ends the filling. */
  async close(): Promise<void> {
    this.#stop.abort(
      new EngineError('cancelled', 'The catalog was closed.', { context: { reason: 'shutdown' } }),
    );
    await this.#session;
    this.#catalog?.close();
    this.#catalog = undefined;
  }

  /** Closes it and removes its file. Errors: 'permission', 'io'. */
  async drop(): Promise<void> {
    await this.close();
    removeCatalogFile(this.#path);
  }

  #opened(): Catalog {
    this.#stop.signal.throwIfAborted();
    this.#catalog ??= new Catalog(this.#path);
    return this.#catalog;
  }

  #tried<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (e) {
      if (!this.#stop.signal.aborted) this.#failed(e);
      return undefined;
    }
  }

  /** A damaged catalog goes, and is begun anew, but not over and over on a disk that keeps nothing; anything else is told. */
  #failed(e: unknown): void {
    const { message, hint } = asEngineError(e);
    if (e instanceof CatalogError && e.code === 'damaged') {
      this.#reset();
      this.#ports.log('warning', 'The catalog of files was damaged and is made anew.');
      if (!this.#anew) {
        this.#anew = true;
        this.#again = true;
        return;
      }
    }
    this.#problem = hint === undefined ? message : `${message} ${hint}`;
  }

  #reset(): void {
    this.#resets++;
    this.#catalog?.close();
    this.#catalog = undefined;
    try {
      removeCatalogFile(this.#path);
    } catch (e) {
      this.#problem = asEngineError(e).message;
    }
  }

  #tell(): void {
    this.#toldAt = performance.now();
    this.#ports.onState(this.state);
  }

  #progressed(): void {
    if (performance.now() - this.#toldAt >= TELL_MS) this.#tell();
  }

  // ---- sessions

  #begin(): void {
    if (this.#session || this.#stop.signal.aborted) return;
    this.#session = this.#run().finally(() => {
      this.#session = undefined;
      this.#endedAt = performance.now();
      if (this.#stop.signal.aborted) return;
      this.#tell();
      if (this.#again && this.#problem === null) this.#begin();
    });
    this.#tell();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const before = this.#resets;
    try {
      do {
        this.#again = false;
        await this.#fill(signal);
      } while (this.#again);
      this.#problem = null;
      this.#anew = false;
    } catch (e) {
      // A search may have found the damage first, and had the catalog begun anew under this session's hands.
      const isPast = e instanceof CatalogError && e.code === 'internal' && before !== this.#resets;
      if (!signal.aborted && !isPast) this.#failed(e);
    }
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const opened = await this.#orAborted(this.#ports.versions(this.#destinationId, signal));
    const { repository } = await this.#orAborted(opened.indexed());
    const catalog = this.#ofRepository(repository.id);
    this.#problem = null;
    const source = new Trees(opened, (work) => this.#orAborted(work));
    const filling = new Filling(catalog, source, {
      signal,
      others: () => this.#reading,
      onProgress: () => this.#progressed(),
      onUnreadable: (tree) =>
        this.#ports.log(
          'warning',
          `A folder can't be read and is missing in the catalog of files: tree ${tree}.`,
        ),
    });
    const versions = opened.snapshots.map(knownVersion);
    catalog.keepOnly(new Set(versions.map(({ id }) => id)));
    do {
      await filling.clean();
      catalog.add(versions);
      source.mayRenew();
      this.#progressed();
    } while (!this.#again && (await filling.step()));
  }

  /** Another repository may lie at the destination than before. */
  #ofRepository(id: string): Catalog {
    const known = this.#opened().repository;
    if (known !== undefined && known !== id) this.#reset();
    const catalog = this.#opened();
    catalog.repository = id;
    return catalog;
  }

  /** A storage that does not answer holds nobody up who wants to stop. */
  async #orAborted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#stop;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([work, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

class Trees implements TreeSource {
  readonly #opened: OpenedVersions;
  readonly #orAborted: <T>(work: Promise<T>) => Promise<T>;
  #renewed: { readonly old: IndexedRepository; readonly fresh: IndexedRepository } | undefined;
  #mayRenew = true;

  constructor(opened: OpenedVersions, orAborted: <T>(work: Promise<T>) => Promise<T>) {
    this.#opened = opened;
    this.#orAborted = orAborted;
  }

  /** An index that was read is believed until the next version. */
  mayRenew(): void {
    this.#mayRenew = true;
  }

  async load(id: Id, signal: AbortSignal): Promise<Uint8Array> {
    const repo = await this.#repository();
    return this.#orAborted(repo.loadBlob('tree', id, { signal }));
  }

  async renew(signal: AbortSignal): Promise<void> {
    if (!this.#mayRenew) return;
    this.#mayRenew = false;
    const old = await this.#orAborted(this.#opened.indexed());
    const fresh = await this.#orAborted(old.repository.loadIndex({ signal, onDamaged: () => {} }));
    this.#renewed = { old, fresh };
  }

  async #repository(): Promise<IndexedRepository> {
    const repo = await this.#orAborted(this.#opened.indexed());
    return this.#renewed?.old === repo ? this.#renewed.fresh : repo;
  }
}

/** The line: one computer's versions of one plan; of one set of paths, where no plan has made them. A command has its own. */
function knownVersion(snapshot: StoredSnapshot): KnownVersion {
  const planId = planOfSnapshot(snapshot);
  const what = planId ?? snapshot.paths.toSorted();
  return {
    id: snapshot.id,
    at: instantOf(snapshot.time),
    root: snapshot.tree,
    line: JSON.stringify([snapshot.hostname ?? '', what, commandOfSnapshot(snapshot)]),
    planId,
  };
}
