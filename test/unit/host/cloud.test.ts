/** A cloud that is signed in to in a browser, by the host and by the command line. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createHost } from '../../../src/host/engine.ts';
import { loginName, readLogin } from '../../../src/host/logins.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { DriveServer } from '../../servers/drive.ts';

const temp = useTemp();
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function aDrive() {
  const drive = await DriveServer.start();
  open.push(drive);
  const client = { clientId: drive.login.clientId, clientSecret: drive.login.clientSecret };
  const { 'gdrive.client-id': _, ...options } = Object.fromEntries(drive.options);
  return { drive, client, options };
}

/** The browser goes where it is sent, to the end. */
const browse = async (url: string) => (await fetch(url)).status;

it('is signed in to, backed up to, and signed in to again when the login was revoked', async () => {
  const { drive, client, options } = await aDrive();
  const place = await new RealHost(temp).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  const { destinations } = place.client;
  const signIn = async () => {
    const { signInId, url } = await destinations.signIn({ kind: 'gdrive', options, ...client });
    const ended = destinations.signedIn({ signInId });
    expect(await browse(url)).toBe(200);
    return { signInId, account: (await ended).account };
  };
  const first = await signIn();
  expect(first.account).toContain('@');
  const location = 'gdrive:Holdfast/box';
  const { signInId } = first;
  expect(await destinations.test({ location, options, signInId })).toMatchObject({
    writable: true,
    problem: null,
  });
  const { destination } = await destinations.add({ name: 'drive', location, options, signInId });
  expect(destination).toMatchObject({ kind: 'gdrive', facts: { account: first.account } });

  const plan = await place.client.plans.create({
    name: 'plan',
    sources: [{ kind: 'path', path: place.write('source', { a: 'one', b: 'two' }) }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' } },
  });
  const backUp = async () => place.ended((await place.client.plans.run({ id: plan.id }))[0]!);
  // Tokens that have died are renewed, and what is renewed is kept.
  const name = loginName(destination.id);
  const before = await readLogin(place.host.secrets, name);
  drive.login.expireAll();
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  expect(drive.login.refreshed).toBeGreaterThan(0);
  const after = await readLogin(place.host.secrets, name);
  expect(after?.accessToken).not.toBe(before?.accessToken);
  expect(after?.refreshToken).toBe(before?.refreshToken);

  await place.quiet();
  drive.login.revokeAll();
  expect(await backUp()).toMatchObject({ state: 'failed', error: { code: 'auth-expired' } });
  expect(await destinations.get({ id: destination.id })).toMatchObject({ problem: { code: 'auth-expired' } });
  const again = await signIn();
  const mended = await destinations.setLogin({ id: destination.id, signInId: again.signInId });
  expect(mended.problem).toBeNull();
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  const check = await destinations.check({ id: destination.id, percent: null });
  const report = (await place.ended(check)).report;
  expect(report).toMatchObject({ kind: 'check', findings: [] });
  // The service keeps SHA-256 of each file, which is the name of a pack.
  expect(report?.kind === 'check' && report.packsProven === report.packs && report.packs > 0).toBe(true);
});

it('says that the person refused, and lets them try again', async () => {
  const { drive, client, options } = await aDrive();
  const place = await new RealHost(temp).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  drive.login.consents = false;
  const { signInId, url } = await place.client.destinations.signIn({ kind: 'gdrive', options, ...client });
  const ended = expect(place.client.destinations.signedIn({ signInId })).rejects.toMatchObject({
    code: 'auth-expired',
  });
  await browse(url);
  await ended;
  await expect(place.client.destinations.signIn({ kind: 'gdrive', options })).rejects.toMatchObject({
    code: 'usage',
  });
});

it('is signed in to for the command line, whose login is kept sealed and used for --repo', async () => {
  const { drive, client, options } = await aDrive();
  const dataDir = temp.dir();
  const env = { HOLDFAST_DATA_DIR: dataDir };
  const host = createHost(env);
  const storageOptions = new Map(Object.entries(options));
  const tls = { caFiles: [], insecure: false, stuckRequestMs: 10_000 };
  const settings = {
    extraVerify: true,
    limits: { upload: 0, download: 0 },
    cacheDir: null,
    packSize: 0,
    tls,
  };
  const asked = {
    location: 'gdrive:Holdfast/cli',
    password: async () => 'x',
    keyHint: undefined,
    settings: { ...settings, compression: 'auto', storageOptions },
    signal: AbortSignal.timeout(60_000),
    warn: () => undefined,
  } as const;
  await expect(host.createRepository({ ...asked, version: 2 })).rejects.toMatchObject({
    name: 'EngineError',
  });
  expect(existsSync(join(dataDir, 'secrets.key'))).toBe(false);
  const login = await host.beginLogin({ location: 'gdrive:', options: storageOptions, dataDir, ...client });
  const done = login.done({ signal: asked.signal });
  expect(await browse(login.url)).toBe(200);
  expect(await done).toContain('@');
  login.close();
  const made = await host.createRepository({ ...asked, version: 2 });
  await made.close();
  // Another process, an hour later.
  drive.login.expireAll();
  const opened = await createHost(env).openRepository(asked);
  expect(opened.id).toBe(made.id);
  await opened.close();
  const refreshed = drive.login.refreshed;
  await (await createHost(env).openRepository(asked)).close();
  expect(drive.login.refreshed).toBe(refreshed);
  const sealed = RealHost.bytesBelow(dataDir).toString('latin1');
  expect(sealed).not.toContain('refresh.');
});
