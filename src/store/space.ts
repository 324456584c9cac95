import type { SpaceSample } from '../api/model/computer.ts';
import type { Sql } from './sql.ts';
import type { SpaceStore } from './store.ts';

const DAY_MS = 86_400_000;

const SPACE_SQL = {
  add: `INSERT INTO space (destination, day, at, free, total)
    SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM destinations WHERE id = ?)
    ON CONFLICT (destination, day) DO UPDATE SET at = excluded.at, free = excluded.free, total = excluded.total`,
  list: 'SELECT at, free, total FROM space WHERE destination = ? ORDER BY day',
  drop: 'DELETE FROM space WHERE at < ?',
} as const;

export function spaceStore(sql: Sql): SpaceStore {
  return {
    add: (id, { at, free, total }) => {
      const day = Math.floor(at / DAY_MS);
      // A sample lost to a power cut is taken again within minutes: no reason to wait for the disk.
      sql.hasty(() => sql.run(SPACE_SQL.add, id, day, at, free, total, id));
    },
    list: (id) =>
      sql.rows(SPACE_SQL.list, id).map(
        ({ at, free, total }): SpaceSample => ({
          at: Number(at),
          free: Number(free),
          total: Number(total),
        }),
      ),
    dropBefore: (instant) => sql.run(SPACE_SQL.drop, instant),
  };
}
