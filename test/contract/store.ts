/** What every store must do: one suite, run against each. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Alert, Channel } from '../../src/api/model/alert.ts';
import { type LogLine, type Problem, RUN_STATES, type Run } from '../../src/api/model/run.ts';
import { Settings } from '../../src/api/model/settings.ts';
import type { Store } from '../../src/store/store.ts';
import { backupRunOf, destinationOf, planOf } from '../helpers/host-values.ts';
import { useTemp } from '../helpers/scope.ts';

export interface StoreSubject {
  readonly store: Store;
  /** Opens a copy that `store.backup` wrote. */
  readonly openCopy: (path: string) => Store;
}

const PLAN = randomUUID();
const DISK = randomUUID();

function channelOf(said: Partial<Channel> = {}): Channel {
  const target = { kind: 'ntfy', url: 'https://ntfy.example/holdfast' };
  return Channel.parse({
    id: randomUUID(),
    name: 'Phone',
    target,
    hasSecret: false,
    lastResult: null,
    ...said,
  });
}

function alertOf(said: Partial<Alert> = {}): Alert {
  return Alert.parse({
    id: randomUUID(),
    kind: 'run-failed',
    subject: `plan:${PLAN}`,
    title: 'Backup failed',
    text: 'The disk is full.',
    startedAt: 0,
    endedAt: null,
    runId: null,
    ...said,
  });
}

const lineOf = (at: number): LogLine => ({ at, level: 'info', text: `line ${at}` });
const problemOf = (path: string): Problem => ({
  path,
  error: {
    code: 'source-unreadable',
    message: 'Could not read it.',
    transient: false,
    context: { errno: 'EIO' },
  },
});
const runAt = (queuedAt: number, said: Partial<Run> = {}): Run =>
  backupRunOf(PLAN, DISK, { queuedAt, ...said });
const ids = (items: readonly { readonly id: string }[]): readonly string[] => items.map((item) => item.id);

/** The store of the running test. */
type Get = () => Store;

function collections(get: Get): void {
  it.each([
    ['plans', () => planOf(), (name: string, id: string) => planOf({ id, name })],
    ['destinations', () => destinationOf(), (name: string, id: string) => destinationOf({ id, name })],
    ['channels', () => channelOf(), (name: string, id: string) => channelOf({ id, name })],
  ] as const)('%s: put, get, list in the order of first put, replace, remove', (name, make, renamed) => {
    // Each row is of one kind, which the compiler can't follow through the table.
    const things = get()[name] as Store['plans'];
    const [a, b, c] = [make(), make(), make()] as unknown as ReturnType<typeof planOf>[];
    for (const thing of [a!, b!, c!]) things.put(thing);
    expect(things.list()).toEqual([a, b, c]);
    const other = renamed('Another name', a!.id) as unknown as ReturnType<typeof planOf>;
    things.put(other);
    expect(things.get(a!.id)).toEqual(other);
    expect(things.list()).toEqual([other, b, c]);
    things.remove(b!.id);
    things.remove(b!.id);
    expect(things.get(b!.id)).toBeUndefined();
    expect(ids(things.list())).toEqual([a!.id, c!.id]);
  });

  it('keeps text of every kind as it was', () => {
    const name = 'Ümläute 漢字 \u{1f4be} "quoted" \'single\' -- ; DROP TABLE plans';
    const plan = planOf({ name, sources: [{ kind: 'path', path: '/home/ann/line\nbreak\u0000' }] });
    get().plans.put(plan);
    expect(get().plans.get(plan.id)).toEqual(plan);
  });

  it('refuses a value that breaks the contract', () => {
    const broken = { ...planOf(), name: '' };
    expect(() => get().plans.put(broken)).toThrow(
      expect.objectContaining({ name: 'EngineError', code: 'internal' }),
    );
    expect(get().plans.list()).toEqual([]);
  });

  it('never stores what the contract does not know, such as a secret', () => {
    const channel = { ...channelOf(), secret: 'hunter2' };
    get().channels.put(channel);
    expect(get().channels.get(channel.id)).not.toHaveProperty('secret');
  });
}

