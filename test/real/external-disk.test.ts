/** External disks: found again wherever they are mounted, never mistaken for another, pulled out in mid-run, in sets. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Destination } from '../../src/api/model/destination.ts';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import { passwordName } from '../../src/host/destinations.ts';
import { type LoopDisk, type LoopType, useLoopDisks } from '../helpers/loop-disk.ts';
import { RealHost } from '../helpers/real-host.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

const temp = useTemp();
const disks = useLoopDisks();
const MiB = 1 << 20;

beforeEach((context) => requireTool(context, 'loop', 'losetup', 'mkfs.ext4'));

/** A host with a plan to a disk that is plugged in. */
class World {
  readonly place: RealHost;
  readonly source: string;
  destination!: Destination;
  planId!: string;

  constructor(mode: 'alone' | 'serve' = 'alone') {
    this.place = new RealHost(temp, { mode });
    this.source = this.place.write('source', { 'a.txt': 'one', 'b/c.txt': 'two' });
  }

  get client() {
    return this.place.client;
  }

  async open(disk: LoopDisk, said: { ejectWhenDone?: boolean } = {}): Promise<this> {
    await this.place.open();
    const location = join(disk.mountPoint, 'Backups', 'Holdfast');
    const { destination } = await this.client.destinations.add({ name: 'disk', location, ...said });
    this.destination = destination;
    const plan = await this.client.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: this.source }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
      options: { priority: 'normal' },
    });
    this.planId = plan.id;
    return this;
  }

  /** That are whole. */
  packs(): readonly string[] {
    const data = join(this.destination.location, 'data');
    return fs
      .readdirSync(data, { recursive: true, encoding: 'utf8' })
      .filter((name) => /[0-9a-f]{64}$/.test(name));
  }

  async begin(): Promise<Run> {
    const [run] = await this.client.plans.run({ id: this.planId });
    return run!;
  }

  async backUp(): Promise<Run> {
    const run = await this.place.ended(await this.begin());
    await this.place.quiet();
    return run;
  }

  async now(): Promise<Destination> {
    return this.client.destinations.get({ id: this.destination.id });
  }

  async backups(): Promise<readonly Run[]> {
    return this.place.host.store.runs.list({ kinds: ['backup'], limit: 100 });
  }

  async versions() {
    return this.client.versions.list({ destinationId: this.destination.id });
  }

  async check(): Promise<void> {
    const run = await this.client.destinations.check({ id: this.destination.id, percent: 100 });
    const ended = await this.place.ended(run);
    expect(ended).toMatchObject({ state: 'succeeded', report: { findings: [] } });
  }

  /** By the other program, which must find nothing odd either. */
  async checkByRestic(): Promise<void> {
    if (!hasTool('restic')) return;
    const password = await this.place.host.secrets.get(passwordName(this.destination.id));
    const { location } = await this.now();
    const home = this.place.home;
    await new Restic({ repository: location, home, password: password ?? '' }).check();
  }
}

const everythingIn = (folder: string) => fs.readdirSync(folder, { recursive: true }).sort();
const NOT_THERE = { state: 'failed', error: { code: 'unreachable', context: { disk: expect.any(String) } } };

const TYPES: readonly (readonly [LoopType, string])[] = [
  ['ext4', 'My Disk'],
  ['xfs', 'xfsdisk'],
  ['btrfs', 'btrfs disk'],
  ['exfat', 'EX FAT'],
];

describe.each(TYPES)('a disk with %s', (type, label) => {
  it('is found at another place, and nothing else is taken for it', async (context) => {
    requireTool(context, `mkfs.${type}`, ...(type === 'exfat' ? (['mount.exfat-fuse'] as const) : []));
    const [disk, stranger] = [disks.make(type, label, 64), disks.make('ext4', 'stranger')];
    const [first, second] = [disks.folder(), disks.folder()];
    disk.plugIn(first);
    const world = await new World().open(disk);
    const room = fs.statfsSync(first);
    expect(world.destination.disks).toMatchObject([
      {
        label,
        folder: 'Backups/Holdfast',
        mountPoint: first,
        repositoryId: world.destination.repositoryId,
        capacity: room.blocks * room.bsize,
      },
    ]);
    const { uuid } = world.destination.disks[0]!;
    const listed = (await world.client.computer.disks()).find(({ path }) => path === first);
    expect(listed).toMatchObject({ uuid, destinationIds: [world.destination.id] });
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });

    disk.eject();
    expect(await world.backUp()).toMatchObject(NOT_THERE);
    expect(everythingIn(first)).toEqual([]);
    stranger.plugIn(first);
    fs.mkdirSync(join(first, 'Backups', 'Holdfast'), { recursive: true });
    const before = everythingIn(first);
    expect(await world.backUp()).toMatchObject(NOT_THERE);
    expect(await world.client.destinations.retest({ id: world.destination.id })).toMatchObject({
      repository: false,
      problem: { code: 'unreachable' },
    });
    expect(everythingIn(first)).toEqual(before);

    disk.plugIn(second);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    expect(await world.now()).toMatchObject({
      location: join(second, 'Backups', 'Holdfast'),
      problem: null,
      disks: [{ uuid, mountPoint: second }],
    });
    expect(await world.versions()).toHaveLength(2);
    expect(everythingIn(first)).toEqual(before);
    await world.check();
    await world.checkByRestic();
    await world.place.close();
  });
});

