import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { HostEvent } from '../../../src/api/model/event.ts';
import type { PlanInput } from '../../../src/api/model/plan.ts';
import type { RestoreRequest, Run } from '../../../src/api/model/run.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
const MANUAL = { when: { kind: 'manual' } } as const;
const MiB = 1 << 20;

/** Of all files of a type in a repository. */
function bytesOf(repository: string, type = 'data'): number {
  const files = fs.readdirSync(join(repository, type), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + fs.statSync(join(file.parentPath, file.name)).size, 0);
}

/** The first event that fits, of those that come from now on. */
async function heard(place: RealHost, fits: (event: HostEvent) => boolean): Promise<void> {
  const stop = new AbortController();
  for await (const event of await place.client.system.events(undefined, { signal: stop.signal })) {
    if (fits(event)) break;
  }
  stop.abort();
}

describe('plans and runs', () => {
  let place: RealHost;
  let usb: Destination;
  let disk: Destination;
  let nr = 0;

  beforeAll(async () => {
    place = await new RealHost(shared, { mode: 'serve' }).open();
    const add = async (name: string) =>
      (await place.client.destinations.add({ name, location: join(place.home, name) })).destination;
    usb = await add('usb');
    disk = await add('disk');
  });
  afterAll(() => place.close());

  function planned(said: Partial<PlanInput> = {}): PlanInput {
    nr++;
    return {
      name: `plan ${nr}`,
      sources: [{ kind: 'path', path: place.write(`source ${nr}`, { 'a.txt': 'one', 'd/b.txt': 'two' }) }],
      destinations: [usb.id],
      schedule: MANUAL,
      ...said,
    };
  }

  async function ranOnce(input: PlanInput) {
    const plan = await place.client.plans.create(input);
    const [run] = await place.client.plans.run({ id: plan.id });
    return { plan, run: await place.ended(run!) };
  }

  describe('a plan', () => {
    it.each<[string, Partial<PlanInput>, string]>([
      ['without a destination', { destinations: [] }, 'usage'],
      ['with an unknown one', { destinations: ['00000000-0000-4000-8000-000000000000'] }, 'usage'],
      ['with a relative source', { sources: [{ kind: 'path', path: 'documents' }] }, 'usage'],
      ['with no source', { sources: [] }, 'usage'],
      ['without a name', { name: '   ' }, 'usage'],
      ['with a nonsense time', { schedule: { when: { kind: 'daily', at: ['25:00'] } } }, 'usage'],
      [
        'with a cron expression that is none',
        { schedule: { when: { kind: 'cron', expression: '99 99 * * *' } } },
        'usage',
      ],
      [
        'with a cron expression of words',
        { schedule: { when: { kind: 'cron', expression: 'whenever I like' } } },
        'usage',
      ],
      ['in a zone that is none', { schedule: { ...MANUAL, timeZone: 'Mars/Olympus' } }, 'usage'],
      [
        'with a command that has no name',
        { sources: [{ kind: 'command', fileName: 'a/b', command: ['x'] }] },
        'usage',
      ],
    ])('%s is refused', async (_what, said, code) => {
      const before = await place.client.plans.list();
      await expect(place.client.plans.create(planned(said))).rejects.toMatchObject({ code });
      expect(await place.client.plans.list()).toEqual(before);
    });

    it('with one destination twice is refused', async () => {
      const twice = planned({ destinations: [usb.id, usb.id] });
      await expect(place.client.plans.create(twice)).rejects.toMatchObject({ code: 'usage' });
    });

    it('is made, changed and removed, and everybody hears of it', async () => {
      const { client, events } = place;
      const input = planned();
      const plan = await client.plans.create(input);
      await place.quiet();
      expect(events).toContainEqual({ kind: 'plan', plan });
      await expect(client.plans.create({ ...input })).rejects.toMatchObject({ code: 'conflict' });
      const other = await client.plans.create(planned());
      await expect(client.plans.update({ ...input, id: other.id })).rejects.toMatchObject({
        code: 'conflict',
      });
      const changed = await client.plans.update({ ...input, id: plan.id, tags: ['work'], enabled: false });
      expect(changed).toMatchObject({ id: plan.id, createdAt: plan.createdAt, tags: ['work'] });
      await place.quiet();
      expect(events).toContainEqual({ kind: 'plan', plan: changed });
      expect(await client.plans.get({ id: plan.id })).toMatchObject({ plan: changed, nextAt: null });
      for (const { id } of [plan, other]) await client.plans.remove({ id });
      await place.quiet();
      expect(events).toContainEqual({ kind: 'plan-removed', planId: plan.id });
      await expect(client.plans.get({ id: plan.id })).rejects.toMatchObject({ code: 'not-found' });
      await expect(client.plans.run({ id: plan.id })).rejects.toMatchObject({ code: 'not-found' });
      await expect(client.plans.update({ ...input, id: plan.id })).rejects.toMatchObject({
        code: 'not-found',
      });
    });

    it('runs to the destinations that are its own only', async () => {
      const plan = await place.client.plans.create(planned());
      const foreign = { id: plan.id, destinationIds: [disk.id] };
      await expect(place.client.plans.run(foreign)).rejects.toMatchObject({ code: 'usage' });
      expect(await place.client.runs.list({ planId: plan.id })).toEqual([]);
      await place.client.plans.remove({ id: plan.id });
    });

    it('tells what comes next, also of a schedule that is not saved', async () => {
      const upcoming = (expression: string) =>
        place.client.plans.upcoming({ when: { kind: 'cron', expression }, timeZone: 'UTC', count: 3 });
      expect(await upcoming('0 12 * * *')).toHaveLength(3);
      await expect(upcoming('61 12 * * *')).rejects.toMatchObject({ code: 'usage' });
    });
  });

  describe('a run', () => {
    it('is told to two clients alike, and outlives both', async () => {
      const { client } = place;
      const stop = new AbortController();
      const listen = async () => {
        const all: HostEvent[] = [];
        const events = await client.system.events(undefined, { signal: stop.signal });
        const over = (async () => {
          for await (const event of events) all.push(event);
        })().catch((e: unknown) => e);
        return { all, over };
      };
      await place.quiet();
      const [one, two] = [await listen(), await listen()];
      const { run, plan } = await ranOnce(planned({ destinations: [usb.id, disk.id] }));
      await place.quiet();
      stop.abort();
      for (const { over } of [one, two]) expect(await over).toMatchObject({ code: 'cancelled' });
      // The first event of each is the status when it came.
      expect(one.all.slice(1)).toEqual(two.all.slice(1));
      const kinds = new Set(one.all.map((event) => event.kind));
      for (const kind of ['status', 'run', 'progress', 'log', 'plan', 'destination'] as const) {
        expect(kinds).toContain(kind);
      }
      const states = one.all.flatMap((e) => (e.kind === 'run' && e.run.id === run.id ? [e.run.state] : []));
      expect([...new Set(states)]).toEqual(['queued', 'running', 'succeeded']);
      expect(one.all).toContainEqual({ kind: 'run', run });

      // Nobody listens, and the one who asked is gone.
      const gone = new AbortController();
      const asked = await client.plans.run({ id: plan.id }, { signal: gone.signal });
      gone.abort();
      for (const { id } of asked) expect(await place.ended({ id })).toMatchObject({ state: 'succeeded' });
      await place.quiet();
    });

    it('is cancelled in mid-backup, and begins again', async () => {
      const { client } = place;
      const source = place.write('large', { 'large.bin': randomBytes(24 * MiB) });
      // At this pace it would take four minutes.
      const plan = await client.plans.create(
        planned({ sources: [{ kind: 'path', path: source }], options: { uploadLimit: 100_000 } as never }),
      );
      const [run] = await client.plans.run({ id: plan.id });
      await heard(place, (e) => e.kind === 'progress' && e.runId === run!.id && e.progress.bytesDone > MiB);
      expect(await client.runs.cancel({ id: run!.id })).toMatchObject({ state: 'running' });
      expect(await place.ended(run!)).toMatchObject({
        state: 'cancelled',
        error: { code: 'cancelled' },
        progress: null,
      });
      expect(await client.plans.get({ id: plan.id })).toMatchObject({ lastSuccess: [], lastRunId: run!.id });

      await client.plans.update({ ...plan, options: { ...plan.options, uploadLimit: null } });
      const again = await client.runs.again({ id: run!.id });
      expect(again).toMatchObject({ previousId: run!.id, trigger: 'manual' });
      expect(await place.ended(again)).toMatchObject({ state: 'succeeded', report: { filesNew: 1 } });
      await client.plans.remove({ id: plan.id });
      await expect(client.runs.again({ id: run!.id })).rejects.toMatchObject({ code: 'not-found' });
      await place.quiet();
    });

    it('that waits is cancelled at once, and says what it waits for', async () => {
      const { client } = place;
      const plan = await client.plans.create(planned({ hooks: { before: [SLOW] } as never }));
      const [first] = await client.plans.run({ id: plan.id });
      const [second] = await client.plans.run({ id: plan.id });
      await place.until(async () => (await client.runs.get({ id: first!.id })).state === 'running');
      expect(await client.runs.get({ id: second!.id })).toMatchObject({
        state: 'queued',
        waitingFor: expect.stringContaining(`“${plan.name}”`),
      });
      const status = await client.system.status();
      expect(status).toMatchObject({ running: [first!.id], queued: [second!.id] });
      await client.runs.cancel({ id: second!.id });
      expect(await place.ended(second!)).toMatchObject({ state: 'cancelled', startedAt: null });
      await client.runs.cancel({ id: first!.id });
      expect(await place.ended(first!)).toMatchObject({ state: 'cancelled' });
      expect(await client.runs.cancel({ id: first!.id })).toMatchObject({ state: 'cancelled' });
      await client.plans.remove({ id: plan.id });
      await place.quiet();
    });
  });

  describe('a version', () => {
    it('is listed, looked into, and restored with each answer to a conflict', async () => {
      const { client } = place;
      const { plan, run } = await ranOnce(planned());
      const source = plan.sources[0]!.kind === 'path' ? plan.sources[0]!.path : '';
      const [version, ...others] = await client.versions.list({ destinationId: usb.id, planId: plan.id });
      expect(others).toEqual([]);
      expect(version).toMatchObject({ planName: plan.name, files: 2, paths: [source] });
      expect(run.report).toMatchObject({ snapshotId: version!.id });
      const look = { destinationId: usb.id, versionId: version!.id };
      const entries = await client.versions.entries({ ...look, path: source });
      expect(entries.map((e) => [e.name, e.kind])).toEqual([
        ['a.txt', 'file'],
        ['d', 'dir'],
      ]);
      await expect(client.versions.entries({ ...look, path: '/none' })).rejects.toMatchObject({
        code: 'path-missing',
      });
      await expect(client.versions.entries({ ...look, versionId: 'ffff', path: '/' })).rejects.toMatchObject({
        code: 'snapshot-missing',
      });

      const restore = async (said: Partial<RestoreRequest>): Promise<Run> => {
        const target = { kind: 'original' } as const;
        return place.ended(await client.runs.restore({ ...look, target, ...said }));
      };
      const file = join(source, 'a.txt');
      const read = () => fs.readFileSync(file, 'utf8');
      fs.writeFileSync(file, 'changed');
      expect(await restore({ conflicts: 'skip' })).toMatchObject({
        state: 'succeeded',
        report: { bytesWritten: 0, filesSkipped: 2 },
      });
      expect(read()).toBe('changed');
      expect(await restore({ conflicts: 'keep-both' })).toMatchObject({
        state: 'succeeded',
        report: { bytesWritten: 3, filesUnchanged: 1 },
      });
      expect(read()).toBe('changed');
      const beside = fs.readdirSync(source).filter((name) => name.includes('restored'));
      expect(beside).toHaveLength(1);
      expect(fs.readFileSync(join(source, beside[0]!), 'utf8')).toBe('one');
      expect(await restore({ conflicts: 'overwrite', paths: [file] })).toMatchObject({
        state: 'succeeded',
        report: { bytesWritten: 3, target: '/' },
      });
      expect(read()).toBe('one');

      const folder = join(place.home, 'restored');
      const into = { target: { kind: 'folder', path: folder } } as const;
      expect(await restore({ ...into, paths: [join(source, 'd')] })).toMatchObject({ state: 'succeeded' });
      expect(fs.readFileSync(join(folder, source, 'd/b.txt'), 'utf8')).toBe('two');
      expect(fs.existsSync(join(folder, file))).toBe(false);
      expect(await restore({ ...into, versionId: 'latest' })).toMatchObject({ state: 'succeeded' });
      expect(await restore({ ...into, paths: ['/nowhere'] })).toMatchObject({
        state: 'failed',
        error: { code: 'path-missing' },
      });
      expect(await restore({ target: { kind: 'folder', path: 'relative' } })).toMatchObject({
        state: 'failed',
        error: { code: 'usage' },
      });
    });

    it('is copied to another destination, once', async () => {
      const { client } = place;
      const before = await client.versions.list({ destinationId: disk.id });
      const copying = { id: usb.id, toDestinationId: disk.id };
      const versionIds = (await client.versions.list({ destinationId: usb.id })).slice(0, 1).map((v) => v.id);
      const copied = await place.ended(await client.destinations.copy({ ...copying, versionIds }));
      expect(copied).toMatchObject({ state: 'succeeded', report: { versionsCopied: 1 } });
      expect(await client.versions.list({ destinationId: disk.id })).toHaveLength(before.length + 1);
      const again = await place.ended(await client.destinations.copy({ ...copying, versionIds }));
      expect(again).toMatchObject({ state: 'succeeded', report: { versionsCopied: 0 } });
      const same = await place.ended(await client.destinations.copy({ id: usb.id, toDestinationId: usb.id }));
      expect(same).toMatchObject({ state: 'failed', error: { code: 'usage' } });
    });

    it('is let go by the clean-up when the plan says so, and the rest is checked in turns', async () => {
      const { client } = place;
      const keep = { last: 1 };
      const { plan } = await ranOnce(planned({ retention: { kind: 'custom', keep } }));
      const source = plan.sources[0]!.kind === 'path' ? plan.sources[0]!.path : '';
      for (const text of ['second', 'third']) {
        fs.writeFileSync(join(source, 'a.txt'), text);
        const [run] = await client.plans.run({ id: plan.id });
        await place.ended(run!);
      }
      const ofPlan = { destinationId: usb.id, planId: plan.id };
      const all = await client.versions.list({ destinationId: usb.id });
      const versions = await client.versions.list(ofPlan);
      expect(versions).toHaveLength(3);
      const cleaned = await place.ended(await client.destinations.cleanUp({ id: usb.id }));
      expect(cleaned).toMatchObject({ state: 'succeeded', report: { versionsForgotten: 2 } });
      expect(await client.versions.list(ofPlan)).toEqual([versions[0]]);
      expect(await client.versions.list({ destinationId: usb.id })).toHaveLength(all.length - 2);

      const check = async (percent: number | null) =>
        place.ended(await client.destinations.check({ id: usb.id, percent }));
      await client.destinations.update({ id: usb.id, name: 'usb', maintenance: { checkPercent: 50 } });
      const shares = [await check(null), await check(null)].map(({ report }) =>
        report?.kind === 'check' ? report.percentRead : Number.NaN,
      );
      expect(shares[0]! + shares[1]!).toBeCloseTo(100, 5);
      expect(await check(100)).toMatchObject({
        state: 'succeeded',
        report: { percentRead: 100, findings: [] },
      });
      expect(await client.destinations.get({ id: usb.id })).toMatchObject({
        lastCheck: { ok: true, percentRead: 100 },
        problem: null,
      });
    });

    it('that is damaged fails the check, and that is told', async () => {
      const { client } = place;
      const packs = fs.readdirSync(join(place.home, 'disk', 'data'), {
        recursive: true,
        withFileTypes: true,
      });
      const pack = packs.find((entry) => entry.isFile())!;
      fs.rmSync(join(pack.parentPath, pack.name));
      const run = await place.ended(await client.destinations.check({ id: disk.id, percent: 0 }));
      expect(run).toMatchObject({ state: 'failed', error: { code: 'damaged' } });
      expect(await client.alerts.list()).toContainEqual(
        expect.objectContaining({ kind: 'check-failed', endedAt: null }),
      );
      expect(place.events.some((e) => e.kind === 'alert' && e.alert.kind === 'check-failed')).toBe(true);
    });
  });

  it('a missing disk is named, and the others are served', async () => {
    const { client } = place;
    fs.renameSync(join(place.home, 'usb'), join(place.home, 'usb.away'));
    const other = await client.destinations.add({ name: 'third', location: join(place.home, 'third') });
    const plan = await client.plans.create(planned({ destinations: [usb.id, other.destination.id] }));
    const runs = await client.plans.run({ id: plan.id });
    const [failed, fine] = [await place.ended(runs[0]!), await place.ended(runs[1]!)];
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'repository-missing' } });
    expect(fine).toMatchObject({ state: 'succeeded' });
    await place.quiet();
    expect(await client.destinations.get({ id: usb.id })).toMatchObject({ problem: failed.error });
    expect((await client.system.status()).verdict.reasons.map((reason) => reason.code)).toContain(
      'destination-problem',
    );
    fs.renameSync(join(place.home, 'usb.away'), join(place.home, 'usb'));
    const [again] = await client.plans.run({ id: plan.id, destinationIds: [usb.id] });
    expect(await place.ended(again!)).toMatchObject({ state: 'succeeded' });
    expect(await client.destinations.get({ id: usb.id })).toMatchObject({ problem: null });
  });
});

