/** A destination whose place holds something else than it did: no disk, another repository, or a password that was changed. */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import { spaceOfRepository } from '../../../src/host/asking.ts';
import { createAt, openAt } from '../../../src/host/binding.ts';
import { changePassword } from '../../../src/operations/keys.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
const PASSWORD = 'the same everywhere';
let place: RealHost;
let usb: Destination;
let recoveryKey: string;

beforeAll(async () => {
  place = await new RealHost(shared).open();
  const added = await place.client.destinations.add({
    name: 'usb',
    location: join(place.home, 'usb'),
    password: PASSWORD,
  });
  usb = added.destination;
  recoveryKey = added.recoveryKey ?? '';
});
afterAll(() => place.close());

const retest = () => place.client.destinations.retest({ id: usb.id });
const now = () => place.client.destinations.get({ id: usb.id });

it('is found again by its own password, and what is found is noted', async () => {
  expect(await retest()).toMatchObject({ repository: true, writable: true, problem: null });
  fs.renameSync(usb.location, `${usb.location}-away`);
  const away = await retest();
  expect(away).toMatchObject({ repository: false, problem: { code: 'repository-missing' } });
  expect(await now()).toMatchObject({ problem: away.problem });
  expect(await spaceOfRepository(usb.location, 1)).toBeNull();
  fs.renameSync(`${usb.location}-away`, usb.location);
  expect(await spaceOfRepository(usb.location, 1)).toMatchObject({ at: 1 });
  expect(await retest()).toMatchObject({ problem: null });
  expect(await now()).toMatchObject({ problem: null });
});

it('is not another repository at its place, though that opens by the same password', async () => {
  fs.renameSync(usb.location, `${usb.location}-right`);
  const stranger = await createAt(usb.location, PASSWORD, {});
  await stranger.close();
  const before = fs.readdirSync(usb.location, { recursive: true }).sort();
  expect(await retest()).toMatchObject({ repository: true, writable: false, problem: { code: 'conflict' } });
  await expect(
    place.client.destinations.setPassword({ id: usb.id, password: PASSWORD }),
  ).rejects.toMatchObject({
    code: 'conflict',
  });
  await expect(place.client.versions.list({ destinationId: usb.id })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(fs.readdirSync(usb.location, { recursive: true }).sort()).toEqual(before);
  fs.rmSync(usb.location, { recursive: true });
  fs.renameSync(`${usb.location}-right`, usb.location);
});

it('takes a new password or its recovery key, and only one that opens it', async () => {
  const repository = await openAt(usb.location, PASSWORD, {});
  await changePassword(repository, 'changed elsewhere', { hostname: 'other', username: 'ann' });
  await repository.close();
  expect(await retest()).toMatchObject({ repository: true, problem: { code: 'wrong-password' } });

  const give = (password: string) => place.client.destinations.setPassword({ id: usb.id, password });
  await expect(give('not this one')).rejects.toMatchObject({ code: 'wrong-password' });
  expect(await now()).toMatchObject({ problem: { code: 'wrong-password' } });
  for (const right of ['changed elsewhere', recoveryKey.toUpperCase()]) {
    expect(await give(right)).toMatchObject({ id: usb.id, problem: null, hasRecoveryKey: true });
    expect(await retest()).toMatchObject({ writable: true, problem: null });
    expect(await place.client.versions.list({ destinationId: usb.id })).toEqual([]);
  }
  await expect(
    place.client.destinations.setPassword({ id: randomUUID(), password: 'x' }),
  ).rejects.toMatchObject({
    code: 'not-found',
  });
});