describe('a disk that comes and goes', () => {
  it('is waited for when it is pulled out in mid-run, and the run goes on once when it is back', async () => {
    const disk = disks.make('ext4', 'Pulled', 200);
    disk.plugIn(disks.folder());
    const world = await new World('serve').open(disk);
    fs.writeFileSync(join(world.source, 'large.bin'), randomBytes(96 * MiB));
    const run = await world.begin();
    await world.place.until(async () => world.packs().length > 0);
    disk.pullOut();
    const ended = await world.place.ended(run);
    expect(ended).toMatchObject({
      ...NOT_THERE,
      error: { ...NOT_THERE.error, message: expect.stringContaining('Waiting for the disk') },
    });
    await world.place.until(async () => {
      const [plan] = await world.client.plans.list();
      return plan?.waitingCode === 'disk';
    });
    expect((await world.now()).disks).toMatchObject([{ mountPoint: null }]);

    disk.plugIn(disks.folder());
    await world.place.until(async () => {
      const [newest] = await world.backups();
      return newest?.id !== run.id && ENDED.includes(newest!.state);
    });
    await world.place.quiet();
    expect(await world.backups()).toMatchObject([
      { state: 'succeeded', previousId: run.id, trigger: 'connect', attempt: 2 },
      { id: run.id },
    ]);
    expect(await world.now()).toMatchObject({ problem: null, disks: [{ mountPoint: disk.mountPoint }] });
    expect(await world.versions()).toHaveLength(1);
    await world.check();
    await world.checkByRestic();
    await world.place.close();
  });

  it('begins what was due while it was away, and is ejected when that is done', async () => {
    const disk = disks.make('ext4', 'Due', 64);
    disk.plugIn(disks.folder());
    const world = await new World('serve').open(disk, { ejectWhenDone: true });
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    await world.place.until(async () => (await world.now()).disks[0]?.mountPoint === null);
    expect(everythingIn(disk.mountPoint)).toEqual([]);
    disk.wasEjected();
    // Asked for by hand while the disk is away: it waits, too.
    expect(await world.backUp()).toMatchObject(NOT_THERE);
    disk.plugIn(disks.folder());
    await world.place.until(async () => (await world.backups())[0]?.state === 'succeeded');
    await world.place.until(async () => (await world.now()).disks[0]?.mountPoint === null);
    await world.place.quiet();
    expect((await world.backups()).map(({ state }) => state)).toEqual(['succeeded', 'failed', 'succeeded']);
    disk.wasEjected();
    disk.plugIn(disks.folder());
    expect((await world.client.destinations.retest({ id: world.destination.id })).problem).toBeNull();
    expect(await world.versions()).toHaveLength(2);
    await world.place.close();
  });

  it('is ejected by hand unless it is in use', async () => {
    const disk = disks.make('ext4', 'Hand', 256);
    const at = disk.plugIn(disks.folder());
    const world = await new World().open(disk);
    fs.writeFileSync(join(world.source, 'large.bin'), randomBytes(32 * MiB));
    const run = await world.begin();
    const eject = () => world.client.destinations.eject({ id: world.destination.id });
    await expect(eject()).rejects.toMatchObject({ code: 'locked' });
    expect(await world.place.ended(run)).toMatchObject({ state: 'succeeded' });
    await world.place.quiet();
    const held = fs.openSync(join(at, 'Backups', 'Holdfast', 'config'), 'r');
    await expect(eject()).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('“Hand”'),
    });
    fs.closeSync(held);
    expect(await world.versions()).toHaveLength(1);
    expect((await eject()).disks).toMatchObject([{ mountPoint: null }]);
    expect(everythingIn(at)).toEqual([]);
    disk.wasEjected();
    await expect(eject()).rejects.toMatchObject({ code: 'unreachable' });
    await world.place.close();
  });

  it('may be read-only or full, or have a fault, which is not the same as being away', async () => {
    const disk = disks.make('ext4', 'Small', 48);
    const at = disk.plugIn(disks.folder());
    const world = await new World().open(disk);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    fs.writeFileSync(join(world.source, 'large.bin'), randomBytes(64 * MiB));
    expect(await world.backUp()).toMatchObject({ state: 'failed', error: { code: 'no-space' } });
    fs.rmSync(join(world.source, 'large.bin'));
    execFileSync('mount', ['-o', 'remount,ro', at]);
    expect(await world.backUp()).toMatchObject({ state: 'failed', error: { code: 'read-only' } });
    disk.eject();
    disk.plugIn(disks.folder(), 'ro');
    expect(await world.backUp()).toMatchObject({ state: 'failed', error: { code: 'read-only' } });
    expect(await world.versions()).toHaveLength(1);
    disk.eject();
    disk.plugIn(at);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    await world.check();
    await world.place.close();
  });

  it('whose blocks fail in mid-run ends it with the fault named, and is not waited for', async () => {
    const disk = disks.make('ext4', 'Faulty', 200);
    disk.plugIn(disks.folder());
    const world = await new World('serve').open(disk);
    fs.writeFileSync(join(world.source, 'large.bin'), randomBytes(96 * MiB));
    const run = await world.begin();
    await world.place.until(async () => world.packs().length > 0);
    disk.shrink(16);
    expect(await world.place.ended(run)).toMatchObject({
      state: 'failed',
      error: { code: expect.stringMatching(/^(io|read-only)$/), transient: false },
    });
    await world.place.quiet();
    const [plan] = await world.client.plans.list();
    expect(plan).toMatchObject({ waitingCode: null });
    expect(await world.backups()).toHaveLength(1);
    expect((await world.now()).disks).toMatchObject([{ mountPoint: disk.mountPoint }]);
    await world.place.close();
  });

  it('and its copy are not told apart', async () => {
    const disk = disks.make('ext4', 'Twin', 64);
    disk.plugIn(disks.folder());
    const world = await new World().open(disk);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    disk.eject();
    const copy = disks.clone(disk);
    disk.plugIn(disks.folder());
    const other = copy.plugIn(disks.folder());
    const before = everythingIn(other);
    expect(await world.backUp()).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
    expect(everythingIn(other)).toEqual(before);
    copy.eject();
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    expect(await world.now()).toMatchObject({ problem: null });
    await world.place.close();
  });
});

