/**
 * The catalog of a repository: which files there are in which of its versions, to be searched without asking the repository.
 *
 * line      versions of one thing over time (the host says which: one computer's, of one plan), in order of time
 * path      a name in a folder; there once, whatever the number of versions and lines
 * span      versions of a line in a row, in which a path was in the same state, see line.ts
 * take in   to compare a version's trees with those of its neighbours in the line that are in already, and note what differs;
 *           a version in any place of the line can be taken in, and none is seen before it is in as a whole
 * clean     to let a version that was forgotten go from the spans
 *
 * All is written in transactions after each of which the catalog is right, and whose work may be done again: a killed process
 * leaves a version that is being taken in, and the next one goes on with it.
 *
 * docs/adr/024 tells why it is made like this.
 */
import type { Id } from '../format/types.ts';
import { type CatalogFile, openCatalogFile } from './database.ts';
import { Line, type LineVersion } from './line.ts';
import { Names } from './names.ts';
import { Spans } from './spans.ts';

/** A version as the host knows it. */
export interface KnownVersion {
  readonly id: Id;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly root: Id;
  /** What tells its line from others. */
  readonly line: string;
  readonly planId: string | null;
}

const KNOWN = 0;
const TAKING = 1;
const TAKEN = 2;
const GONE = 3;

interface VersionRow {
  readonly seq: number;
  readonly id: Id;
  readonly line: number;
  readonly at: number;
  readonly root: Id;
  readonly state: number;
  readonly older: number | null;
  readonly newer: number | null;
}

export interface CatalogVersion extends LineVersion {
  readonly id: Id;
  readonly at: number;
  readonly root: Id;
  readonly line: number;
}

export interface CatalogLine {
  readonly id: number;
  readonly planId: string | null;
  /** All versions that spans may speak of. */
  readonly line: Line<CatalogVersion>;
}

/** A version that is being taken in, between those of its line that are in. */
export interface Take {
  readonly version: CatalogVersion;
  readonly older: CatalogVersion | undefined;
  readonly newer: CatalogVersion | undefined;
}

export class Catalog {
  readonly file: CatalogFile;
  readonly names: Names;
  readonly spans: Spans;
  #lines: ReadonlyMap<number, CatalogLine> | undefined;

  /** Errors, here as in every method: 'damaged' (delete it, begin anew), 'no-space', 'permission', 'io'. */
  constructor(path: string) {
    this.file = openCatalogFile(path);
    this.names = new Names(this.file);
    this.spans = new Spans(this.file);
  }

  /** The repository whose catalog it is; undefined as long as nothing is in it. */
  get repository(): string | undefined {
    return this.file.row<{ value: string }>("SELECT value FROM facts WHERE key = 'repository'")?.value;
  }

  set repository(id: string) {
    this.file.run("INSERT OR REPLACE INTO facts (key, value) VALUES ('repository', ?)", id);
  }

  /** Versions that are in, and all. */
  get progress(): { readonly done: number; readonly total: number } {
    const row = this.file.row<{ done: number; total: number }>(
      'SELECT count(*) AS total, count(CASE state WHEN ? THEN 1 END) AS done FROM versions WHERE state <> ?',
      TAKEN,
      GONE,
    );
    return { done: row?.done ?? 0, total: row?.total ?? 0 };
  }

  /** The lines with a version that spans may speak of, by number. */
  get lines(): ReadonlyMap<number, CatalogLine> {
    this.#lines ??= this.#readLines();
    return this.#lines;
  }

  /** By full id, the beginning of one, or 'latest'; undefined where there is none, or more than one. */
  versionNamed(reference: string): { readonly id: Id; readonly line: number } | undefined {
    const rows =
      reference === 'latest'
        ? this.#versions('state <> ? ORDER BY at DESC, id DESC LIMIT 1', GONE)
        : this.#versions('state <> ? AND id >= ? AND id < ? LIMIT 2', GONE, reference, `${reference}~`);
    return rows.length === 1 ? rows[0] : undefined;
  }

