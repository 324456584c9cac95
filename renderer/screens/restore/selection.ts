/**
 * What of a version is chosen, in a tree of which only parts are known.
 *
 * mark       what a person said of a path; it holds for all below it, up to the next mark
 * selection  all marks. Normal: no mark says what holds anyway, so that every mark makes the folders above it mixed
 */
import type { VersionEntry } from '../../../src/api/model/destination.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';

export type Chosen = 'on' | 'off' | 'mixed';

export interface Mark {
  readonly on: boolean;
  readonly kind: VersionEntry['kind'];
  readonly bytes: number | null;
}

export type Selection = ReadonlyMap<string, Mark>;
export type Selectable = Pick<VersionEntry, 'path' | 'kind' | 'bytes'>;

export const NOTHING: Selection = new Map();

/** The whole version. */
export const ROOT: Selectable = { path: '/', kind: 'dir', bytes: null };

/** '/' of '/a', null of '/'. */
export function parentOf(path: string): string | null {
  if (path === '/' || path === '') return null;
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}

/** The folders above a path, from its own up to '/'. */
export function ancestorsOf(path: string): readonly string[] {
  const all: string[] = [];
  for (let at = parentOf(path); at !== null; at = parentOf(at)) all.push(at);
  return all;
}

const isBelow = (path: string, folder: string) =>
  folder === '/' ? path !== '/' : path.startsWith(`${folder}/`);

/** Looks a selection's paths up: made once for a selection, then asked for every row. */
export class Chooser {
  readonly #selection: Selection;
  readonly #mixed = new Set<string>();

  constructor(selection: Selection) {
    this.#selection = selection;
    for (const path of selection.keys()) for (const folder of ancestorsOf(path)) this.#mixed.add(folder);
  }

  stateOf(path: string): Chosen {
    if (this.#mixed.has(path)) return 'mixed';
    return this.isOn(path) ? 'on' : 'off';
  }

  /** What the nearest mark says. */
  isOn(path: string): boolean {
    for (let at: string | null = path; at !== null; at = parentOf(at)) {
      const mark = this.#selection.get(at);
      if (mark) return mark.on;
    }
    return false;
  }

  /** There are marks below it. */
  isMixed(path: string): boolean {
    return this.#mixed.has(path);
  }
}

/** Chooses a path with all that is below it, or lets go of all of it where all of it was chosen. */
export function toggled(selection: Selection, entry: Selectable): Selection {
  const on = new Chooser(selection).stateOf(entry.path) !== 'on';
  const next = new Map([...selection].filter(([path]) => path !== entry.path && !isBelow(path, entry.path)));
  const above = parentOf(entry.path);
  const inherited = above !== null && new Chooser(next).isOn(above);
  if (on !== inherited) next.set(entry.path, { on, kind: entry.kind, bytes: entry.bytes });
  return next;
}

/** Only this one. */
export function only(entry: Selectable): Selection {
  return toggled(NOTHING, entry);
}

export interface Sum {
  /** Chosen one by one; what chosen folders hold is not counted. */
  readonly files: number;
  readonly folders: number;
  readonly bytes: number;
  /** Left out of chosen folders. */
  readonly without: number;
  readonly everything: boolean;
}

export function sumOf(selection: Selection): Sum {
  const marks = [...selection];
  const on = marks.filter(([path, mark]) => mark.on && path !== '/').map(([, mark]) => mark);
  const files = on.filter(({ kind }) => kind !== 'dir');
  return {
    files: files.length,
    folders: on.length - files.length,
    bytes: files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    without: marks.filter(([, mark]) => !mark.on).length,
    everything: selection.get('/')?.on === true,
  };
}

/** As many as a restore takes of each kind. */
export const MOST_PATHS = 10_000;

/** Too many for a restore. */
export class TooManyPaths extends Error {}

/**
 * What to ask of a restore: a path stands for all below it, up to the next that is named in either list; no paths: all of the
 * version, but for what is left out. Error: `TooManyPaths`.
 */
export function pathsOf(selection: Selection): Pick<RestoreRequest, 'paths' | 'exclude'> {
  const named = (on: boolean) => [...selection].filter(([, mark]) => mark.on === on).map(([path]) => path);
  const paths = named(true);
  const exclude = named(false);
  if (Math.max(paths.length, exclude.length) > MOST_PATHS) throw new TooManyPaths();
  const everything = paths.length === 1 && paths[0] === ROOT.path;
  return { paths: everything ? [] : paths, exclude };
}