describe('a set of disks', () => {
  it('is one destination, whichever of them is plugged in', async () => {
    const [home, office] = [disks.make('ext4', 'Home', 64), disks.make('ext4', 'Office', 64)];
    home.plugIn(disks.folder());
    const world = await new World().open(home);
    const { id } = world.destination;
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    home.eject();

    const path = join(office.plugIn(disks.folder()), 'Holdfast');
    const set = await world.client.destinations.addDisk({ id, path });
    expect(set.disks.map(({ label, mountPoint }) => [label, mountPoint])).toEqual([
      ['Home', null],
      ['Office', office.mountPoint],
    ]);
    expect(new Set(set.disks.map(({ repositoryId }) => repositoryId)).size).toBe(2);
    await expect(world.client.destinations.addDisk({ id, path })).rejects.toMatchObject({ code: 'conflict' });
    await expect(
      world.client.destinations.addDisk({ id, path: join(world.place.home, 'x') }),
    ).rejects.toMatchObject({ code: 'unsupported' });
    expect(await world.versions()).toEqual([]);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded', report: { filesNew: 2 } });
    fs.writeFileSync(join(world.source, 'a.txt'), 'only at the office');
    expect(await world.backUp()).toMatchObject({ state: 'succeeded', report: { filesChanged: 1 } });
    expect(await world.versions()).toHaveLength(2);
    await world.check();
    await world.checkByRestic();
    const hits = async () => {
      await world.place.until(
        async () => !(await world.client.versions.catalog({ destinationId: id })).working,
      );
      const { hits } = await world.client.versions.search({ destinationId: id, text: 'a.txt' });
      return hits.flatMap(({ states }) => states);
    };
    expect(await hits()).toEqual([2]);
    office.eject();

    home.plugIn(disks.folder());
    expect(await world.versions()).toHaveLength(1);
    expect(await hits()).toEqual([1]);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    // Both are there: the one with the older backup comes first.
    office.plugIn(disks.folder());
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    home.eject();
    expect(await world.versions()).toHaveLength(3);
    await world.check();

    const lost = set.disks.find(({ label }) => label === 'Home')!;
    const left = await world.client.destinations.removeDisk({ id, uuid: lost.uuid });
    expect(left.disks).toMatchObject([{ label: 'Office' }]);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    await expect(
      world.client.destinations.removeDisk({ id, uuid: left.disks[0]!.uuid }),
    ).rejects.toMatchObject({ code: 'conflict' });
    await world.place.close();
  });

  it('cuts files alike on all disks, and opens with the same words', async () => {
    const [one, two] = [disks.make('ext4', 'One', 64), disks.make('ext4', 'Two', 64)];
    one.plugIn(disks.folder());
    const world = await new World().open(one);
    expect(await world.backUp()).toMatchObject({ state: 'succeeded' });
    one.eject();
    const path = join(two.plugIn(disks.folder()), 'Holdfast');
    await world.client.destinations.addDisk({ id: world.destination.id, path });
    const { secrets } = world.place.host;
    const words = await secrets.get(`recovery:${world.destination.id}`);
    const { openAt } = await import('../../src/host/binding.ts');
    const second = await openAt(path, words ?? '', {});
    await second.close();
    one.plugIn(disks.folder());
    const first = await openAt(join(one.mountPoint, 'Backups', 'Holdfast'), words ?? '', {});
    await first.close();
    expect(second.config.chunkerPolynomial).toBe(first.config.chunkerPolynomial);
    expect(second.id).not.toBe(first.id);
    await world.place.close();
  });
});
