import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { HEADERS } from '../../../src/server/guards.ts';
import { httpClient } from '../../../src/transport/http.ts';
import { useTemp } from '../../helpers/scope.ts';
import { tree, writeTree } from '../../helpers/tree.ts';
import {
  type Answer,
  cookieIn,
  form,
  MemoryAuthStore,
  PASSWORD,
  passwordHash,
  sameOrigin,
  start,
  stopAll,
  talk,
} from './fixture.ts';

afterEach(stopAll);
const temp = useTemp();
const DAY = 86_400_000;
const CALL = { json: { location: 'x' } };

const withPassword = async () => {
  const auth = new MemoryAuthStore();
  auth.hash = await passwordHash();
  return { auth };
};

const call = (port: number, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...sameOrigin(port), ...headers },
  body: JSON.stringify(CALL),
});

function assets(): string {
  const folder = temp.dir('assets');
  writeTree(
    folder,
    tree({
      www: {
        'index.html': '<!doctype html>the window',
        assets: { 'index-BxY3a9_Q.js': 'run()', 'plain.js': 'run()' },
        '.secret': 'hidden',
      },
      'outside.txt': 'outside',
    }),
  );
  fs.symlinkSync(join(folder, 'nowhere'), join(folder, 'www', 'dangling.txt'));
  return join(folder, 'www');
}

describe('signing in by the link', () => {
  it('gives a session for the token and leads to an address without it', async () => {
    const { ask, startPath, server } = await start({ assets: assets() });
    expect(server.startUrl()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/);
    const answer = await ask(startPath());
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe('/');
    expect(answer.headers['referrer-policy']).toBe('no-referrer');
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(
          `^holdfast_session_${server.port}=[\\w-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$`,
        ),
      ),
    ]);
    const page = await ask('/', { headers: { cookie: cookieIn(answer) } });
    expect(page).toMatchObject({ status: 200, text: '<!doctype html>the window' });
  });

  it('works once', async () => {
    const { ask, startPath } = await start();
    const path = startPath();
    const [one, other] = await Promise.all([ask(path), ask(path)]);
    expect([cookieIn(one), cookieIn(other)].filter((cookie) => cookie !== '')).toHaveLength(1);
    const again = await ask(path);
    expect(again).toMatchObject({ status: 303, headers: { location: '/sign-in?link=used' } });
    expect(cookieIn(again)).toBe('');
    expect((await ask('/sign-in?link=used')).text).toContain('used before');
  });

  it('works for a day, and not for who only looks', async () => {
    const { ask, startPath, clock } = await start();
    const path = startPath();
    await ask(path, { method: 'HEAD' });
    clock.pass(DAY);
    expect(cookieIn(await ask(path))).not.toBe('');
    const late = startPath();
    clock.pass(DAY + 1);
    expect(cookieIn(await ask(late))).toBe('');
  });

  it.each(['', 'x', 'A'.repeat(43), '\u0000', '%00'])('refuses the token %j', async (token) => {
    const { ask } = await start();
    const answer = await ask(`/?token=${encodeURIComponent(token)}`);
    expect(cookieIn(answer)).toBe('');
    expect(answer.headers.location).toBe('/sign-in?link=used');
  });

  it('keeps only hashes of what lets somebody in, and writes no token to the log', async () => {
    const { ask, startPath, auth, logged } = await start();
    const path = startPath();
    const id = cookieIn(await ask(path)).split('=')[1] ?? '';
    expect(id).toHaveLength(43);
    expect(auth.sessions).toBeDefined();
    expect(auth.sessions).not.toContain(id);
    expect(logged.join()).not.toContain(path.slice(8));
  });
});

