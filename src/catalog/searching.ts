/**
 * The search by name, and the past of one path. Both are answered from the catalog alone.
 *
 * word    a part of the text between spaces; a name must hold each of them
 * way     a word with a slash: it must be found in the path, over the borders of folders
 * rank    0 the name is the text, 1 it begins with it, 2 all others; within a rank what was seen last comes first
 */
import { toText } from '../util/byte-string.ts';
import type { Catalog, CatalogLine, CatalogVersion } from './catalog.ts';
import { fold } from './fold.ts';
import type { Range } from './line.ts';
import { type PathRow, TOP } from './names.ts';
import type { NodeState } from './node-state.ts';
import { Pace } from './pace.ts';
import type { SpannedPath } from './spans.ts';

/** Paths of one rank that are looked at, so that the newest come first; beyond, the answer says that there is more. */
const MOST_PATHS = 2000;
/** After so long it may do with what was found, if it fills the answer: whoever types wants to see something. */
const PATIENCE_MS = 100;
/** After so long it must. */
const LONGEST_MS = 180;
/** Names that are taken from the index at once. */
const PORTION = 500;
/** Names that are read through at once where no trigram leads to them. */
const STRIDE = 10_000;
/** Trigrams that are looked up; what else the words hold is seen in the names themselves. */
const MOST_TRIGRAMS = 12;

export interface Query {
  readonly text: string;
  readonly planId?: string | undefined;
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Hit {
  readonly names: readonly string[];
  readonly state: NodeState;
  /** The newest that has it. */
  readonly version: CatalogVersion;
  readonly states: number;
  readonly gone: boolean;
}

export interface Found {
  readonly hits: readonly Hit[];
  readonly more: boolean;
}

interface NameRow {
  readonly id: number;
  readonly folded: string;
}

interface Wanted {
  readonly whole: string;
  readonly words: readonly string[];
  readonly ways: readonly string[];
}

interface Candidate {
  readonly path: number;
  readonly line: CatalogLine;
  readonly seen: readonly Range[];
}

/** Errors: the catalog's, the signal's reason. */
export async function search(catalog: Catalog, query: Query): Promise<Found> {
  return new Search(catalog, query).run();
}

function wantedBy(text: string): Wanted {
  const whole = fold(text.replaceAll('\0', '')).trim();
  const parts = whole.split(/\s+/).filter((part) => part !== '');
  const ways = parts.filter((part) => part.includes('/'));
  const words = parts.filter((part) => !part.includes('/'));
  // Nothing but ways: the last one leads to the name itself.
  const last = words.length === 0 ? ways.at(-1)?.replace(/\/+$/, '') : undefined;
  const end = last?.slice(last.lastIndexOf('/') + 1) ?? '';
  return { whole: words.length === 0 ? end : whole, words: end === '' ? words : [end], ways };
}

class Search {
  readonly #catalog: Catalog;
  readonly #query: Query;
  readonly #wanted: Wanted;
  readonly #pace: Pace;
  readonly #folders = new Map<number, string | undefined>();
  readonly #begun = performance.now();
  #more = false;

  constructor(catalog: Catalog, query: Query) {
    this.#catalog = catalog;
    this.#query = query;
    this.#wanted = wantedBy(query.text);
    this.#pace = new Pace(query.signal);
  }

  async run(): Promise<Found> {
    const hits: Hit[] = [];
    if (this.#wanted.words.length === 0) return { hits, more: false };
    const { limit } = this.#query;
    for (const rank of [0, 1, 2] as const) {
      if (hits.length > limit) break;
      const candidates = await this.#candidates(this.#names(rank));
      for (const candidate of candidates.sort(latestFirst)) {
        if (hits.length > limit) break;
        const hit = this.#hitOf(candidate);
        if (hit) hits.push(hit);
      }
      await this.#pace.breathe();
    }
    return { hits: hits.slice(0, limit), more: this.#more || hits.length > limit };
  }

  /** Names of a rank, some at a time; a portion may be empty. */
  async *#names(rank: 0 | 1 | 2): AsyncGenerator<readonly NameRow[]> {
    const { whole, words } = this.#wanted;
    const { file } = this.#catalog;
    if (rank === 0) yield file.rows('SELECT id, folded FROM names WHERE folded = ?', whole);
    else if (rank === 1) {
      const text =
        'SELECT id, folded FROM names WHERE (folded, id) > (?, ?) AND folded < ? ORDER BY folded, id LIMIT ?';
      let after: NameRow | undefined = { id: Number.MAX_SAFE_INTEGER, folded: whole };
      while (after) {
        const rows: readonly NameRow[] = file.rows(
          text,
          after.folded,
          after.id,
          `${whole}\u{10ffff}`,
          PORTION,
        );
        yield rows;
        after = rows[PORTION - 1];
      }
    } else {
      for await (const rows of this.#holders()) {
        yield rows.filter(
          ({ folded }) => !folded.startsWith(whole) && words.every((word) => folded.includes(word)),
        );
      }
    }
  }

  /** Names that may hold all words, some at a time. */
  async *#holders(): AsyncGenerator<readonly NameRow[]> {
    const { words } = this.#wanted;
    const { file } = this.#catalog;
    const match = trigramsOf(words);
    const last = file.row<{ id: number | null }>('SELECT max(id) AS id FROM names')?.id ?? 0;
    const longest = words.reduce((a, b) => (b.length > a.length ? b : a));
    for (let after = 0; after < last; ) {
      if (match === '') {
        const text = 'SELECT id, folded FROM names WHERE id > ? AND id <= ? AND instr(folded, ?) > 0';
        yield file.rows<NameRow>(text, after, after + STRIDE, longest);
        after += STRIDE;
      } else {
        const text = `SELECT names.id, names.folded FROM names_text JOIN names ON names.id = names_text.rowid
          WHERE names_text MATCH ? AND names_text.rowid > ? ORDER BY names_text.rowid LIMIT ?`;
        const rows = file.rows<NameRow>(text, match, after, PORTION);
        yield rows;
        after = rows.length < PORTION ? last : rows.at(-1)!.id;
      }
    }
  }

