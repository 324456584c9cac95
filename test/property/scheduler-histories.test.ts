import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Recurrence } from '../../src/api/model/plan.ts';
import type { Job } from '../../src/scheduler/ports.ts';
import { latestUpTo } from '../../src/scheduler/recurrence.ts';
import { decodeJobState } from '../../src/scheduler/state.ts';
import { DAY, type DeathPoint, HOUR, job, MINUTE, PASSES, STAYS, World } from '../unit/scheduler/world.ts';

type Plain = 'nothing' | 'connect' | 'wake' | 'resume' | 'shutdown' | 'calm' | 'promise';
/** What happens to the computer, then how long nothing does. */
type Event =
  | { readonly kind: Plain }
  | { readonly kind: 'sleep'; readonly ms: number; readonly timers: 'count' | 'stand-still' }
  | { readonly kind: 'silent' | 'answers'; readonly id: string }
  | { readonly kind: 'pause'; readonly ms: number | null }
  | { readonly kind: 'power'; readonly onBattery: boolean; readonly metered: boolean }
  | { readonly kind: 'fail'; readonly times: number; readonly passes: boolean }
  | { readonly kind: 'kill'; readonly downFor: number }
  | { readonly kind: 'die'; readonly at: DeathPoint }
  | { readonly kind: 'set-clock'; readonly ms: number };

const DISKS = ['disk', 'cloud'] as const;
const span = (max: number) => fc.integer({ min: MINUTE / 1000, max: max / 1000 }).map((s) => s * 1000);
const kinds = (...all: readonly Plain[]) => fc.constantFrom(...all).map((kind): Event => ({ kind }));
const disk = fc.constantFrom(...DISKS);
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: kinds('nothing', 'connect', 'wake', 'resume', 'shutdown') },
  { weight: 3, arbitrary: kinds('calm', 'promise') },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('sleep' as const),
      ms: span(4 * DAY),
      timers: fc.constantFrom('count' as const, 'stand-still' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('silent' as const, 'answers' as const), id: disk }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.option(span(2 * DAY)) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('power' as const),
      onBattery: fc.boolean(),
      metered: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      times: fc.integer({ min: 1, max: 5 }),
      passes: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), downFor: span(2 * DAY) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('die' as const),
      at: fc.constantFrom('state' as const, 'record' as const, 'end' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('set-clock' as const),
      ms: fc.oneof(fc.integer({ min: -3 * HOUR, max: 3 * HOUR }), span(2 * DAY)),
    }),
  },
);
const histories = fc.array(fc.tuple(events, span(3 * DAY)), { minLength: 15, maxLength: 60 });

/** Starts of histories; within 60 days of each clocks change, in one zone forwards and in the other back. */
const START = ['2026-03-01T09:10Z', '2026-10-01T09:10Z'] as const;
const recurrences: readonly Recurrence[] = [
  { kind: 'daily', at: ['02:30'] },
  { kind: 'daily', at: ['12:30', '20:00'] },
  { kind: 'hourly', every: 4, minute: 15 },
  { kind: 'weekly', days: ['sun', 'wed'], at: '02:15' },
  { kind: 'cron', expression: '*/40 9-17 * * 1-5' },
];
const jobs = (since: number) =>
  fc
    .tuple(
      fc.constantFrom(...recurrences),
      fc.constantFrom('Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York'),
      fc.constantFrom(0, 0, 45),
      fc.boolean(),
      fc.constantFrom(['disk'], ['cloud'], ['disk', 'cloud']),
      fc.constantFrom('run' as const, 'wait' as const),
    )
    .map(([when, timeZone, jitterMinutes, catchUp, destinationIds, rule]): Job => {
      const schedule = { when, timeZone, jitterMinutes, catchUp, onConnect: true };
      return job({ since, schedule, destinationIds, onBattery: rule, onMetered: rule });
    });
const worlds = fc.constantFrom(...START).chain((start) =>
  fc.record({
    start: fc.constant(start),
    jobs: fc
      .array(jobs(Date.parse(start)), { minLength: 1, maxLength: 3 })
      .map((all) => all.map((one, nr) => ({ ...one, key: `job-${nr}` }))),
    runFor: fc.constantFrom(MINUTE, 20 * MINUTE, 3 * HOUR),
  }),
);

/** Lets the person, or the service manager, bring back a process that has died. */
async function revive(world: World): Promise<void> {
  if (!world.alive) world.boot();
  // What it asks first is answered before anything else happens.
  await world.clock.advance(0);
}

const LONGEST_BACK_OFF = HOUR;
/** Poll of the scheduler, or pause between two questions to a destination. */
const POLL = 16 * MINUTE;

