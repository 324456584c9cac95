import { Alert } from '../api/model/alert.ts';
import type { Instant } from '../api/model/common.ts';
import { DOCUMENT, type Documents, toJson } from './documents.ts';
import type { Sql } from './sql.ts';
import type { AlertStore } from './store.ts';

export const ALERT_SQL = {
  put: `INSERT INTO alerts (id, started_at, ended_at, json) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at, json = excluded.json`,
  open: `SELECT ${DOCUMENT} FROM alerts WHERE ended_at IS NULL ORDER BY started_at, seq`,
  list: `SELECT ${DOCUMENT} FROM alerts ORDER BY started_at DESC, seq DESC`,
  drop: 'DELETE FROM alerts WHERE started_at < ? AND ended_at IS NOT NULL',
} as const;

export function alertStore(sql: Sql, documents: Documents): AlertStore {
  return {
    put: (alert) => {
      sql.run(ALERT_SQL.put, alert.id, alert.startedAt, alert.endedAt, toJson(Alert, alert, 'alert'));
    },
    open: () => documents.list(Alert, 'alert', sql.each(ALERT_SQL.open)),
    list: (limit) => documents.list(Alert, 'alert', sql.each(ALERT_SQL.list), limit),
  };
}

/** Drops alerts that are over and began before. */
export function dropAlerts(sql: Sql, before: Instant): number {
  return sql.run(ALERT_SQL.drop, before);
}
