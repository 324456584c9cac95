import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { RestoreEstimate } from '../../../src/api/model/look.ts';
import { jobsOf } from '../../../src/host/jobs.ts';
import { verdictOf } from '../../../src/host/verdict.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
const PASSWORD = 'the password of a friend';

/** Every file below a folder with its content and its times. */
function stateOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of (fs.readdirSync(folder, { recursive: true }) as string[]).toSorted()) {
    const { mtimeMs, mode } = fs.statSync(join(folder, name));
    hash.update(`${name} ${mtimeMs} ${mode}\n`);
    if (fs.statSync(join(folder, name)).isFile()) hash.update(fs.readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

describe('a destination that is only read', () => {
  let friend: RealHost;
  let place: RealHost;
  let location: string;
  let before: string;
  let destination: Destination;

  beforeAll(async () => {
    friend = await new RealHost(shared).open();
    location = join(friend.home, 'repository');
    const added = await friend.client.destinations.add({ name: 'usb', location, password: PASSWORD });
    const plan = await friend.client.plans.create({
      name: 'Friend',
      sources: [{ kind: 'path', path: friend.write('source', { a: 'aaa', 'b/c': 'c' }) }],
      destinations: [added.destination.id],
      schedule: { when: { kind: 'daily', at: ['12:00'] } },
    });
    for (const run of await friend.client.plans.run({ id: plan.id })) await friend.ended(run);
    await friend.quiet();
    await friend.close();
    before = stateOf(location);
    place = await new RealHost(shared).open();
    const mine = await place.client.destinations.add({
      name: 'friend',
      location,
      password: PASSWORD,
      readOnly: true,
    });
    expect(mine).toMatchObject({ recoveryKey: null, restoredPlans: 0 });
    destination = mine.destination;
  }, 60_000);
  afterAll(() => place.close());

  it('is opened, and takes over neither plans nor history', async () => {
    expect(destination).toMatchObject({ readOnly: true, problem: null, hasRecoveryKey: false });
    expect(await place.client.plans.list()).toEqual([]);
    expect(await place.client.runs.list({})).toEqual([]);
    expect((await place.client.system.status()).lastBackupAt).toBeNull();
  });

  it('gives back files, is looked into and checked, and nothing is ever written there', async () => {
    const { client, home } = place;
    const { id } = destination;
    const [version] = await client.versions.list({ destinationId: id });
    const source = join(friend.home, 'source');
    const file = { destinationId: id, versionId: version!.id, path: join(source, 'a') };
    expect(await client.versions.preview(file)).toMatchObject({ kind: 'text', text: 'aaa' });
    // Both are on one computer.
    expect(await client.versions.compare(file)).toMatchObject({ state: 'same', version: { bytes: 3 } });
    const request = { ...file, paths: [source], target: { kind: 'original' as const } };
    const estimates: RestoreEstimate[] = [];
    for await (const estimate of await client.versions.estimate(request)) estimates.push(estimate);
    expect(estimates.at(-1)).toMatchObject({ files: 2, folders: 2, bytes: 4, same: 2, finished: true });
    const target = { kind: 'folder', path: join(home, 'back') } as const;
    const restored = await place.ended(
      await client.runs.restore({ destinationId: id, versionId: 'latest', target }),
    );
    expect(restored).toMatchObject({ state: 'succeeded', report: { filesRestored: 2 } });
    expect(fs.readFileSync(join(target.path, source, 'b/c'), 'utf8')).toBe('c');
    const checked = await place.ended(await client.destinations.check({ id, percent: 100 }));
    expect(checked).toMatchObject({ state: 'succeeded', report: { percentRead: 100 } });
    await client.destinations.update({ id, name: 'friend of mine', warnBelowBytes: 1 });
    await place.quiet();
    expect(stateOf(location)).toBe(before);
  });

  it('stays so when it is changed', async () => {
    const { id } = destination;
    const changed = await place.client.destinations.update({ id, name: 'other', readOnly: false });
    expect(changed).toMatchObject({ name: 'other', readOnly: true });
  });

  it('takes no backups, no clean-up, no copies and no recovery key', async () => {
    const { client, home } = place;
    const { id } = destination;
    const usage = { code: 'usage', message: expect.stringContaining('nothing is written there') };
    const settings = {
      name: 'Mine',
      sources: [{ kind: 'path' as const, path: home }],
      destinations: [id],
      schedule: { when: { kind: 'manual' as const } },
    };
    await expect(client.plans.create(settings)).rejects.toMatchObject(usage);
    const own = await client.destinations.add({ name: 'own', location: join(home, 'own') });
    const plan = await client.plans.create({ ...settings, destinations: [own.destination.id] });
    await expect(client.plans.update({ ...settings, id: plan.id })).rejects.toMatchObject(usage);
    await expect(client.destinations.cleanUp({ id })).rejects.toMatchObject(usage);
    const copy = { id: own.destination.id, toDestinationId: id };
    await expect(client.destinations.copy(copy)).rejects.toMatchObject(usage);
    await expect(client.destinations.recoveryKit({ id })).rejects.toMatchObject(usage);
    const from = await client.destinations.copy({ id, toDestinationId: own.destination.id });
    expect(await place.ended(from)).toMatchObject({ state: 'succeeded', report: { versionsCopied: 1 } });
    await place.quiet();
    expect(stateOf(location)).toBe(before);
  });

  it('is nobody’s worry: no alert of its room or its absence', async () => {
    await place.client.destinations.update({ id: destination.id, name: 'low', warnBelowBytes: 2 ** 50 });
    await place.close();
    await place.open({ mode: 'serve' });
    const before = place.host.store.destinations.get(destination.id)!;
    await place.until(
      async () => place.host.store.destinations.get(destination.id)!.space!.at > before.space!.at,
    );
    await place.quiet();
    expect(place.host.store.alerts.open()).toEqual([]);
    await place.close();
    await place.open();
  });

  it('must be there, and is opened by its password alone', async () => {
    const { client, home } = place;
    const names = await place.host.secrets.names();
    const none = { name: 'x', location: join(home, 'nothing'), password: 'x', readOnly: true };
    await expect(client.destinations.add(none)).rejects.toMatchObject({ code: 'repository-missing' });
    expect(fs.existsSync(none.location)).toBe(false);
    for (const password of ['wrong', undefined]) {
      const again = { name: 'x', location, readOnly: true, ...(password ? { password } : {}) };
      await expect(client.destinations.add(again)).rejects.toMatchObject({ code: 'wrong-password' });
    }
    expect(await place.host.secrets.names()).toEqual(names);
    expect(stateOf(location)).toBe(before);
  });
});

describe('what recurs, and the verdict', () => {
  const readOnly = destinationOf({ readOnly: true });

  it('leave out what is only read', () => {
    // As a diary of another version may have it.
    const plan = planOf({ destinations: [readOnly.id], retention: { kind: 'balanced' } });
    const values = new Map<string, string>();
    const facts = {
      now: 0,
      plans: [plan],
      destinations: [readOnly],
      values: { get: (k: string) => values.get(k), set: (k: string, v: string) => void values.set(k, v) },
    };
    expect(jobsOf(facts)).toEqual([]);
    const embedded = destinationOf({ embedded: true });
    const both = planOf({ destinations: [embedded.id, readOnly.id] });
    const { state, reasons } = verdictOf({
      now: 0,
      plans: [both],
      destinations: [embedded, readOnly],
      pause: null,
      alertAfterDays: 0,
      lastSuccess: () => undefined,
      lastEnded: () => undefined,
    });
    expect(state).toBe('none');
    expect(reasons.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['destination-missing', 'same-disk']),
    );
  });
});