describe('a session', () => {
  it('is needed for everything but health and sign-in', async () => {
    const { ask, server, probe } = await start({ assets: assets() });
    for (const path of ['/', '/plans', '/index.html', '/assets/plain.js', '/metrics']) {
      expect(await ask(path), path).toMatchObject({ status: 401 });
    }
    expect(await ask('/rpc/destinations/test', call(server.port))).toMatchObject({ status: 401 });
    const page = await ask('/plans', { headers: { accept: 'text/html' } });
    expect(page).toMatchObject({ status: 303, headers: { location: '/sign-in' } });
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ask('/sign-in')).toMatchObject({ status: 200 });
    expect(probe.calls).toBe(0);
  });

  it('is not had by a made-up cookie', async () => {
    const { ask, server, cookie } = await start();
    const real = await cookie();
    const name = `holdfast_session_${server.port}`;
    for (const made of [`${name}=`, `${name}=${randomBytes(32).toString('base64url')}`, real.slice(0, -1)]) {
      expect(await ask('/metrics', { headers: { cookie: made } })).toMatchObject({ status: 401 });
    }
    expect(await ask('/metrics', { headers: { cookie: `a=b; ${real}; c=d` } })).toMatchObject({
      status: 200,
    });
  });

  it('ends after thirty days without use', async () => {
    const { ask, clock, cookie } = await start();
    const headers = { cookie: await cookie() };
    for (let i = 0; i < 3; i++) {
      clock.pass(30 * DAY);
      expect(await ask('/metrics', { headers })).toMatchObject({ status: 200 });
    }
    clock.pass(30 * DAY + 1);
    expect(await ask('/metrics', { headers })).toMatchObject({ status: 401 });
  });

  it('outlives the server, however it is read back', async () => {
    const first = await start();
    const cookie = await first.cookie();
    await first.server.close();
    const auth = first.auth;
    const again = await start({ auth, port: first.server.port });
    expect(await again.ask('/metrics', { headers: { cookie } })).toMatchObject({ status: 200 });
    auth.sessions = '{"damaged';
    const third = await start({ auth });
    const renamed = cookie.replace(`${first.server.port}`, `${third.server.port}`);
    expect(await third.ask('/metrics', { headers: { cookie: renamed } })).toMatchObject({ status: 401 });
  });

  it('ends by signing out, there and in the store', async () => {
    const { ask, server, auth, cookie } = await start();
    const headers = { cookie: await cookie(), ...sameOrigin(server.port) };
    const out = await ask('/sign-out', { method: 'POST', headers });
    expect(out).toMatchObject({ status: 303, headers: { location: '/sign-in' } });
    expect(out.headers['set-cookie']?.[0]).toContain('Max-Age=0');
    expect(await ask('/metrics', { headers })).toMatchObject({ status: 401 });
    expect(JSON.parse(auth.sessions ?? '')).toEqual([]);
  });

  it('ends for all when asked for', async () => {
    const { ask, server, cookie } = await start();
    const cookies = [await cookie(), await cookie()];
    await server.signOutAll();
    for (const one of cookies) expect((await ask('/metrics', { headers: { cookie: one } })).status).toBe(401);
  });

  it('is one of a hundred at most; the one least used goes', async () => {
    const { ask, clock, cookie } = await start();
    const first = await cookie();
    const second = await cookie();
    clock.pass(1);
    await ask('/metrics', { headers: { cookie: first } });
    for (let i = 0; i < 99; i++) await cookie();
    expect((await ask('/metrics', { headers: { cookie: first } })).status).toBe(200);
    expect((await ask('/metrics', { headers: { cookie: second } })).status).toBe(401);
  });
});

