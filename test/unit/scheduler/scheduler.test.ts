import { describe, expect, it } from 'vitest';
import type { Recurrence } from '../../../src/api/model/plan.ts';
import { Reach } from '../../../src/scheduler/reach.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { DAY, type DeathPoint, HOUR, job, MINUTE, PASSES, STAYS, WELL, World } from './world.ts';

const at = (date: string) => Date.parse(date);
const hourly: Recurrence = { kind: 'hourly', every: 1, minute: 0 };

/** A living world with one daily job at 12:30 in Berlin (11:30 UTC in winter). */
function daily(start: string, o: Parameters<typeof job>[0] = { schedule: {} }): World {
  const world = new World(start, [job({ since: at(start), ...o })]);
  world.boot();
  return world;
}

describe('days as they should be', () => {
  it('runs at its time, once a day, and shows the next start', async () => {
    const world = daily('2026-01-05T08:00Z');
    await world.clock.advance(MINUTE);
    expect(world.scheduler.plan('backup')).toEqual({
      nextAt: at('2026-01-05T11:30Z'),
      waitingFor: null,
      waitingCode: null,
    });
    await world.clock.advance(2 * DAY);
    expect(world.history()).toEqual(['2026-01-05T11:30 schedule', '2026-01-06T11:30 schedule']);
    expect(world.runs.map((run) => run.queuedAt % MINUTE)).toEqual([0, 0]);
    expect(world.scheduler.plan('unknown')).toEqual({ nextAt: null, waitingFor: null, waitingCode: null });
  });

  it('tells of changes, and only of them', async () => {
    const world = daily('2026-01-05T08:00Z');
    await world.clock.advance(MINUTE);
    const { changes } = world;
    await world.clock.advance(3 * HOUR);
    expect(world.changes).toBe(changes);
    await world.clock.advance(HOUR);
    expect(world.changes).toBeGreaterThan(changes);
  });

  it('spreads starts by the jitter, each by its own, and shows where they are', async () => {
    const start = '2026-01-05T08:00Z';
    const world = new World(start, [job({ since: at(start), schedule: { jitterMinutes: 60 } })]);
    const draws = [0.5, 0.25, 0.75];
    let drawn = 0;
    world.random = () => draws[drawn++ % draws.length]!;
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.scheduler.plan('backup').nextAt).toBe(at('2026-01-05T12:00Z'));
    world.scheduler.wake();
    await world.clock.advance(2 * DAY);
    expect(world.history()).toEqual(['2026-01-05T12:00 schedule', '2026-01-06T11:45 schedule']);
  });

  it('never lets the jitter put a start beyond the next one', async () => {
    const world = daily('2026-01-05T08:30Z', { schedule: { when: hourly, jitterMinutes: 720 } });
    world.runFor = MINUTE;
    world.random = () => 0.999;
    await world.clock.advance(4 * HOUR);
    expect(world.triggers()).toEqual(['schedule', 'schedule', 'schedule']);
    for (const { queuedAt, handled } of world.runs) expect(queuedAt - handled[1]).toBeLessThan(HOUR);
  });

  it('has one make-up run for the starts that came while a long one was under way', async () => {
    const world = daily('2026-01-05T08:30Z', { schedule: { when: hourly } });
    world.runFor = 3 * HOUR + 30 * MINUTE;
    await world.clock.advance(3 * HOUR);
    expect(world.scheduler.running('backup')).toBe(true);
    await world.clock.advance(2 * HOUR);
    expect(world.history()).toEqual(['2026-01-05T09:00 schedule', '2026-01-05T12:30 catch-up']);
  });
});

describe('sleep', () => {
  it.each(['count', 'stand-still'] as const)(
    'makes up for three days of sleep once (timers %s)',
    async (timers) => {
      const world = daily('2026-01-05T08:00Z');
      await world.clock.advance(HOUR);
      await world.clock.suspend(3 * DAY, timers);
      await world.clock.advance(3 * MINUTE);
      expect(world.triggers()).toEqual(['catch-up']);
      await world.clock.runUntil('2026-01-08T14:00Z');
      expect(world.triggers()).toEqual(['catch-up', 'schedule']);
    },
  );

  it('waits for a network that is 90 seconds late', async () => {
    const world = daily('2026-01-05T08:00Z');
    world.silent.add('disk');
    await world.clock.suspend(DAY);
    world.scheduler.wake();
    await world.clock.advance(MINUTE);
    const plan = world.scheduler.plan('backup');
    expect(plan).toEqual({
      nextAt: at('2026-01-06T11:30Z'),
      waitingFor: 'It starts when the destination answers.',
      waitingCode: 'destination',
    });
    await world.clock.advance(30_000);
    world.silent.clear();
    await world.clock.advance(3 * MINUTE);
    expect(world.triggers()).toEqual(['catch-up']);
    expect(world.scheduler.plan('backup').waitingFor).toBeNull();
  });

  it('lets a missed start go where it is not to be caught up', async () => {
    const world = daily('2026-01-05T08:00Z', { schedule: { catchUp: false, onConnect: false } });
    await world.clock.suspend(DAY);
    await world.clock.advance(HOUR);
    expect(world.runs).toEqual([]);
    await world.clock.runUntil('2026-01-06T12:00Z');
    expect(world.history()).toEqual(['2026-01-06T11:30 schedule']);
  });
});

