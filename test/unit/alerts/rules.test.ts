/** When an alert begins, and when it is over. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Run, Task } from '../../../src/api/model/run.ts';
import { backupRunOf } from '../../helpers/host-values.ts';
import { DAY, destinationFacts, factsOf, HOUR, MINUTE, openDesk, planFacts, START } from './support.ts';

const failure = { code: 'unreachable', message: 'The disk is not there.', transient: true } as const;
const damage = { code: 'damaged', message: 'Pack 1234 is damaged.', transient: false } as const;

const plan = randomUUID();
const usb = randomUUID();
const nas = randomUUID();

const backup = (state: Run['state'], said: Partial<Run> = {}): Run =>
  backupRunOf(plan, usb, { state, error: state === 'failed' ? failure : null, ...said });

function runOf(task: Task, state: Run['state'], said: Partial<Run> = {}): Run {
  return { ...backup(state), planId: null, planName: null, task, ...said };
}

const check = (state: Run['state'], percent: number, said: Partial<Run> = {}): Run =>
  runOf({ kind: 'check', destinationId: usb, percent }, state, {
    report: { kind: 'check', percentRead: percent, packs: 3, packsProven: 0, findings: [] },
    ...said,
  });

const open = (desk: ReturnType<typeof openDesk>) =>
  desk.store.alerts.open().map(({ kind, subject }) => `${kind} ${subject}`);

describe('a failed backup', () => {
  it('is told once, however often it fails, and once when it is over', async () => {
    const desk = openDesk();
    for (const state of ['failed', 'failed', 'failed', 'succeeded', 'succeeded'] as const) {
      desk.alerts.runEnded(backup(state));
      await desk.alerts.settled();
    }
    expect((await desk.titles()).filter((title) => !title.includes('went well'))).toEqual([
      'The backup of “Documents” to “USB disk” failed',
    ]);
    expect(await desk.titles()).toContain('The backup of “Documents” to “USB disk” went well again');
    expect(open(desk)).toEqual([]);
  });

  it('shows its newest cause without telling it again', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(backup('failed'));
    const later = backup('failed', {
      error: { code: 'wrong-password', message: 'No key fits.', transient: false },
    });
    desk.alerts.runEnded(later);
    const [alert] = desk.store.alerts.open();
    expect(alert).toMatchObject({
      runId: later.id,
      startedAt: START,
      text: expect.stringContaining('No key fits.'),
    });
    expect(desk.changes).toHaveLength(2);
    expect(await desk.titles()).toHaveLength(1);
  });

  it('at one destination is not over when another has its backup', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backupRunOf(plan, nas));
    expect(open(desk)).toEqual([`run-failed plan:${plan}/destination:${usb}`]);
  });

  it('is over when the next ends with warnings, which are told of their own', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backup('warnings', { problemCount: 2 }));
    desk.alerts.runEnded(backup('warnings', { problemCount: 3 }));
    expect(await desk.titles()).toEqual([
      'The backup of “Documents” to “USB disk” failed',
      'The backup of “Documents” to “USB disk” went well again',
      'The backup of “Documents” to “USB disk” left out 2 files',
    ]);
    expect(desk.notes[1]?.text).toContain('It ended with 2 problems.');
    expect(open(desk)).toEqual([`run-warnings plan:${plan}/destination:${usb}`]);
  });

  it('is one message, not three, when a success ends failure and warnings and is wanted itself', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(backup('warnings'));
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backup('succeeded'));
    expect(await desk.titles()).toHaveLength(3);
    expect(open(desk)).toEqual([]);
  });

  it.each(['cancelled', 'interrupted'] as const)('stays as it is when a run is %s', async (state) => {
    const desk = openDesk();
    desk.alerts.runEnded(backup(state));
    expect(desk.changes).toEqual([]);
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.runEnded(backup(state));
    expect(open(desk)).toHaveLength(1);
    expect(await desk.titles()).toHaveLength(1);
  });

  it('is not told again after a restart, nor is its end forgotten', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(backup('failed'));
    await desk.alerts.settled();
    const after = await desk.restart();
    after.alerts.runEnded(backup('failed'));
    expect(await after.titles()).toEqual([]);
    after.alerts.runEnded(backup('succeeded'));
    expect(await after.titles()).toEqual(['The backup of “Documents” to “USB disk” went well again']);
  });
});

describe('whatever happens', () => {
  const event = fc.record({
    state: fc.constantFrom('succeeded', 'warnings', 'failed', 'cancelled', 'interrupted', 'restart'),
    destination: fc.constantFrom(usb, nas),
  });

  it('beginnings and recoveries alternate, and what holds is what the last backups say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
        let desk = openDesk();
        const told: string[] = [];
        const expected: string[] = [];
        const failing = new Set<string>();
        for (const { state, destination } of events) {
          if (state === 'restart') desk = await desk.restart();
          else desk.alerts.runEnded(backupRunOf(plan, destination, { state, destinationName: destination }));
          const good = state === 'succeeded' || state === 'warnings';
          if (state === 'failed' && !failing.has(destination)) expected.push(`${destination} failed`);
          if (good && failing.has(destination)) expected.push(`${destination} over`);
          if (state === 'failed') failing.add(destination);
          if (good) failing.delete(destination);
          await desk.alerts.settled();
          for (const note of desk.notes.splice(0)) {
            if (note.alert?.kind !== 'run-failed') continue;
            const about = note.alert.subject.slice(-36);
            told.push(`${about} ${note.alert.endedAt === null ? 'failed' : 'over'}`);
          }
        }
        expect(told).toEqual(expected);
        const held = desk.store.alerts.open().filter((alert) => alert.kind === 'run-failed');
        expect(new Set(held.map((alert) => alert.subject.slice(-36)))).toEqual(failing);
        expect(held).toHaveLength(failing.size);
        desk.store.close();
      }),
      { numRuns: 50 },
    );
  });
});

describe('a backup that went well', () => {
  it('is written down and told only where somebody wants it', async () => {
    const desk = openDesk({ desktop: false });
    desk.alerts.runEnded(backup('succeeded'));
    expect(desk.store.alerts.list(10)).toEqual([]);
    const wanting = openDesk();
    wanting.alerts.runEnded(backup('succeeded'));
    wanting.alerts.runEnded(backup('succeeded'));
    expect(await wanting.titles()).toEqual(
      Array(2).fill('The backup of “Documents” to “USB disk” went well'),
    );
    expect(wanting.store.alerts.list(10).map((alert) => alert.endedAt)).toEqual([START, START]);
  });
});

describe('a restore that failed', () => {
  it('is told, and is over at once', async () => {
    const desk = openDesk();
    const request = {
      destinationId: usb,
      versionId: 'latest',
      paths: [],
      target: { kind: 'original' },
      conflicts: 'skip',
      verify: true,
    } as const;
    desk.alerts.runEnded(
      runOf({ kind: 'restore', request: { ...request, paths: [], exclude: [] } }, 'failed'),
    );
    expect(await desk.titles()).toEqual(['The restore from “USB disk” failed']);
    expect(open(desk)).toEqual([]);
  });
});

describe('a check', () => {
  const damaged = (percent: number) => check('failed', percent, { error: damage });

  it('that found damage in the data is disproved only by a check of all data', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(damaged(10));
    expect(open(desk)).toEqual([`check-failed destination:${usb}/data`]);
    desk.alerts.runEnded(check('succeeded', 10));
    expect(open(desk)).toHaveLength(1);
    desk.alerts.runEnded(check('succeeded', 100));
    expect(open(desk)).toEqual([]);
    expect(await desk.titles()).toEqual([
      '“USB disk” is damaged',
      'The check of “USB disk” went well',
      '“USB disk” passed its check',
    ]);
  });

  it('that found damage without reading data is disproved by the next that finds none', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(damaged(0));
    desk.alerts.runEnded(check('warnings', 0));
    expect(open(desk)).toContain(`check-failed destination:${usb}`);
    desk.alerts.runEnded(check('succeeded', 0));
    expect(open(desk)).toEqual([]);
  });

  it('that could not be done is another alert than damage, so that one never hides the other', async () => {
    const desk = openDesk();
    const unable = check('failed', 10, { error: failure, report: null });
    desk.alerts.runEnded(unable);
    desk.alerts.runEnded(damaged(10));
    expect(await desk.titles()).toEqual(['The check of “USB disk” failed', '“USB disk” is damaged']);
    desk.alerts.runEnded(check('succeeded', 10));
    expect(open(desk)).toEqual([`check-failed destination:${usb}/data`]);
  });
});

describe('clean-up and copy', () => {
  it.each<Task>([
    { kind: 'cleanup', destinationId: usb },
    { kind: 'copy', destinationId: usb, toDestinationId: nas, versionIds: [] },
  ])('%j: failure and recovery', async (task) => {
    const desk = openDesk();
    desk.alerts.runEnded(runOf(task, 'failed'));
    desk.alerts.runEnded(backup('succeeded'));
    expect(open(desk)).toHaveLength(1);
    desk.alerts.runEnded(runOf(task, 'succeeded'));
    expect(open(desk)).toEqual([]);
    expect((await desk.titles()).at(-1)).toContain('went well again');
  });
});

describe('no backup for N days', () => {
  /** Evaluates every half hour until `end`. */
  async function live(desk: ReturnType<typeof openDesk>, ms: number, plans: Parameters<typeof planFacts>[0]) {
    const facts = planFacts({ id: plan, ...plans });
    for (let passed = 0; passed < ms; passed += HOUR / 2) {
      await desk.clock.advance(HOUR / 2);
      desk.alerts.evaluate(factsOf(desk.clock, { plans: [facts] }));
    }
  }

  it('is told once when the days are over, and once when there is a backup', async () => {
    const desk = openDesk();
    await live(desk, 3 * DAY - HOUR, { lastSuccessAt: START });
    expect(await desk.titles()).toEqual([]);
    await live(desk, 10 * DAY, { lastSuccessAt: START });
    expect(await desk.titles()).toEqual(['No backup of “Documents” for 3 days']);
    expect(desk.changes).toHaveLength(1);
    await live(desk, DAY, { lastSuccessAt: desk.clock.now() });
    expect(await desk.titles()).toEqual([
      'No backup of “Documents” for 3 days',
      '“Documents” is backed up again',
    ]);
    expect(desk.notes[0]?.fix).toEqual({ kind: 'run-plan', planId: plan });
  });

  it('counts from when the plan was made', async () => {
    const desk = openDesk();
    await live(desk, 3 * DAY, {});
    expect(desk.notes[0]?.text).toContain('has not been backed up since it was made 3 days ago.');
  });

  it.each([
    ['is switched off', { plans: [planFacts({ id: plan, enabled: false })] }],
    ['is gone', { plans: [] }],
    ['may be older', { plans: [planFacts({ id: plan })], alertAfterDays: 30 }],
    ['may be of any age', { plans: [planFacts({ id: plan })], alertAfterDays: 0 }],
  ])('ends without a word when the plan %s', async (_, facts) => {
    const desk = openDesk();
    await live(desk, 4 * DAY, {});
    desk.alerts.runEnded(backup('failed'));
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [destinationFacts({ id: usb })], ...facts }));
    expect(open(desk).filter((one) => one.startsWith('no-backup'))).toEqual([]);
    expect(await desk.titles()).toHaveLength(2);
    const orphaned = !facts.plans.some((one) => one.enabled);
    expect(open(desk)).toHaveLength(orphaned ? 0 : 1);
  });

  it('survives a clock that is set back and forth', async () => {
    const desk = openDesk();
    await live(desk, 4 * DAY, { lastSuccessAt: START });
    await desk.clock.shift(-3 * DAY);
    await live(desk, HOUR, { lastSuccessAt: START });
    await desk.clock.shift(3 * DAY);
    await live(desk, HOUR, { lastSuccessAt: START });
    expect(await desk.titles()).toHaveLength(1);
  });
});