  async #candidates(portions: AsyncIterable<readonly NameRow[]>): Promise<Candidate[]> {
    const found: Candidate[] = [];
    let looked = false;
    for await (const names of portions) {
      if (looked && this.#isEnough(found)) break;
      looked = true;
      for (const { id } of names) {
        if (found.length > MOST_PATHS && this.#isEnough(found)) break;
        await this.#gather(id, found);
      }
      await this.#pace.breathe();
    }
    return found;
  }

  /** All that has that name in some version, or enough of it. */
  async #gather(name: number, found: Candidate[]): Promise<void> {
    for (let after = -1; ; ) {
      const paths = this.#catalog.spans.called(name, after, PORTION);
      for (const path of paths) {
        const candidate = this.#candidateAt(path, name);
        if (candidate) found.push(candidate);
      }
      const last = paths.at(-1);
      if (!last || paths.length < PORTION || this.#isEnough(found)) return;
      await this.#pace.breathe();
      after = last.parent;
    }
  }

  /** Whether to make do with what was found although there may be more. */
  #isEnough(found: readonly Candidate[]): boolean {
    const patience = found.length > this.#query.limit ? PATIENCE_MS : LONGEST_MS;
    const enough = found.length > MOST_PATHS || performance.now() - this.#begun > patience;
    this.#more ||= enough;
    return enough;
  }

  #candidateAt({ path, parent, line: lineId, spans }: SpannedPath, name: number): Candidate | undefined {
    const line = lineId === null ? undefined : this.#catalog.lines.get(lineId);
    if (!line || (this.#query.planId !== undefined && line.planId !== this.#query.planId)) return undefined;
    const seen = line.line.seen(spans);
    return seen.length > 0 && this.#leads(parent, name) ? { path, line, seen } : undefined;
  }

  /** Whether the path has all ways in it. */
  #leads(parent: number, name: number): boolean {
    const { ways, words } = this.#wanted;
    if (ways.length === 0) return true;
    const folder = this.#folded(parent);
    if (folder === undefined) return false;
    const own = this.#catalog.names.nameOf(name);
    const path = `${folder}/${own === undefined ? '' : fold(toText(own))}`;
    return ways.every((way) => path.includes(way) || (words.length === 1 && `${path}/`.endsWith(way)));
  }

  /** A folder's path, folded; '' for the top, undefined where a folder on the way has gone. */
  #folded(path: number): string | undefined {
    const way: PathRow[] = [];
    let at = path;
    while (at !== TOP && !this.#folders.has(at)) {
      const row = this.#catalog.names.pathRow(at);
      if (!row) return undefined;
      way.push(row);
      at = row.parent;
    }
    let folded = at === TOP ? '' : this.#folders.get(at);
    for (const { id, name } of way.reverse()) {
      const own = this.#catalog.names.nameOf(name);
      folded = folded === undefined || own === undefined ? undefined : `${folded}/${fold(toText(own))}`;
      this.#folders.set(id, folded);
    }
    return folded;
  }

  /** undefined where a folder on the way has gone. */
  #hitOf({ path, line, seen }: Candidate): Hit | undefined {
    const names = this.#catalog.names.namesTo(path);
    const newest = seen.at(-1);
    if (!names || !newest) return undefined;
    const [, version] = line.line.visibleEnds(newest);
    return {
      names,
      state: newest.state,
      version,
      states: seen.length,
      gone: version.seq !== line.line.newestVisible?.seq,
    };
  }
}

/** What is still there before what has gone; of these what went last; then by the time of the file itself. */
function latestFirst(a: Candidate, b: Candidate): number {
  const [x, y] = [a.seen.at(-1)!, b.seen.at(-1)!];
  const [[, first], [, second]] = [a.line.line.visibleEnds(x), b.line.line.visibleEnds(y)];
  return second.at - first.at || y.state.mtime - x.state.mtime || a.path - b.path;
}

/** A query that finds the names with all trigrams of the words; '' where there is none. */
function trigramsOf(words: readonly string[]): string {
  const trigrams = new Set<string>();
  for (const word of words) {
    const characters = [...word];
    for (let i = 0; i + 3 <= characters.length; i++) trigrams.add(characters.slice(i, i + 3).join(''));
  }
  return [...trigrams]
    .slice(0, MOST_TRIGRAMS)
    .map((trigram) => `"${trigram.replaceAll('"', '""')}"`)
    .join(' ');
}

export interface PastState {
  readonly state: NodeState;
  /** The oldest and the newest version that have it in this state. */
  readonly first: CatalogVersion;
  readonly last: CatalogVersion;
  readonly versions: number;
}

/** The states of a path in a line, newest first. `names` leads to it from the top. */
export function pastOf(catalog: Catalog, lineId: number, names: readonly string[]): readonly PastState[] {
  const path = catalog.names.pathShownAs(names);
  const line = catalog.lines.get(lineId)?.line;
  if (path === undefined || !line) return [];
  return line
    .seen(catalog.spans.inLine(path, lineId))
    .map((range) => {
      const [first, last] = line.visibleEnds(range);
      return { state: range.state, first, last, versions: line.visibleWithin(range.from, range.to) };
    })
    .reverse();
}
