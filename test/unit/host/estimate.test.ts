import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RestoreEstimate } from '../../../src/api/model/look.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import { newRestoreCounters } from '../../../src/restorer/progress.ts';
import { restoreTree } from '../../../src/restorer/restorer.ts';
import { WantedPaths } from '../../../src/runs/wanted-paths.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { setTimes } from '../../helpers/libc.ts';
import {
  idOf,
  link,
  memoryRepository,
  node,
  type SketchFolder,
  SOME_TIME_NS,
  saveNodes,
  saveTree,
} from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { type PeekOptions, peekInto, type Stored } from './peek-support.ts';

const temp = useTemp();

const SKETCH: SketchFolder = {
  home: {
    a: 'aaaa',
    b: 'bb',
    link: link('a'),
    sub: { c: 'c', deep: { d: 'dddd' }, empty: {} },
    fifo: { node: { type: 'fifo' } },
    socket: { node: { type: 'socket' } },
  },
  other: { e: 'eeeee' },
};

/** All that is told, and the last of it. */
async function estimated(
  request: Partial<RestoreRequest>,
  o: PeekOptions = {},
  what: SketchFolder | Stored = SKETCH,
) {
  const { estimate } = await peekInto(what, o);
  const told: RestoreEstimate[] = [];
  for await (const one of estimate(request)) told.push(one);
  return { told, last: told.at(-1)! };
}

const folder = (path: string) => ({ kind: 'folder', path }) as const;
const touch = (path: string) => setTimes(fromText(path), SOME_TIME_NS, SOME_TIME_NS);

