/** Archives onto real disks, and files out of a repository on one that takes no writes. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RealHost } from '../helpers/real-host.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();
const MiB = 1 << 20;

it('a repository on a read-only disk gives back files and archives, and a full disk keeps no part of one', async () => {
  const mount = temp.disk('ext4', 64);
  const location = join(mount, 'repository');
  const place = await new RealHost(temp).open();
  const { client } = place;
  const added = await client.destinations.add({ name: 'own', location, password: 'p' });
  const source = place.write('source', { 'small.txt': 'small', 'large.bin': randomBytes(20 * MiB) });
  const plan = await client.plans.create({
    name: 'P',
    sources: [{ kind: 'path', path: source }],
    destinations: [added.destination.id],
    schedule: { when: { kind: 'manual' } },
  });
  for (const run of await client.plans.run({ id: plan.id })) {
    expect(await place.ended(run)).toMatchObject({ state: 'succeeded' });
  }
  await place.quiet();
  execFileSync('mount', ['-o', 'remount,ro', mount]);

  const restore = async (host: RealHost, destinationId: string, path: string, format: 'zip' | 'tar') => {
    const target = { kind: 'archive', path, format } as const;
    return host.ended(await host.client.runs.restore({ destinationId, versionId: 'latest', target }));
  };
  const zip = join(place.home, 'out.zip');
  // Its own destination: the lock can't be taken, which stops nobody from reading.
  expect(await restore(place, added.destination.id, zip, 'zip')).toMatchObject({ state: 'succeeded' });
  execFileSync('unzip', ['-tq', zip]);

  const other = await new RealHost(temp).open();
  const test = await other.client.destinations.test({ location, password: 'p' });
  expect(test).toMatchObject({ repository: true, writable: false, problem: { code: 'read-only' } });
  const read = { name: 'read', location, password: 'p', readOnly: true };
  const { destination } = await other.client.destinations.add(read);
  const tar = join(other.home, 'out.tar');
  expect(await restore(other, destination.id, tar, 'tar')).toMatchObject({ state: 'succeeded' });
  execFileSync('tar', ['-xf', tar, '-C', other.home]);
  execFileSync('cmp', [join(source, 'large.bin'), join(other.home, source, 'large.bin')]);

  const full = temp.disk('ext4', 16);
  for (const format of ['zip', 'tar'] as const) {
    const run = await restore(other, destination.id, join(full, `out.${format}`), format);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'no-space' }, problemCount: 0 });
  }
  expect(fs.readdirSync(full)).toEqual(['lost+found']);
  await other.close();
  await place.close();
});