function runs(get: Get): void {
  it('gives a run back, without its progress', () => {
    const progress = {
      phase: 'Reading',
      phaseCode: 'reading-data' as const,
      filesDone: 1,
      filesTotal: null,
      bytesDone: 1,
      bytesTotal: null,
      bytesPerSecond: 0.5,
      secondsLeft: null,
      current: ['/a'],
      problems: 0,
    };
    const run = runAt(5, { state: 'running', progress });
    get().runs.put(run);
    expect(get().runs.get(run.id)).toEqual({ ...run, progress: null });
    expect(get().runs.get(randomUUID())).toBeUndefined();
  });

  it('replaces a run, and keeps its log and problems', () => {
    const run = runAt(5, { state: 'running' });
    get().runs.put(run);
    get().runs.addLog(run.id, lineOf(1));
    get().runs.addProblem(run.id, problemOf('/a'));
    const ended: Run = { ...run, state: 'warnings', endedAt: 9, problemCount: 1 };
    get().runs.put(ended);
    expect(get().runs.get(run.id)).toEqual(ended);
    expect(get().runs.log(run.id)).toEqual([lineOf(1)]);
    expect(get().runs.countProblems(run.id)).toBe(1);
  });

  it('lists the newest first, later put first among those queued at once', () => {
    const made = [runAt(5), runAt(9), runAt(5), runAt(1)];
    for (const run of made) get().runs.put(run);
    const [a, b, c, d] = made;
    expect(get().runs.list({ limit: 10 })).toEqual([b, c, a, d]);
    expect(get().runs.list({ limit: 2 })).toEqual([b, c]);
    expect(get().runs.list({ limit: 10, before: 5 })).toEqual([d]);
  });

  it('filters by kind, state, plan and destination, as a plain filter would', () => {
    const plans = [PLAN, randomUUID()];
    const disks = [DISK, randomUUID()];
    const all = Array.from({ length: 96 }, (_, i) => {
      const state = RUN_STATES[i % RUN_STATES.length]!;
      const [planId, destinationId] = [plans[i % 2]!, disks[Math.floor(i / 2) % 2]!];
      if (i % 3 > 0) return backupRunOf(planId, destinationId, { queuedAt: i, state });
      return runAt(i, { task: { kind: 'cleanup', destinationId }, planId: null, destinationId, state });
    });
    for (const run of all) get().runs.put(run);
    const newest = all.toReversed();
    const listed = (q: object) => {
      const found = get().runs.list({ limit: 1000, ...q });
      expect(get().runs.count(q)).toBe(found.length);
      return ids(found);
    };
    expect(listed({})).toEqual(ids(newest));
    const kept = (fits: (run: Run) => boolean) => ids(newest.filter(fits));
    expect(listed({ kinds: ['cleanup'] })).toEqual(kept((r) => r.task.kind === 'cleanup'));
    expect(listed({ kinds: [] })).toEqual([]);
    for (const states of [
      ['queued'],
      ['running', 'queued'],
      ['failed', 'running'],
      RUN_STATES,
      [],
    ] as const) {
      const fits = (run: Run) => states.some((state) => state === run.state);
      expect(listed({ states })).toEqual(kept(fits));
      expect(listed({ states, planId: PLAN })).toEqual(kept((r) => fits(r) && r.planId === PLAN));
      expect(listed({ states, destinationId: DISK, before: 50, kinds: ['backup', 'check'] })).toEqual(
        kept((r) => fits(r) && r.destinationId === DISK && r.queuedAt < 50 && r.task.kind === 'backup'),
      );
    }
  });

  it('tells what is unfinished, oldest first', () => {
    const all = RUN_STATES.map((state, i) => runAt(100 - i, { state }));
    for (const run of all) get().runs.put(run);
    expect(get().runs.unfinished()).toEqual([all[1], all[0]]);
    get().runs.put({ ...all[1]!, state: 'interrupted' });
    expect(get().runs.unfinished()).toEqual([all[0]]);
  });

  it('finds the last success of a plan at a destination', () => {
    const other = randomUUID();
    const good = runAt(5, { state: 'warnings' });
    const restore = runAt(8, {
      task: {
        kind: 'restore',
        request: {
          destinationId: DISK,
          versionId: 'latest',
          paths: [],
          exclude: [],
          target: { kind: 'original' },
          conflicts: 'skip',
          verify: true,
        },
      },
    });
    const all = [
      runAt(4),
      good,
      runAt(6, { state: 'failed' }),
      restore,
      backupRunOf(PLAN, other, { queuedAt: 9 }),
    ];
    for (const run of all) get().runs.put(run);
    expect(get().runs.lastSuccess(PLAN, DISK)).toEqual(good);
    expect(get().runs.lastSuccess(other, DISK)).toBeUndefined();
  });

  it('drops old ended runs with their lines, but no last success and nothing unfinished', () => {
    const other = randomUUID();
    const [old, last, failed, elsewhere, queued, fresh] = [
      runAt(1),
      runAt(2, { state: 'warnings' }),
      runAt(3, { state: 'failed' }),
      backupRunOf(PLAN, other, { queuedAt: 1 }),
      runAt(1, { state: 'queued' }),
      runAt(10, { state: 'cancelled' }),
    ] as const;
    const cleanUp = runAt(1, { task: { kind: 'cleanup', destinationId: DISK }, planId: null });
    for (const run of [old, last, failed, elsewhere, queued, fresh, cleanUp]) get().runs.put(run);
    for (const run of [old, last]) get().runs.addProblem(run.id, problemOf('/a'));
    get().runs.addLog(old.id, lineOf(1));
    expect(get().runs.dropBefore(10)).toBe(3);
    expect(new Set(ids(get().runs.list({ limit: 100 })))).toEqual(
      new Set(ids([last, elsewhere, queued, fresh])),
    );
    expect(get().runs.log(old.id)).toEqual([]);
    expect(get().runs.countProblems(old.id)).toBe(0);
    expect(get().runs.countProblems(last.id)).toBe(1);
    expect(get().runs.dropBefore(10)).toBe(0);
  });
}

