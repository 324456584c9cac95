import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EngineError, type ErrorCode } from '../../../src/api/errors.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import type { StartRun } from '../../../src/runs/runs.ts';
import { readTar, readZip } from '../../helpers/archives.ts';
import { flipByte, idsOf } from '../../helpers/damage.ts';
import { faulty } from '../../helpers/faulty.ts';
import { useTemp } from '../../helpers/scope.ts';
import { generatedBytes, hardlink, symlink, tree, writeTree } from '../../helpers/tree.ts';
import { World, type WorldOptions } from './support.ts';

const temp = useTemp();
const random = (seed: number, size: number) => Buffer.concat([...generatedBytes({ seed, size })]);

async function backedUp(o: WorldOptions = {}) {
  const world = new World(temp, o);
  const path = world.path('documents');
  const files = {
    'letter.odt': 'old letter',
    link: symlink('letter.odt'),
    sub: { 'deep.txt': 'deep' },
    one: 'two names',
    two: hardlink('one'),
    large: random(1, 200_000),
  };
  writeTree(path, tree(files));
  const destination = await world.destination();
  const plan = world.plan(destination, { sources: [{ kind: 'path', path }] });
  expect(await world.backUp(plan)).toMatchObject({ state: 'succeeded' });
  const request = (more: Partial<RestoreRequest>): RestoreRequest => ({
    destinationId: destination.id,
    versionId: 'latest',
    paths: [path],
    exclude: [],
    target: { kind: 'original' },
    conflicts: 'keep-both',
    verify: true,
    ...more,
  });
  const begin = (more: Partial<RestoreRequest>) => world.begin({ kind: 'restore', request: request(more) });
  return {
    world,
    path,
    destination,
    plan,
    begin,
    restore: (more: Partial<RestoreRequest>) => begin(more).ended,
  };
}

const archive = (path: string, format: 'zip' | 'tar' = 'zip') => ({ kind: 'archive', path, format }) as const;

describe('a restore into an archive', () => {
  test.each(['zip', 'tar'] as const)('puts nothing into a %s that is left out', async (format) => {
    const { world, path, restore } = await backedUp();
    const target = archive(world.path(`out.${format}`), format);
    const run = await restore({ target, exclude: [`${path}/large`] });
    expect(run).toMatchObject({ state: 'succeeded', problemCount: 0 });
    const read = { zip: readZip, tar: readTar }[format];
    const names = read(fs.readFileSync(target.path)).map(({ name }) => name);
    expect(names).toContain(`${path.slice(1)}/one`);
    expect(names).not.toContain(`${path.slice(1)}/large`);
  });

  test.each(['zip', 'tar'] as const)('makes a %s of what was chosen', async (format) => {
    const { world, path, restore } = await backedUp();
    const target = archive(world.path(`out.${format}`), format);
    const run = await restore({ target });
    expect(run.error).toBeNull();
    const size = 10 + 4 + 200_000 + (format === 'zip' ? 18 : 9);
    expect(run).toMatchObject({
      state: 'succeeded',
      report: {
        target: target.path,
        filesRestored: 6,
        filesUnchanged: 0,
        filesSkipped: 0,
        bytesWritten: size,
      },
    });
    const read = { zip: readZip, tar: readTar }[format];
    const names = read(fs.readFileSync(target.path)).map(({ name }) => `/${name}`);
    expect(names).toEqual(expect.arrayContaining([`${path}/`, `${path}/sub/deep.txt`, `${path}/link`]));
    expect(world.logOf(run)).toContain('The archive has');
  });

  test('is a warning where a part of it is damaged, and names what', async () => {
    const { world, path, destination, restore } = await backedUp();
    // The largest pack has the large file.
    const packs = idsOf(destination.location, 'data');
    const sizeOf = (id: string) => fs.statSync(join(destination.location, 'data', id.slice(0, 2), id)).size;
    const id = packs.toSorted((a, b) => sizeOf(b) - sizeOf(a))[0]!;
    flipByte(destination.location, { type: 'data', id });
    const target = archive(world.path('out.zip'));
    const run = await restore({ target });
    expect(run).toMatchObject({ state: 'warnings', problemCount: 1, report: { filesRestored: 5 } });
    expect(world.problemsOf(run)).toMatchObject([{ path: join(path, 'large'), error: { code: 'damaged' } }]);
    expect(readZip(fs.readFileSync(target.path)).some(({ name }) => name.endsWith('large'))).toBe(false);
    const only = await restore({ target: archive(world.path('none.zip')), paths: [join(path, 'large')] });
    expect(only).toMatchObject({ state: 'failed', error: { code: 'damaged' }, problemCount: 1 });
    expect(fs.readdirSync(world.home).filter((name) => name.includes('none'))).toEqual([]);
  });

  test('names what is not in the version, and makes none where nothing is', async () => {
    const { world, path, restore } = await backedUp();
    const paths = [join(path, 'one'), join(path, 'nothing')];
    const run = await restore({ target: archive(world.path('out.tar'), 'tar'), paths });
    expect(run).toMatchObject({ state: 'warnings', problemCount: 1, report: { filesRestored: 1 } });
    const none = await restore({ target: archive(world.path('none.tar'), 'tar'), paths: ['/nowhere'] });
    expect(none).toMatchObject({ state: 'failed', error: { code: 'path-missing' } });
    expect(fs.readdirSync(world.home).filter((name) => name.startsWith('none'))).toEqual([]);
  });

  test('overwrites nothing, and needs a whole path', async () => {
    const { world, restore } = await backedUp();
    const path = world.path('mine.zip');
    fs.writeFileSync(path, 'mine');
    const run = await restore({ target: archive(path), conflicts: 'overwrite' });
    expect(run).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
    expect(fs.readFileSync(path, 'utf8')).toBe('mine');
    const relative = await restore({ target: archive('out.zip') });
    expect(relative).toMatchObject({ state: 'failed', error: { code: 'usage' } });
  });

  test('leaves nothing where it is cancelled', async () => {
    const held = Promise.withResolvers<void>();
    let hold = false;
    const reached = Promise.withResolvers<void>();
    const { world, begin } = await backedUp({
      wrap: (inner) =>
        slow(inner, async () => {
          if (!hold) return;
          reached.resolve();
          await held.promise;
        }),
    });
    hold = true;
    const { run, ended } = begin({ target: archive(world.path('out.zip')) });
    await reached.promise;
    world.runs.cancel(run.id);
    held.resolve();
    expect(await ended).toMatchObject({ state: 'cancelled' });
    expect(fs.readdirSync(world.home).filter((name) => name.includes('out'))).toEqual([]);
  });
});