describe('space', () => {
  const GIB = 1024 ** 3;
  const free = (gib: number) =>
    destinationFacts({ id: usb, space: { free: gib * GIB, total: 100 * GIB, at: START } });

  it('is low below the limit, and enough again only a tenth above it', async () => {
    const desk = openDesk();
    const seen: number[] = [];
    for (const gib of [5, 4.9, 5.1, 4.8, 5.4, 5.5, 5.2, 4.9]) {
      desk.alerts.evaluate(factsOf(desk.clock, { destinations: [free(gib)] }));
      seen.push(open(desk).length);
    }
    expect(seen).toEqual([0, 1, 1, 1, 1, 0, 0, 1]);
    expect(await desk.titles()).toEqual([
      '“USB disk” is nearly full',
      '“USB disk” has enough space again',
      '“USB disk” is nearly full',
    ]);
    expect(desk.notes[0]?.text).toContain('has 4.9 GiB left; you wanted to be told below 5.0 GiB.');
    expect(desk.notes[0]?.fix).toEqual({ kind: 'open-destination', destinationId: usb });
  });

  it('stays as it is while nobody knows, and is of no interest without a limit', async () => {
    const desk = openDesk();
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [free(1)] }));
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [destinationFacts({ id: usb })] }));
    expect(open(desk)).toHaveLength(1);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [{ ...free(1), warnBelowBytes: 0 }] }));
    expect(open(desk)).toEqual([]);
    expect(await desk.titles()).toHaveLength(1);
  });
});

