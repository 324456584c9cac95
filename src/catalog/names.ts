/** Names and paths of the catalog: looked up, made, spelled out. */
import { isSafeName } from '../format/tree.ts';
import { type ByteString, rawByteString, toText } from '../util/byte-string.ts';
import type { CatalogFile } from './database.ts';
import { fold } from './fold.ts';
import { isCalled } from './folders.ts';

/** The parent of what lies at the top. */
export const TOP = 0;
/** No file system knows longer ones. */
const MOST_BYTES = 4096;
/** Names whose number is remembered while versions are taken in. */
const MOST_KNOWN = 50_000;

interface NameRow {
  readonly id: number;
  readonly folded: string;
  readonly raw: string | null;
}

/** A path by its name and the path of its folder. */
export interface PathRow {
  readonly id: number;
  readonly name: number;
  readonly parent: number;
}

/** Whether a name of a tree is one that the catalog keeps: others lead nowhere, and no restore would write them. */
export function isKept(name: ByteString): boolean {
  return isSafeName(name) && name.length <= MOST_BYTES;
}

export class Names {
  readonly #file: CatalogFile;
  readonly #known = new Map<ByteString, number>();

  constructor(file: CatalogFile) {
    this.#file = file;
  }

  /** What is remembered may be wrong after a transaction that was taken back. */
  forget(): void {
    this.#known.clear();
  }

  /** The path of that name in a folder; made where there is none. */
  path(parent: number, name: ByteString): number {
    const number = this.#numberOf(name);
    // Most are new while the first version of a line is taken in.
    const made = this.#file.insert(
      'INSERT OR IGNORE INTO paths (name, parent) VALUES (?, ?)',
      number,
      parent,
    );
    return made ?? this.#pathCalled(number, parent) ?? TOP;
  }

  #pathCalled(name: number, parent: number): number | undefined {
    const text = 'SELECT id FROM paths WHERE name = ? AND parent = ?';
    return this.#file.row<{ id: number }>(text, name, parent)?.id;
  }

  /** The path that a person was shown as `names`; undefined where the catalog has none. */
  pathShownAs(names: readonly string[]): number | undefined {
    let at: number | undefined = TOP;
    for (const name of names) {
      if (at === undefined) return undefined;
      at = this.#child(at, name);
    }
    return at === TOP ? undefined : at;
  }

  #child(parent: number, text: string): number | undefined {
    const isIt = isCalled(text);
    for (const row of this.#spelledLike(fold(text))) {
      if (!isIt(rawOf(row))) continue;
      const path = this.#pathCalled(row.id, parent);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  /** The bytes of a name; undefined where it has gone. */
  nameOf(name: number): ByteString | undefined {
    const row = this.#file.row<NameRow>('SELECT id, folded, raw FROM names WHERE id = ?', name);
    return row && rawOf(row);
  }

  pathRow(path: number): PathRow | undefined {
    return this.#file.row<PathRow>('SELECT id, name, parent FROM paths WHERE id = ?', path);
  }

  /** The names from the top to the path; undefined where a folder on the way has gone. */
  namesTo(path: number): readonly string[] | undefined {
    const names: string[] = [];
    for (let at = path; at !== TOP; ) {
      const row = this.pathRow(at);
      const name = row && this.nameOf(row.name);
      if (name === undefined || row === undefined) return undefined;
      names.push(toText(name));
      at = row.parent;
    }
    return names.reverse();
  }

  /** Paths and names that no span speaks of, among paths with numbers of a range; returns how many paths went. */
  sweep(from: number, to: number): number {
    const unused = this.#file.rows<PathRow>(
      'SELECT * FROM paths WHERE id BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM spans WHERE path = paths.id)',
      from,
      to,
    );
    for (const { id, name } of unused) {
      this.#file.run('DELETE FROM paths WHERE id = ?', id);
      if (!this.#file.row('SELECT 1 FROM paths WHERE name = ? LIMIT 1', name)) this.#remove(name);
    }
    return unused.length;
  }

  #remove(name: number): void {
    this.#known.clear();
    const row = this.#file.row<NameRow>('SELECT id, folded, raw FROM names WHERE id = ?', name);
    if (!row) return;
    const text = "INSERT INTO names_text (names_text, rowid, folded) VALUES ('delete', ?, ?)";
    this.#file.run(text, name, row.folded);
    this.#file.run('DELETE FROM names WHERE id = ?', name);
  }

  #numberOf(name: ByteString): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const folded = fold(toText(name));
    const raw = name === folded ? null : name;
    const text = 'SELECT id FROM names WHERE folded = ? AND raw IS ?';
    const number = this.#file.row<{ id: number }>(text, folded, raw)?.id ?? this.#make(folded, raw);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(name, number);
    return number;
  }

  #make(folded: string, raw: string | null): number {
    const number = this.#file.insert('INSERT INTO names (folded, raw) VALUES (?, ?)', folded, raw) ?? TOP;
    this.#file.run('INSERT INTO names_text (rowid, folded) VALUES (?, ?)', number, folded);
    return number;
  }

  #spelledLike(folded: string): readonly NameRow[] {
    return this.#file.rows<NameRow>('SELECT id, folded, raw FROM names WHERE folded = ?', folded);
  }
}

function rawOf({ folded, raw }: NameRow): ByteString {
  return rawByteString(raw ?? folded);
}