describe('an estimate', () => {
  it('counts everything for a folder that is not there yet', async () => {
    const target = folder(join(temp.dir(), 'new'));
    const { told, last } = await estimated({ target });
    expect(told).toHaveLength(1);
    expect(last).toMatchObject({ files: 7, folders: 5, bytes: 16, same: 0, different: 0, finished: true });
    expect(last.freeBytes).toBeGreaterThan(0);
    expect(last.seconds).toBeNull();
    expect(fs.existsSync(target.path)).toBe(false);
  });

  it('counts what was chosen, and fails where none of it is there', async () => {
    const target = folder(temp.dir());
    const { last } = await estimated({ target, paths: ['/home/sub', '/home/a', '/nothing'] });
    expect(last).toMatchObject({ files: 3, folders: 3, bytes: 9 });
    await expect(estimated({ target, paths: ['/nothing'] })).rejects.toMatchObject({ code: 'path-missing' });
    await expect(estimated({ target: folder('relative') })).rejects.toMatchObject({ code: 'usage' });
  });

  it('does not count what is left out', async () => {
    const target = folder(temp.dir());
    const { last } = await estimated({ target, paths: ['/home', '/home/sub/deep'], exclude: ['/home/sub'] });
    expect(last).toMatchObject({ files: 5, folders: 2, bytes: 10 });
    const rest = await estimated({ target, exclude: ['/home'] });
    expect(rest.last).toMatchObject({ files: 1, folders: 1, bytes: 5 });
  });

  it('agrees with the restore of a choice with something left out', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, SKETCH);
    const path = temp.dir();
    const said = { paths: ['/', '/home/sub/c'], exclude: ['/home/sub', '/home/b'] };
    const { last } = await estimated({ target: folder(path), ...said }, {}, { repo, tree });
    const counters = newRestoreCounters();
    const { select } = new WantedPaths(said.paths, said.exclude);
    await restoreTree(repo, tree, { target: fromText(path), select, counters, threads: 1 });
    expect(counters.filesRestored).toBe(last.files + last.folders);
    expect(counters.bytesRestored).toBe(last.bytes);
  });

  it('looks at what lies at the target, and through no link below it', async () => {
    const real = temp.dir();
    const path = join(temp.dir(), 'link');
    fs.symlinkSync(real, path);
    fs.mkdirSync(join(real, 'home', 'sub'), { recursive: true });
    fs.writeFileSync(join(real, 'home', 'a'), 'AAAA');
    fs.writeFileSync(join(real, 'home', 'b'), 'bb');
    fs.symlinkSync('a', join(real, 'home', 'link'));
    touch(join(real, 'home', 'a'));
    fs.symlinkSync(join(real, 'home'), join(real, 'other'));
    fs.writeFileSync(join(real, 'home', 'e'), 'e');
    fs.mkdirSync(join(real, 'home', 'sub', 'c'));
    const o = { lastRate: () => 4 };
    const { last } = await estimated({ target: folder(path) }, o);
    expect(last).toMatchObject({ files: 7, same: 2, different: 2, seconds: (16 - 4) / 4 });
    const skip = await estimated({ target: folder(path), conflicts: 'skip' }, o);
    expect(skip.last.seconds).toBe((16 - 4 - 3) / 4);
  });

  it('agrees with the restore that comes after it', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, SKETCH);
    const path = temp.dir();
    const paths = ['/home/sub', '/other'];
    const before = (await estimated({ target: folder(path), paths }, {}, { repo, tree })).last;
    const counters = newRestoreCounters();
    const o = { target: fromText(path), select: new WantedPaths(paths).select, counters, threads: 1 };
    await restoreTree(repo, tree, o);
    expect(counters.filesRestored).toBe(before.files + before.folders);
    expect(counters.bytesRestored).toBe(before.bytes);
    const after = (await estimated({ target: folder(path), paths }, {}, { repo, tree })).last;
    expect(after).toMatchObject({ files: before.files, same: before.files, different: 0 });
  });

  it('counts the content of a file once for all its names, but for a zip', async () => {
    const file = (inode: number): SketchFolder[string] => ({
      node: { type: 'file', links: 2, inode },
      blobs: [Buffer.from('four')],
    });
    const sketch = { a: file(1), b: file(1), c: file(2) };
    const target = (format: 'zip' | 'tar') =>
      ({ kind: 'archive', path: join(temp.dir(), 'x'), format }) as const;
    expect((await estimated({ target: target('tar') }, {}, sketch)).last).toMatchObject({
      files: 3,
      bytes: 8,
    });
    expect((await estimated({ target: target('zip') }, {}, sketch)).last).toMatchObject({
      files: 3,
      bytes: 12,
    });
  });

  it('refuses an archive whose place is taken, or nowhere', async () => {
    const taken = join(temp.dir(), 'x.zip');
    fs.writeFileSync(taken, '');
    const at = (path: string) => ({ target: { kind: 'archive', path, format: 'zip' } }) as const;
    await expect(estimated(at(taken))).rejects.toMatchObject({ code: 'conflict' });
    await expect(estimated(at(join(taken, 'x.zip')))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('goes on past damage, and past sizes that cannot be', async () => {
    const repo = await memoryRepository();
    const nodes = [
      node('gone', 'dir', { subtree: idOf('gone') }),
      node('huge', 'file', { size: 2 ** 62, content: [] }),
      node('huger', 'file', { size: 2n ** 64n - 1n, content: [] }),
      node('../up', 'file', { content: [] }),
    ];
    const tree = await saveNodes(repo, nodes);
    const { last } = await estimated({ target: folder(temp.dir()) }, {}, { repo, tree });
    expect(last).toMatchObject({ files: 2, folders: 1, bytes: Number.MAX_SAFE_INTEGER });
  });

  it('tells what it has counted now and then, and ends when told', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, { f: 'x' }]));
    // Each look at the clock takes 50 ms.
    const real = new VirtualClock(0);
    let now = 0;
    const clock: Clock = { now: () => (now += 50), sleep: (ms, signal) => real.sleep(ms, signal) };
    const target = folder(join(temp.dir(), 'new'));
    const { told } = await estimated({ target }, { clock }, many);
    expect(told.length).toBeGreaterThan(5);
    expect(told.filter((one) => one.finished)).toEqual([told.at(-1)]);
    expect(told.map((one) => one.files)).toEqual(told.map((one) => one.files).toSorted((a, b) => a - b));
    const { estimate } = await peekInto(many, { clock });
    const controller = new AbortController();
    const reason = new Error('enough');
    const running = estimate({ target }, controller.signal);
    await running.next();
    controller.abort(reason);
    await expect(running.next()).rejects.toBe(reason);
  });
});
