/** Which disk a destination is on now, by what is mounted where. The disks are told of; the store is real. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Destination, KnownDisk } from '../../../src/api/model/destination.ts';
import { Attached } from '../../../src/host/attached.ts';
import { removeDisk } from '../../../src/host/attached-set.ts';
import { watchDisks } from '../../../src/host/attached-watch.ts';
import type { Mount } from '../../../src/host/disk-identity.ts';
import { Patience } from '../../../src/host/patience.ts';
import { holdsPath } from '../../../src/host/volumes.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { destinationOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { until } from '../../helpers/until.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();

const mountOf = (uuid: string, path: string, said: Partial<Mount> = {}): Mount => ({
  uuid,
  label: uuid,
  path,
  part: '',
  device: `dev-${uuid}`,
  node: `/dev/${uuid}`,
  ...said,
});

const diskOf = (uuid: string, said: Partial<KnownDisk> = {}): KnownDisk => ({
  uuid,
  label: uuid,
  capacity: 1000,
  folder: 'Holdfast',
  repositoryId: `repository of ${uuid}`,
  lastSeenAt: null,
  mountPoint: null,
  ...said,
});

/** A computer whose mounts a test sets. */
function world(destination: Destination, mounts: readonly Mount[] = []) {
  const store = openStore(join(temp.dir('store'), 'x.db'), { clock: systemClock, onProblem: () => {} });
  store.destinations.put(destination);
  const clock = new VirtualClock(1000);
  const told: string[] = [];
  const w = { mounts };
  const attached = new Attached({
    store,
    clock,
    patience: new Patience(systemClock),
    platform: 'linux',
    system: [temp.dir('home')],
    look: async () => ({
      mounts: w.mounts,
      holderOf: (real) =>
        [...w.mounts]
          .sort((a, b) => b.path.length - a.path.length)
          .find(({ path }) => holdsPath(path, real, 'linux')),
    }),
    changed: () => told.push('changed'),
    appeared: () => told.push('appeared'),
    gone: () => told.push('gone'),
  });
  const now = () => store.destinations.get(destination.id)!;
  return Object.assign(w, { store, clock, attached, told, now, locate: () => attached.locate(now()) });
}

const one = destinationOf({ location: '/media/old/Holdfast', disks: [diskOf('A')] });
const set = destinationOf({ location: '/media/old/Holdfast', disks: [diskOf('A'), diskOf('B')] });
const away = { code: 'unreachable', transient: false, context: { disk: 'A' } };

describe('a disk', () => {
  it('is found wherever it is mounted, and its new place is noted and told once', async () => {
    const w = world(one, [mountOf('A', '/media/old')]);
    expect(await w.locate()).toBe('/media/old/Holdfast');
    expect(w.told).toEqual(['changed', 'appeared']);
    w.mounts = [mountOf('A', '/run/media/ann/A', { label: 'new name' })];
    expect(await w.locate()).toBe('/run/media/ann/A/Holdfast');
    expect(w.now()).toMatchObject({
      location: '/run/media/ann/A/Holdfast',
      disks: [{ mountPoint: '/run/media/ann/A', label: 'new name', lastSeenAt: 1000 }],
    });
    await w.attached.review();
    expect(w.told).toEqual(['changed', 'appeared', 'changed', 'appeared']);
  });

  it('is not another one at its old place, nor an empty folder there', async () => {
    const w = world(one, [mountOf('stranger', '/media/old')]);
    await expect(w.locate()).rejects.toMatchObject({ ...away, message: 'The disk “A” is not plugged in.' });
    w.mounts = [];
    await expect(w.locate()).rejects.toMatchObject(away);
    expect(w.told).toEqual([]);
  });

  it('that goes is noted, with the time at which it was last there', async () => {
    const w = world(one, [mountOf('A', '/media/old')]);
    await w.attached.review();
    await w.clock.advance(500);
    w.mounts = [];
    await w.attached.review();
    expect(w.told).toEqual(['changed', 'appeared', 'changed', 'gone']);
    expect(w.now()).toMatchObject({
      location: '/media/old/Holdfast',
      disks: [{ mountPoint: null, lastSeenAt: 1500 }],
    });
  });

  it('and its copy are not told apart, so neither is used', async () => {
    const w = world(one, [mountOf('A', '/media/old'), mountOf('A', '/media/copy', { device: 'other' })]);
    await expect(w.locate()).rejects.toMatchObject({ code: 'conflict', context: { disk: 'A' } });
    w.mounts = [mountOf('A', '/media/copy', { device: 'other' })];
    expect(await w.locate()).toBe('/media/copy/Holdfast');
  });

  it('that is mounted twice is the same one; a part of it will do if the folder is in it', async () => {
    const w = world(one, [
      mountOf('A', '/bound', { part: 'elsewhere' }),
      mountOf('A', '/deep/inner', { part: 'Holdfast' }),
    ]);
    expect(await w.locate()).toBe('/deep/inner');
    w.mounts = [...w.mounts, mountOf('A', '/a/long/way/to/the/whole')];
    // It stays where it was.
    expect(await w.locate()).toBe('/deep/inner');
    w.mounts = [w.mounts[0]!];
    await expect(w.locate()).rejects.toMatchObject(away);
  });
});