describe('changes of the clock', () => {
  const inBerlin = (start: string, when: Recurrence) => daily(start, { schedule: { when } });

  it('runs once on the night with a skipped hour', async () => {
    const world = inBerlin('2026-03-28T12:00Z', { kind: 'daily', at: ['02:30'] });
    await world.clock.advance(2 * DAY);
    expect(world.history()).toEqual(['2026-03-29T01:00 schedule', '2026-03-30T00:30 schedule']);
  });

  it('runs once on the night with a doubled hour', async () => {
    const world = inBerlin('2026-10-24T12:00Z', { kind: 'daily', at: ['02:30'] });
    await world.clock.advance(2 * DAY);
    expect(world.history()).toEqual(['2026-10-25T00:30 schedule', '2026-10-26T01:30 schedule']);
  });

  it('runs every hour through both', async () => {
    for (const start of ['2026-03-28T22:30Z', '2026-10-24T22:30Z']) {
      const world = inBerlin(start, hourly);
      await world.clock.advance(6 * HOUR);
      expect(world.runs.map((run) => run.queuedAt - at(start))).toEqual(
        [0, 1, 2, 3, 4, 5].map((hour) => hour * HOUR + 30 * MINUTE),
      );
    }
  });

  it('runs nothing twice when somebody sets the clock back an hour', async () => {
    const world = daily('2026-01-05T11:00Z');
    await world.clock.advance(HOUR);
    await world.clock.shift(-HOUR);
    await world.clock.advance(5 * HOUR);
    expect(world.triggers()).toEqual(['schedule']);
    await world.clock.advance(DAY);
    expect(world.triggers()).toEqual(['schedule', 'schedule']);
  });

  it('shows, and keeps, the first start after what was handled, on a clock that was set back', async () => {
    const world = daily('2026-01-05T11:00Z');
    await world.clock.advance(HOUR);
    await world.clock.shift(-HOUR);
    await world.clock.advance(3 * MINUTE);
    expect(world.scheduler.plan('backup').nextAt).toBe(at('2026-01-06T11:30Z'));
  });

  it('takes a clock set forward for missed time', async () => {
    const world = daily('2026-01-05T08:00Z');
    await world.clock.advance(HOUR);
    await world.clock.shift(2 * DAY);
    await world.clock.advance(3 * MINUTE);
    expect(world.triggers()).toEqual(['catch-up']);
  });

  it('is not put off for years by a clock that was ten years ahead', async () => {
    const world = daily('2036-01-05T08:00Z');
    await world.clock.advance(4 * HOUR);
    expect(world.triggers()).toEqual(['schedule']);
    await world.clock.set('2026-01-05T13:00Z');
    await world.clock.advance(2 * DAY);
    expect(world.history().slice(1)).toEqual(['2026-01-06T11:30 schedule', '2026-01-07T11:30 schedule']);
  });
});

