import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import { useTemp } from '../../helpers/scope.ts';
import { hardlink, symlink, tree, writeTree } from '../../helpers/tree.ts';
import { World } from './support.ts';

const temp = useTemp();
const today = () => new Date().toISOString().slice(0, 10);

async function backedUp() {
  const world = new World(temp);
  const path = world.path('documents');
  const literal = {
    'letter.odt': 'old letter',
    same: 'same',
    link: symlink('same'),
    sub: { 'deep.txt': 'deep', other: 'other' },
    one: 'two names',
    two: hardlink('one'),
  };
  writeTree(path, tree(literal));
  const destination = await world.destination();
  await world.backUp(world.plan(destination, { sources: [{ kind: 'path', path }] }));
  const restore = (more: Partial<RestoreRequest> = {}) => {
    const target = { kind: 'original' } as const;
    const base = { destinationId: destination.id, versionId: 'latest', paths: [path], exclude: [], target };
    const request: RestoreRequest = { ...base, conflicts: 'keep-both', verify: true, ...more };
    return world.run({ kind: 'restore', request });
  };
  return { world, path, restore, destination };
}

describe('restore', () => {
  test('to the original place: what is missing comes back, what is there and equal stays', async () => {
    const { path, restore } = await backedUp();
    rmSync(join(path, 'sub'), { recursive: true });
    const run = await restore();
    expect(run.error).toBeNull();
    expect(run).toMatchObject({ state: 'succeeded', report: { target: '/', bytesWritten: 9 } });
    expect(readFileSync(join(path, 'sub/deep.txt'), 'utf8')).toBe('deep');
    expect(readdirSync(path).sort()).toEqual(['letter.odt', 'link', 'one', 'same', 'sub', 'two']);
  });

  test('keep both: what differs gets a name of its own, again and again', async () => {
    const { path, restore } = await backedUp();
    writeFileSync(join(path, 'letter.odt'), 'new letter!');
    rmSync(join(path, 'link'));
    symlinkSync('elsewhere', join(path, 'link'));
    const before = lstatSync(join(path, 'letter.odt')).mtimeMs;
    expect(await restore()).toMatchObject({ state: 'succeeded' });
    expect(await restore()).toMatchObject({ state: 'succeeded' });
    const read = (name: string) => readFileSync(join(path, name), 'utf8');
    expect(read('letter.odt')).toBe('new letter!');
    expect(lstatSync(join(path, 'letter.odt')).mtimeMs).toBe(before);
    expect(read(`letter (restored ${today()}).odt`)).toBe('old letter');
    expect(read(`letter (restored ${today()} 2).odt`)).toBe('old letter');
    expect(read(`link (restored ${today()})`)).toBe('same');
    expect(readdirSync(path).filter((name) => /^(same|one|two|sub) \(/.test(name))).toEqual([]);
  });

  test('keep both: names of one file that were parted', async () => {
    const { path, restore } = await backedUp();
    for (const name of ['one', 'two']) rmSync(join(path, name));
    writeFileSync(join(path, 'one'), 'changed');
    linkSync(join(path, 'one'), join(path, 'two'));
    expect(await restore()).toMatchObject({ state: 'succeeded' });
    const [one, two] = ['one', 'two'].map((name) => join(path, `${name} (restored ${today()})`));
    expect(readFileSync(one!, 'utf8')).toBe('two names');
    expect(lstatSync(two!).ino).toBe(lstatSync(one!).ino);
    expect(readFileSync(join(path, 'two'), 'utf8')).toBe('changed');
  });

  test('keep both: a folder where the version has a file', async () => {
    const { path, restore } = await backedUp();
    rmSync(join(path, 'same'));
    mkdirSync(join(path, 'same'));
    writeFileSync(join(path, 'same', 'x'), 'x');
    expect(await restore()).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(path, `same (restored ${today()})`), 'utf8')).toBe('same');
    expect(readFileSync(join(path, 'same', 'x'), 'utf8')).toBe('x');
  });

  test('overwrite and skip', async () => {
    const { path, restore } = await backedUp();
    writeFileSync(join(path, 'letter.odt'), 'new letter!');
    const skipped = await restore({ conflicts: 'skip' });
    expect(skipped.report).toMatchObject({ filesUnchanged: 0 });
    expect(skipped.report?.kind === 'restore' && skipped.report.filesSkipped).toBeGreaterThan(0);
    expect(readFileSync(join(path, 'letter.odt'), 'utf8')).toBe('new letter!');
    expect(await restore({ conflicts: 'overwrite' })).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(path, 'letter.odt'), 'utf8')).toBe('old letter');
  });

  test('some paths into a folder; one that is not there is a problem, none at all a failure', async () => {
    const { world, path, restore } = await backedUp();
    const folder = world.path('restored');
    const target = { kind: 'folder', path: folder } as const;
    const paths = [join(path, 'sub/deep.txt'), join(path, 'no[t]here')];
    const run = await restore({ target, paths });
    expect(run).toMatchObject({ state: 'warnings', problemCount: 1, report: { target: folder } });
    expect(world.problemsOf(run)).toMatchObject([{ path: paths[1], error: { code: 'path-missing' } }]);
    expect(readdirSync(join(folder, path))).toEqual(['sub']);
    expect(readdirSync(join(folder, path, 'sub'))).toEqual(['deep.txt']);
    const none = await restore({ target, paths: ['/nowhere'] });
    expect(none).toMatchObject({ state: 'failed', error: { code: 'path-missing' } });
    const unknown = await restore({ target, versionId: 'ffff' });
    expect(unknown).toMatchObject({ state: 'failed', error: { code: 'snapshot-missing' } });
  });

  test('all of a version but what is left out, and of that again what is named further down', async () => {
    const { world, path, restore } = await backedUp();
    const folder = world.path('restored');
    const exclude = [join(path, 'sub'), join(path, 'one'), '/nowhere'];
    const target = { kind: 'folder', path: folder } as const;
    const paths = ['/', join(path, 'sub/deep.txt')];
    expect(await restore({ target, paths, exclude })).toMatchObject({ state: 'succeeded', problemCount: 0 });
    expect(readdirSync(join(folder, path)).sort()).toEqual(['letter.odt', 'link', 'same', 'sub', 'two']);
    expect(readdirSync(join(folder, path, 'sub'))).toEqual(['deep.txt']);
    const without = { kind: 'folder', path: world.path('without') } as const;
    expect(await restore({ target: without, paths: [], exclude })).toMatchObject({ state: 'succeeded' });
    expect(readdirSync(join(without.path, path)).sort()).toEqual(['letter.odt', 'link', 'same', 'two']);
  });

  test('what a command printed has no original place', async () => {
    const world = new World(temp);
    const destination = await world.destination();
    const command = [process.execPath, '-e', 'console.log(1)'];
    await world.backUp(
      world.plan(destination, { sources: [{ kind: 'command', fileName: 'dump', command }] }),
    );
    const request = {
      destinationId: destination.id,
      versionId: 'latest',
      paths: [],
      conflicts: 'skip',
      verify: false,
    } as const;
    const original = { ...request, paths: [], exclude: [], target: { kind: 'original' } } as const;
    expect(
      await world.run({ kind: 'restore', request: { ...original, paths: [], exclude: [] } }),
    ).toMatchObject({
      state: 'failed',
      error: { code: 'usage' },
    });
    const path = world.path('out');
    const folder = { ...request, paths: [], exclude: [], target: { kind: 'folder' as const, path } };
    expect(await world.run({ kind: 'restore', request: folder })).toMatchObject({ state: 'succeeded' });
    expect(readFileSync(join(path, 'dump'), 'utf8')).toBe('1\n');
    expect(existsSync('/dump')).toBe(false);
  });
});