describe('signing in by password', () => {
  it('is needed before others can reach the server', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'usage' });
    await expect(start({ host: '192.0.2.1' })).rejects.toThrow('no password is set');
    const { server } = await start({ host: '0.0.0.0', ...(await withPassword()) });
    expect(server.origin).toBe(`http://localhost:${server.port}`);
  });

  it('gives a session for the right password only', async () => {
    const { ask, server, logged } = await start(await withPassword());
    expect((await ask('/sign-in')).text).toContain('type="password"');
    const wrong = await ask('/sign-in', form(server.port, 'wrong horse'));
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('not the password');
    expect(cookieIn(wrong)).toBe('');
    const right = await ask('/sign-in', form(server.port, PASSWORD));
    expect(right).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(await ask('/metrics', { headers: { cookie: cookieIn(right) } })).toMatchObject({ status: 200 });
    expect(logged).toEqual(['warning A sign-in from 127.0.0.1 failed.']);
  });

  it('is not offered while none is set', async () => {
    const { ask, server } = await start();
    expect((await ask('/sign-in')).text).not.toContain('type="password"');
    expect((await ask('/sign-in', form(server.port, ''))).status).toBe(401);
    expect((await ask('/sign-in', form(server.port, 'undefined'))).status).toBe(401);
  });

  it('can not be hammered', async () => {
    const { ask, server, clock } = await start(await withPassword());
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => ask('/sign-in', form(server.port, 'guess'))),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(25);
    expect(refused[0]?.headers['retry-after']).toBe('2');
    // Not even the right one helps now.
    expect((await ask('/sign-in', form(server.port, PASSWORD))).status).toBe(429);
    clock.pass(2000);
    expect((await ask('/sign-in', form(server.port, 'guess'))).status).toBe(401);
    expect((await ask('/sign-in', form(server.port, PASSWORD))).headers['retry-after']).toBe('4');
    clock.pass(4000);
    expect((await ask('/sign-in', form(server.port, PASSWORD))).status).toBe(303);
    expect((await ask('/sign-in', form(server.port, 'guess'))).status).toBe(401);
  });

  it('counts wrong links as tries, but lets the right link in', async () => {
    const { ask, startPath } = await start();
    const path = startPath();
    for (let i = 0; i < 5; i++) expect((await ask(`/?token=x${i}`)).status).toBe(303);
    expect((await ask('/?token=y')).status).toBe(429);
    expect(cookieIn(await ask(path))).not.toBe('');
  });

  it('takes a form only', async () => {
    const { ask, server } = await start(await withPassword());
    const headers = { 'content-type': 'application/json', ...sameOrigin(server.port) };
    const json = { method: 'POST', headers, body: JSON.stringify({ password: PASSWORD }) };
    expect((await ask('/sign-in', json)).status).toBe(415);
    expect((await ask('/sign-in', form(server.port, 'x'.repeat(20_000)))).status).toBe(413);
  });

  it('sets a cookie for HTTPS where a proxy answers to it', async () => {
    const { ask } = await start({ ...(await withPassword()), origins: ['https://backup.home'] });
    const headers = {
      host: 'backup.home',
      origin: 'https://backup.home',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const answer = await ask('/sign-in', { method: 'POST', headers, body: `password=${PASSWORD}` });
    expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  });
});

