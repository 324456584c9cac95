import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { type Backend, CONFIG_HANDLE } from '../../../src/backend/backend.ts';
import type { StorageSetting } from '../../../src/backend/registry.ts';
import { secondsToWait } from '../../../src/backend/rest/answers.ts';
import { createRest, openRest } from '../../../src/backend/rest/rest.ts';
import { parseTarget } from '../../../src/backend/rest/target.ts';
import { retry } from '../../../src/backend/retry.ts';
import { useTemp } from '../../helpers/scope.ts';
import { type Harm, RestServer, type RestServerOptions } from '../../servers/rest.ts';
import { bytes, fakeClock, named, text } from './support.ts';

const temp = useTemp();
const login = { username: 'ann', password: 'secret' };
const { h, data } = named('pack', '0123456789');
const index = named('index', 'an index');

async function setUp(o: RestServerOptions = {}, setting: StorageSetting = {}) {
  const server = await RestServer.start(o);
  const backend = await openRest(o.socketPath ? unixTarget(o.socketPath) : server.target(), setting);
  onTestFinished(async () => {
    await backend.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, backend };
}

const unixTarget = (socket: string) => `http+unix://${socket}:/some/repo/`;
const keeper = (kept: Record<string, string>) => ({ get: async () => kept, put: async () => {} });
const asked = (server: RestServer) => server.seen.map(({ method, path }) => `${method} ${path}`);
const any = (): boolean => true;

async function listed(b: Backend, type: 'pack' | 'index' = 'pack') {
  const all = [];
  for await (const file of b.list(type)) all.push(file);
  return all;
}

describe('an address', () => {
  it.each([
    ['http://host:8000/path/', 'http://host:8000/path/', 'rest:http://host:8000/path/', undefined],
    ['https://host/path', 'https://host/path/', 'rest:https://host/path/', undefined],
    ['https://host', 'https://host/', 'rest:https://host/', undefined],
    ['https://[::1]:8000/a%20b', 'https://[::1]:8000/a%20b/', 'rest:https://[::1]:8000/a%20b/', undefined],
    ['https://ann:x@host/', 'https://host/', 'rest:https://ann:***@host/', 'ann:x'],
    ['https://ann:a%20b%2F@host/', 'https://host/', 'rest:https://ann:***@host/', 'ann:a b/'],
    [
      'https://ann:p/a@s:s?#%@host:80/r',
      'https://host:80/r/',
      'rest:https://ann:***@host:80/r/',
      'ann:p/a@s:s?#%',
    ],
    ['https://ann@host/r', 'https://host/r/', 'rest:https://ann@host/r/', 'ann:'],
    ['http+unix:///run/a.sock:/r', 'http://localhost/r/', 'rest:http+unix:///run/a.sock:/r/', undefined],
    ['http+unix:///run/a.sock', 'http://localhost/', 'rest:http+unix:///run/a.sock:/', undefined],
  ])('%s', async (target, base, shown, known) => {
    const parsed = await parseTarget(target, {});
    expect(parsed).toMatchObject({ base, shown });
    expect(parsed.login && `${parsed.login.username}:${parsed.login.password}`).toBe(known);
  });

  it.each([
    '',
    'host:8000/path',
    'ftp://host/',
    '/a/path',
    'http://',
    'https://host/?a=b',
    'https://host/#a',
    'http+unix://run',
  ])('“%s” is none', async (target) => {
    const hint = expect.stringContaining('rest:https://');
    await expect(openRest(target)).rejects.toMatchObject({ code: 'usage', hint });
  });

  it('wins over the login, which wins over the environment', async () => {
    const env = { RESTIC_REST_USERNAME: 'env', RESTIC_REST_PASSWORD: 'restic' };
    const ours = { ...env, HOLDFAST_REST_PASSWORD: 'ours' };
    const kept = keeper({ username: 'kept', password: 'word' });
    const loginOf = async (target: string, o: StorageSetting) => (await parseTarget(target, o)).login;
    expect(await loginOf('http://a:b@host', { env, login: kept })).toEqual({ username: 'a', password: 'b' });
    expect(await loginOf('http://host', { env, login: kept })).toEqual({
      username: 'kept',
      password: 'word',
    });
    expect(await loginOf('http://a@host', { env: ours })).toEqual({ username: 'a', password: 'ours' });
    expect(await loginOf('http://host', { env })).toEqual({ username: 'env', password: 'restic' });
  });
});

describe('options', () => {
  const open = (name: string, value: string) =>
    openRest('http://host', { options: new Map([[name, value]]) });

  it('set the connections, five unless told', async () => {
    expect((await openRest('http://host')).traits.connections).toBe(5);
    expect((await open('rest.connections', '12')).traits.connections).toBe(12);
    expect((await open('s3.connections', '12')).traits.connections).toBe(5);
  });

  it('that there are not, or not so, are a wrong call', async () => {
    const hint = expect.stringContaining('rest.connections');
    await expect(open('rest.speed', '1')).rejects.toMatchObject({ code: 'usage', hint });
    for (const value of ['0', '-1', 'many', '', '1.5', '1000']) {
      await expect(open('rest.connections', value)).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

describe('making a repository', () => {
  it('asks the server for its folders, unless there is one', async () => {
    const { server } = await setUp();
    const made = await createRest(server.target());
    expect(asked(server)).toEqual(['HEAD config', 'POST ?create=true']);
    await made.save(CONFIG_HANDLE, [bytes('config')]);
    await made.close();
    await expect(createRest(server.target())).rejects.toMatchObject({ code: 'repository-exists' });
  });

  it('takes the word of a wrong path', async () => {
    const { server } = await setUp();
    const elsewhere = createRest(server.target().replace('/some/', '/none/'));
    await expect(elsewhere).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('path'),
    });
  });
});

describe('a login', () => {
  it('lets in from the keeper, and is refused otherwise', async () => {
    const { backend } = await setUp({ login }, { login: keeper(login) });
    expect(await listed(backend)).toEqual([]);
    expect(await backend.facts?.()).toMatchObject({ account: 'ann' });
    for (const wrong of [{}, { username: 'ann', password: 'wrong' }]) {
      const { backend: outside } = await setUp({ login }, { login: keeper(wrong) });
      const refused = { code: 'auth-expired', transient: false };
      await expect(listed(outside)).rejects.toMatchObject(refused);
      await expect(outside.save(h, data)).rejects.toMatchObject(refused);
      await expect(outside.load(h)).rejects.toMatchObject(refused);
      await expect(outside.stat(h)).rejects.toMatchObject(refused);
      await expect(outside.remove(h)).rejects.toMatchObject(refused);
      await expect(outside.facts?.()).rejects.toMatchObject(refused);
    }
  });

  it('goes over a socket of this machine too', async () => {
    const socketPath = join(temp.dir('socket'), 's');
    const { backend } = await setUp({ socketPath, login }, { login: keeper(login) });
    await backend.save(h, data);
    expect(text(await backend.load(h))).toBe('0123456789');
  });
});

describe('answers', () => {
  const saving = async (harm: Harm) => {
    const { server, backend } = await setUp();
    server.harm(any, harm);
    return backend.save(h, data);
  };

  it.each([
    [400, 'io', true],
    [401, 'auth-expired', false],
    [403, 'permission', false],
    [404, 'not-found', false],
    [405, 'unsupported', false],
    [408, 'timeout', true],
    [413, 'no-space', false],
    [418, 'io', false],
    [429, 'rate-limited', true],
    [500, 'io', true],
    [501, 'unsupported', false],
    [502, 'unreachable', true],
    [503, 'rate-limited', true],
    [504, 'timeout', true],
    [507, 'no-space', false],
    [301, 'usage', false],
  ])('%i is %s (transient: %s)', async (status, code, transient) => {
    const failure = { code, transient, context: { status }, message: expect.stringContaining(h.name) };
    await expect(saving({ kind: 'answer', status })).rejects.toMatchObject(failure);
  });

  it('tell when to come again, and are kept to', async () => {
    const headers = { 'retry-after': '120' };
    const busy: Harm = { kind: 'answer', status: 503, headers };
    await expect(saving(busy)).rejects.toMatchObject({ context: { retryAfterSeconds: 120 } });
    const { server, backend } = await setUp();
    server.harm(any, busy);
    const clock = fakeClock();
    await retry({ clock })(backend).save(h, data);
    expect(clock.slept).toEqual([120_000]);
    expect(server.files.get(`data/${h.name}`)?.toString()).toBe('0123456789');
  });

  it.each([
    ['7', 7],
    ['0', 0],
    ['999999', 3600],
    ['Tue, 24 Nov 2026 18:00:30 GMT', 30],
    ['Tue, 24 Nov 2026 17:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('tell to wait by “%s”', (told, seconds) => {
    expect(secondsToWait(told, Date.parse('2026-11-24T18:00:00Z'))).toBe(seconds);
  });

  it('are quoted where they are a short sentence, without what might be a login', async () => {
    const headers = { 'content-type': 'text/plain', location: 'https://ann:secret@other/repo/?token=x' };
    const sent = { kind: 'answer', status: 302, headers, body: 'go\n away' } as const;
    const hint = 'Give that address instead: https://other/repo/';
    const message = expect.stringContaining('“go away”');
    await expect(saving(sent)).rejects.toMatchObject({ code: 'usage', hint, message });
  });
});

describe('a server', () => {
  it('that takes no file twice is content with the same one', async () => {
    const { server, backend } = await setUp({ verify: true });
    await backend.save(h, data);
    server.harm(any, { kind: 'drop', when: 'done' });
    await retry({ clock: fakeClock() })(backend).save(index.h, index.data);
    await backend.save(index.h, index.data);
    expect(asked(server).filter((line) => line.startsWith('DELETE'))).toEqual([]);
    expect(await listed(backend, 'index')).toEqual([{ name: index.h.name, size: 8 }]);
  });

  it('never loses the config it has', async () => {
    const { server, backend } = await setUp();
    await backend.save(CONFIG_HANDLE, [bytes('one')]);
    await backend.save(CONFIG_HANDLE, [bytes('one')]);
    const refused = { code: 'repository-exists' };
    await expect(backend.save(CONFIG_HANDLE, [bytes('two')])).rejects.toMatchObject(refused);
    expect(server.files.get('config')?.toString()).toBe('one');
  });

  it('replaces a file even if the abort comes between the two steps', async () => {
    const { server, backend } = await setUp();
    await backend.save(h, [bytes('old')]);
    const abort = new AbortController();
    server.harm(
      ({ method }) => {
        if (method === 'DELETE') abort.abort();
        return false;
      },
      { kind: 'silence' },
    );
    await backend.save(h, data, { signal: abort.signal });
    expect(server.files.get(`data/${h.name}`)?.toString()).toBe('0123456789');
  });

  it.each(['done', 'at-once'] as const)(
    'whose answer is lost in an abort (%s) is asked what it has',
    async (when) => {
      const { server, backend } = await setUp();
      const abort = new AbortController();
      server.harm(
        ({ method }) => {
          if (method === 'POST') abort.abort();
          return false;
        },
        { kind: 'silence' },
      );
      server.harm(any, { kind: 'drop', when });
      const again = retry({ clock: fakeClock() })(backend);
      const outcome = await again.save(h, data, { signal: abort.signal }).then(
        () => 'saved',
        (e: unknown) => (e instanceof EngineError ? e.code : e),
      );
      expect(outcome).toBe(when === 'done' ? 'saved' : 'cancelled');
      expect(server.files.has(`data/${h.name}`)).toBe(when === 'done');
    },
  );

  it('that is append-only says so, keeps all but locks, and is found out without harm', async () => {
    const { server, backend } = await setUp({ appendOnly: true });
    await backend.save(h, data);
    const lock = named('lock', 'a lock');
    await backend.save(lock.h, lock.data);
    expect(await backend.facts?.()).toMatchObject({ appendOnly: true, account: null });
    await backend.remove(lock.h);
    const refused = {
      code: 'permission',
      transient: false,
      context: { appendOnly: true },
      message: expect.stringContaining('keeps everything'),
    };
    await expect(backend.remove(h)).rejects.toMatchObject(refused);
    await expect(backend.save(h, [bytes('other')])).rejects.toMatchObject(refused);
    await backend.save(h, data);
    expect([...server.files.keys()]).toEqual([`data/${h.name}`]);
  });

  it('that is not says so', async () => {
    const { server, backend } = await setUp();
    await backend.save(h, data);
    expect(await backend.facts?.()).toMatchObject({ appendOnly: false });
    expect(server.files.size).toBe(1);
  });

  it('that gives other bytes than asked for is not believed', async () => {
    const ranges = ['bytes 2-4/10', 'bytes 1-4/10', 'bytes 1-3', 'pages 1-3/10', ''];
    for (const range of ranges) {
      const { server, backend } = await setUp();
      const headers = range === '' ? {} : { 'content-range': range };
      server.harm(any, { kind: 'answer', status: 206, headers, body: '123' });
      const loading = backend.load(h, { offset: 1, length: 3 });
      await expect(loading, range).rejects.toMatchObject({ code: 'io', transient: false });
    }
  });

  it('that gives a part to the end without telling the size is believed', async () => {
    const { server, backend } = await setUp();
    const headers = { 'content-range': 'bytes 1-3/*' };
    server.harm(any, { kind: 'answer', status: 206, headers, body: '123' });
    expect(text(await backend.load(h, { offset: 1 }))).toBe('123');
    server.harm(any, { kind: 'answer', status: 206, headers, body: '123' });
    await expect(backend.load(h, { offset: 1, length: 4 })).rejects.toMatchObject({ code: 'range' });
  });

  it.each(['midway', 'done', 'at-once'] as const)(
    'that drops the connection %s is asked again',
    async (when) => {
      const { server, backend } = await setUp();
      await backend.save(h, data);
      server.harm(any, { kind: 'drop', when });
      server.harm(any, { kind: 'drop', when });
      const clock = fakeClock();
      const again = retry({ clock })(backend);
      expect(text(await again.load(h, { offset: 2, length: 6 }))).toBe('234567');
      server.harm(any, { kind: 'drop', when });
      expect(await listed(again)).toEqual([{ name: h.name, size: 10 }]);
    },
  );

  it('that is started anew between two calls is met again at once', async () => {
    const { server, backend } = await setUp();
    await backend.save(h, data);
    server.hangUp();
    await backend.save(index.h, index.data);
    expect(server.connections).toBe(2);
  });

  it('that falls silent is given up in time', async () => {
    const { server, backend } = await setUp({}, { tls: { stuckRequestMs: 30 } });
    server.harm(any, { kind: 'silence' });
    await expect(backend.stat(h)).rejects.toMatchObject({ code: 'timeout', transient: true });
  });
});

describe('a list', () => {
  const listing = async (body: string) => {
    const { server, backend } = await setUp();
    server.harm(any, { kind: 'answer', status: 200, body });
    return listed(backend);
  };

  it('leaves out uploads under way and what else is no file of a repository', async () => {
    const entries = [
      { name: h.name, size: 10 },
      { name: `${h.name}.rest-server-temp123`, size: 3 },
      { name: 'README', size: 1 },
    ];
    expect(await listing(JSON.stringify(entries))).toEqual([{ name: h.name, size: 10 }]);
  });

  it.each(['null', '[]', ''])('of nothing may be “%s”', async (body) => {
    expect(await listing(body)).toEqual([]);
  });

  it.each(['<html>Welcome</html>', '{"files":[]}', '[1]', '[{"size":1}]', '[null]'])(
    'is not %s',
    async (body) => {
      await expect(listing(body)).rejects.toMatchObject({
        code: 'io',
        hint: expect.stringContaining('REST server'),
      });
    },
  );

  it('of names alone leaves out what was removed meanwhile', async () => {
    const { server, backend } = await setUp({ version: 1 });
    await backend.save(h, data);
    const gone = named('pack', 'gone').h;
    server.harm(any, { kind: 'answer', status: 200, body: JSON.stringify([gone.name, h.name]) });
    expect(await listed(backend)).toEqual([{ name: h.name, size: 10 }]);
  });

  it('of sizes is asked for once', async () => {
    const { server, backend } = await setUp();
    await backend.save(h, data);
    await listed(backend);
    expect(asked(server)).toEqual([`POST data/${h.name}`, 'GET data/']);
    expect(server.seen.at(-1)?.headers.accept).toBe('application/vnd.x.restic.rest.v2');
  });
});