describe('a count of files', () => {
  test('is one of files, not of folders', async () => {
    const { world, restore } = await backedUp();
    const run = await restore({ target: { kind: 'folder', path: world.path('back') } });
    expect(run.report).toMatchObject({ filesRestored: 6 });
  });
});

describe('a storage that takes no writes', () => {
  const refusing = (code: ErrorCode) => () => new EngineError(code, 'The disk takes nothing.');

  test.each(['read-only', 'permission', 'no-space'] as const)('is read without a lock (%s)', async (code) => {
    let wrap = (backend: Backend) => backend;
    const { world, destination, plan, restore } = await backedUp({ wrap: (backend) => wrap(backend) });
    wrap = faulty([{ kind: 'error', operation: 'save', times: 1000, error: refusing(code) }]);
    const run = await restore({ target: { kind: 'folder', path: world.path('back') } });
    expect(run).toMatchObject({ state: 'succeeded', report: { filesRestored: 6 } });
    expect(world.logOf(run)).toContain('without one. The disk takes nothing.');
    const checked = await world.run({ kind: 'check', destinationId: destination.id, percent: 0 });
    expect(checked).toMatchObject({ state: 'succeeded' });
    expect(await world.backUp(plan)).toMatchObject({ state: 'failed', error: { code } });
  });

  test('that does not answer is not read either', async () => {
    let wrap = (backend: Backend) => backend;
    const { world, restore } = await backedUp({ wrap: (backend) => wrap(backend) });
    const gone = new EngineError('unreachable', 'Gone.');
    wrap = faulty([{ kind: 'error', operation: 'save', times: 1000, error: () => gone }]);
    const run = await restore({ target: { kind: 'folder', path: world.path('back') } });
    expect(run).toMatchObject({ state: 'failed', error: { code: 'unreachable' } });
  });

  test('gets no lock at all where it is only to be read', async () => {
    const saved: string[] = [];
    let watch = false;
    const { world, destination, plan, restore } = await backedUp({
      wrap: (inner) =>
        slow(
          inner,
          async () => {},
          (type) => void (watch && saved.push(type)),
        ),
    });
    world.store.destinations.put({ ...destination, readOnly: true });
    watch = true;
    const run = await restore({ target: { kind: 'folder', path: world.path('back') } });
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(saved).toEqual([]);
    const { id } = destination;
    const tasks: readonly StartRun['task'][] = [
      { kind: 'cleanup', destinationId: id },
      { kind: 'copy', destinationId: id, toDestinationId: id, versionIds: [] },
      { kind: 'backup', planId: plan.id, destinationId: id },
    ];
    for (const task of tasks) {
      expect(await world.run(task)).toMatchObject({ state: 'failed', error: { code: 'usage' } });
    }
    expect(saved).toEqual([]);
  });
});

/** Hears of each read of packs before it is done, and of each write. */
function slow(
  inner: Backend,
  onLoad: () => Promise<void>,
  onSave: (type: string) => void = () => {},
): Backend {
  return {
    location: inner.location,
    traits: inner.traits,
    stat: (h, o) => inner.stat(h, o),
    list: (type, o) => inner.list(type, o),
    close: () => inner.close(),
    async load(h, o) {
      if (h.type === 'pack') await onLoad();
      return inner.load(h, o);
    },
    save(h, data, o) {
      onSave(h.type);
      return inner.save(h, data, o);
    },
    remove(h, o) {
      onSave(h.type);
      return inner.remove(h, o);
    },
  };
}