describe('guards', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '192.0.2.7',
    'localhost@evil.example',
    'a b',
  ])('answer to no Host %j', async (host) => {
    const { ask, cookie } = await start();
    const headers = { host, cookie: await cookie() };
    expect((await ask('/healthz', { headers })).status).toBe(421);
    expect((await ask('/metrics', { headers })).status).toBe(421);
  });

  it('answer to nobody without a Host', async () => {
    const { server } = await start();
    expect(await talk(server.port, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 421 /);
    const empty = 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n';
    expect(await talk(server.port, empty)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('answer to the names and addresses of this machine', async () => {
    const { ask } = await start({ names: ['NAS'] });
    for (const host of ['localhost', 'localhost:99', '127.0.0.1:1', '[::1]:8484', 'nas', 'nas:8484']) {
      expect((await ask('/healthz', { headers: { host } })).status, host).toBe(200);
    }
    const wide = await start({ host: '0.0.0.0', ...(await withPassword()) });
    expect((await wide.ask('/healthz', { headers: { host: '192.0.2.7:8484' } })).status).toBe(200);
    expect((await wide.ask('/healthz', { headers: { host: 'evil.example' } })).status).toBe(421);
  });

  const FOREIGN: readonly Readonly<Record<string, string>>[] = [
    {},
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { origin: 'https://127.0.0.1' },
    { origin: 'http://localhost' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', 'x-holdfast-client': '1' },
    { origin: 'http://evil.example', 'x-holdfast-client': '1' },
  ];
  it.each(FOREIGN)('refuse what may come from another site: %j', async (said) => {
    const { ask, cookie, probe, server } = await start(await withPassword());
    const headers = { cookie: await cookie(), 'content-type': 'application/json', ...said };
    const body = JSON.stringify(CALL);
    expect((await ask('/rpc/destinations/test', { method: 'POST', headers, body })).status).toBe(403);
    expect((await ask('/sign-out', { method: 'POST', headers, body: '' })).status).toBe(403);
    const posted = { ...form(server.port, PASSWORD) };
    const formHeaders = { 'content-type': 'application/x-www-form-urlencoded', ...said };
    expect((await ask('/sign-in', { ...posted, headers: formHeaders })).status).toBe(403);
    expect(probe.calls).toBe(0);
    expect((await ask('/metrics', { headers: { cookie: headers.cookie } })).status).toBe(200);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'take no call as %j',
    async (type) => {
      const { ask, cookie, server, probe } = await start();
      const asked = call(server.port, { cookie: await cookie(), 'content-type': type });
      expect((await ask('/rpc/destinations/test', asked)).status).toBe(415);
      expect(probe.calls).toBe(0);
    },
  );

  it('let calls of our own in', async () => {
    const { ask, cookie, server, probe } = await start();
    const headers = { cookie: await cookie() };
    expect(await ask('/rpc/destinations/test', call(server.port, headers))).toMatchObject({ status: 200 });
    const client = httpClient({ origin: server.origin, headers });
    expect(await client.destinations.test({ location: 'x' })).toMatchObject({ repository: true });
    const stranger = httpClient({ origin: server.origin });
    await expect(stranger.destinations.test({ location: 'x' })).rejects.toMatchObject({
      code: 'auth-expired',
    });
    await expect(client.plans.list()).rejects.toMatchObject({ code: 'unsupported' });
    expect(probe.calls).toBe(2);
  });

  it('know three methods', async () => {
    const { ask, cookie, server } = await start();
    const headers = { cookie: await cookie(), ...sameOrigin(server.port) };
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      expect((await ask('/', { method, headers })).status, method).toBe(405);
    }
    expect((await ask('/rpc/destinations/test', { headers })).status).toBe(405);
    expect((await ask('/plans', { method: 'POST', headers, body: '' })).status).toBe(405);
    expect((await ask('/ws', { headers })).status).toBe(426);
  });

  it.each([
    '/../outside.txt',
    '/assets/../../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/%252e%252e/outside.txt',
    '/..%252foutside.txt',
    '/..\\outside.txt',
    '/..%5coutside.txt',
    '/%255c..%255coutside.txt',
    '/index.html%00.js',
    '/index.html%2500',
    '/.secret',
    '/%2esecret',
    '//evil.example/',
    '/a//b',
    '/%',
    '/%ff',
    'http://evil.example/',
  ])('give nothing for %s', async (path) => {
    const { cookie, server } = await start({ assets: assets() });
    const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${await cookie()}\r\nConnection: close\r\n\r\n`;
    const heard = await talk(server.port, head);
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard).not.toMatch(/outside|hidden|the window/);
    expect(await talk(server.port, head.replace(path, `/${'x'.repeat(9000)}`))).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('put their headers on every answer', async () => {
    const { ask, startPath, cookie, server } = await start({ assets: assets(), ...(await withPassword()) });
    const headers = { cookie: await cookie() };
    const answers: Record<string, Answer> = {
      link: await ask(startPath()),
      refused: await ask('/metrics'),
      page: await ask('/', { headers }),
      file: await ask('/assets/plain.js', { headers }),
      missing: await ask('/assets/none.js', { headers }),
      path: await ask('/.x'),
      host: await ask('/', { headers: { host: 'evil.example' } }),
      call: await ask('/rpc/destinations/test', call(server.port, headers)),
      unknown: await ask('/rpc/nope', call(server.port, headers)),
      foreign: await ask('/sign-out', { method: 'POST', body: '' }),
      health: await ask('/healthz'),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const { 'cache-control': caching, ...others } = HEADERS;
      expect(answer.headers, name).toMatchObject(others);
      expect(answer.headers['cache-control'], name).toMatch(/^(no-store|no-cache)$/);
      expect(answer.headers['x-powered-by'], name).toBeUndefined();
    }
    const signIn = await ask('/sign-in');
    expect(signIn.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/default-src 'none'.*style-src 'sha256-/),
    });
    expect(signIn.text).not.toContain('<script');
  });
});

describe('bodies', () => {
  it('have an end, and say where', async () => {
    const { ask, cookie, server, probe } = await start();
    const headers = { cookie: await cookie() };
    const large = { ...call(server.port, headers), body: 'x'.repeat(8 * 1024 * 1024 + 1) };
    const answer = await ask('/rpc/destinations/test', large).catch((e: NodeJS.ErrnoException) => e.code);
    // The server hangs up on who goes on sending, so the answer may be lost on the way.
    expect(answer === 'ECONNRESET' || answer === 'EPIPE' || (answer as Answer).status === 413).toBe(true);
    const heads = (length: string) =>
      `POST /rpc/destinations/test HTTP/1.1\r\nHost: localhost\r\nCookie: ${headers.cookie}\r\n` +
      `Origin: http://localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;
    expect(await talk(server.port, heads('Content-Length: 99999999'))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await talk(server.port, heads('Transfer-Encoding: chunked'))).toMatch(/^HTTP\/1\.1 411 /);
    expect(await talk(server.port, heads('Content-Length: -1'))).toMatch(/^HTTP\/1\.1 400 /);
    expect(await talk(server.port, heads('Content-Length: 5\r\nTransfer-Encoding: chunked'))).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(probe.calls).toBe(0);
  });

  it('must come before long, and so must headers', async () => {
    const { server, cookie, probe } = await start({ timeouts: { headers: 200, request: 300 } });
    const cookieText = await cookie();
    const head =
      `POST /rpc/destinations/test HTTP/1.1\r\nHost: localhost:${server.port}\r\nCookie: ${cookieText}\r\n` +
      `Origin: http://localhost:${server.port}\r\nContent-Type: application/json\r\n`;
    const [body, headers] = await Promise.all([
      talk(server.port, `${head}Content-Length: 100\r\n\r\n{"json"`),
      talk(server.port, head),
    ]);
    expect(body).toMatch(/^HTTP\/1\.1 408 /);
    expect(headers).toMatch(/^HTTP\/1\.1 408 /);
    expect(probe.calls).toBe(0);
  });

  it('may be large below that', async () => {
    const { server, cookie } = await start();
    const client = httpClient({ origin: server.origin, headers: { cookie: await cookie() } });
    expect(await client.config.import({ yaml: 'é'.repeat(3_000_000) })).toMatchObject({ created: 3_000_000 });
  });

  it('that are nonsense get an answer', async () => {
    const { ask, server, cookie, probe } = await start();
    const headers = { cookie: await cookie() };
    const deep = `{"json":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    for (const body of ['', '{', 'null', '7', '[]', '{"json":{"location":{}}}', '{"meta":7}', deep]) {
      const answer = await ask('/rpc/destinations/test', { ...call(server.port, headers), body });
      expect(answer.status, body.slice(0, 30)).toBeGreaterThanOrEqual(400);
      expect(answer.status, body.slice(0, 30)).toBeLessThan(500);
      expect(answer.text).not.toMatch(/node_modules|at .*\.ts:/);
    }
    expect(probe.calls).toBe(0);
  });

  it('are not waited for when the browser goes', async () => {
    const { server, cookie, logged, ask } = await start(await withPassword());
    const head =
      `POST /sign-in HTTP/1.1\r\nHost: localhost:${server.port}\r\nCookie: ${await cookie()}\r\n` +
      `Origin: http://localhost:${server.port}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(`${head}Content-Length: 100\r\n\r\npassword=`, () => {
          socket.destroy();
          resolve();
        }),
      );
    });
    expect((await ask('/healthz')).status).toBe(200);
    await server.close();
    expect(logged).toEqual([]);
  });
});

