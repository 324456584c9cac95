import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { RUN_STATES } from '../../../src/api/model/run.ts';
import { ALERT_SQL } from '../../../src/store/alerts.ts';
import { migrate } from '../../../src/store/migrations.ts';
import { countRuns, LINE_SQL, listRuns, RUN_SQL } from '../../../src/store/runs.ts';

// The store never runs ANALYZE, so plans rest on the schema alone: as they are here, so they are in a full diary.
const db = new Database(':memory:');
migrate(db);

function planOf(text: string, values?: readonly unknown[]): string {
  const given = values ?? Array.from({ length: text.split('?').length - 1 }, () => 'x');
  const steps = db
    .prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`)
    .all(...given);
  return steps.map((step) => step.detail).join('; ');
}

function listPlan(query: Parameters<typeof listRuns>[0]): string {
  const { text, values } = listRuns(query);
  return planOf(text, values);
}

describe('how SQLite finds what is asked for', () => {
  it.each([
    ['newest runs', {}, /^SCAN runs USING INDEX runs_by_time$/],
    ['a page of them', { before: 5 }, /^SEARCH runs USING INDEX runs_by_time \(queued_at<\?\)$/],
    ['some kinds', { kinds: ['backup', 'copy'] }, /^SCAN runs USING INDEX runs_by_time$/],
    ['ended in some way', { states: ['failed', 'cancelled'] }, /^SCAN runs USING INDEX runs_by_time$/],
    ['all states', { states: RUN_STATES }, /^SCAN runs USING INDEX runs_by_time$/],
    ['waiting', { states: ['queued'] }, /^SCAN runs USING INDEX runs_unfinished$/],
    [
      'waiting or at work',
      { states: ['queued', 'running'], before: 5 },
      /USING INDEX runs_unfinished \(queued_at<\?\)$/,
    ],
    ['a plan', { planId: 'p' }, /^SEARCH runs USING INDEX runs_by_plan \(plan_id=\?\)$/],
    [
      'much of a plan',
      { planId: 'p', before: 5, kinds: ['backup'], states: ['failed'] },
      /^SEARCH runs USING INDEX runs_by_plan \(plan_id=\? AND queued_at<\?\)$/,
    ],
    [
      'a destination',
      { destinationId: 'd' },
      /^SEARCH runs USING INDEX runs_by_destination \(destination_id=\?\)$/,
    ],
    ['a plan at a destination', { planId: 'p', destinationId: 'd' }, /^SEARCH runs USING INDEX runs_by_/],
  ] as const)('%s: in order from an index, without sorting', (_, query, plan) => {
    expect(listPlan(query)).toMatch(plan);
  });

  it('counts failures from an index alone', () => {
    const { text, values } = countRuns({ planId: 'p', destinationId: 'd', states: ['failed'] });
    expect(planOf(text, values)).toMatch(/^SEARCH runs USING COVERING INDEX runs_by_plan/);
  });

  it.each([
    ['a run', RUN_SQL.get, /^SEARCH runs USING INDEX sqlite_autoindex_runs_1 \(id=\?\)$/],
    ['its number', RUN_SQL.seq, /^SEARCH runs USING COVERING INDEX sqlite_autoindex_runs_1 \(id=\?\)$/],
    ['unfinished runs', RUN_SQL.unfinished, /^SCAN runs USING INDEX runs_unfinished$/],
    [
      'the last success',
      RUN_SQL.lastSuccess,
      /^SEARCH runs USING INDEX runs_good \(plan_id=\? AND destination_id=\?\)$/,
    ],
    ['how many problems', LINE_SQL.count('problems'), /^SEARCH problems USING PRIMARY KEY \(run=\?\)$/],
    ['how many log lines', LINE_SQL.count('logs'), /^SEARCH logs USING PRIMARY KEY \(run=\?\)$/],
    [
      'a page of problems',
      LINE_SQL.page('problems'),
      /^SEARCH problems USING PRIMARY KEY \(run=\? AND n>\?\)$/,
    ],
    ['alerts that hold', ALERT_SQL.open, /^SCAN alerts USING INDEX alerts_open$/],
    ['newest alerts', ALERT_SQL.list, /^SCAN alerts USING INDEX alerts_by_time$/],
    ['alerts to drop', ALERT_SQL.drop, /^SEARCH alerts USING INDEX alerts_by_time \(started_at<\?\)$/],
  ] as const)('%s: from an index, without sorting', (_, text, plan) => {
    expect(planOf(text)).toMatch(plan);
  });

  it('drops old runs by their time, and looks each later success up', () => {
    const plan = planOf(RUN_SQL.dropBefore);
    expect(plan).toMatch(/^SEARCH runs USING (COVERING )?INDEX runs_by_time \(queued_at<\?\)/);
    expect(plan).toMatch(/SEARCH later USING (COVERING )?INDEX runs_good \(plan_id=\? AND destination_id=\?/);
    expect(plan).not.toMatch(/SCAN|TEMP/);
  });
});
