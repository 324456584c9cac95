/**
 * The diary in SQLite, in one file with a write-ahead log.
 *
 * durable      what a person said (plans, destinations, channels, settings), what a run or an alert became and the
 *              scheduler's memory are on the disk when the call returns: after a power cut a start is not made twice, and
 *              nothing that a screen has shown is taken back
 * hasty        log lines and problems of runs, and samples of space, survive the end of the process at once, a power cut only once something
 *              durable was written after them, such as the run's end
 * own backup   a copy that the diary makes of itself each day, see own-backups.ts
 * document     a value of the contract as JSON, validated on its way in and out, see documents.ts
 */
import { dirname, join } from 'node:path';
import { asEngineError, EngineError, isEngineError } from '../api/errors.ts';
import { Channel } from '../api/model/alert.ts';
import { Destination } from '../api/model/destination.ts';
import { Plan } from '../api/model/plan.ts';
import { Settings } from '../api/model/settings.ts';
import type { Clock } from '../util/clock.ts';
import { alertStore, dropAlerts } from './alerts.ts';
import { collection } from './collections.ts';
import { Documents, toJson } from './documents.ts';
import { IN_MEMORY, openDatabase } from './open.ts';
import { backUpDaily, copyDatabase } from './own-backups.ts';
import { runStore } from './runs.ts';
import { spaceStore } from './space.ts';
import { Sql } from './sql.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  readonly clock: Clock;
  /** Hears, in sentences for a person, of damage and of entries that can't be read. */
  readonly onProblem: (sentence: string) => void;
  /** The folder of the diary's own backups; `backups` beside the file unless said. */
  readonly backups?: string;
  /** How long a call waits for another program that has the file locked; 5,000 unless said. */
  readonly busyTimeoutMs?: number;
}

/** The store as the host holds it. */
export interface DiaryStore extends Store {
  /**
   * To be called now and then; does what is due: drops alerts that are over and older than the settings' `historyDays`, and
   * samples of space older than 400 days; makes the day's own backup. While it is under way a further call waits for the same. Failures are told through `onProblem`. Error: 'cancelled'.
   */
  maintain(o?: { readonly signal?: AbortSignal }): Promise<void>;
}

const DAY_MS = 86_400_000;
/** More than a year, so that a year can be held against the one before. */
const SPACE_DAYS = 400;

/**
 * Opens the diary, making it where there is none. `path` is a file, or ':memory:' for one that is gone with the process.
 * A damaged file is set aside, its newest whole backup taken, and `onProblem` told; that never fails the call.
 * Errors: 'unsupported' (a newer Holdfast's, or another program's file: left as it is), 'locked', 'permission',
 * 'read-only', 'no-space', 'io'. The same may come from every call of the store, and 'damaged' too.
 */
export function openStore(path: string, o: StoreOptions): DiaryStore {
  const backups = o.backups ?? join(dirname(path), 'backups');
  const sql = new Sql(openDatabase(path, { ...o, backups, busyTimeoutMs: o.busyTimeoutMs ?? 5000 }), path);
  const documents = new Documents(o.onProblem);
  const settings = settingsOf(sql, documents);
  const space = spaceStore(sql);
  const closing = new AbortController();
  let maintaining: Promise<void> | undefined;
  const maintain = async (signal: AbortSignal): Promise<void> => {
    const now = o.clock.now();
    dropAlerts(sql, now - settings.get().historyDays * DAY_MS);
    space.dropBefore(now - SPACE_DAYS * DAY_MS);
    if (path !== IN_MEMORY) await backUpDaily(sql.db, backups, now, signal);
  };
  return {
    plans: collection(sql, documents, 'plans', Plan, 'plan'),
    destinations: collection(sql, documents, 'destinations', Destination, 'destination'),
    channels: collection(sql, documents, 'channels', Channel, 'channel'),
    runs: runStore(sql, documents),
    alerts: alertStore(sql, documents),
    space,
    settings,
    values: valuesOf(sql),
    transaction: (work) => sql.transaction(work),
    backup: (target) => copyDatabase(sql.db, target, closing.signal),
    maintain: ({ signal = closing.signal } = {}) => {
      const both = AbortSignal.any([closing.signal, signal]);
      maintaining ??= told(maintain(both), o.onProblem).finally(() => {
        maintaining = undefined;
      });
      return maintaining;
    },
    close: () => {
      closing.abort(new EngineError('cancelled', 'The diary was closed.'));
      sql.close();
    },
  };
}

/** Failures but for a cancel become sentences. */
async function told(work: Promise<void>, onProblem: (sentence: string) => void): Promise<void> {
  try {
    await work;
  } catch (e) {
    if (isEngineError(e, 'cancelled')) throw e;
    const { message, hint } = asEngineError(e);
    onProblem(hint === undefined ? message : `${message} ${hint}`);
  }
}

function settingsOf(sql: Sql, documents: Documents): Store['settings'] {
  return {
    get: () => {
      const row = sql.row('SELECT json FROM settings');
      return (row && documents.read(Settings, 'settings', row)) ?? Settings.parse({});
    },
    set: (settings) => {
      const json = toJson(Settings, settings, 'settings');
      sql.run(
        'INSERT INTO settings (seq, json) VALUES (1, ?) ON CONFLICT DO UPDATE SET json = excluded.json',
        json,
      );
    },
  };
}

function valuesOf(sql: Sql): Store['values'] {
  return {
    get: (key) => {
      const value = sql.row('SELECT value FROM entries WHERE key = ?', key)?.value;
      return typeof value === 'string' ? value : undefined;
    },
    set: (key, value) => {
      sql.run(
        'INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        key,
        value,
      );
    },
    remove: (key) => {
      sql.run('DELETE FROM entries WHERE key = ?', key);
    },
  };
}
