/** Spans in the file: how a version that is taken in changes them, and one that goes. */
import type { CatalogFile } from './database.ts';
import { type Line, OPEN, type Span } from './line.ts';
import { KINDS, type NodeState, sameState } from './node-state.ts';

interface SpanRow {
  readonly line: number;
  readonly first: number;
  readonly last: number;
  readonly kind: number;
  readonly size: number;
  readonly mtime: number;
  readonly content: number;
}

type JoinedRow = { readonly [K in keyof SpanRow]: SpanRow[K] | null } & {
  readonly path: number;
  readonly parent: number;
};

/** A path in one line. */
export interface SpannedPath {
  readonly path: number;
  readonly parent: number;
  readonly line: number | null;
  readonly spans: readonly Span[];
}

/** A version's place among those that are in: numbers of versions. */
export interface Place {
  readonly line: number;
  readonly version: number;
  readonly older: number | undefined;
  readonly newer: number | undefined;
  /** The line's positions, those of the three among them. */
  readonly positions: Line;
}

/** What lies at a path in a version and in its neighbours. */
export interface Three {
  readonly here: NodeState | undefined;
  readonly older: NodeState | undefined;
  readonly newer: NodeState | undefined;
}

export class Spans {
  readonly #file: CatalogFile;

  constructor(file: CatalogFile) {
    this.#file = file;
  }

  /**
   * Notes what a version has at a path. Whatever is the same as in its only neighbour is covered by a span with an open end,
   * and what is the same as in both by the span that leads from one to the other: nothing is written then.
   * To do it again changes nothing.
   */
  note(path: number, place: Place, { here, older, newer }: Three): void {
    const likeOlder = place.older !== undefined && isSame(here, older);
    const likeNewer = place.newer !== undefined && isSame(here, newer);
    const { version } = place;
    if (place.older === undefined && place.newer === undefined) {
      if (here) this.#put(path, place.line, { ...here, first: OPEN, last: OPEN });
    } else if (place.older === undefined) {
      if (likeNewer) return;
      this.#moveFirst(path, place, OPEN, place.newer!);
      if (here) this.#put(path, place.line, { ...here, first: OPEN, last: version });
    } else if (place.newer === undefined) {
      if (likeOlder) return;
      this.#moveLast(path, place, OPEN, place.older);
      if (here) this.#put(path, place.line, { ...here, first: version, last: OPEN });
    } else if (likeOlder && likeNewer) return;
    else if (likeOlder) this.#moveLast(path, place, place.older, version);
    else if (likeNewer) this.#moveFirst(path, place, place.newer, version);
    else {
      if (isSame(older, newer)) this.#split(path, place);
      if (here) this.#put(path, place.line, { ...here, first: version, last: version });
    }
  }

  /**
   * Paths of a name with their spans, in the order of their folders, after one of these; a path for each line that has it, and
   * one without spans for a path that no line has. `limit` counts paths, not rows.
   */
  called(name: number, after: number, limit: number): readonly SpannedPath[] {
    const text = `SELECT p.id AS path, p.parent, s.line, s.first, s.last, s.kind, s.size, s.mtime, s.content
      FROM (SELECT id, parent FROM paths WHERE name = ? AND parent > ? ORDER BY parent LIMIT ?) AS p
      LEFT JOIN spans AS s ON s.path = p.id`;
    const found: { path: number; parent: number; line: number | null; spans: Span[] }[] = [];
    for (const row of this.#file.rows<JoinedRow>(text, name, after, limit)) {
      let last = found.at(-1);
      if (last?.path !== row.path || last.line !== row.line) {
        last = { path: row.path, parent: row.parent, line: row.line, spans: [] };
        found.push(last);
      }
      if (row.line !== null) last.spans.push(spanOf(row as SpanRow));
    }
    return found;
  }

  inLine(path: number, line: number): readonly Span[] {
    return this.#file
      .rows<SpanRow>('SELECT * FROM spans WHERE path = ? AND line = ?', path, line)
      .map(spanOf);
  }

  /** Some of the paths, after one, with a span that begins or ends at a version. */
  pathsAt(version: number, after: number, limit: number): readonly number[] {
    const text = `SELECT path FROM spans WHERE first = ? AND first <> 0 AND path > ?
      UNION SELECT path FROM spans WHERE last = ? AND last <> 0 AND path > ? ORDER BY path LIMIT ?`;
    return this.#file
      .rows<{ path: number }>(text, version, after, version, after, limit)
      .map(({ path }) => path);
  }

  /** Lets a version go from the spans of a path; returns whether none is left. */
  release(path: number, lineId: number, line: Line, version: number): boolean {
    const rest = line.without(this.inLine(path, lineId), version);
    this.#file.run('DELETE FROM spans WHERE path = ? AND line = ?', path, lineId);
    for (const span of rest) this.#put(path, lineId, span);
    return rest.length === 0;
  }

  /** Drops some spans of a line, of the paths after one; returns the last path that was looked at, undefined at the end. */
  dropLine(line: number, after: number, limit: number): number | undefined {
    const last = this.#file.row<{ path: number | null }>(
      'SELECT max(path) AS path FROM (SELECT DISTINCT path FROM spans WHERE path > ? ORDER BY path LIMIT ?)',
      after,
      limit,
    )?.path;
    if (last === null || last === undefined) return undefined;
    this.#file.run('DELETE FROM spans WHERE path > ? AND path <= ? AND line = ?', after, last, line);
    return last;
  }

  #put(path: number, line: number, span: Span): void {
    this.#file.run(
      'INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      path,
      line,
      span.first,
      span.last,
      KINDS.indexOf(span.kind),
      span.size,
      span.mtime,
      span.content,
    );
  }

  /** But for the version's own span, which stands there already when this is done again. */
  #moveFirst(path: number, { line, version }: Place, from: number, to: number): void {
    const text =
      'UPDATE OR REPLACE spans SET first = ? WHERE path = ? AND line = ? AND first = ? AND last <> ?';
    this.#file.run(text, to, path, line, from, version);
  }

  #moveLast(path: number, { line, version }: Place, from: number, to: number): void {
    const text = 'UPDATE spans SET last = ? WHERE path = ? AND line = ? AND last = ? AND first <> ?';
    this.#file.run(text, to, path, line, from, version);
  }

  /** Ends the span that leads from the older neighbour over to the newer, and begins another there. */
  #split(path: number, { line, older, newer, positions }: Place): void {
    const bridge = this.inLine(path, line).find((span) => positions.leads(span, older!, newer!));
    if (!bridge) return;
    this.#put(path, line, { ...bridge, first: newer! });
    this.#put(path, line, { ...bridge, last: older! });
  }
}

function isSame(a: NodeState | undefined, b: NodeState | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameState(a, b);
}

function spanOf({ first, last, kind, size, mtime, content }: SpanRow): Span {
  return { first, last, kind: KINDS[kind] ?? 'other', size, mtime, content };
}