  /** Versions that are not among these will not be seen any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    this.transaction(() => {
      for (const { seq, id, state } of this.#versions('state <> ?', GONE)) {
        if (ids.has(id)) continue;
        if (state === KNOWN) this.file.run('DELETE FROM versions WHERE seq = ?', seq);
        else this.#setState(seq, GONE);
      }
    });
  }

  /** Notes those that it does not know yet. One that was cleaned away half-way has to wait until that is done. */
  add(versions: readonly KnownVersion[]): void {
    this.transaction(() => {
      for (const { id, at, root, line, planId } of versions) {
        if (this.#versions('id = ?', id).length > 0) continue;
        this.file.run('INSERT OR IGNORE INTO lines (key, plan) VALUES (?, ?)', line, planId);
        this.file.run(
          'INSERT INTO versions (id, line, at, root, state) SELECT ?, id, ?, ?, ? FROM lines WHERE key = ?',
          id,
          at,
          root,
          KNOWN,
          line,
        );
      }
    });
  }

  /** Those that have to be cleaned away. A version that is half in goes before others of its line. */
  goneVersions(): readonly CatalogVersion[] {
    const gone = this.#versions('state = ?', GONE);
    const lines = new Set(gone.map((version) => version.line));
    const begun = this.#versions('state = ?', TAKING).filter(({ line }) => lines.has(line));
    return [...begun, ...gone].map((row) => this.#shown(row));
  }

  /**
   * One that is half in, else the named one, else the newest that is not in. `undo`: what lies beside it has changed since it
   * was begun, so that it must be cleaned away first.
   */
  next(named?: Id): (Take & { readonly undo: boolean }) | undefined {
    const row =
      this.#versions('state = ? LIMIT 1', TAKING)[0] ??
      (named === undefined
        ? this.#versions('state = ? ORDER BY at DESC, id DESC LIMIT 1', KNOWN)[0]
        : this.#versions('id = ? AND state = ?', named, KNOWN)[0]);
    return row && this.#take(row);
  }

  #take(row: VersionRow): Take & { readonly undo: boolean } {
    const others = this.#versions('line = ? AND state = ? ORDER BY at, id', row.line, TAKEN);
    const after = others.findIndex((other) => isBefore(row, other));
    const [older, newer] = after < 0 ? [others.at(-1), undefined] : [others[after - 1], others[after]];
    const undo = row.state === TAKING && (row.older !== (older?.seq ?? 0) || row.newer !== (newer?.seq ?? 0));
    return {
      version: this.#shown(row),
      older: older && this.#shown(older),
      newer: newer && this.#shown(newer),
      undo,
    };
  }

  begin({ version, older, newer }: Take): void {
    this.file.run(
      'UPDATE versions SET state = ?, older = ?, newer = ? WHERE seq = ?',
      TAKING,
      older?.seq ?? 0,
      newer?.seq ?? 0,
      version.seq,
    );
    this.#lines = undefined;
  }

  finish({ version }: Take): void {
    this.#setState(version.seq, TAKEN);
  }

  /** The trees of a version that is in can't be read any more: it is to be taken in anew, as what can be read of it. */
  expel({ seq }: CatalogVersion): void {
    this.#setState(seq, GONE);
  }

  /** No span speaks of the version any more. One that was only half in is as new then. */
  cleaned({ seq }: CatalogVersion): void {
    this.file.run('DELETE FROM versions WHERE seq = ? AND state = ?', seq, GONE);
    this.file.run('UPDATE versions SET state = ?, older = NULL, newer = NULL WHERE seq = ?', KNOWN, seq);
    this.#lines = undefined;
  }

  /** A tree that could not be read when it was taken in: it stands for an empty folder from then on, whoever meets it. */
  isUnreadable(tree: Id): boolean {
    return this.file.row('SELECT 1 FROM unreadable WHERE tree = ?', tree) !== undefined;
  }

  noteUnreadable(tree: Id): void {
    this.file.run('INSERT OR IGNORE INTO unreadable (tree) VALUES (?)', tree);
  }

  /** All or nothing; inside another one a part of that. */
  transaction(work: () => void): void {
    if (this.file.inTransaction) return work();
    this.file.begin();
    try {
      work();
      this.file.commit();
    } catch (e) {
      this.file.rollback();
      throw e;
    } finally {
      this.#lines = undefined;
    }
  }

  /** What is remembered may be wrong after a transaction that was taken back. */
  forget(): void {
    this.#lines = undefined;
    this.names.forget();
  }

  close(): void {
    this.file.close();
  }

  #setState(seq: number, state: number): void {
    this.file.run('UPDATE versions SET state = ? WHERE seq = ?', state, seq);
    this.#lines = undefined;
  }

  #versions(where: string, ...values: readonly (string | number)[]): readonly VersionRow[] {
    return this.file.rows<VersionRow>(`SELECT * FROM versions WHERE ${where}`, ...values);
  }

  #shown({ seq, id, at, root, line, state }: VersionRow): CatalogVersion {
    return { seq, id, at, root, line, visible: state === TAKEN };
  }

  #readLines(): ReadonlyMap<number, CatalogLine> {
    const rows = this.#versions('state <> ? ORDER BY line, at, id', KNOWN);
    const plans = this.file.rows<{ id: number; plan: string | null }>('SELECT id, plan FROM lines');
    const planOf = new Map(plans.map(({ id, plan }) => [id, plan]));
    return new Map(
      [...Map.groupBy(rows, (row) => row.line)].map(([id, own]) => [
        id,
        { id, planId: planOf.get(id) ?? null, line: new Line(own.map((row) => this.#seenIn(own, row))) },
      ]),
    );
  }

  /** The first version of a line can be seen while it is taken in: what is there of it is right. */
  #seenIn(line: readonly VersionRow[], row: VersionRow): CatalogVersion {
    const alone = row.state === TAKING && line.length === 1;
    return alone ? { ...this.#shown(row), visible: true } : this.#shown(row);
  }
}

function isBefore(a: VersionRow, b: VersionRow): boolean {
  return a.at < b.at || (a.at === b.at && a.id < b.id);
}