describe('destinations', () => {
  it('asks for an absent disk with growing pauses, and runs once a week later when it is there', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.silent.add('disk');
    await world.clock.advance(2 * HOUR);
    const times = world.asked.map((ask) => ask.at - at('2026-01-05T11:30Z'));
    const seconds = [0, 30, 90, 210, 450, 930, 1830, 2730, 3630, 4530];
    expect(times).toEqual(seconds.map((second) => second * 1000));
    await world.clock.advance(7 * DAY);
    expect(world.runs).toEqual([]);
    world.silent.clear();
    await world.clock.advance(16 * MINUTE);
    expect(world.triggers()).toEqual(['catch-up']);
    await world.clock.runUntil('2026-01-13T11:00Z');
    expect(world.triggers()).toEqual(['catch-up']);
  });

  it('runs at once when the disk is connected', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.silent.add('disk');
    await world.clock.advance(2 * DAY + 4 * HOUR);
    world.silent.clear();
    world.scheduler.connected('disk');
    await world.clock.advance(1000);
    expect(world.triggers()).toEqual(['connect']);
    world.scheduler.connected('disk');
    await world.clock.advance(HOUR);
    expect(world.triggers()).toEqual(['connect']);
  });

  it('runs nothing on connection when nothing was missed, nor remembers the connection', async () => {
    const world = daily('2026-01-05T08:00Z');
    await world.clock.advance(HOUR);
    world.scheduler.connected('disk');
    await world.clock.advance(4 * HOUR);
    expect(world.history()).toEqual(['2026-01-05T11:30 schedule']);
  });

  it('keeps a missed start for the connection even where nothing is caught up', async () => {
    const world = daily('2026-01-05T08:00Z', { schedule: { catchUp: false, onConnect: true } });
    world.silent.add('disk');
    await world.clock.advance(DAY);
    world.silent.clear();
    await world.clock.advance(2 * HOUR);
    expect(world.runs).toEqual([]);
    world.scheduler.connected('disk');
    await world.clock.advance(1000);
    expect(world.triggers()).toEqual(['connect']);
  });

  it('waits for all destinations of a job, and holds up no other job', async () => {
    const world = new World(
      '2026-01-05T11:00Z',
      [
        job({ key: 'copy', destinationIds: ['disk', 'cloud'], schedule: {} }),
        job({ key: 'cloud', destinationIds: ['cloud'], schedule: {} }),
      ].map((one) => ({ ...one, since: at('2026-01-05T11:00Z') })),
    );
    world.silent.add('disk');
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.triggers('cloud')).toEqual(['schedule']);
    expect(world.triggers('copy')).toEqual([]);
    expect(world.scheduler.plan('copy').waitingFor).toBe('It starts when all its destinations answer.');
    world.silent.clear();
    await world.clock.advance(16 * MINUTE);
    expect(world.triggers('copy')).toEqual(['catch-up']);
  });
});

describe('pause, power and network', () => {
  it('begins at the end of a pause what came in it', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.pause = { until: at('2026-01-05T13:00Z') };
    world.scheduler.wake();
    await world.clock.advance(MINUTE);
    expect(world.scheduler.plan('backup')).toEqual({
      nextAt: at('2026-01-05T13:00Z'),
      waitingFor: null,
      waitingCode: null,
    });
    await world.clock.advance(HOUR);
    expect(world.scheduler.plan('backup')).toEqual({
      nextAt: at('2026-01-05T13:00Z'),
      waitingFor: 'Paused; it starts when the pause is over.',
      waitingCode: 'pause-until',
    });
    await world.clock.runUntil('2026-01-06T11:29Z');
    expect(world.history()).toEqual(['2026-01-05T13:00 catch-up']);
  });

  it('has no next start in a pause without an end, and goes on when it is over', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.pause = { until: null };
    await world.clock.advance(2 * DAY);
    expect(world.scheduler.plan('backup')).toEqual({
      nextAt: null,
      waitingFor: 'Paused; it starts when backups are resumed.',
      waitingCode: 'pause',
    });
    world.pause = null;
    world.scheduler.wake();
    await world.clock.advance(1000);
    expect(world.triggers()).toEqual(['catch-up']);
  });

  it('shows the start after the pause where nothing is caught up', async () => {
    const world = daily('2026-01-05T11:00Z', { schedule: { catchUp: false, onConnect: false } });
    world.pause = { until: at('2026-01-05T13:00Z') };
    await world.clock.advance(MINUTE);
    expect(world.scheduler.plan('backup').nextAt).toBe(at('2026-01-06T11:30Z'));
    await world.clock.advance(DAY + HOUR);
    expect(world.history()).toEqual(['2026-01-06T11:30 schedule']);
  });

  it('waits for power and a cheap network where the plan says so', async () => {
    const world = daily('2026-01-05T11:00Z', { onBattery: 'wait', onMetered: 'wait', schedule: {} });
    world.conditions = { onBattery: true, metered: true, online: true };
    await world.clock.advance(HOUR);
    expect(world.scheduler.plan('backup').waitingFor).toBe('It starts when the computer is on mains power.');
    world.conditions = { onBattery: false, metered: true, online: true };
    expect(world.scheduler.plan('backup').waitingFor).toBe('It starts on a network that is not metered.');
    expect(world.runs).toEqual([]);
    world.conditions = { onBattery: false, metered: null, online: true };
    world.scheduler.wake();
    await world.clock.advance(1000);
    expect(world.triggers()).toEqual(['catch-up']);
  });
});