describe('a set of disks', () => {
  it('is used by the one that is plugged in', async () => {
    const w = world(set, [mountOf('B', '/media/B')]);
    expect(await w.locate()).toBe('/media/B/Holdfast');
    expect(w.attached.disk(w.now())?.repositoryId).toBe('repository of B');
    w.mounts = [mountOf('A', '/media/A')];
    expect(await w.locate()).toBe('/media/A/Holdfast');
    w.mounts = [];
    await expect(w.locate()).rejects.toMatchObject({ ...away, message: expect.stringContaining('None of') });
  });

  it('of which several are plugged in takes them in turn', async () => {
    const w = world(set, [mountOf('A', '/media/A'), mountOf('B', '/media/B')]);
    const turns: string[] = [];
    for (let nr = 0; nr < 4; nr++) {
      turns.push(await w.locate());
      await w.clock.advance(10);
      w.attached.backedUp(w.now());
    }
    expect(turns.map((path) => path.slice(7, 8))).toEqual(['A', 'B', 'A', 'B']);
  });

  it('loses a disk, but not its last; another one’s repository then stands for it', () => {
    const w = world({ ...set, repositoryId: 'repository of A' });
    expect(() => removeDisk(w, set.id, 'C')).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(removeDisk(w, set.id, 'A')).toMatchObject({
      repositoryId: 'repository of B',
      disks: [{ uuid: 'B' }],
    });
    expect(() => removeDisk(w, set.id, 'B')).toThrow(expect.objectContaining({ code: 'conflict' }));
  });
});

describe('what lies on a disk', () => {
  /** Real folders, told to be mount points. */
  function folders() {
    const [usb, home] = [fs.realpathSync(temp.dir('usb')), fs.realpathSync(temp.dir('home'))];
    fs.mkdirSync(join(usb, 'Holdfast'));
    return { usb, home };
  }

  it('is learnt of a destination that is not known by its disk yet', async () => {
    const { usb } = folders();
    const plain = destinationOf({ location: join(usb, 'Holdfast') });
    const w = world(plain, [mountOf('A', usb)]);
    await w.attached.learn(plain, 'r');
    const disk = { uuid: 'A', label: 'A', folder: 'Holdfast', repositoryId: 'r', mountPoint: usb };
    expect(w.now().disks).toEqual([
      { ...disk, capacity: expect.any(Number), lastSeenAt: 1000 } satisfies KnownDisk,
    ]);
    expect(w.now().disks[0]?.capacity).toBeGreaterThan(0);
  });

  it('is none of a destination on the system’s own disk, which is found out once', async () => {
    const { usb } = folders();
    const plain = destinationOf({ location: join(usb, 'Holdfast') });
    const w = world(plain, [mountOf('root', '/')]);
    await w.attached.learn(plain, 'r');
    w.mounts = [mountOf('A', usb)];
    await w.attached.learn(plain, 'r');
    expect(w.now().disks).toEqual([]);
  });

  it('is told of folders that are to be made', async () => {
    const { usb } = folders();
    const w = world(one, [mountOf('root', '/'), mountOf('A', usb)]);
    expect(await w.attached.diskUnder(join(usb, 'x', 'y'))).toMatchObject({ folder: 'x/y' });
    expect(await w.attached.diskUnder(usb)).toMatchObject({ folder: '', mount: { uuid: 'A' } });
    expect(await w.attached.diskUnder(temp.dir('elsewhere'))).toBeNull();
    expect(await w.attached.diskUnder('s3:https://example.org/bucket')).toBeNull();
  });
});