describe('files', () => {
  it('of the window are served, with what their names promise', async () => {
    const { ask, cookie } = await start({ assets: assets() });
    const headers = { cookie: await cookie() };
    const hashed = await ask('/assets/index-BxY3a9_Q.js', { headers });
    expect(hashed).toMatchObject({ status: 200, text: 'run()' });
    expect(hashed.headers['cache-control']).toBe('private, max-age=31536000, immutable');
    expect(hashed.headers['content-type']).toContain('javascript');
    const plain = await ask('/assets/plain.js', { headers });
    expect(plain.headers['cache-control']).toBe('no-cache');
    const etag = plain.headers.etag ?? '';
    expect((await ask('/assets/plain.js', { headers: { ...headers, 'if-none-match': etag } })).status).toBe(
      304,
    );
    const ranged = await ask('/assets/plain.js', { headers: { ...headers, range: 'bytes=9-2' } });
    expect(ranged).toMatchObject({ status: 200, text: 'run()' });
  });

  it('that are none are the window itself, but for what has an ending', async () => {
    const { ask, cookie } = await start({ assets: assets() });
    const headers = { cookie: await cookie() };
    for (const path of ['/plans', '/plans/12?x=1', '/runs/100%25']) {
      expect(await ask(path, { headers }), path).toMatchObject({
        status: 200,
        text: '<!doctype html>the window',
      });
    }
    expect((await ask('/assets/gone-AAAAAAAA.js', { headers })).status).toBe(404);
    expect((await ask('/dangling.txt', { headers })).status).toBe(404);
    const without = await start();
    const mine = { cookie: await without.cookie() };
    expect((await without.ask('/', { headers: mine })).status).toBe(404);
  });

  it.skipIf(process.platform === 'win32')('that cannot be read end their request, not the host', async () => {
    const folder = assets();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(join(folder, 'odd.js'), resolve));
    const { ask, cookie } = await start({ assets: folder });
    const headers = { cookie: await cookie() };
    await expect(ask('/odd.js', { headers })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await ask('/assets/plain.js', { headers })).status).toBe(200);
    await new Promise((resolve) => other.close(resolve));
  });

  it('lead on who comes from another site and kept the cookie back', async () => {
    const { ask } = await start({ assets: assets() });
    const headers = { 'sec-fetch-site': 'cross-site', accept: 'text/html' };
    expect((await ask('/', { headers })).text).toContain('http-equiv="refresh"');
  });
});