describe('failures', () => {
  const offsets = (world: World) =>
    world.runs.map((run) => (run.queuedAt - world.runs[0]!.queuedAt) / MINUTE);

  it('tries again after 5, 15 and 60 minutes if the cause may pass, then at the next start', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.runFor = MINUTE;
    world.ends = [PASSES, PASSES, PASSES, PASSES, WELL];
    await world.clock.advance(DAY + HOUR);
    expect(offsets(world)).toEqual([0, 6, 22, 83, 1440]);
    expect(world.triggers()).toEqual(['schedule', 'retry', 'retry', 'retry', 'schedule']);
    expect(world.runs.map((run) => run.attempt)).toEqual([1, 2, 3, 4, 1]);
    expect(world.runs.map((run) => run.previousRunId)).toEqual([null, 'run-0', 'run-1', 'run-2', null]);
  });

  it('shows the next try, and remembers it over a restart', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.ends = [PASSES];
    await world.clock.runUntil('2026-01-05T11:41Z');
    expect(world.scheduler.plan('backup').nextAt).toBe(at('2026-01-05T11:45Z'));
    world.kill();
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.history()).toEqual(['2026-01-05T11:30 schedule', '2026-01-05T11:45 retry']);
    expect(world.runs[1]).toMatchObject({ attempt: 2, previousRunId: 'run-0' });
  });

  it('waits for the next start if the cause stays, and after a cancel', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.ends = [STAYS, { state: 'cancelled', transient: false }];
    await world.clock.advance(2 * DAY);
    expect(world.triggers()).toEqual(['schedule', 'schedule']);
  });

  it('lets a start outrank the next try', async () => {
    const world = daily('2026-01-05T11:30Z', { schedule: { when: hourly } });
    world.runFor = 50 * MINUTE;
    world.ends = [PASSES, PASSES];
    await world.clock.advance(4 * HOUR);
    expect(world.history().slice(0, 3)).toEqual([
      '2026-01-05T12:00 schedule',
      '2026-01-05T12:55 retry',
      '2026-01-05T13:45 catch-up',
    ]);
  });
});

describe('the end of the process', () => {
  it('continues a run in which it was killed, once', async () => {
    const world = daily('2026-01-05T11:00Z');
    await world.clock.runUntil('2026-01-05T11:35Z');
    world.kill();
    await world.clock.advance(HOUR);
    world.boot();
    await world.clock.runUntil('2026-01-06T11:29Z');
    expect(world.history()).toEqual(['2026-01-05T11:30 schedule', '2026-01-05T12:35 continue']);
    expect(world.runs[1]).toMatchObject({ previousRunId: 'run-0', attempt: 2 });
  });

  it.each<[DeathPoint, readonly string[]]>([
    ['state', ['continue']],
    ['record', ['schedule', 'continue']],
    ['end', ['schedule']],
  ])('neither loses nor repeats a start when it dies after the %s is written', async (point, triggers) => {
    const world = daily('2026-01-05T11:00Z');
    world.dieAt = point;
    await world.clock.advance(HOUR);
    expect(world.alive).toBe(false);
    world.boot();
    await world.clock.advance(10 * HOUR);
    expect(world.triggers()).toEqual(triggers);
    expect(world.runs.at(-1)?.state).toBe('succeeded');
  });

  it('tries again what had failed just when it died', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.ends = [PASSES];
    world.dieAt = 'end';
    await world.clock.advance(HOUR);
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.triggers()).toEqual(['schedule', 'retry']);
  });

  it('pauses between continuations of a run that kills the process each time', async () => {
    const world = daily('2026-01-05T11:00Z');
    const until = at('2026-01-05T16:00Z');
    while (world.clock.now() < until) {
      await world.clock.advance(MINUTE);
      if (world.runs.at(-1)?.state === 'running') {
        world.kill();
        world.boot();
      }
    }
    expect(world.runs.length).toBeGreaterThan(4);
    expect(world.runs.length).toBeLessThan(10);
    expect(new Set(world.triggers().slice(1))).toEqual(new Set(['continue']));
  });

  it('continues after an orderly end, also where nothing is caught up', async () => {
    const world = daily('2026-01-05T11:00Z', { schedule: { catchUp: false, onConnect: false } });
    await world.clock.runUntil('2026-01-05T11:35Z');
    await world.shutDown();
    expect(world.runs[0]?.state).toBe('interrupted');
    await world.clock.advance(3 * HOUR);
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.triggers()).toEqual(['schedule', 'continue']);
  });

  it('begins nothing once it is stopped, not even what is being asked for', async () => {
    const world = daily('2026-01-05T11:00Z');
    const { scheduler } = world;
    await world.clock.runUntil(at('2026-01-05T11:30Z') - 1);
    void scheduler.stop();
    await world.clock.advance(HOUR);
    expect(world.runs).toEqual([]);
    expect(world.clock.sleepers).toBe(0);
  });
});