describe('what a run failed by', () => {
  const gone = new EngineError('unreachable', 'The repository is gone.');

  it('was the disk, if that is not there any more', async () => {
    const w = world(one, [mountOf('A', '/media/old')]);
    await w.locate();
    w.mounts = [];
    const error = await w.attached.explain(w.now(), new EngineError('io', 'the disk reports a fault'));
    expect(error).toMatchObject({ ...away, message: expect.stringContaining('Waiting for the disk') });
    expect(w.now().disks[0]?.mountPoint).toBeNull();
  });

  it('may be over, if the disk is back already', async () => {
    const w = world(one, [mountOf('A', '/media/new')]);
    expect(await w.attached.explain(one, gone)).toMatchObject({ code: 'unreachable', transient: true });
  });

  it.each([
    ['a full disk', new EngineError('no-space', 'full')],
    ['a source that is gone', new EngineError('source-missing', 'gone')],
    ['a program', new EngineError('io', 'failed', { context: { program: 'pg_dump' } })],
  ])('is left as it is where it was %s', async (_, error) => {
    expect(await world(one).attached.explain(one, error)).toBe(error);
  });

  it('is left as it is at a destination without disks, and where a disk that is there has a fault', async () => {
    const plain = destinationOf();
    expect(await world(plain).attached.explain(plain, gone)).toBe(gone);
    const fault = new EngineError('io', 'the disk reports a fault');
    expect(await world(one, [mountOf('A', '/x')]).attached.explain(one, fault)).toBe(fault);
  });
});

describe('the watch', () => {
  function watch(platform: NodeJS.Platform, wanted = () => true) {
    const root = temp.dir('root');
    fs.mkdirSync(join(root, 'proc/self'), { recursive: true });
    const table = join(root, 'proc/self/mountinfo');
    fs.writeFileSync(table, 'a');
    const clock = new VirtualClock(0);
    const stop = new AbortController();
    const w = { reviews: 0, faults: 0, fails: false };
    const ended = watchDisks(
      {
        clock,
        platform,
        root,
        wanted,
        review: async () => {
          w.reviews++;
          if (w.fails) throw new Error('no');
        },
        onFault: () => w.faults++,
      },
      stop.signal,
    );
    const glance = async (ms: number) => {
      await until(() => clock.sleepers === 1);
      await clock.advance(ms);
      await until(() => clock.sleepers === 1);
    };
    const end = () => {
      stop.abort();
      return ended;
    };
    return Object.assign(w, { table, glance, end });
  }

  it('looks when the mount table has changed, and now and then all the same', async () => {
    const w = watch('linux');
    await w.glance(2000);
    expect(w.reviews).toBe(1);
    fs.writeFileSync(w.table, 'b');
    await w.glance(2000);
    expect(w.reviews).toBe(2);
    for (let nr = 0; nr < 15; nr++) await w.glance(2000);
    expect(w.reviews).toBe(2);
    await w.glance(2000);
    expect(w.reviews).toBe(3);
    await w.end();
  });

  it('goes on after a fault, asks where there is no table, and nothing where there is no disk', async () => {
    const w = watch('darwin');
    w.fails = true;
    await w.glance(15_000);
    await w.glance(15_000);
    expect([w.reviews, w.faults]).toEqual([3, 3]);
    await w.end();
    const idle = watch('linux', () => false);
    await idle.glance(2000);
    expect(idle.reviews).toBe(0);
    await idle.end();
  });
});
