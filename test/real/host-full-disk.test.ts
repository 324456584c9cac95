/** Destinations on real disks that are full or mounted read-only: what the host says and does about them. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RealHost } from '../helpers/real-host.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();
const MiB = 1 << 20;

it('a full or write-protected disk is named, alerted, and well again when it is', async () => {
  const mount = temp.disk('ext4', 64);
  const place = await new RealHost(temp, { mode: 'serve' }).open();
  const { client } = place;
  const { destination } = await client.destinations.add({
    name: 'small',
    location: join(mount, 'repository'),
  });
  const source = place.write('source', { 'small.txt': 'fits' });
  const plan = await client.plans.create({
    name: 'Too large',
    sources: [{ kind: 'path', path: source }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' } },
  });
  const backUp = async () => {
    const [run] = await client.plans.run({ id: plan.id });
    const ended = await place.ended(run!);
    await place.quiet();
    return ended;
  };
  expect(await backUp()).toMatchObject({ state: 'succeeded' });

  fs.writeFileSync(join(source, 'large.bin'), randomBytes(100 * MiB));
  expect(await backUp()).toMatchObject({ state: 'failed', error: { code: 'no-space' } });
  expect(await client.destinations.get({ id: destination.id })).toMatchObject({
    problem: { code: 'no-space' },
  });
  const open = () => place.host.store.alerts.open().map((alert) => alert.kind);
  expect(open()).toContain('run-failed');
  fs.rmSync(join(source, 'large.bin'));
  const cleaned = await place.ended(await client.destinations.cleanUp({ id: destination.id }));
  expect(cleaned).toMatchObject({ state: 'succeeded' });
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  expect(open()).not.toContain('run-failed');
  expect(await client.destinations.get({ id: destination.id })).toMatchObject({ problem: null });

  execFileSync('mount', ['-o', 'remount,ro', mount]);
  fs.writeFileSync(join(source, 'small.txt'), 'changed');
  expect(await backUp()).toMatchObject({ state: 'failed', error: { code: 'read-only' } });
  const test = { location: destination.location };
  expect(await client.destinations.test(test)).toMatchObject({
    repository: true,
    writable: false,
    problem: { code: 'read-only' },
  });
  const other = { name: 'other', location: join(mount, 'other') };
  await expect(client.destinations.add(other)).rejects.toMatchObject({
    code: 'read-only',
    message: expect.stringContaining(other.location),
  });
  expect((await client.versions.list({ destinationId: destination.id })).length).toBe(2);
  execFileSync('mount', ['-o', 'remount,rw', mount]);
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  const check = await client.destinations.check({ id: destination.id, percent: 100 });
  expect(await place.ended(check)).toMatchObject({ state: 'succeeded', report: { findings: [] } });
  await place.close();
});
