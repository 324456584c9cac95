import { describe, expect, it } from 'vitest';
import { beyondVerdict } from '../../../renderer/components/alert-facts.ts';
import { reportSentence } from '../../../renderer/components/run-facts.ts';
import { formatsOf } from '../../../renderer/format.ts';
import { sayer } from '../../../renderer/i18n/languages.ts';
import { pastOf, seriesOf } from '../../../renderer/screens/activity/history.ts';
import { queryOf } from '../../../renderer/screens/activity/query.ts';
import { outlookOf, rateOf, sizeOf } from '../../../renderer/screens/recovery/outlook.ts';
import type { Alert } from '../../../src/api/model/alert.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { backupRunOf, destinationOf, planOf } from '../../helpers/host-values.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const MIB = 1024 ** 2;
const disk = destinationOf();
const cloud = destinationOf({ name: 'Cloud' });
const plan = planOf({ destinations: [disk.id, cloud.id] });

const backup = (said: Partial<Run> = {}) =>
  backupRunOf(plan.id, disk.id, {
    startedAt: 1000,
    endedAt: 61_000,
    report: {
      kind: 'backup',
      snapshotId: 'ab'.repeat(32),
      filesNew: 1,
      filesChanged: 0,
      filesUnmodified: 1200,
      bytesProcessed: 600 * MIB,
      bytesAdded: 20 * MIB,
      bytesStored: 10 * MIB,
    },
    ...said,
  });

const restoreOf = (bytesWritten: number, seconds: number): Run => ({
  ...backup({ endedAt: 1000 + seconds * 1000 }),
  report: {
    kind: 'restore',
    filesRestored: 3,
    filesUnchanged: 0,
    filesSkipped: 0,
    bytesWritten,
    target: '/tmp/back',
  },
});

describe('what could be lost', () => {
  const status = (at: number | null) => ({
    plan,
    nextAt: null,
    lastSuccess: at === null ? [] : [{ destinationId: disk.id, at, runId: cloud.id, snapshotId: null }],
    lastRunId: null,
    waitingFor: null,
    waitingCode: null,
  });

  it('is said for each destination against the goal', () => {
    const rows = outlookOf([status(NOW - 2 * DAY)], [disk], NOW, 3);
    expect(rows.map(({ destination, standing, at }) => [destination, standing, at])).toEqual([
      ['USB disk', 'good', NOW - 2 * DAY],
      [null, 'none', null],
    ]);
    expect(outlookOf([status(NOW - 3 * DAY)], [disk], NOW, 3)[0]?.standing).toBe('late');
    expect(outlookOf([status(NOW - 99 * DAY)], [disk], NOW, 0)[0]?.standing).toBe('no-goal');
  });

  it('takes the rate of a restore only where that was large enough to tell', () => {
    expect(rateOf(restoreOf(100 * MIB, 10))).toBe(10 * MIB);
    expect(rateOf(restoreOf(MIB, 10))).toBeNull();
    expect(rateOf(restoreOf(100 * MIB, 0))).toBeNull();
    expect(rateOf(null)).toBeNull();
    expect(rateOf(backup())).toBeNull();
    expect(sizeOf(backup())).toBe(600 * MIB);
    expect(sizeOf(undefined)).toBeNull();
  });
});

describe('the past of a plan', () => {
  it('is a series for each destination, oldest first, of backups that have a report', () => {
    const runs = [
      backup({
        startedAt: 9 * DAY,
        endedAt: 9 * DAY + 5000,
        destinationId: cloud.id,
        destinationName: 'Cloud',
      }),
      backup({ startedAt: 8 * DAY, endedAt: 8 * DAY + 3000 }),
      backup({ startedAt: 7 * DAY, endedAt: 7 * DAY + 2000, report: null, state: 'failed' }),
      backup({ startedAt: 6 * DAY, endedAt: 6 * DAY + 1000 }),
    ];
    expect(
      seriesOf(
        pastOf(runs, (name) => name),
        'took',
      ),
    ).toEqual([
      { name: 'Cloud', points: [{ at: 9 * DAY, value: 5 }] },
      {
        name: 'USB disk',
        points: [
          { at: 6 * DAY, value: 1 },
          { at: 8 * DAY, value: 3 },
        ],
      },
    ]);
  });
});

describe('a report', () => {
  const say = sayer('en', 'en-GB');
  const format = formatsOf('en-GB');

  it('is a sentence', () => {
    expect(reportSentence(say, format, backup())).toBe(
      '1 new file and no changed one were backed up, 1,200 were unchanged. 20 MiB of new data took 10 MiB of space.',
    );
    expect(reportSentence(say, format, backup({ report: null, state: 'running' }))).toBeNull();
    expect(reportSentence(say, format, backup({ report: null, state: 'cancelled' }))).toContain(
      'was cancelled',
    );
    expect(reportSentence(say, format, restoreOf(MIB, 1))).toContain('3 files were restored (1 MiB).');
  });
});

describe('the filter of runs', () => {
  it('asks for nothing that is none', () => {
    const none = { kind: '', state: '', plan: '', destination: '' };
    expect(queryOf(none)).toEqual({});
    expect(queryOf({ ...none, kind: 'nonsense', state: 'failed', plan: plan.id })).toEqual({
      states: ['failed'],
      planId: plan.id,
    });
  });
});

describe('alerts beside the verdict', () => {
  it('are those that no reason says', () => {
    const alert = (said: Partial<Alert>): Alert => ({
      id: disk.id,
      kind: 'run-failed',
      subject: `destination:${disk.id}/copy-to:${cloud.id}`,
      title: 'A copy failed',
      text: '',
      startedAt: 0,
      endedAt: null,
      runId: null,
      ...said,
    });
    const all = [
      alert({}),
      alert({ subject: `plan:${plan.id}/destination:${disk.id}` }),
      alert({ kind: 'space-low', subject: `destination:${disk.id}` }),
      alert({ endedAt: 5 }),
    ];
    expect(beyondVerdict(all)).toEqual([all[0]]);
  });
});