describe('a destination that cannot be used', () => {
  const wrong = { code: 'wrong-password', message: 'No key fits.', transient: false } as const;
  const away = { ...failure, transient: false, context: { disk: '1234-ABCD' } } as const;

  it.each([
    ['a day, where it may pass', failure, DAY],
    ['a day, where its disk is to be plugged in', away, DAY],
    ['an hour, where it will not', wrong, HOUR],
  ])('is told after %s', async (_, problem, grace) => {
    const desk = openDesk();
    const bad = [destinationFacts({ id: usb, problem, problemSince: START })];
    await desk.clock.advance(grace - MINUTE);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: bad }));
    expect(open(desk)).toEqual([]);
    await desk.clock.advance(MINUTE);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: bad }));
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: bad }));
    expect(open(desk)).toEqual([`destination-unreachable destination:${usb}`]);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [destinationFacts({ id: usb })] }));
    expect(await desk.titles()).toEqual([
      expect.stringContaining('“USB disk” could not be used for 1 '),
      '“USB disk” can be used again',
    ]);
  });

  it('is told at once and only once where somebody has to sign in, whatever runs meet it', async () => {
    const desk = openDesk();
    const expired = {
      code: 'auth-expired',
      message: 'The login is not accepted.',
      transient: false,
    } as const;
    for (let run = 0; run < 3; run++) desk.alerts.runEnded(backup('failed', { error: expired }));
    expect(open(desk)).toEqual([]);
    const shut = [destinationFacts({ id: usb, problem: expired, problemSince: desk.clock.now() })];
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: shut }));
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: shut }));
    expect(open(desk)).toEqual([`destination-unreachable destination:${usb}`]);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [destinationFacts({ id: usb })] }));
    expect(await desk.titles()).toEqual(['“USB disk” lets nobody in', '“USB disk” can be used again']);
    expect(desk.notes[0]?.text).toContain('sign in again');
  });

  it('takes its alerts with it when it is removed, also as the target of a copy', async () => {
    const desk = openDesk();
    desk.alerts.runEnded(
      runOf({ kind: 'copy', destinationId: usb, toDestinationId: nas, versionIds: [] }, 'failed'),
    );
    desk.alerts.evaluate(
      factsOf(desk.clock, { destinations: [destinationFacts({ id: usb }), destinationFacts({ id: nas })] }),
    );
    expect(open(desk)).toHaveLength(1);
    desk.alerts.evaluate(factsOf(desk.clock, { destinations: [destinationFacts({ id: usb })] }));
    expect(open(desk)).toEqual([]);
    expect(await desk.titles()).toHaveLength(1);
  });
});
