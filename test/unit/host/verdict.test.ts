import { describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { Plan } from '../../../src/api/model/plan.ts';
import type { Run } from '../../../src/api/model/run.ts';
import { type VerdictFacts, verdictOf } from '../../../src/host/verdict.ts';
import { backupRunOf, destinationOf, planOf } from '../../helpers/host-values.ts';

const DAY = 24 * 3600 * 1000;
const NOW = 100 * DAY;
const disk = destinationOf({ createdAt: NOW - 5 * DAY });
const plan = planOf({ destinations: [disk.id] });

interface Said {
  readonly plans?: readonly Plan[];
  readonly destinations?: readonly Destination[];
  readonly success?: Run;
  readonly ended?: Run;
  readonly pause?: VerdictFacts['pause'];
  readonly alertAfterDays?: number;
}

function judge({ plans = [plan], destinations = [disk], pause = null, alertAfterDays = 3, ...said }: Said) {
  const of = (run: Run | undefined) => (planId: string, destinationId: string) =>
    run?.planId === planId && run.destinationId === destinationId ? run : undefined;
  const ended = said.ended ?? said.success;
  const { state, reasons } = verdictOf({
    now: NOW,
    plans,
    destinations,
    pause,
    alertAfterDays,
    lastSuccess: of(said.success),
    lastEnded: of(ended),
  });
  return { state, codes: reasons.map((reason) => reason.code), reasons };
}

const runAt = (at: number, said: Partial<Run> = {}) =>
  backupRunOf(plan.id, disk.id, { queuedAt: at, startedAt: at, endedAt: at, ...said });
const fresh = runAt(NOW - DAY);

describe('the verdict', () => {
  it('is "not yet" without a plan, and without a backup', () => {
    expect(judge({ plans: [] })).toMatchObject({ state: 'none', codes: ['no-plan'] });
    expect(judge({})).toMatchObject({ state: 'none', codes: ['no-backup-yet'] });
  });

  it('is "protected" with a recent backup in another place', () => {
    expect(judge({ success: fresh })).toEqual({ state: 'protected', codes: [], reasons: [] });
  });

  it.each(['auth-expired', 'host-unverified'] as const)(
    'names a sign-in once for %s, with its remedy',
    (code) => {
      const problem = { code, message: 'The login is not accepted.', transient: false };
      const shut = { ...disk, problem };
      const ended = runAt(NOW - 1, { state: 'failed', error: problem });
      const { codes, reasons } = judge({ destinations: [shut], success: fresh, ended });
      expect(codes).toEqual(['sign-in']);
      expect(reasons[0]).toMatchObject({
        level: 'problem',
        sentence: expect.stringContaining(problem.message),
        fix: { kind: 'sign-in', destinationId: disk.id },
      });
      // Once one is in again, the run that failed is all that is left to tell of.
      expect(judge({ success: fresh, ended }).codes).toEqual(['run-failed']);
    },
  );

  it('counts the days since the newest backup began', () => {
    const { state, reasons } = judge({ success: runAt(NOW - 3 * DAY) });
    expect(state).toBe('attention');
    expect(reasons[0]).toMatchObject({ code: 'backup-old', fix: { kind: 'run-plan', planId: plan.id } });
    expect(reasons[0]?.sentence).toContain('3 days old');
    expect(judge({ success: runAt(NOW - 3 * DAY + 1) }).state).toBe('protected');
    expect(judge({ success: runAt(0), alertAfterDays: 0 }).state).toBe('protected');
  });

  it('is not fooled by an older success behind a failure', () => {
    const error = { code: 'no-space', message: 'The disk is full.', transient: false } as const;
    const ended = runAt(NOW, { state: 'failed', error });
    const { state, reasons } = judge({ success: fresh, ended });
    expect(state).toBe('attention');
    expect(reasons[0]).toMatchObject({ code: 'run-failed', fix: { kind: 'open-run', runId: ended.id } });
    expect(reasons[0]?.sentence).toContain('The disk is full.');
  });

  it('takes unreadable files for advice', () => {
    const success = runAt(NOW, { state: 'warnings', problemCount: 2 });
    expect(judge({ success })).toMatchObject({ state: 'protected', codes: ['run-warnings'] });
  });

  it('does not call a copy on the same disk protection', () => {
    const embedded = { ...disk, embedded: true };
    expect(judge({ destinations: [embedded], success: fresh })).toMatchObject({
      state: 'attention',
      codes: ['same-disk'],
    });
  });

  it('wants every destination of a plan', () => {
    const other = destinationOf({ createdAt: NOW });
    const both = { ...plan, destinations: [disk.id, other.id] };
    const destinations = [disk, other];
    expect(judge({ plans: [both], destinations, success: fresh }).codes).toEqual(['no-backup-yet']);
    expect(judge({ plans: [both], success: fresh }).codes).toEqual(['destination-missing']);
  });

  it.each<[string, Partial<Destination>]>([
    ['destination-problem', { problem: { code: 'unreachable', message: 'No answer.', transient: true } }],
    ['check-failed', { lastCheck: { at: NOW, runId: fresh.id, ok: false, percentRead: 10 } }],
    ['check-old', { createdAt: NOW - 35 * DAY }],
    ['space-low', { space: { free: 1, total: 100, at: NOW } }],
  ])('speaks of %s', (code, said) => {
    const destinations = [{ ...disk, ...said }];
    expect(judge({ destinations, success: fresh })).toMatchObject({ state: 'attention', codes: [code] });
    const unused = planOf({ destinations: [destinationOf().id] });
    expect(judge({ plans: [unused], destinations }).codes).not.toContain(code);
  });

  it('says that a pause stands against protection, and that a switched-off plan is none', () => {
    expect(judge({ success: fresh, pause: { until: null } })).toMatchObject({
      state: 'attention',
      codes: ['paused'],
    });
    const off = { ...plan, enabled: false };
    expect(judge({ plans: [off], success: fresh })).toMatchObject({
      state: 'none',
      codes: ['plan-disabled'],
    });
  });
});