describe('health and metrics', () => {
  it('say little of health', async () => {
    let well = true;
    const { ask } = await start({ health: () => well });
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    well = false;
    expect(await ask('/healthz')).toMatchObject({ status: 503, text: 'not ok\n' });
  });

  it("give the metrics for a monitor's token, and hold up who guesses", async () => {
    const auth = new MemoryAuthStore();
    const { ask } = await start({ auth });
    const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await ask('/metrics', bearer('undefined'))).status).toBe(401);
    auth.token = 'monitor-token';
    const answer = await ask('/metrics', bearer('monitor-token'));
    expect(answer).toMatchObject({ status: 200, text: 'holdfast_info 1\n' });
    expect(answer.headers['content-type']).toContain('version=0.0.4');
    const guesses = [];
    for (let i = 0; i < 5; i++) guesses.push((await ask('/metrics', bearer(`guess${i}`))).status);
    expect(guesses).toEqual([401, 401, 401, 401, 429]);
    expect((await ask('/', bearer('monitor-token'))).status).toBe(401);
  });

  it('give the metrics to this machine when told to', async () => {
    const { ask } = await start({ metricsOnLoopback: true });
    expect((await ask('/metrics')).status).toBe(200);
  });

  it('fail without a word of why', async () => {
    const { ask, cookie, logged } = await start({
      metrics: () => Promise.reject(new Error('secret of /home/ann')),
    });
    const answer = await ask('/metrics', { headers: { cookie: await cookie() } });
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('ann');
    expect(logged).toEqual(['error A request failed: secret of /home/ann']);
  });
});

describe('listening', () => {
  it('says so when the port is taken or the address is foreign', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toMatchObject({ code: 'conflict' });
    const foreign = { host: '192.0.2.1', ...(await withPassword()) };
    await expect(start(foreign)).rejects.toMatchObject({ code: 'usage' });
    for (const origin of ['backup.home', 'ftp://backup.home', '']) {
      await expect(start({ origins: [origin] })).rejects.toMatchObject({ code: 'usage' });
    }
  });

  it('ends streams and waits for calls when it closes', async () => {
    const { server, cookie, probe, hub } = await start();
    const client = httpClient({ origin: server.origin, headers: { cookie: await cookie() } });
    const stream = await client.system.events();
    const waiting = stream.next().then(
      () => 'ended',
      (e: { code: string }) => e.code,
    );
    await probe.begun.promise;
    await server.close();
    expect(await waiting).toBe('unreachable');
    while (hub.listeners > 0) await new Promise(setImmediate);
    await expect(client.destinations.test({ location: 'x' })).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('waits five seconds for a call, not longer', async () => {
    const { server, cookie, probe, clock } = await start();
    const client = httpClient({ origin: server.origin, headers: { cookie: await cookie() } });
    const hanging = client.destinations.test({ location: 'hang' }).catch((e: { code: string }) => e.code);
    await probe.begun.promise;
    const closed = server.close();
    clock.pass(5000);
    await closed;
    expect(await hanging).toBe('unreachable');
    await probe.aborted.promise;
  });
});
