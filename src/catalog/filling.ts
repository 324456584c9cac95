/**
 * Filling a catalog: versions are cleaned away, then taken in, newest first, in slices between which others have their turn.
 * A stop at any place, also that of the process, leaves a catalog that is right and can be filled further.
 */
import { isEngineError } from '../api/errors.ts';
import type { Id } from '../format/types.ts';
import type { Catalog, CatalogVersion, Take } from './catalog.ts';
import { type Entry, readListing, sideBySide, type Triple } from './listing.ts';
import { TOP } from './names.ts';
import { sameState } from './node-state.ts';
import { Pace } from './pace.ts';
import type { Place } from './spans.ts';

/** The trees of a repository. */
export interface TreeSource {
  /** Errors: 'damaged' for one that is not there or not whole; the backend's. */
  load(id: Id, signal: AbortSignal): Promise<Uint8Array>;
  /** Others may have moved things about: where they lie is read anew, if that was not done lately. */
  renew(signal: AbortSignal): Promise<void>;
}

export interface FillingOptions {
  readonly signal: AbortSignal;
  /** A version is in, or some time has gone by. */
  readonly onProgress: () => void;
  /** A folder that could not be read is left out. */
  readonly onUnreadable: (tree: Id) => void;
  /** What goes before the filling at each pause: a search under way. It must not fail. */
  readonly others?: () => Promise<unknown> | undefined;
  /** Changes that become one transaction; 1,000 unless said: as many as take some milliseconds to commit. */
  readonly batch?: number;
}

const BATCH = 1000;
/** Entries between two looks at the clock where nothing has changed. */
const COMPARED = 512;
/** Paths that are cleaned or swept at once. */
const SOME = 200;
/** So many paths without a span are carried along before they are swept out. */
const MOST_UNUSED = 10_000;

/** What lies at one path in the version and its neighbours, as yet to be compared. */
interface Folder {
  readonly path: number;
  readonly trees: readonly [Id | undefined, Id | undefined, Id | undefined];
}

/** A neighbour that is in holds files which can't be read any more, so nothing can be compared with it. */
class NeighbourLost extends Error {
  readonly version: CatalogVersion;

  constructor(version: CatalogVersion) {
    super(`version ${version.id} can't be read any more`);
    this.version = version;
  }
}

export class Filling {
  readonly #catalog: Catalog;
  readonly #source: TreeSource;
  readonly #o: FillingOptions;
  readonly #pace: Pace;
  #changes = 0;
  #unused = 0;

  constructor(catalog: Catalog, source: TreeSource, o: FillingOptions) {
    this.#catalog = catalog;
    this.#source = source;
    this.#o = o;
    this.#pace = new Pace(o.signal, o.others);
  }

