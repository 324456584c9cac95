import type { z } from 'zod';
import { DOCUMENT, type Documents, toJson } from './documents.ts';
import type { Sql } from './sql.ts';
import type { Collection } from './store.ts';

/** The things of one table; `what` names one of them in messages. */
export function collection<T extends { readonly id: string }>(
  sql: Sql,
  documents: Documents,
  table: 'plans' | 'destinations' | 'channels',
  schema: z.ZodType<T>,
  what: string,
): Collection<T> {
  return {
    list: () => documents.list(schema, what, sql.rows(`SELECT ${DOCUMENT} FROM ${table} ORDER BY seq`)),
    get: (id) => {
      const row = sql.row(`SELECT ${DOCUMENT} FROM ${table} WHERE id = ?`, id);
      return row === undefined ? undefined : documents.read(schema, what, row);
    },
    put: (item) => {
      sql.run(
        `INSERT INTO ${table} (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json`,
        item.id,
        toJson(schema, item, what),
      );
    },
    remove: (id) => {
      sql.run(`DELETE FROM ${table} WHERE id = ?`, id);
    },
  };
}
