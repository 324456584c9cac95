import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Hooks } from '../../../src/api/model/plan.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import type { RunPorts } from '../../../src/runs/ports.ts';
import { RunManager } from '../../../src/runs/runs.ts';
import { shuttingDown } from '../../../src/runs/stop.ts';
import { backupRunOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { file, tree, writeTree } from '../../helpers/tree.ts';
import { World } from './support.ts';

const temp = useTemp();

/** A storage that keeps saves of packs from getting through until it is told to, counting from the nth. */
class Gate {
  readonly reached: Promise<void>;
  readonly #open: Promise<void>;
  readonly #from: number;
  #count = 0;
  #told: () => void;
  let: () => void;

  constructor(from: number) {
    const reached = Promise.withResolvers<void>();
    const open = Promise.withResolvers<void>();
    this.reached = reached.promise;
    this.#told = reached.resolve;
    this.#open = open.promise;
    this.let = open.resolve;
    this.#from = from;
  }

  readonly wrap = (inner: Backend): Backend => ({
    location: inner.location,
    traits: inner.traits,
    load: (h, o) => inner.load(h, o),
    stat: (h, o) => inner.stat(h, o),
    list: (type, o) => inner.list(type, o),
    remove: (h, o) => inner.remove(h, o),
    close: () => inner.close(),
    save: async (h, data, o) => {
      if (h.type === 'pack' && ++this.#count >= this.#from) {
        this.#told();
        const aborted = Promise.withResolvers<never>();
        o?.signal?.addEventListener('abort', () => aborted.reject(o.signal?.reason));
        await Promise.race([this.#open, aborted.promise]);
      }
      return inner.save(h, data, o);
    },
  });
}

/** Far more than fits into a few packs. */
function manyFiles(world: World): string {
  const path = world.path('documents');
  const files = Array.from({ length: 20 }, (_, i) => [`${i}`, file({ seed: i, size: 100_000 })] as const);
  writeTree(path, tree(Object.fromEntries(files)));
  return path;
}

async function held(more: Partial<RunPorts> = {}) {
  const gate = new Gate(4);
  const world = new World(temp, { wrap: gate.wrap, ports: more });
  const destination = await world.destination();
  const plan = world.plan(destination, { sources: [{ kind: 'path', path: manyFiles(world) }] });
  const task = { kind: 'backup', planId: plan.id, destinationId: destination.id } as const;
  return { gate, world, destination, plan, task };
}

describe('cancel', () => {
  test('in mid-backup: it ends as cancelled, without a version, a lock or a thread left', async () => {
    const { gate, world, destination, task } = await held();
    const { run, ended } = world.begin(task);
    await gate.reached;
    expect(world.runs.cancel(run.id).state).toBe('running');
    const end = await ended;
    expect(end).toMatchObject({ state: 'cancelled', report: null });
    expect(end.error).toMatchObject({ code: 'cancelled', context: { reason: 'person' } });
    expect(world.store.runs.get(run.id)).toEqual(end);
    expect(world.runs.running()).toEqual([]);
    await world.repository(destination, async (repo) => {
      expect(await repo.snapshots()).toEqual([]);
      expect(await repo.files.ids('lock')).toEqual([]);
      // What was stored is listed, so the next run finds it.
      expect((await repo.loadIndex()).index.size).toBeGreaterThan(0);
    });
    gate.let();
    const again = await world.runs.again(run.id).ended;
    expect(again).toMatchObject({ state: 'succeeded', trigger: 'manual', previousId: run.id, attempt: 1 });
    expect(again.report).toMatchObject({ filesNew: 20 });
  });

  test('of a queued run: it never begins, and tells why it waited', async () => {
    const { gate, world, task } = await held();
    const first = world.begin(task);
    await gate.reached;
    const second = world.begin(task);
    expect(second.run.state).toBe('queued');
    const waiting = world.runs.get(second.run.id);
    expect(waiting.waitingFor).toBe('Waits until the backup of “Documents” to “USB disk” has ended.');
    world.runs.cancel(second.run.id);
    expect(await second.ended).toMatchObject({ state: 'cancelled', startedAt: null, waitingFor: null });
    gate.let();
    expect(await first.ended).toMatchObject({ state: 'succeeded' });
  });

  test('during a hook: the command ends with all that it started', async () => {
    const world = new World(temp);
    const pids = world.path('pids');
    // A shell that starts another program, which ignores the polite request.
    const script = `trap '' TERM; sleep 600 & echo $$ $! > ${pids}; wait`;
    const plan = world.plan(await world.destination(), {
      sources: [{ kind: 'path', path: manyFiles(world) }],
      hooks: Hooks.parse({ before: [{ command: ['sh', '-c', script] }] }),
    });
    const task = { kind: 'backup', planId: plan.id, destinationId: plan.destinations[0]! } as const;
    const { run, ended } = world.begin(task);
    await expect.poll(() => existsSync(pids) && statSync(pids).size > 0, { timeout: 20_000 }).toBe(true);
    world.runs.cancel(run.id);
    expect(await ended).toMatchObject({ state: 'cancelled' });
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ').map(Number)) {
      await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
    }
  });

  test('commands after the backup still run; a second cancel ends them', async () => {
    const { gate, world, plan, task } = await held();
    const started = world.path('started');
    const after = [{ command: ['sh', '-c', `echo $HOLDFAST_RESULT > ${started}; sleep 600`] }];
    world.store.plans.put({ ...plan, hooks: Hooks.parse({ after }) });
    const { run, ended } = world.begin(task);
    await gate.reached;
    world.runs.cancel(run.id);
    await expect
      .poll(() => existsSync(started) && statSync(started).size > 0, { timeout: 20_000 })
      .toBe(true);
    expect(readFileSync(started, 'utf8')).toBe('cancelled\n');
    world.runs.cancel(run.id);
    expect(await ended).toMatchObject({ state: 'cancelled' });
  });

  test('by the signal of who started it', async () => {
    const { gate, world, task } = await held();
    const stop = new AbortController();
    const request = { task, trigger: 'manual', attempt: 1, previousId: null } as const;
    const { ended } = world.runs.start(request, stop.signal);
    await gate.reached;
    stop.abort(shuttingDown());
    gate.let();
    expect(await ended).toMatchObject({ state: 'interrupted' });
  });

  test('of a run that has ended, or never was', async () => {
    const world = new World(temp);
    const run = backupRunOf(crypto.randomUUID(), crypto.randomUUID());
    world.store.runs.put(run);
    expect(world.runs.cancel(run.id)).toEqual(run);
    expect(() => world.runs.cancel(crypto.randomUUID())).toThrow('no such run');
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie has ended; nobody has asked for its result yet.
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
  return !/\) Z /.test(stat);
}

describe('shutdown', () => {
  test('lets packs on their way get through; the run is interrupted and continued without them', async () => {
    const { gate, world, destination, task } = await held();
    const { run, ended } = world.begin(task);
    const waiting = world.begin(task);
    await gate.reached;
    const down = world.runs.shutdown();
    gate.let();
    await down;
    expect(await ended).toMatchObject({ state: 'interrupted', error: { context: { reason: 'shutdown' } } });
    expect(await waiting.ended).toMatchObject({ state: 'interrupted', startedAt: null });
    expect(() => world.begin(task)).toThrow('shut down');
    await world.repository(destination, async (repo) => {
      const { index } = await repo.loadIndex();
      // Three got through before, and whatever was under way at the gate.
      expect(index.packs.length).toBeGreaterThanOrEqual(4);
      expect(await repo.files.ids('lock')).toEqual([]);
    });
    const next = new RunManager(world.ports);
    const request = { task, trigger: 'continue', attempt: 2, previousId: run.id } as const;
    const continued = await next.start(request).ended;
    expect(continued).toMatchObject({ state: 'succeeded', attempt: 2, previousId: run.id });
    const added = continued.report?.kind === 'backup' ? continued.report.bytesAdded : Number.NaN;
    expect(added).toBeLessThan(20 * 100_000 - 3 * 60_000);
  });
});

describe('recover', () => {
  test('marks what a killed process left, and names each task once', async () => {
    const world = new World(temp);
    const destination = await world.destination();
    const plan = world.plan(destination);
    const started = backupRunOf(plan.id, destination.id, { state: 'running', startedAt: 5, queuedAt: 5 });
    const queued = backupRunOf(plan.id, destination.id, { state: 'queued', startedAt: null, queuedAt: 9 });
    const gone = backupRunOf(crypto.randomUUID(), destination.id, { state: 'running', queuedAt: 7 });
    const hopeless = backupRunOf(plan.id, destination.id, { state: 'running', queuedAt: 8, attempt: 5 });
    const check = { kind: 'check', destinationId: destination.id, percent: 3 } as const;
    const tired = { ...hopeless, task: check };
    const done = backupRunOf(plan.id, destination.id);
    for (const run of [started, queued, gone, tired, done]) world.store.runs.put(run);
    const toContinue = world.runs.recover();
    expect(toContinue.map((run) => run.id)).toEqual([queued.id]);
    for (const { id } of [started, queued, gone, tired]) {
      const run = world.store.runs.get(id)!;
      expect(run).toMatchObject({ state: 'interrupted', waitingFor: null, error: { transient: true } });
      expect(run.endedAt).toBeGreaterThan(0);
    }
    expect(world.store.runs.get(done.id)).toEqual(done);
    expect(world.runs.recover()).toEqual([]);
  });
});

test('what is not there can not be started', async () => {
  const world = new World(temp);
  const destination = await world.destination();
  const planId = crypto.randomUUID();
  expect(() => world.begin({ kind: 'backup', planId, destinationId: destination.id })).toThrow(
    'no such plan',
  );
  expect(() => world.begin({ kind: 'cleanup', destinationId: planId })).toThrow('no such destination');
  expect(world.store.runs.list({ limit: 9 })).toEqual([]);
});

test('two repositories are worked on side by side, one is not', async () => {
  const { gate, world, plan, task } = await held();
  const other = await world.destination({ name: 'Other' });
  world.store.plans.put({ ...plan, destinations: [...plan.destinations, other.id] });
  const first = world.begin(task);
  await gate.reached;
  const second = world.begin({ ...task, destinationId: other.id });
  await expect.poll(() => world.runs.get(second.run.id).state, { timeout: 20_000 }).toBe('running');
  expect(world.runs.running().map((run) => run.state)).toEqual(['running', 'running']);
  gate.let();
  expect(await first.ended).toMatchObject({ state: 'succeeded' });
  expect(await second.ended).toMatchObject({ state: 'succeeded', destinationName: 'Other' });
});