async function apply(world: World, event: Event): Promise<void> {
  await revive(world);
  switch (event.kind) {
    case 'nothing':
      return;
    case 'sleep':
      return world.clock.suspend(event.ms, event.timers);
    case 'connect':
      for (const id of DISKS) if (!world.silent.has(id)) world.scheduler.connected(id);
      return;
    case 'wake':
      return world.scheduler.wake();
    case 'silent':
      world.silent.add(event.id);
      return;
    case 'answers':
      world.silent.delete(event.id);
      return;
    case 'pause':
      world.pause = { until: event.ms === null ? null : world.clock.now() + event.ms };
      return;
    case 'resume':
      world.pause = null;
      return;
    case 'power':
      world.conditions = { ...world.conditions, onBattery: event.onBattery, metered: event.metered };
      return;
    case 'fail':
      world.ends = Array.from({ length: event.times }, () => (event.passes ? PASSES : STAYS));
      return;
    case 'kill':
      world.kill();
      await world.clock.advance(event.downFor);
      return world.boot();
    case 'shutdown':
      await world.shutDown();
      return world.boot();
    case 'die':
      world.dieAt = event.at;
      return;
    case 'set-clock':
      return world.clock.shift(event.ms);
    case 'calm':
      return calm(world);
    case 'promise':
      return promise(world);
  }
}

/** All is as it should be, for as long as it takes to make up for everything. */
async function calm(world: World): Promise<void> {
  world.silent.clear();
  world.pause = null;
  world.conditions = { onBattery: false, metered: false, online: true };
  world.ends = [];
  world.dieAt = null;
  // Not told of any of it: it has to find out by itself.
  await world.clock.advance(POLL + LONGEST_BACK_OFF + 2 * world.runFor);
  for (const one of world.jobs) handledAll(world, one);
}

/** Invariant: once conditions allow, what was due at that time is handled, by a run that has begun. */
function handledAll(world: World, { key, schedule, since }: Job): void {
  if (!schedule.catchUp) return;
  const grace = world.runFor + schedule.jitterMinutes * MINUTE + POLL;
  const due = latestUpTo(schedule.when, schedule.timeZone, world.clock.now() - grace, since);
  const state = decodeJobState(world.diary.get(key));
  if (due !== null) expect(state?.handled).toBeGreaterThanOrEqual(due);
  // Nor does anything wait to be tried again or continued.
  expect(state?.retry ?? null).toBeNull();
  const running = world.runs.filter((run) => run.key === key && run.state === 'running');
  expect(state?.started ?? null).toEqual(running.length === 0 ? null : expect.anything());
}

/** The next start that is shown is what then happens. */
async function promise(world: World): Promise<void> {
  await calm(world);
  for (const { key } of world.jobs) {
    const { nextAt, waitingFor } = world.scheduler.plan(key);
    expect(waitingFor).toBeNull();
    expect(nextAt).not.toBeNull();
    const under = world.scheduler.running(key);
    if (nextAt === null || nextAt - world.clock.now() > 4 * DAY || under) continue;
    const before = world.runs.filter((run) => run.key === key).length;
    await world.clock.runUntil(nextAt - 1);
    expect(world.runs.filter((run) => run.key === key)).toHaveLength(before);
    await world.clock.advance(1);
    const begun = world.runs.filter((run) => run.key === key).slice(before);
    expect(begun.map((run) => [run.queuedAt, run.trigger])).toEqual([[nextAt, 'schedule']]);
  }
}

/** Invariants of the whole history. */
function judge(world: World): void {
  expect(world.violations).toEqual([]);
  for (const run of world.runs) {
    const { schedule } = world.jobs.find((one) => one.key === run.key)!;
    const [before, after] = run.handled;
    // A start is run once: but for tries and continuations, each run handles a start later than all before it.
    if (run.trigger === 'schedule' || run.trigger === 'catch-up') expect(after).toBeGreaterThan(before);
    else expect(after).toBeGreaterThanOrEqual(before);
    if (run.trigger === 'catch-up') expect(schedule.catchUp).toBe(true);
    if (run.trigger === 'schedule') {
      expect(run.queuedAt - after).toBeLessThanOrEqual((schedule.jitterMinutes + 5) * MINUTE);
    }
    // It is a start of the schedule, and none is run before its time.
    if (after > before) expect(latestUpTo(schedule.when, schedule.timeZone, after, 0)).toBe(after);
    if (after > before) expect(run.queuedAt).toBeGreaterThanOrEqual(after);
  }
  const followed = world.runs.map((run) => run.previousRunId).filter((id) => id !== null);
  expect(new Set(followed).size).toBe(followed.length);
}

describe('histories of sixty days', () => {
  it('run what was missed once, nothing that must not run, and what is shown', {
    timeout: 240_000,
  }, async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(worlds, histories, async ({ start, jobs: all, runFor }, history) => {
        const world = new World(start, all);
        world.runFor = runFor;
        world.boot();
        const end = world.clock.now() + 60 * DAY;
        for (const [event, ms] of history) {
          if (world.clock.now() > end) break;
          await apply(world, event);
          await world.clock.advance(ms);
        }
        await revive(world);
        await calm(world);
        judge(world);
        runs += world.runs.length;
        await world.shutDown();
      }),
      { numRuns: Number(process.env.HISTORIES ?? 25) },
    );
    // A check of the test: it has seen something.
    expect(runs).toBeGreaterThan(200);
  });
});
