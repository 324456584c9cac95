/** A login that is not accepted any more, from the run that meets it to the one that goes on after it was set anew. */
import { afterEach, expect, it } from 'vitest';
import { loginName } from '../../../src/host/logins.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { RestServer, type Seen } from '../../servers/rest.ts';

const temp = useTemp();
const MINUTE = 60_000;
const OLD = { username: 'ann', password: 'the old password' };
const NEW = { username: 'ann', password: 'the new password' };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A server whose only login can be changed. */
async function aServer() {
  const login = { ...OLD };
  const server = await RestServer.start({ login });
  open.push(server);
  return { server, change: (to: typeof OLD) => Object.assign(login, to) };
}

async function aHost(server: RestServer) {
  const clock = new VirtualClock('2026-03-02T06:59:30Z');
  const place = await new RealHost(temp, { clock, mode: 'serve' }).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  const location = `rest:${server.target()}`;
  const { destination } = await place.client.destinations.add({ name: 'rest', location, login: OLD });
  await place.quiet();
  const files = Object.fromEntries([...'abcdef'].map((name) => [name, name.repeat(50_000)]));
  const plan = await place.client.plans.create({
    name: 'daily',
    sources: [{ kind: 'path', path: place.write('source', files) }],
    destinations: [destination.id],
    schedule: { when: { kind: 'daily', at: ['07:00'] }, timeZone: 'UTC', jitterMinutes: 0 },
  });
  await place.quiet();
  const status = async () => (await place.client.plans.list())[0]!;
  const runs = () => place.client.runs.list({ planId: plan.id });
  return { clock, place, destination, plan, status, runs };
}

const isPack = ({ method, path }: Seen) => method === 'POST' && path.startsWith('data/');

it('loses nothing: the run ends, the plan waits, and one run goes on when somebody has signed in', async () => {
  const { server, change } = await aServer();
  const { clock, place, destination, plan, status, runs } = await aHost(server);
  // From the first pack on, the old password is no good any more.
  server.harm((seen) => isPack(seen) && change(NEW) !== undefined, { kind: 'answer', status: 401 });
  await clock.advance(MINUTE);
  await place.until(async () => (await runs())[0]?.state === 'failed');
  await place.quiet();
  expect((await runs())[0]?.error).toMatchObject({ code: 'auth-expired', transient: false });
  expect(await status()).toMatchObject({ waitingCode: 'sign-in' });
  const { problem } = await place.client.destinations.get({ id: destination.id });
  expect(problem).toMatchObject({ code: 'auth-expired' });
  const { verdict } = await place.client.system.status();
  expect(
    verdict.reasons.filter(({ level, code }) => level === 'problem' && /sign|failed/.test(code)),
  ).toEqual([
    expect.objectContaining({ code: 'sign-in', fix: { kind: 'sign-in', destinationId: destination.id } }),
  ]);
  const told = (await place.client.alerts.list()).filter(({ endedAt }) => endedAt === null);
  expect(told).toEqual([expect.objectContaining({ kind: 'destination-unreachable' })]);

  // A refused login is not tried again by itself, however long that takes.
  const asked = server.seen.length;
  for (let hour = 0; hour < 5; hour++) await clock.advance(60 * MINUTE);
  expect(server.seen.length).toBe(asked);
  expect(await runs()).toHaveLength(1);

  await expect(
    place.client.destinations.setLogin({ id: destination.id, login: { password: 'wrong' } }),
  ).rejects.toMatchObject({ code: 'auth-expired' });
  expect(await status()).toMatchObject({ waitingCode: 'sign-in' });
  // What is not named stays: the user.
  const after = await place.client.destinations.setLogin({
    id: destination.id,
    login: { password: NEW.password },
  });
  expect(after.problem).toBeNull();
  await place.until(async () => (await runs())[0]?.state === 'succeeded');
  await place.quiet();
  const [again, first, ...others] = await runs();
  expect(others).toEqual([]);
  expect(again).toMatchObject({ trigger: 'continue', previousId: first!.id, attempt: 2 });
  expect(await status()).toMatchObject({ waitingCode: null });
  expect((await place.client.alerts.list()).filter(({ endedAt }) => endedAt === null)).toEqual([]);
  const [version] = await place.client.versions.list({ destinationId: destination.id, planId: plan.id });
  expect(version).toMatchObject({ files: 6 });
  const check = await place.client.destinations.check({ id: destination.id, percent: 100 });
  expect(await place.ended(check)).toMatchObject({ state: 'succeeded' });
});

it('waits before it has begun, and goes on after a test that went well', async () => {
  const { server, change } = await aServer();
  const { clock, place, destination, status, runs } = await aHost(server);
  change(NEW);
  await clock.advance(MINUTE);
  await place.until(async () => (await status()).waitingCode === 'sign-in');
  expect(await runs()).toEqual([]);
  expect(await place.client.destinations.retest({ id: destination.id })).toMatchObject({
    problem: { code: 'auth-expired' },
  });
  // The service takes the old login again.
  change(OLD);
  expect(await place.client.destinations.retest({ id: destination.id })).toMatchObject({ problem: null });
  await place.until(async () => (await runs())[0]?.state === 'succeeded');
  expect(await runs()).toHaveLength(1);
});

it('keeps the login with the secrets only: not in the diary, not in what it says', async () => {
  const { server } = await aServer();
  const place = await new RealHost(temp).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  const location = `rest:${server.target()}`;
  const { destination } = await place.client.destinations.add({ name: 'rest', location, login: OLD });
  expect(await place.host.secrets.get(loginName(destination.id))).toContain(OLD.password);
  expect(JSON.stringify(await place.client.destinations.list())).not.toContain(OLD.password);
  expect((await place.client.config.export()).yaml).not.toContain(OLD.password);
  const data = RealHost.bytesBelow(place.data).toString('latin1');
  expect(data).not.toContain(OLD.password);
  const { id } = destination;
  await place.client.destinations.remove({ id });
  expect(await place.host.secrets.get(loginName(id))).toBeUndefined();
});

it('leaves nothing behind where the login is not accepted in the first place', async () => {
  const { server } = await aServer();
  const place = await new RealHost(temp).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  const before = await place.host.secrets.names();
  const location = `rest:${server.target()}`;
  await expect(place.client.destinations.add({ name: 'rest', location, login: NEW })).rejects.toMatchObject({
    code: 'auth-expired',
  });
  expect(await place.host.secrets.names()).toEqual(before);
  expect(await place.client.destinations.list()).toEqual([]);
  const test = (login: typeof OLD) => place.client.destinations.test({ location, login });
  expect(await test(NEW)).toMatchObject({ repository: false, problem: { code: 'auth-expired' } });
  expect(await test(OLD)).toMatchObject({ repository: false, writable: true, problem: null });
});