function lines(get: Get): void {
  it('keeps log lines in the order in which they came, each run its own', () => {
    const [a, b] = [runAt(1), runAt(2)];
    for (const run of [a, b]) get().runs.put(run);
    for (const at of [5, 3, 9]) get().runs.addLog(a.id, lineOf(at));
    get().runs.addLog(b.id, lineOf(1));
    expect(get().runs.log(a.id)).toEqual([5, 3, 9].map(lineOf));
    expect(get().runs.log(b.id)).toEqual([lineOf(1)]);
  });

  it('pages through problems', () => {
    const run = runAt(1);
    get().runs.put(run);
    const all = Array.from({ length: 25 }, (_, i) => problemOf(`/file ${i}`));
    for (const problem of all) get().runs.addProblem(run.id, problem);
    expect(get().runs.problems(run.id, 0, 10)).toEqual(all.slice(0, 10));
    expect(get().runs.problems(run.id, 20, 10)).toEqual(all.slice(20));
    expect(get().runs.problems(run.id, 25, 10)).toEqual([]);
    expect(get().runs.countProblems(run.id)).toBe(25);
  });

  it('has nothing to tell of a run that it does not know, and refuses to add to it', () => {
    const id = randomUUID();
    expect(get().runs.log(id)).toEqual([]);
    expect(get().runs.problems(id, 0, 10)).toEqual([]);
    expect(get().runs.countProblems(id)).toBe(0);
    const refusal = expect.objectContaining({ name: 'EngineError', code: 'internal' });
    expect(() => get().runs.addLog(id, lineOf(1))).toThrow(refusal);
    expect(() => get().runs.addProblem(id, problemOf('/a'))).toThrow(refusal);
  });

  it('keeps 10,000 log lines of a run; the last says that there were more', () => {
    const [run, other] = [runAt(1), runAt(2)];
    for (const each of [run, other]) get().runs.put(each);
    get().transaction(() => {
      for (let at = 0; at < 10_005; at++) get().runs.addLog(run.id, lineOf(at));
    });
    get().runs.addLog(other.id, lineOf(1));
    const log = get().runs.log(run.id);
    expect(log).toHaveLength(10_000);
    expect(log[9998]).toEqual(lineOf(9998));
    expect(log[9999]).toMatchObject({
      at: 9999,
      level: 'warning',
      text: expect.stringContaining('10,000 lines'),
    });
    expect(get().runs.log(other.id)).toEqual([lineOf(1)]);
  });

  it('keeps 100,000 problems of a run; the last says that there were more', () => {
    const run = runAt(1);
    get().runs.put(run);
    get().transaction(() => {
      for (let i = 0; i < 100_005; i++) get().runs.addProblem(run.id, problemOf(`/${i}`));
    });
    expect(get().runs.countProblems(run.id)).toBe(100_000);
    const [before, last, ...more] = get().runs.problems(run.id, 99_998, 10);
    expect(before).toEqual(problemOf('/99998'));
    expect(last?.error.message).toContain('100,000 problems');
    expect(more).toEqual([]);
  });
}