  /** Cleans what has gone. Errors: the catalog's, the signal's reason. */
  async clean(): Promise<void> {
    for (;;) {
      const gone = this.#catalog.goneVersions()[0];
      if (!gone) break;
      await this.#whole(() => this.#clean(gone));
    }
    if (this.#unused > MOST_UNUSED) await this.sweep();
  }

  /**
   * Takes the next version in, or a certain one; false where there is none left. What has gone must have been cleaned before.
   * Errors: the catalog's, the source's, the signal's reason.
   */
  async step(named?: Id): Promise<boolean> {
    const next = this.#catalog.next(named);
    if (!next) return false;
    await this.#whole(() => (next.undo ? this.#clean(next.version) : this.#takeIn(next)));
    this.#o.onProgress();
    return true;
  }

  /** Removes paths and names that no version has any more. Errors: the catalog's, the signal's reason. */
  async sweep(): Promise<void> {
    const last = this.#catalog.file.row<{ id: number | null }>('SELECT max(id) AS id FROM paths')?.id ?? 0;
    await this.#whole(async () => {
      for (let from = 1; from <= last; from += SOME) {
        await this.#changed(this.#catalog.names.sweep(from, from + SOME - 1));
      }
    });
    this.#unused = 0;
  }

  /** What is done is kept, also where the work is stopped. */
  async #whole(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (e) {
      if (!(e instanceof NeighbourLost)) throw e;
      this.#catalog.expel(e.version);
    } finally {
      this.#settle();
    }
  }

  #settle(): void {
    const { file } = this.#catalog;
    try {
      file.commit();
    } catch (e) {
      file.rollback();
      this.#catalog.forget();
      throw e;
    }
  }

  /** Before each change. */
  #writing(): void {
    if (!this.#catalog.file.inTransaction) this.#catalog.file.begin();
  }

  /** After changes, where a pause is welcome. */
  async #changed(count = 1): Promise<void> {
    this.#changes += count;
    if (this.#changes >= (this.#o.batch ?? BATCH)) {
      this.#changes = 0;
      this.#catalog.file.commit();
      this.#o.onProgress();
    }
    await this.#pace.breathe();
  }

  // ---- taking in

  async #takeIn(take: Take): Promise<void> {
    this.#writing();
    this.#catalog.begin(take);
    const { version, older, newer } = take;
    const positions = this.#catalog.lines.get(version.line)?.line;
    if (!positions) return;
    const place = {
      line: version.line,
      version: version.seq,
      older: older?.seq,
      newer: newer?.seq,
      positions,
    };
    const folders: Folder[] = [{ path: TOP, trees: [version.root, older?.root, newer?.root] }];
    for (let folder = folders.pop(); folder; folder = folders.pop()) {
      await this.#compare(folder, take, place, folders);
    }
    this.#writing();
    this.#catalog.finish(take);
  }

  async #compare(folder: Folder, take: Take, place: Place, folders: Folder[]): Promise<void> {
    const [here, older, newer] = folder.trees;
    const lists = [
      await this.#listing(here, take.version, false),
      await this.#listing(older, take.older, true),
      await this.#listing(newer, take.newer, true),
    ] as const;
    const entered: Folder[] = [];
    let compared = 0;
    for (const triple of sideBySide(lists)) {
      if (++compared % COMPARED === 0) await this.#pace.breathe();
      const differs = !isCovered(triple, take);
      const trees = triple.map((entry) => entry?.subtree) as unknown as Folder['trees'];
      const enter = !areEqual(trees, take);
      if (differs || enter) {
        this.#writing();
        const path = this.#catalog.names.path(folder.path, nameOf(triple));
        if (enter) entered.push({ path, trees });
        const [a, b, c] = triple;
        if (differs)
          this.#catalog.spans.note(path, place, { here: a?.state, older: b?.state, newer: c?.state });
        await this.#changed();
      }
    }
    // The trees of a version lie one after the other in the order of their paths.
    while (entered.length > 0) folders.push(entered.pop()!);
    await this.#pace.breathe();
  }

  async #listing(
    tree: Id | undefined,
    version: CatalogVersion | undefined,
    isNeighbour: boolean,
  ): Promise<readonly Entry[]> {
    if (tree === undefined || version === undefined || this.#catalog.isUnreadable(tree)) return [];
    try {
      return await this.#read(tree);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      if (isNeighbour) throw new NeighbourLost(version);
    }
    this.#writing();
    this.#catalog.noteUnreadable(tree);
    this.#o.onUnreadable(tree);
    return [];
  }

  async #read(tree: Id): Promise<readonly Entry[]> {
    const { signal } = this.#o;
    try {
      return await readListing(await this.#source.load(tree, signal), this.#pace);
    } catch (e) {
      if (!isEngineError(e, 'damaged')) throw e;
      await this.#source.renew(signal);
      return readListing(await this.#source.load(tree, signal), this.#pace);
    }
  }

  // ---- cleaning

  /** Afterwards no span speaks of the version, and those that now reach an end of the line say so. */
  async #clean(version: CatalogVersion): Promise<void> {
    const line = this.#catalog.lines.get(version.line)?.line;
    const at = line?.versions.findIndex(({ seq }) => seq === version.seq) ?? -1;
    if (line && line.versions.length === 1) await this.#dropLine(version.line);
    else if (line && at >= 0) {
      const ends = [
        ...(at === 0 ? [line.versions[1]] : []),
        ...(at === line.versions.length - 1 ? [line.versions[at - 1]] : []),
      ];
      for (const one of [version, ...ends]) if (one) await this.#release(one.seq, version, line);
    }
    this.#writing();
    this.#catalog.cleaned(version);
  }

  async #release(
    at: number,
    { seq, line: id }: CatalogVersion,
    line: Parameters<Catalog['spans']['release']>[2],
  ): Promise<void> {
    for (let after = TOP; ; ) {
      const paths = this.#catalog.spans.pathsAt(at, after, SOME);
      const last = paths.at(-1);
      if (last === undefined) return;
      for (const path of paths) {
        this.#writing();
        if (this.#catalog.spans.release(path, id, line, seq)) this.#unused++;
        await this.#changed();
      }
      after = last;
    }
  }

  async #dropLine(line: number): Promise<void> {
    for (let after: number | undefined = TOP; after !== undefined; ) {
      this.#writing();
      after = this.#catalog.spans.dropLine(line, after, SOME);
      this.#unused += SOME;
      await this.#changed(SOME);
    }
  }
}

function nameOf([a, b, c]: Triple): Entry['name'] {
  return (a ?? b ?? c)!.name;
}

/** What the version has is what all its neighbours have, so that their spans tell it too. */
function isCovered([here, older, newer]: Triple, take: Take): boolean {
  if (!take.older && !take.newer) return false;
  return (!take.older || isSame(here, older)) && (!take.newer || isSame(here, newer));
}

function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameState(a.state, b.state);
}

/** Nothing below differs. */
function areEqual([here, older, newer]: Folder['trees'], take: Take): boolean {
  if (!take.older && !take.newer) return here === undefined;
  return (!take.older || here === older) && (!take.newer || here === newer);
}
