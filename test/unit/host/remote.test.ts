/** Repositories on servers: as the command line opens them, and as destinations. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createHost } from '../../../src/host/engine.ts';
import { SharedPaces } from '../../../src/host/shared-paces.ts';
import { CERTIFICATE, KEY } from '../../helpers/certificate.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useTemp } from '../../helpers/scope.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { RestServer, type RestServerOptions } from '../../servers/rest.ts';

const temp = useTemp();
const LOGIN = { username: 'ann', password: 'a password' };

const TLS = { cert: CERTIFICATE, key: KEY };

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function aServer(o: RestServerOptions = {}): Promise<RestServer> {
  const server = await RestServer.start(o);
  open.push(server);
  return server;
}

async function aHost(env: Record<string, string> = {}): Promise<RealHost> {
  const place = await new RealHost(temp, { env }).open();
  open.push({ [Symbol.asyncDispose]: () => place.close() });
  return place;
}

function trusted(): string {
  const file = join(temp.dir(), 'trusted.pem');
  fs.writeFileSync(file, CERTIFICATE);
  return file;
}

interface Asked {
  readonly env?: Record<string, string>;
  readonly options?: Record<string, string>;
  readonly caFiles?: readonly string[];
}

/** What the command line asks for. */
function asked(location: string, { options = {}, caFiles = [] }: Asked = {}) {
  const tls = {
    caFiles,
    clientCertificate: undefined,
    insecure: false,
    userAgent: 'me',
    stuckRequestMs: 10_000,
  };
  const settings = {
    compression: 'auto',
    packSize: 0,
    extraVerify: true,
    limits: { upload: 0, download: 0 },
    cacheDir: null,
    storageOptions: new Map(Object.entries(options)),
    tls,
  } as const;
  const common = { location, password: async () => 'x', keyHint: undefined, settings };
  return { ...common, signal: AbortSignal.timeout(30_000), warn: () => undefined };
}

describe('the command line', () => {
  it('makes and opens a repository behind TLS, with the login and the trust that it is given', async () => {
    const server = await aServer({ login: LOGIN, tls: TLS });
    const location = `rest:${server.target()}`;
    const env = { RESTIC_REST_USERNAME: LOGIN.username, RESTIC_REST_PASSWORD: LOGIN.password };
    const caFiles = [trusted()];
    await expect(createHost(env).createRepository({ ...asked(location), version: 2 })).rejects.toMatchObject({
      code: 'permission',
    });
    await expect(
      createHost({}).createRepository({ ...asked(location, { caFiles }), version: 2 }),
    ).rejects.toMatchObject({ code: 'auth-expired' });
    const made = await createHost(env).createRepository({ ...asked(location, { caFiles }), version: 2 });
    await made.close();
    const opened = await createHost(env).openRepository(asked(location, { caFiles }));
    expect(opened.id).toBe(made.id);
    await opened.close();
    expect(server.seen.some(({ headers }) => headers['user-agent'] === 'me')).toBe(true);
  });

  it('hands settings of the storage on, which knows its own', async () => {
    const server = await aServer();
    const wrong = asked(`rest:${server.target()}`, { options: { 'rest.conections': '3' } });
    await expect(createHost({}).openRepository(wrong)).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('rest.connections'),
    });
  });
});

describe('a destination on a server', () => {
  it('is trusted by the variables of the host, and tells whose it is', async () => {
    const server = await aServer({ login: LOGIN, tls: TLS, appendOnly: true });
    const location = `rest:${server.target()}`;
    const place = await aHost({ HOLDFAST_CACERT: trusted() });
    const { destination } = await place.client.destinations.add({ name: 'server', location, login: LOGIN });
    expect(destination).toMatchObject({ kind: 'rest', facts: { account: 'ann', appendOnly: true } });
    expect(await place.client.destinations.retest({ id: destination.id })).toMatchObject({
      repository: true,
      writable: true,
      problem: null,
      facts: { appendOnly: true },
    });
  });

  it('is not added with a password in its location', async () => {
    const server = await aServer({ login: LOGIN });
    const place = await aHost();
    const location = `rest:${server.target('ann:a password')}`;
    await expect(place.client.destinations.add({ name: 'server', location })).rejects.toMatchObject({
      code: 'usage',
      message: expect.not.stringContaining('a password@'),
    });
    expect(server.seen).toEqual([]);
  });

  it('comes over from a configuration with its settings, once its login is given', async () => {
    const server = await aServer({ login: LOGIN });
    const place = await aHost();
    const added = await place.client.destinations.add({
      name: 'server',
      location: `rest:${server.target()}`,
      options: { 'rest.connections': '2' },
      password: 'of the repository',
      login: LOGIN,
    });
    const { yaml } = await place.client.config.export();
    expect(yaml).toContain('rest.connections');
    expect(yaml).not.toContain(LOGIN.password);
    const other = await aHost();
    const passwords = { server: 'of the repository' };
    await expect(other.client.config.import({ yaml, passwords })).rejects.toMatchObject({
      code: 'auth-expired',
      message: expect.stringContaining('“server”'),
      hint: expect.stringContaining('import once more'),
    });
    await other.client.config.import({ yaml, passwords, logins: { server: LOGIN } });
    expect(await other.client.destinations.list()).toEqual([
      expect.objectContaining({
        repositoryId: added.destination.repositoryId,
        options: { 'rest.connections': '2' },
      }),
    ]);
  });
});

describe('limits', () => {
  const NONE = { uploadLimit: null, downloadLimit: null };
  const SLOW = { uploadLimit: 1000, downloadLimit: null };

  it('of all and of one destination are shared by those who work at the same time', async () => {
    const clock = new VirtualClock(0);
    const paces = new SharedPaces(clock);
    const [mine] = paces.of(SLOW, { id: 'a', ...NONE });
    const [others] = paces.of(SLOW, { id: 'b', ...NONE });
    let done = 0;
    const sending = [mine!.up(5000), others!.up(1000).then(() => done++)];
    // Alone it would take a second.
    await clock.advance(5500);
    expect(done).toBe(0);
    await clock.advance(500);
    expect(done).toBe(1);
    await Promise.all(sending);
    expect(paces.of(NONE, { id: 'a', ...NONE })).toEqual([]);
    expect(paces.of(SLOW, { id: 'a', ...SLOW })).toHaveLength(2);
  });

  it('that have changed hold for what begins later', () => {
    const paces = new SharedPaces(new VirtualClock(0));
    const [before] = paces.of(SLOW, { id: 'a', ...NONE });
    const [same] = paces.of(SLOW, { id: 'a', ...NONE });
    const [after] = paces.of({ ...SLOW, uploadLimit: 2000 }, { id: 'a', ...NONE });
    expect(same).toBe(before);
    expect(after).not.toBe(before);
  });
});