const SLOW = { command: [process.execPath, '-e', 'setTimeout(() => {}, 300_000)'], timeoutSeconds: 600 };

describe('the end of a host in the middle of its work', () => {
  it('interrupts backup and restore; the next one continues each once, and stores nothing twice', async () => {
    const place = await new RealHost(shared, { mode: 'serve' }).open();
    const location = join(place.home, 'usb');
    const { destination } = await place.client.destinations.add({ name: 'usb', location });
    const size = 20 * MiB;
    const source = place.write('source', { 'large.bin': randomBytes(size) });
    const plan = await place.client.plans.create({
      name: 'Large',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination.id],
      schedule: MANUAL,
      options: { uploadLimit: 4 * MiB } as never,
    });
    await place.quiet();
    const [run] = await place.client.plans.run({ id: plan.id });
    const restoring = await place.client.runs.restore({
      destinationId: destination.id,
      versionId: 'latest',
      target: { kind: 'folder', path: join(place.home, 'restored') },
    });
    await heard(place, (e) => e.kind === 'progress' && e.runId === run!.id && e.progress.bytesDone > 4 * MiB);
    await place.close();

    // In between somebody asks on the command line how things are.
    await place.open({ mode: 'alone' });
    for (const { id } of [run!, restoring]) {
      expect(await place.client.runs.get({ id })).toMatchObject({ state: 'interrupted', progress: null });
    }
    await place.close();

    await place.open();
    const successors = async (kind: 'backup' | 'restore') =>
      (await place.client.runs.list({ kinds: [kind] })).filter((one) => one.previousId !== null);
    await place.until(async () => (await successors('backup')).length > 0);
    const [next] = await successors('backup');
    expect(next).toMatchObject({ trigger: 'continue', previousId: run!.id, attempt: 2 });
    expect(await place.ended(next!)).toMatchObject({ state: 'succeeded', report: { bytesProcessed: size } });
    const [restore] = await successors('restore');
    expect(restore).toMatchObject({ trigger: 'continue', previousId: restoring.id });
    await place.ended(restore!);
    await place.quiet();
    await place.close();
    expect(bytesOf(location)).toBeLessThan(size * 1.1);

    await place.open();
    await place.quiet();
    expect(await successors('backup')).toHaveLength(1);
    expect(await successors('restore')).toHaveLength(1);
    expect(await place.client.versions.list({ destinationId: destination.id })).toHaveLength(1);
    await place.close();
  });

  it('continues also what was begun by hand of a plan that is switched off', async () => {
    const place = await new RealHost(shared, { mode: 'serve' }).open();
    const [destination] = await place.client.destinations.list();
    const hold = join(place.home, 'hold');
    fs.writeFileSync(hold, '');
    const plan = await place.client.plans.create({
      name: 'Off',
      enabled: false,
      sources: [{ kind: 'path', path: place.write('source', { a: 'a' }) }],
      destinations: [destination!.id],
      schedule: MANUAL,
      hooks: { before: [{ command: [process.execPath, '-e', WHILE_THERE, hold] }] },
    });
    const [run] = await place.client.plans.run({ id: plan.id });
    await place.until(async () => (await place.client.runs.get({ id: run!.id })).state === 'running');
    await place.close();
    fs.rmSync(hold);
    await place.open();
    const runs = await place.client.runs.list({ planId: plan.id });
    expect(runs.map((one) => one.previousId)).toEqual([run!.id, null]);
    expect(await place.ended(runs[0]!)).toMatchObject({ trigger: 'continue', state: 'succeeded' });
    await place.close();
  });
});

const WHILE_THERE = 'setInterval(() => fs.existsSync(process.argv[1]) || process.exit(), 20)';
