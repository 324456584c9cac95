import type { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { ENDED, LogLine, Problem, Run } from '../api/model/run.ts';
import { DOCUMENT, type Documents, toJson } from './documents.ts';
import type { Sql, Value } from './sql.ts';
import type { RunFilter, RunStore } from './store.ts';

/** Of one run; the last line that is kept says that there were more. */
export const MOST_LOG_LINES = 10_000;
export const MOST_PROBLEMS = 100_000;

const UNFINISHED = "state IN ('queued', 'running')";
// As the partial index runs_good says it, to the letter: otherwise SQLite does not see that it fits.
const GOOD = "kind = 'backup' AND state IN ('succeeded', 'warnings')";

export const RUN_SQL = {
  put: `INSERT INTO runs (id, kind, state, plan_id, destination_id, queued_at, json) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, plan_id = excluded.plan_id,
      destination_id = excluded.destination_id, queued_at = excluded.queued_at, json = excluded.json`,
  get: `SELECT ${DOCUMENT} FROM runs WHERE id = ?`,
  seq: 'SELECT seq FROM runs WHERE id = ?',
  unfinished: `SELECT ${DOCUMENT} FROM runs WHERE ${UNFINISHED} ORDER BY queued_at, seq`,
  lastSuccess: `SELECT ${DOCUMENT} FROM runs WHERE ${GOOD} AND plan_id = ? AND destination_id = ?
    ORDER BY queued_at DESC, seq DESC`,
  dropBefore: `DELETE FROM runs WHERE queued_at < ? AND state IN (${ENDED.map((state) => `'${state}'`).join(', ')})
    AND NOT (${GOOD} AND plan_id IS NOT NULL AND destination_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM runs AS later INDEXED BY runs_good WHERE later.kind = 'backup' AND later.state IN ('succeeded', 'warnings')
        AND later.plan_id = runs.plan_id AND later.destination_id = runs.destination_id
        AND (later.queued_at, later.seq) > (runs.queued_at, runs.seq)))`,
} as const;

type LineTable = 'logs' | 'problems';

export const LINE_SQL = {
  count: (table: LineTable) => `SELECT coalesce(max(n) + 1, 0) AS n FROM ${table} WHERE run = ?`,
  add: (table: LineTable) => `INSERT INTO ${table} (run, n, json) VALUES (?, ?, ?)`,
  page: (table: LineTable) =>
    `SELECT run || '/' || n AS id, json FROM ${table} WHERE run = ? AND n >= ? ORDER BY n LIMIT ?`,
} as const;

interface Query {
  readonly text: string;
  readonly values: readonly Value[];
}

/** Newest first, without a limit: who reads stops where he likes, and nothing is sorted that is not shown. */
export function listRuns(q: RunFilter): Query {
  const { text, values } = where(q);
  return { text: `SELECT ${DOCUMENT} FROM runs ${text}ORDER BY queued_at DESC, seq DESC`, values };
}

export function countRuns(q: RunFilter): Query {
  const { text, values } = where(q);
  return { text: `SELECT count(*) AS n FROM runs ${text}`, values };
}

function where(q: RunFilter): Query {
  const terms: string[] = [];
  const values: Value[] = [];
  const add = (term: string, ...given: readonly Value[]) => {
    terms.push(term);
    values.push(...given);
  };
  if (q.planId !== undefined) add('plan_id = ?', q.planId);
  if (q.destinationId !== undefined) add('destination_id = ?', q.destinationId);
  if (q.before !== undefined) add('queued_at < ?', q.before);
  if (q.kinds !== undefined) add(`kind IN (${q.kinds.map(() => '?').join(', ')})`, ...q.kinds);
  if (q.states !== undefined) add(`state IN (${q.states.map(() => '?').join(', ')})`, ...q.states);
  // Says what follows from the states anyhow, so that the small index of unfinished runs serves.
  if (q.states?.every((state) => !ENDED.includes(state))) add(UNFINISHED);
  return { text: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')} `, values };
}

/** Numbered lines of runs: their logs or their problems. */
class Lines<T> {
  readonly #sql: Sql;
  readonly #documents: Documents;
  readonly #kind: LineKind<T>;

  constructor(sql: Sql, documents: Documents, kind: LineKind<T>) {
    this.#sql = sql;
    this.#documents = documents;
    this.#kind = kind;
  }

  /** Error: 'internal' for a run that is not stored. */
  add(runId: string, value: T): void {
    const { table, schema, what, most, last } = this.#kind;
    const run = this.#seqOf(runId);
    if (run === undefined) throw new EngineError('internal', `There is no run ${runId} to add a ${what} to.`);
    const n = this.#count(run);
    if (n >= most) return;
    const json = toJson(schema, n === most - 1 ? last(value) : value, what);
    // A large backup can have a hundred thousand; the run's end, which is durable, takes them to the disk.
    this.#sql.hasty(() => this.#sql.run(LINE_SQL.add(table), run, n, json));
  }

  page(runId: string, offset: number, limit: number): readonly T[] {
    const { table, schema, what } = this.#kind;
    const run = this.#seqOf(runId);
    if (run === undefined) return [];
    return this.#documents.list(schema, what, this.#sql.each(LINE_SQL.page(table), run, offset, limit));
  }

  count(runId: string): number {
    const run = this.#seqOf(runId);
    return run === undefined ? 0 : this.#count(run);
  }

  #seqOf(runId: string): number | undefined {
    const seq = this.#sql.row(RUN_SQL.seq, runId)?.seq;
    return typeof seq === 'number' ? seq : undefined;
  }

  #count(run: number): number {
    return Number(this.#sql.row(LINE_SQL.count(this.#kind.table), run)?.n ?? 0);
  }
}

interface LineKind<T> {
  readonly table: LineTable;
  readonly schema: z.ZodType<T>;
  /** One of them, in messages. */
  readonly what: string;
  readonly most: number;
  /** What stands in the last place that there is, instead of the line that came there. */
  readonly last: (dropped: T) => T;
}

const LOG = {
  table: 'logs',
  schema: LogLine,
  what: 'log line',
  most: MOST_LOG_LINES,
  last: ({ at }) => ({
    at,
    level: 'warning',
    text: `The log is full: it holds ${MOST_LOG_LINES.toLocaleString('en')} lines, and what came after was not kept.`,
  }),
} satisfies LineKind<LogLine>;

const PROBLEM = {
  table: 'problems',
  schema: Problem,
  what: 'problem',
  most: MOST_PROBLEMS,
  last: () => ({
    path: '',
    error: {
      code: 'source-unreadable',
      message: `The list is full: it holds ${MOST_PROBLEMS.toLocaleString('en')} problems, and what came after was not kept.`,
      transient: false,
    },
  }),
} satisfies LineKind<Problem>;

export function runStore(sql: Sql, documents: Documents): RunStore {
  return { ...runsThemselves(sql, documents), ...linesOfRuns(sql, documents) };
}

type RunsThemselves = Pick<
  RunStore,
  'put' | 'get' | 'list' | 'count' | 'unfinished' | 'lastSuccess' | 'dropBefore'
>;

function runsThemselves(sql: Sql, documents: Documents): RunsThemselves {
  return {
    put: (run) => {
      const json = toJson(Run, { ...run, progress: null }, 'run');
      const { id, task, state, planId, destinationId, queuedAt } = run;
      sql.run(RUN_SQL.put, id, task.kind, state, planId, destinationId, queuedAt, json);
    },
    get: (id) => {
      const row = sql.row(RUN_SQL.get, id);
      return row === undefined ? undefined : documents.read(Run, 'run', row);
    },
    list: (query) => {
      const { text, values } = listRuns(query);
      return documents.list(Run, 'run', sql.each(text, ...values), query.limit);
    },
    count: (filter) => {
      const { text, values } = countRuns(filter);
      return Number(sql.row(text, ...values)?.n ?? 0);
    },
    unfinished: () => documents.list(Run, 'run', sql.each(RUN_SQL.unfinished)),
    lastSuccess: (planId, destinationId) =>
      documents.list(Run, 'run', sql.each(RUN_SQL.lastSuccess, planId, destinationId), 1)[0],
    dropBefore: (instant) => sql.run(RUN_SQL.dropBefore, instant),
  };
}

type LinesOfRuns = Pick<RunStore, 'addLog' | 'log' | 'addProblem' | 'problems' | 'countProblems'>;

function linesOfRuns(sql: Sql, documents: Documents): LinesOfRuns {
  const logs = new Lines(sql, documents, LOG);
  const problems = new Lines(sql, documents, PROBLEM);
  return {
    addLog: (runId, line) => logs.add(runId, line),
    log: (runId) => logs.page(runId, 0, MOST_LOG_LINES),
    addProblem: (runId, problem) => problems.add(runId, problem),
    problems: (runId, offset, limit) => problems.page(runId, offset, limit),
    countProblems: (runId) => problems.count(runId),
  };
}
