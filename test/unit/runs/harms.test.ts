/** Runs beside which something breaks: the diary that can't be written, a disk that does not answer. */
import { expect, test } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { openLocal } from '../../../src/backend/local/local.ts';
import { openRepository } from '../../../src/repository/repository.ts';
import type { Store } from '../../../src/store/store.ts';
import { PASSWORD } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { file, tree, writeTree } from '../../helpers/tree.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { World, type WorldOptions } from './support.ts';

const temp = useTemp();

async function backupOf(o: WorldOptions) {
  const world = new World(temp, o);
  const source = world.path('documents');
  writeTree(source, tree({ a: file({ seed: 1, size: 1000 }) }));
  const destination = await world.destination();
  const plan = world.plan(destination, { sources: [{ kind: 'path', path: source }] });
  return { world, task: { kind: 'backup', planId: plan.id, destinationId: destination.id } as const };
}

const full = () => new EngineError('no-space', 'The disk of the diary is full.');

/** Makes every write to the diary fail until it is told otherwise. */
function fill(store: Store): () => void {
  const { runs, destinations } = store;
  const before = { ...runs };
  const put = destinations.put;
  const fail = () => {
    throw full();
  };
  Object.assign(runs, { put: fail, addLog: fail, addProblem: fail });
  Object.assign(destinations, { put: fail });
  return () => {
    Object.assign(runs, before);
    Object.assign(destinations, { put });
  };
}

test('a diary that is full while a run is under way: it succeeds, is shown so, and is on record so later', async () => {
  const clock = new VirtualClock('2026-03-01T12:00:00Z');
  const { world, task } = await backupOf({ clock });
  const { run, ended } = world.begin(task);
  const empty = fill(world.store);
  const end = await ended;
  expect(end).toMatchObject({ state: 'succeeded', error: null });
  expect(world.store.runs.get(run.id)).toMatchObject({ state: 'running' });
  expect(world.runs.get(run.id)).toEqual(end);
  expect(world.runs.cancel(run.id)).toEqual(end);
  const logged = world.events.filter((event: HostEvent) => event.kind === 'log');
  expect(logged.at(-1)).toMatchObject({ line: { text: 'Done.' } });
  await clock.advance(60_000);
  expect(world.store.runs.get(run.id)).toMatchObject({ state: 'running' });
  empty();
  await clock.advance(60_000);
  expect(world.store.runs.get(run.id)).toEqual(end);
  expect(world.runs.current(run.id)).toBeUndefined();
  expect(clock.sleepers).toBe(0);
});

test('a diary that is full until Holdfast ends: the end of the run is written last', async () => {
  const { world, task } = await backupOf({});
  const { run, ended } = world.begin(task);
  const empty = fill(world.store);
  const end = await ended;
  empty();
  await world.runs.shutdown();
  expect(world.store.runs.get(run.id)).toEqual(end);
});

test('a full diary under queued runs: each gets its turn, each can be cancelled', async () => {
  const { world, task } = await backupOf({});
  const started = [1, 2, 3, 4].map(() => world.begin(task));
  fill(world.store);
  world.runs.cancel(started[2]!.run.id);
  const ends = await Promise.all(started.map(({ ended }) => ended));
  expect(ends.map((run) => run.state)).toEqual(['succeeded', 'succeeded', 'cancelled', 'succeeded']);
  await world.runs.shutdown();
});

function wrapped(inner: Backend, changed: Partial<Backend>): Backend {
  return {
    location: inner.location,
    traits: inner.traits,
    save: (h, data, o) => inner.save(h, data, o),
    load: (h, o) => inner.load(h, o),
    stat: (h, o) => inner.stat(h, o),
    list: (type, o) => inner.list(type, o),
    remove: (h, o) => inner.remove(h, o),
    close: () => inner.close(),
    ...changed,
  };
}

const never = new Promise<never>(() => undefined);

test('a lock that can’t be removed, since the storage does not answer, holds up no cancel', async () => {
  const clock = new VirtualClock('2026-03-01T12:00:00Z');
  const reached = Promise.withResolvers<void>();
  const remove: Backend['remove'] = () => {
    reached.resolve();
    return never;
  };
  const { world, task } = await backupOf({ clock, wrap: (inner) => wrapped(inner, { remove }) });
  const { run, ended } = world.begin(task);
  await reached.promise;
  world.runs.cancel(run.id);
  await clock.advance(1000);
  // The work had been done when the cancel came.
  expect(await ended).toMatchObject({ state: 'succeeded' });
});

test('work that hangs in the system is left behind after a cancel, and the next in the queue begins', async () => {
  const clock = new VirtualClock('2026-03-01T12:00:00Z');
  const reached = Promise.withResolvers<void>();
  let hangs = true;
  const load =
    (inner: Backend): Backend['load'] =>
    (handle, o) => {
      if (!hangs || handle.type === 'config' || handle.type === 'key') return inner.load(handle, o);
      reached.resolve();
      return never;
    };
  const { world, task } = await backupOf({ clock, wrap: (inner) => wrapped(inner, { load: load(inner) }) });
  hangs = false;
  await world.begin(task).ended;
  hangs = true;
  const { run, ended } = world.begin(task);
  await reached.promise;
  const next = world.begin(task);
  hangs = false;
  world.runs.cancel(run.id);
  await clock.advance(30_000);
  expect(await ended).toMatchObject({ state: 'cancelled' });
  expect(world.logOf(run)).toContain('does not answer');
  expect(await next.ended).toMatchObject({ state: 'succeeded' });
});

test('a destination that does not tell its space is not waited for', async () => {
  const clock = new VirtualClock('2026-03-01T12:00:00Z');
  const asked = Promise.withResolvers<void>();
  const spaceOf = () => {
    asked.resolve();
    return never;
  };
  const { world, task } = await backupOf({ clock, ports: { spaceOf } });
  const patient = world.begin(task);
  await asked.promise;
  await clock.advance(5000);
  expect(await patient.ended).toMatchObject({ state: 'succeeded' });
});

test('a cancel does not wait for a repository to open, which is closed when it has', async () => {
  const clock = new VirtualClock('2026-03-01T12:00:00Z');
  const opening = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const world: World = new World(temp, {
    clock,
    ports: {
      openRepository: async ({ location }) => {
        opening.resolve();
        await open.promise;
        const inner = await openLocal(location);
        const close = async () => {
          await inner.close();
          closed.resolve();
        };
        return openRepository(wrapped(inner, { close }), { password: PASSWORD });
      },
    },
  });
  const destination = await world.destination();
  const { run, ended } = world.begin({ kind: 'check', destinationId: destination.id, percent: 0 });
  await opening.promise;
  world.runs.cancel(run.id);
  await clock.advance(250);
  expect(await ended).toMatchObject({ state: 'cancelled' });
  open.resolve();
  await closed.promise;
});