function alertsAndSmallThings(get: Get): void {
  it('keeps alerts: those that hold oldest first, all newest first', () => {
    const [a, b, c] = [
      alertOf({ startedAt: 5 }),
      alertOf({ startedAt: 1, endedAt: 7 }),
      alertOf({ startedAt: 3 }),
    ];
    for (const alert of [a, b, c]) get().alerts.put(alert);
    expect(get().alerts.open()).toEqual([c, a]);
    expect(get().alerts.list(10)).toEqual([a, c, b]);
    expect(get().alerts.list(1)).toEqual([a]);
    const ended = { ...c, endedAt: 9 };
    get().alerts.put(ended);
    expect(get().alerts.open()).toEqual([a]);
    expect(get().alerts.list(10)).toEqual([a, ended, b]);
  });

  it('has settings from the start, and keeps what is set', () => {
    expect(get().settings.get()).toEqual(Settings.parse({}));
    const german = Settings.parse({ language: 'de', alertAfterDays: 0 });
    get().settings.set(german);
    get().settings.set({ ...german, historyDays: 30 });
    expect(get().settings.get()).toEqual({ ...german, historyDays: 30 });
  });

  it('keeps small values by their keys', () => {
    expect(get().values.get('pause')).toBeUndefined();
    get().values.set('pause', '1');
    get().values.set('pause', '');
    get().values.set("it's", '{"a":1}');
    expect(get().values.get('pause')).toBe('');
    expect(get().values.get("it's")).toBe('{"a":1}');
    get().values.remove('pause');
    get().values.remove('pause');
    expect(get().values.get('pause')).toBeUndefined();
  });
}

function transactions(get: Get): void {
  it('does all of a transaction and gives its result, or nothing and throws its error', () => {
    const plan = planOf();
    expect(
      get().transaction(() => {
        get().plans.put(plan);
        return 7;
      }),
    ).toBe(7);
    const fault = new Error('stop');
    const half = () => {
      get().plans.remove(plan.id);
      get().values.set('a', '1');
      throw fault;
    };
    expect(() => get().transaction(half)).toThrow(fault);
    expect(get().plans.list()).toEqual([plan]);
    expect(get().values.get('a')).toBeUndefined();
  });

  it('refuses a transaction inside another, and undoes the outer one', () => {
    const nested = () =>
      get().transaction(() => {
        get().values.set('a', '1');
        get().transaction(() => get().values.set('b', '2'));
      });
    expect(nested).toThrow(expect.objectContaining({ name: 'EngineError', code: 'internal' }));
    expect(get().values.get('a')).toBeUndefined();
    get().transaction(() => get().values.set('a', 'again'));
    expect(get().values.get('a')).toBe('again');
  });
}

