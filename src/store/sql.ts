/**
 * A connection to SQLite as the rest of the room uses it: statements prepared once, rows as plain values, every error an
 * EngineError.
 *
 * durable  a commit that has reached the disk when the call returns (`synchronous = FULL`)
 * hasty    a commit that survives the end of the process, but perhaps not a power cut (`synchronous = NORMAL`); the next
 *          durable commit takes all hasty ones before it to the disk, since both lie in the one write-ahead log
 */
import type Database from 'better-sqlite3';
import { EngineError } from '../api/errors.ts';
import { translateStoreError } from './errors.ts';

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export class Sql {
  /** For what only the library's own object can do: pragmas, the online backup. */
  readonly db: Database.Database;
  readonly #path: string;
  readonly #statements = new Map<string, Database.Statement<Value[], Row>>();

  /** `path` is for messages. The connection is left durable. */
  constructor(db: Database.Database, path: string) {
    this.db = db;
    this.#path = path;
    db.pragma('synchronous = FULL');
  }

  /** The number of rows that changed. */
  run(text: string, ...values: readonly Value[]): number {
    return this.#guarded('write to', () => this.#prepare(text).run(...values).changes);
  }

  row(text: string, ...values: readonly Value[]): Row | undefined {
    return this.#guarded('read', () => this.#prepare(text).get(...values));
  }

  rows(text: string, ...values: readonly Value[]): readonly Row[] {
    return this.#guarded('read', () => this.#prepare(text).all(...values));
  }

  /** Row by row, as they are wanted. Nothing may be written through this connection until the loop is over. */
  *each(text: string, ...values: readonly Value[]): Generator<Row> {
    try {
      yield* this.#prepare(text).iterate(...values);
    } catch (e) {
      throw translateStoreError(e, this.#path, 'read');
    }
  }

  /** For many small writes that are no loss after a power cut: commits in `work` do not wait for the disk. */
  hasty<T>(work: () => T): T {
    // Inside a transaction the safety level is the transaction's.
    if (this.db.inTransaction) return work();
    this.db.pragma('synchronous = NORMAL');
    try {
      return work();
    } finally {
      this.db.pragma('synchronous = FULL');
    }
  }

  /** All or nothing. What `work` throws passes unchanged. Error: 'internal' inside another one, or for a promise. */
  transaction<T>(work: () => T): T {
    if (this.db.inTransaction)
      throw new EngineError('internal', 'A transaction was begun inside another one.');
    let thrown: { readonly error: unknown } | undefined;
    const watched = (): T => {
      try {
        return work();
      } catch (error) {
        thrown = { error };
        throw error;
      }
    };
    try {
      // Immediate: a reader that becomes a writer half-way could fail where waiting would have helped.
      return this.db.transaction(watched).immediate();
    } catch (e) {
      throw thrown?.error === e ? e : translateStoreError(e, this.#path, 'write to');
    }
  }

  close(): void {
    this.#guarded('close', () => this.db.close());
  }

  #prepare(text: string): Database.Statement<Value[], Row> {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const made = this.db.prepare<Value[], Row>(text);
    this.#statements.set(text, made);
    return made;
  }

  #guarded<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (e) {
      throw translateStoreError(e, this.#path, what);
    }
  }
}