describe('changes by the person', () => {
  it('drops a job that is disabled while it waits, with its further tries', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.ends = [PASSES];
    await world.clock.runUntil('2026-01-05T11:41Z');
    world.jobs = world.jobs.map((one) => ({ ...one, enabled: false }));
    await world.clock.advance(HOUR);
    expect(world.scheduler.plan('backup')).toEqual({ nextAt: null, waitingFor: null, waitingCode: null });
    world.jobs = world.jobs.map((one) => ({ ...one, enabled: true, since: world.clock.now() }));
    await world.clock.advance(HOUR);
    expect(world.triggers()).toEqual(['schedule']);
  });

  it('takes a changed schedule at once, without what the old one has missed', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.silent.add('disk');
    await world.clock.advance(2 * HOUR);
    world.jobs = [job({ since: world.clock.now(), schedule: { when: { kind: 'daily', at: ['20:00'] } } })];
    world.silent.clear();
    world.scheduler.wake();
    await world.clock.advance(DAY);
    expect(world.history()).toEqual(['2026-01-05T19:00 schedule']);
  });

  it('counts a run by hand for what is missed, and begins none beside it', async () => {
    const world = daily('2026-01-05T11:00Z');
    world.silent.add('disk');
    await world.clock.advance(2 * HOUR);
    world.silent.clear();
    let end = (_: { runId: string; state: 'succeeded'; transient: false }) => {};
    const ended = new Promise<Parameters<typeof end>[0]>((resolve) => {
      end = resolve;
    });
    const run = { queuedAt: world.clock.now(), attempt: 1, ended };
    expect(world.scheduler.adopt('backup', run)).toBe(true);
    expect(world.scheduler.adopt('backup', run)).toBe(false);
    expect(world.scheduler.adopt('unknown', run)).toBe(false);
    await world.clock.advance(HOUR);
    expect(world.scheduler.running('backup')).toBe(true);
    end({ runId: 'by hand', state: 'succeeded', transient: false });
    await world.clock.advance(2 * HOUR);
    expect(world.scheduler.running('backup')).toBe(false);
    expect(world.runs).toEqual([]);
    await world.clock.advance(DAY);
    expect(world.triggers()).toEqual(['schedule']);
  });
});

describe('faults', () => {
  it("keeps one job's fault to itself, and shows it", async () => {
    const bad = job({ key: 'bad', schedule: { when: { kind: 'cron', expression: 'no cron at all x' } } });
    const world = new World('2026-01-05T11:00Z', [
      bad,
      job({ since: at('2026-01-05T11:00Z'), schedule: {} }),
    ]);
    world.boot();
    await world.clock.advance(HOUR);
    expect(world.triggers()).toEqual(['schedule']);
    const plan = world.scheduler.plan('bad');
    expect(plan.nextAt).toBeNull();
    expect(plan.waitingFor).toMatch(/^It can't be started: "no cron at all x" is no cron expression/);
  });

  it('survives a diary that takes no writes: begins nothing, says so, and runs when it does again', async () => {
    const world = daily('2026-01-05T11:00Z');
    const { set } = world.diary;
    world.diary.set = () => {
      throw new Error('the disk is full');
    };
    await world.clock.advance(2 * HOUR);
    expect(world.runs).toEqual([]);
    expect(world.scheduler.plan('backup').waitingFor).toBe("It can't be started: the disk is full");
    expect(world.asked.length).toBeLessThan(200);
    world.diary.set = set;
    await world.clock.advance(2 * MINUTE);
    expect(world.triggers()).toEqual(['catch-up']);
  });

  it('takes a destination that never answers, or fails at being asked, for silent', async () => {
    const clock = new VirtualClock('2026-01-05T11:00Z');
    const reachable = (id: string) => {
      if (id === 'throws') throw new Error('no such host');
      return new Promise<boolean>(() => {});
    };
    const reach = new Reach({ clock, reachable });
    const answers: string[] = [];
    for (const id of ['hangs', 'throws']) void reach.ask([id]).then((yes) => answers.push(`${id} ${yes}`));
    await clock.advance(59_000);
    expect(answers).toEqual(['throws false']);
    await clock.advance(1000);
    expect(answers).toEqual(['throws false', 'hangs false']);
    expect(clock.sleepers).toBe(0);
  });
});