const DAY = 86_400_000;

function spaceOverTime(get: Get): void {
  const noon = 20_000.5 * DAY;
  const sample = (at: number, free: number) => ({ at, free, total: 10 ** 13 });

  it('keeps the last sample of each day, oldest first, of each destination its own', () => {
    const [one, other] = [destinationOf(), destinationOf()];
    for (const destination of [one, other]) get().destinations.put(destination);
    get().space.add(one.id, sample(noon + DAY, 5));
    get().space.add(one.id, sample(noon, 9));
    get().space.add(one.id, sample(noon + 1000, 8));
    get().space.add(other.id, sample(noon, 1));
    expect(get().space.list(one.id)).toEqual([sample(noon + 1000, 8), sample(noon + DAY, 5)]);
    expect(get().space.list(other.id)).toEqual([sample(noon, 1)]);
  });

  it('lets samples go with their destination, and keeps none of one that is not there', () => {
    const destination = destinationOf();
    get().space.add(destination.id, sample(noon, 1));
    get().destinations.put(destination);
    expect(get().space.list(destination.id)).toEqual([]);
    get().space.add(destination.id, sample(noon, 2));
    get().destinations.put({ ...destination, name: 'renamed' });
    expect(get().space.list(destination.id)).toHaveLength(1);
    get().destinations.remove(destination.id);
    get().destinations.put(destination);
    expect(get().space.list(destination.id)).toEqual([]);
  });

  it('drops old samples', () => {
    const destination = destinationOf();
    get().destinations.put(destination);
    for (let day = 0; day < 5; day++) get().space.add(destination.id, sample(noon + day * DAY, day));
    expect(get().space.dropBefore(noon + 3 * DAY)).toBe(3);
    expect(
      get()
        .space.list(destination.id)
        .map(({ free }) => free),
    ).toEqual([3, 4]);
  });
}

/** `open` makes a new, empty store. */
export function storeContract(name: string, open: () => StoreSubject): void {
  describe(`the contract of a store: ${name}`, () => {
    const temp = useTemp();
    let subject: StoreSubject;
    beforeEach(() => {
      subject = open();
    });
    afterEach(() => subject.store.close());
    const get = () => subject.store;
    describe('collections', () => collections(get));
    describe('runs', () => runs(get));
    describe('lines of runs', () => lines(get));
    describe('alerts, settings, values', () => alertsAndSmallThings(get));
    describe('space over time', () => spaceOverTime(get));
    describe('transactions', () => transactions(get));

    it('writes a whole copy, even while it is written to', async () => {
      const path = join(temp.dir(), 'copy.db');
      const run = runAt(1);
      get().runs.put(run);
      get().transaction(() => {
        for (let i = 0; i < 9000; i++) get().runs.addProblem(run.id, problemOf(`/${'x'.repeat(300)}${i}`));
      });
      const copying = get().backup(path);
      for (let i = 0; i < 40; i++) {
        get().runs.addProblem(run.id, problemOf(`/late ${i}`));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await copying;
      const copy = subject.openCopy(path);
      const count = copy.runs.countProblems(run.id);
      copy.close();
      expect(count).toBeGreaterThanOrEqual(9000);
      expect(get().runs.countProblems(run.id)).toBe(9040);
    });

    it('refuses to work once it is closed', () => {
      get().close();
      get().close();
      expect(() => get().plans.list()).toThrow(expect.objectContaining({ name: 'EngineError' }));
    });
  });
}
