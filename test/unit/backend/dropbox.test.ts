import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/api/errors.ts';
import {
  type Backend,
  CONFIG_HANDLE,
  type FileInfo,
  type Handle,
  type Pace,
} from '../../../src/backend/backend.ts';
import { createDropbox, dropboxSignIn, openDropbox } from '../../../src/backend/dropbox/dropbox.ts';
import { createHttpClient } from '../../../src/backend/http/client.ts';
import { beginSignIn } from '../../../src/backend/oauth/oauth.ts';
import type { Login, StorageSetting } from '../../../src/backend/registry.ts';
import { retry } from '../../../src/backend/retry.ts';
import {
  DropboxServer,
  type DropboxServerOptions,
  type Fault,
  refusing,
  tooManyRequests,
} from '../../servers/dropbox.ts';
import { contentHash, union } from '../../servers/dropbox-space.ts';
import { bytes, fakeClock, named } from './support.ts';

const MIB = 1 << 20;
const START = 'files/upload_session/start';
const APPEND = 'files/upload_session/append_v2';
const FINISH = 'files/upload_session/finish_batch_v2';
const METADATA = 'files/get_metadata';
const DELETE = 'files/delete_v2';

let server: DropboxServer;
let clock: ReturnType<typeof fakeClock>;
const opened: Backend[] = [];

interface Kept {
  login: Login;
}

async function begin(o: DropboxServerOptions = {}): Promise<void> {
  server = await DropboxServer.start(o);
  clock = fakeClock();
}

function signedIn(): Kept {
  return { login: { clientId: 'app-key', ...server.login.grant() } };
}

function settingFor(kept: Kept, options: Record<string, string> = {}): StorageSetting {
  return {
    options: new Map([...server.options, ...Object.entries(options)]),
    login: {
      get: async () => kept.login,
      put: async (login) => {
        kept.login = login;
      },
    },
  };
}

async function open(
  o: { kept?: Kept; options?: Record<string, string>; retried?: boolean } = {},
): Promise<Backend> {
  const parts = { clock, random: () => 0.5, chunkBytes: 4 * MIB };
  const bare = await openDropbox('repo', settingFor(o.kept ?? signedIn(), o.options), parts);
  opened.push(bare);
  return o.retried ? retry({ clock, random: () => 0.5 })(bare) : bare;
}

beforeEach(() => begin());

afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
  await server.close();
});

async function failing(call: Promise<unknown>, code: ErrorCode, transient = false): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'EngineError', code, transient });
}

async function restart(o: DropboxServerOptions): Promise<void> {
  await server.close();
  await begin(o);
}

async function listed(files: AsyncIterable<FileInfo>): Promise<FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const file of files) all.push(file);
  return all;
}

const pathOf = ({ name }: Handle): string => `/repo/data/${name.slice(0, 2)}/${name}`;
const storedAs = (h: Handle): Buffer | undefined => server.space.files.get(pathOf(h))?.bytes;

describe('Dropbox: settings', () => {
  const noLogin = { get: async () => undefined, put: async () => undefined };

  it.each([
    [{ 'dropbox.conections': '4' }, 'dropbox.connections'],
    [{ 'dropbox.connections': '0' }, '1 to 64'],
    [{ 'dropbox.connections': 'many' }, '1 to 64'],
    [{ 'dropbox.endpoint': 'api.example.org' }, 'dropbox.endpoint'],
  ])('refuses %o', async (options, word) => {
    const call = openDropbox('repo', settingFor(signedIn(), options));
    const e = await call.then(
      () => undefined,
      (error: { code: string; message: string; hint?: string }) => error,
    );
    expect(e?.code).toBe('usage');
    expect(`${e?.message} ${e?.hint}`).toContain(word);
  });

  it.each(['a/../b', 'a\\b', 'a/b ', `x/${'y'.repeat(256)}`, 'a/b.'])(
    'refuses the folder %o',
    async (target) => {
      await failing(openDropbox(target, settingFor(signedIn())), 'usage');
    },
  );

  it('shows the folder alone as its location', async () => {
    const backend = await openDropbox('//a/b/', settingFor(signedIn()));
    expect(backend.location).toBe('dropbox:a/b');
    const top = await openDropbox('/', settingFor(signedIn()));
    expect(top.location).toBe('dropbox:/');
    await top.save(CONFIG_HANDLE, [bytes('x')]);
    expect([...server.space.files.keys()]).toEqual(['/config']);
    expect(await listed(top.list('pack'))).toEqual([]);
    await Promise.all([backend.close(), top.close()]);
  });

  it('says so when nobody is signed in, and when no app is known', async () => {
    await failing(openDropbox('repo', { login: noLogin }), 'auth-expired');
    const env = { HOLDFAST_DROPBOX_REFRESH_TOKEN: 'r' };
    await expect(openDropbox('repo', { env })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('files.content.write'),
    });
    await failing(dropboxSignIn({ options: new Map() }), 'usage');
  });

  it('takes its login from the environment', async () => {
    const { refreshToken } = server.login.grant();
    const env = { HOLDFAST_DROPBOX_CLIENT_ID: 'app-key', HOLDFAST_DROPBOX_REFRESH_TOKEN: refreshToken };
    const options = new Map(server.options);
    options.delete('dropbox.client-id');
    const backend = await openDropbox('repo', { options, env });
    expect(await backend.facts?.()).toMatchObject({ account: 'ada@example.org', appendOnly: false });
    await backend.close();
  });
});

describe('Dropbox: logins', () => {
  it('asks once for a new access token, however many calls want one, and keeps it', async () => {
    const kept = signedIn();
    const before = kept.login;
    const backend = await open({ kept });
    server.login.expireAll();
    const absent = Array.from({ length: 8 }, (_, i) =>
      failing(backend.stat(named('pack', `${i}`).h), 'not-found'),
    );
    await Promise.all(absent);
    expect(server.login.refreshed).toBe(1);
    expect(kept.login).toMatchObject({ clientId: 'app-key', refreshToken: before.refreshToken });
    expect(kept.login.accessToken).not.toBe(before.accessToken);
    expect(Number(kept.login.expiresAt)).toBe(clock.now() + 14_400_000);
  });

  it('renews a token before it dies', async () => {
    const kept = signedIn();
    kept.login = { ...kept.login, expiresAt: String(clock.now() + 1000) };
    await failing((await open({ kept })).stat(CONFIG_HANDLE), 'not-found');
    expect(server.login.refreshed).toBe(1);
    expect(server.count(METADATA)).toBe(1);
  });

  it('gives up a login that was revoked', async () => {
    const backend = await open();
    server.login.revokeAll();
    const { h, data } = named('pack', 'x');
    await failing(backend.save(h, data), 'auth-expired');
    await failing(backend.load(h), 'auth-expired');
    await failing(listed(backend.list('pack')), 'auth-expired');
  });

  it('gives up when new tokens are refused as well', async () => {
    const backend = await open();
    const dead: Fault = { kind: 'answer', status: 401, body: { error: { '.tag': 'expired_access_token' } } };
    server.plan(METADATA, dead, dead);
    await failing(backend.stat(CONFIG_HANDLE), 'auth-expired');
    expect(server.login.refreshed).toBe(1);
  });

  it('can’t renew a bare access token', async () => {
    const { accessToken } = server.login.grant();
    const backend = await open({ kept: { login: { accessToken } } });
    await failing(backend.stat(CONFIG_HANDLE), 'not-found');
    server.login.expireAll();
    await failing(backend.stat(CONFIG_HANDLE), 'auth-expired');
  });

  it('works on when the new token can’t be kept, and says so', async () => {
    const said: string[] = [];
    const put = () => Promise.reject(new Error('the keyring is locked'));
    const { login } = signedIn();
    const o = {
      options: server.options,
      login: { get: async () => login, put },
      warn: (s: string) => said.push(s),
    };
    const backend = await openDropbox('repo', o);
    server.login.expireAll();
    await failing(backend.stat(CONFIG_HANDLE), 'not-found');
    expect(said).toEqual([expect.stringContaining('the keyring is locked')]);
    await backend.close();
  });

  it.each([
    [{ status: 503, body: {} }, 'unreachable'],
    [{ status: 429, body: {} }, 'rate-limited'],
  ] as const)('is patient with the token service: %o', async (trouble, code) => {
    const backend = await open();
    server.login.expireAll();
    server.login.trouble.push(trouble);
    await failing(backend.stat(CONFIG_HANDLE), code, true);
    await failing(backend.stat(CONFIG_HANDLE), 'not-found');
  });

  it('tells which permission the app lacks', async () => {
    await restart({ scopes: ['files.metadata.read'] });
    const backend = await open();
    const { h, data } = named('pack', 'x');
    const lacks = (scope: string) => ({ code: 'permission', transient: false, context: { scope } });
    await expect(backend.save(h, data)).rejects.toMatchObject(lacks('files.content.write'));
    await expect(backend.load(h)).rejects.toMatchObject(lacks('files.content.read'));
    await expect(backend.facts?.()).rejects.toMatchObject(lacks('account_info.read'));
  });
});

describe('Dropbox: errors of saves', () => {
  it.each([
    [['path', 'insufficient_space'], 'no-space', false],
    [['path', 'team_folder_insufficient_space'], 'no-space', false],
    [['path', 'member_folder_insufficient_space'], 'no-space', false],
    [['path', 'no_write_permission'], 'permission', false],
    [['path', 'access_restricted'], 'permission', false],
    [['path', 'team_folder'], 'permission', false],
    [['path', 'operation_suppressed'], 'permission', false],
    [['path', 'disallowed_name'], 'usage', false],
    [['path', 'malformed_path'], 'usage', false],
    [['path', 'conflict', 'folder'], 'conflict', false],
    [['path', 'conflict', 'file_ancestor'], 'conflict', false],
    [['path', 'upload_traffic_limit_reached'], 'rate-limited', false],
    [['content_hash_mismatch'], 'io', true],
    [['lookup_failed', 'not_found'], 'io', true],
    [['lookup_failed', 'not_closed'], 'io', true],
    [['too_many_shared_folder_targets'], 'io', false],
    [['encryption_not_supported'], 'io', false],
    [['other'], 'io', false],
  ] as const)('an entry %o is %s', async (tags, code, transient) => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    server.plan(FINISH, { kind: 'entry', failure: union(...tags) });
    await failing(backend.save(h, data), code, transient);
    expect(storedAs(h)).toBeUndefined();
    await backend.save(h, data);
    expect(storedAs(h)?.toString()).toBe('x');
  });

  it.each([
    [refusing('payload_too_large'), 'io', false],
    [refusing('content_hash_mismatch'), 'io', true],
    [{ kind: 'answer', status: 500, body: 'oops' }, 'unreachable', true],
    [{ kind: 'answer', status: 503, body: '' }, 'unreachable', true],
    [{ kind: 'answer', status: 400, body: 'bad' }, 'io', false],
    [{ kind: 'answer', status: 403, body: { error: { '.tag': 'no_permission' } } }, 'permission', false],
    [{ kind: 'answer', status: 403, body: 'no' }, 'permission', false],
    [{ kind: 'answer', status: 401, body: { error: { '.tag': 'user_suspended' } } }, 'auth-expired', false],
    [
      { kind: 'answer', status: 401, body: { error: { '.tag': 'route_access_denied' } } },
      'permission',
      false,
    ],
    [{ kind: 'answer', status: 409, body: { error: { '.tag': 'email_unverified' } } }, 'permission', false],
    [{ kind: 'drop' }, 'unreachable', true],
    [{ kind: 'lost' }, 'unreachable', true],
  ] as const satisfies readonly (readonly [Fault, ErrorCode, boolean])[])(
    'a session that can’t begin: %o is %s',
    async (fault, code, transient) => {
      const backend = await open();
      const { h, data } = named('pack', 'x');
      // A new connection each time: a request over one that went stale is sent once more.
      server.plan(START, fault);
      await failing(backend.save(h, data), code, transient);
      expect(storedAs(h)).toBeUndefined();
    },
  );

  it('is full', async () => {
    const backend = await open();
    server.space.capacity = 10;
    const { h } = named('pack', 'x');
    await failing(backend.save(h, [bytes('more than ten bytes')]), 'no-space');
    expect(await backend.space?.()).toEqual({ used: 0, total: 10, free: 10 });
  });

  it('withdraws what was stored otherwise', async () => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    server.plan(FINISH, { kind: 'spoil' });
    await failing(backend.save(h, data), 'io', true);
    expect(storedAs(h)).toBeUndefined();
    await backend.save(h, data);
    expect(storedAs(h)?.toString()).toBe('x');
  });

  it('makes no second repository in the place of one', async () => {
    const setting = settingFor(signedIn());
    const [first, second] = [await createDropbox('new', setting), await createDropbox('new', setting)];
    opened.push(first, second);
    server.plan(FINISH, { kind: 'lost' });
    await retry({ clock })(first).save(CONFIG_HANDLE, [bytes('mine')]);
    await first.save(CONFIG_HANDLE, [bytes('mine')]);
    await failing(second.save(CONFIG_HANDLE, [bytes('theirs')]), 'repository-exists');
    await failing(createDropbox('new', setting), 'repository-exists');
    expect(server.space.files.get('/new/config')?.bytes.toString()).toBe('mine');
  });
});

describe('Dropbox: errors of the other calls', () => {
  it.each([
    [['path', 'restricted_content'], 'permission'],
    [['path', 'locked'], 'permission'],
    [['path', 'not_file'], 'conflict'],
    [['path', 'malformed_path'], 'usage'],
    [['path', 'not_found'], 'not-found'],
    [['unsupported_file'], 'io'],
  ] as const)('a download: %o is %s', async (tags, code) => {
    const backend = await open();
    server.plan('files/download', refusing(...tags));
    await failing(backend.load(named('pack', 'x').h), code);
  });

  it.each([
    [['path', 'not_folder'], 'conflict'],
    [['path', 'restricted_content'], 'permission'],
    [['template_error', 'restricted_content'], 'permission'],
    [['other'], 'io'],
  ] as const)('a list: %o is %s', async (tags, code) => {
    const backend = await open();
    server.plan('files/list_folder', refusing(...tags));
    await failing(listed(backend.list('index')), code);
  });

  it.each([
    [['path_write', 'no_write_permission'], 'permission'],
    [['path_lookup', 'malformed_path'], 'usage'],
    [['too_many_files'], 'io'],
  ] as const)('a removal: %o is %s', async (tags, code) => {
    const backend = await open();
    server.plan(DELETE, refusing(...tags));
    await failing(backend.remove(named('pack', 'x').h), code);
  });

  it('a folder where a file should be, and the other way round', async () => {
    const backend = await open();
    server.space.makeFolder('/repo/config');
    await failing(backend.stat(CONFIG_HANDLE), 'conflict');
    server.space.write({ path: '/repo/keys' }, Buffer.from('x'));
    await failing(listed(backend.list('key')), 'conflict');
    await failing(backend.save(named('key', 'k').h, [bytes('k')]), 'conflict');
  });

  it('takes the whole file from a proxy that knows no ranges, and no wrong part', async () => {
    const backend = await open();
    const { h, data } = named('pack', '0123456789');
    await backend.save(h, data);
    const part: Fault = {
      kind: 'answer',
      status: 206,
      body: 12,
      headers: { 'content-range': 'bytes 4-5/10' },
    };
    server.plan('files/download', { kind: 'answer', status: 200, body: 123456789 }, part);
    expect(Buffer.from(await backend.load(h, { offset: 2, length: 3 })).toString()).toBe('345');
    await failing(backend.load(h, { offset: 3, length: 2 }), 'io', true);
  });
});

describe('Dropbox: both kinds of 429', () => {
  it('makes all calls wait as long as Dropbox asks', async () => {
    const backend = await open();
    server.plan(METADATA, tooManyRequests(7));
    await expect(backend.stat(CONFIG_HANDLE)).rejects.toMatchObject({
      code: 'rate-limited',
      transient: true,
      context: { retryAfterSeconds: 7 },
    });
    const begun = clock.now();
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    expect(clock.slept).toEqual([7000]);
    expect(clock.now() - begun).toBe(7000);
  });

  it('takes the pause out of the header where the answer is a mere text', async () => {
    const backend = await open();
    server.plan(METADATA, {
      kind: 'answer',
      status: 429,
      body: 'slow',
      headers: { 'retry-after': '9' },
    });
    await expect(backend.stat(CONFIG_HANDLE)).rejects.toMatchObject({ context: { retryAfterSeconds: 9 } });
  });

  const met: readonly (readonly [string, Fault])[] = [
    ['an entry', { kind: 'entry', failure: union('too_many_write_operations') }],
    ['an entry, by its path', { kind: 'entry', failure: union('path', 'too_many_write_operations') }],
    [
      'the call',
      { kind: 'answer', status: 429, body: { error: { reason: { '.tag': 'too_many_write_operations' } } } },
    ],
    ['the call, as 409', refusing('too_many_write_operations')],
  ];

  it.each(met)('backs off by itself where a write met another: %s', async (_, fault) => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    server.plan(FINISH, fault, fault, fault);
    await backend.save(h, data);
    expect(clock.slept).toEqual([250, 500, 1000]);
    expect(server.count(START)).toBe(1);
    server.plan(DELETE, refusing('too_many_write_operations'));
    await backend.remove(h);
    expect(storedAs(h)).toBeUndefined();
  });

  it.each(met)('leaves it to the caller after a while: %s', async (_, fault) => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    server.plan(FINISH, fault, fault, fault, fault, fault, fault);
    await failing(backend.save(h, data), 'rate-limited', true);
    await backend.save(h, data);
    expect(server.count(START)).toBe(1);
  });
});

describe('Dropbox: uploads that go on', () => {
  const big = randomBytes(8 * MIB + 5);
  const { h } = named('pack', 'big');

  it.each([
    ['drop', 2],
    ['lost', 2],
    ['drop', 3],
    ['lost', 3],
    [503, 2],
    [503, 3],
  ] as const)('with the rest after %s in call %i', async (trouble, nr) => {
    const backend = await open({ retried: true });
    const fine: Fault = { kind: 'none' };
    const fault: Fault = trouble === 503 ? { kind: 'answer', status: 503, body: '' } : { kind: trouble };
    server.plan(APPEND, ...Array.from({ length: nr - 2 }, () => fine), fault);
    await backend.save(h, [big.subarray(0, 5 * MIB), big.subarray(5 * MIB)]);
    expect(storedAs(h)?.equals(big)).toBe(true);
    expect(server.count(START)).toBe(1);
    expect(server.count(FINISH)).toBe(1);
  });

  it('with the commit alone, after its answer was lost', async () => {
    const backend = await open({ retried: true });
    server.plan(FINISH, { kind: 'lost' });
    await backend.save(h, [big]);
    expect([server.count(START), server.count(APPEND), server.count(FINISH)]).toEqual([1, 2, 2]);
    expect(storedAs(h)?.equals(big)).toBe(true);
  });

  it('where Dropbox says it is', async () => {
    const backend = await open();
    const there = {
      kind: 'answer',
      status: 409,
      body: { error: { '.tag': 'incorrect_offset', correct_offset: 4 * MIB } },
    };
    server.plan(APPEND, { ...there, kind: 'answer' });
    await backend.save(h, [big]);
    expect(storedAs(h)?.equals(big)).toBe(true);
  });

  it('but not for ever', async () => {
    const backend = await open();
    const back: Fault = {
      kind: 'answer',
      status: 409,
      body: { error: { '.tag': 'incorrect_offset', correct_offset: 0 } },
    };
    server.plan(APPEND, ...Array.from({ length: 20 }, () => back));
    await failing(backend.save(h, [big]), 'io', true);
  });

  it.each([APPEND, FINISH])('anew, after Dropbox forgot them: %s', async (route) => {
    const backend = await open({ retried: true });
    server.plan(route, { kind: 'forget' });
    await backend.save(h, [big]);
    expect(server.count(START)).toBe(2);
    expect(storedAs(h)?.equals(big)).toBe(true);
  });

  it('with other bytes not where those before were', async () => {
    const backend = await open();
    const index = named('index', 'i').h;
    server.plan(FINISH, { kind: 'lost' });
    await failing(backend.save(index, [bytes('one')]), 'unreachable', true);
    await backend.save(index, [bytes('two')]);
    expect(Buffer.from(await backend.load(index)).toString()).toBe('two');
  });
});

describe('Dropbox: batches', () => {
  const packs = Array.from({ length: 300 }, (_, i) => named('pack', `pack ${i}`));

  it('commits what waits together, one call at a time', async () => {
    const backend = await open({ options: { 'dropbox.connections': '32' } });
    await Promise.all(packs.map(({ h, data }) => backend.save(h, data)));
    expect(packs.every(({ h, data }) => storedAs(h)?.equals(data[0] ?? bytes('')))).toBe(true);
    expect(server.overlaps).toBe(0);
    expect(server.biggestBatch).toBeGreaterThan(1);
    expect(server.count(FINISH)).toBeLessThan(200);
  });

  it('removes what waits together, and commits meanwhile without meeting it', async () => {
    const backend = await open({ options: { 'dropbox.connections': '32' } });
    await Promise.all(packs.map(({ h, data }) => backend.save(h, data)));
    const finishes = server.count(FINISH);
    server.biggestBatch = 0;
    const more = Array.from({ length: 20 }, (_, i) => named('index', `index ${i}`));
    await Promise.all([
      ...packs.map(({ h }) => backend.remove(h)),
      ...packs.slice(0, 5).map(({ h }) => backend.remove(h)),
      ...more.map(({ h, data }) => backend.save(h, data)),
    ]);
    expect(server.overlaps).toBe(0);
    expect(server.space.files.size).toBe(20);
    expect(server.biggestBatch).toBe(300);
    expect(server.count(DELETE)).toBe(0);
    expect(server.count(FINISH) - finishes).toBeLessThan(21);
  });

  it.each([
    [{ '.tag': 'failed', failed: union('too_many_write_operations') }, 2],
    [
      {
        '.tag': 'complete',
        entries: packs.map(() => ({ '.tag': 'failure', failure: union('too_many_write_operations') })),
      },
      2,
    ],
  ])('removes again what met another write', async (body, batches) => {
    const backend = await open();
    server.plan('files/delete_batch', { kind: 'answer', status: 200, body });
    const three = packs.slice(0, 3).map(({ h }) => backend.remove(h));
    await Promise.all(three);
    expect(server.count('files/delete_batch')).toBe(batches);
  });

  it('tells of every file what became of it', async () => {
    const backend = await open();
    const failure = { '.tag': 'failure', failure: union('path_write', 'no_write_permission') };
    const gone = { '.tag': 'failure', failure: union('path_lookup', 'not_found') };
    server.plan('files/delete_batch', {
      kind: 'answer',
      status: 200,
      body: { '.tag': 'complete', entries: [failure, gone] },
    });
    const three = packs.slice(0, 3).map(({ h }) => backend.remove(h).catch((e) => e.code));
    expect(await Promise.all(three)).toEqual(['permission', undefined, 'io']);
  });

  it('drops what is aborted while it waits, and carries out what is under way', async () => {
    const backend = await open();
    const abort = new AbortController();
    const [under, other] = packs;
    if (!under || !other) throw new Error('no packs');
    await Promise.all([backend.save(under.h, under.data), backend.save(other.h, other.data)]);
    const begun = Promise.withResolvers<void>();
    server.chance = () => void begun.resolve();
    const removing = backend.remove(under.h, { signal: abort.signal });
    await begun.promise;
    const never = failing(backend.remove(other.h, { signal: abort.signal }), 'cancelled');
    abort.abort();
    await removing;
    await never;
    expect([...server.space.files.keys()]).toEqual([pathOf(other.h)]);
  });

  it.each([START, 'files/list_folder', 'files/download', METADATA])(
    'waits for no answer after an abort: %s',
    async (route) => {
      const backend = await open();
      const abort = new AbortController();
      const o = { signal: abort.signal };
      const { h, data } = named('pack', 'x');
      server.plan(route, { kind: 'hang' });
      const calls: Readonly<Record<string, () => Promise<unknown>>> = {
        [START]: () => backend.save(h, data, o),
        'files/list_folder': () => listed(backend.list('pack', o)),
        'files/download': () => backend.load(h, o),
        [METADATA]: () => backend.stat(h, o),
      };
      const ended = failing(calls[route]?.() ?? Promise.resolve(), 'cancelled');
      await server.hanging.promise;
      abort.abort();
      await ended;
      expect(storedAs(h)).toBeUndefined();
    },
  );

  it('ends a save that may not commit yet, for Dropbox asked for a pause', async () => {
    const backend = await open();
    const abort = new AbortController();
    const { h, data } = named('pack', 'x');
    server.plan(FINISH, { kind: 'entry', failure: union('too_many_write_operations') });
    server.plan(METADATA, tooManyRequests(30));
    const asleep = Promise.withResolvers<void>();
    // The first sleep is that after the failed commit; meanwhile another call meets the limit.
    clock.sleep = async () => {
      clock.sleep = () => {
        asleep.resolve();
        return Promise.withResolvers<void>().promise;
      };
      await failing(backend.stat(h), 'rate-limited', true);
    };
    const saving = failing(backend.save(h, data, { signal: abort.signal }), 'cancelled');
    await asleep.promise;
    abort.abort();
    await saving;
    expect(server.space.files.size).toBe(0);
    expect(server.count(FINISH)).toBe(1);
  });

  it('ends a save that waits for its commit, and nothing of it stays', async () => {
    const backend = await open();
    const abort = new AbortController();
    const conflict: Fault = { kind: 'entry', failure: union('too_many_write_operations') };
    server.plan(FINISH, conflict);
    const [one] = packs;
    if (!one) throw new Error('no packs');
    const { sleep } = clock;
    clock.sleep = async (ms) => {
      abort.abort();
      await sleep(ms);
    };
    await failing(backend.save(one.h, one.data, { signal: abort.signal }), 'cancelled');
    expect(server.space.files.size).toBe(0);
    expect(server.count(FINISH)).toBe(1);
  });
});

describe('Dropbox: lists, space, pace', () => {
  it('lists all pages, begins anew where the cursor died, and names each file once', async () => {
    await restart({ page: 10 });
    const backend = await open();
    const packs = Array.from({ length: 60 }, (_, i) => named('pack', `${i}`));
    await Promise.all(packs.map(({ h, data }) => backend.save(h, data)));
    server.plan('files/list_folder/continue', { kind: 'none' }, refusing('reset'));
    const names = (await listed(backend.list('pack'))).map(({ name }) => name);
    expect(names.sort()).toEqual(packs.map(({ h }) => h.name).sort());
    expect(server.count('files/list_folder')).toBe(2);
    server.plan('files/list_folder/continue', ...Array.from({ length: 9 }, () => refusing('reset')));
    await failing(listed(backend.list('pack')), 'unreachable', true);
  });

  it('lists only what belongs there', async () => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    const name = named('pack', 'y').h.name;
    for (const path of [
      `data/${name}`,
      `data/zz/${name}`,
      `data/${name.slice(0, 2)}/deep/${name}`,
      'data/README',
    ]) {
      server.space.write({ path: `/repo/${path}` }, Buffer.from('x'));
    }
    expect(await listed(backend.list('pack'))).toEqual([{ name: h.name, size: 1 }]);
  });

  it('tells Dropbox’s own hash, and when a file was stored, to those who ask', async () => {
    const backend = await open();
    const h = named('pack', 'x').h;
    const data = randomBytes(9 * MIB);
    await backend.save(h, [data]);
    const checksum = { kind: 'dropbox', value: contentHash(data) };
    const storedAt = Date.parse(server.space.files.get(pathOf(h))?.modified ?? '');
    expect(await listed(backend.list('pack', { checksums: true }))).toEqual([
      { name: h.name, size: data.length, checksum, storedAt },
    ]);
  });

  it('tells how full a team’s Dropbox is', async () => {
    await restart({ account: 'team' });
    const backend = await open();
    server.space.capacity = 5000;
    await backend.save(named('pack', 'x').h, [new Uint8Array(500)]);
    expect(await backend.space?.()).toEqual({ used: 500, total: 5000, free: 3500 });
  });

  it('takes every byte out of the pace, in small pieces', async () => {
    const backend = await open();
    const taken = { up: 0, down: 0, most: 0 };
    const take = (way: 'up' | 'down') => async (count: number) => {
      taken[way] += count;
      taken.most = Math.max(taken.most, count);
    };
    const pace: Pace = { up: take('up'), down: take('down'), piece: 10_000 };
    const h = named('pack', 'x').h;
    await backend.save(h, [new Uint8Array(6 * MIB)], { pace });
    // Small answers count as well.
    expect(taken.down).toBeLessThan(1000);
    taken.down = 0;
    await backend.load(h, { offset: 5, length: MIB, pace });
    expect(taken).toEqual({ up: 6 * MIB, down: MIB, most: 10_000 });
    expect(backend.traits.paced).toBe(true);
  });
});

describe('Dropbox: signing in', () => {
  async function signIn(options: Record<string, string> = {}) {
    const way = await dropboxSignIn({ options: new Map([...server.options, ...Object.entries(options)]) });
    const http = await createHttpClient({ connections: 1 });
    const going = await beginSignIn(way.client, http, () => 1000);
    return { way, going, http };
  }

  it('by a code that Dropbox shows', async () => {
    const { way, going, http } = await signIn();
    expect(going.url).toContain('token_access_type=offline');
    expect(going.url).not.toContain('redirect_uri');
    const code = (await (await fetch(going.url)).text()).replace('Your code: ', '');
    await failing(going.tokens({ pasted: 'no code' }), 'usage');
    const login = way.loginOf(await going.tokens({ pasted: ` ${code}\n` }));
    expect(Object.keys(login).sort()).toEqual(['accessToken', 'clientId', 'expiresAt', 'refreshToken']);
    expect(login.expiresAt).toBe('14401000');
    const backend = await open({ kept: { login } });
    expect(await backend.facts?.()).toMatchObject({ account: 'ada@example.org' });
    going.close();
    http.close();
  });

  it('waits for that code until an abort', async () => {
    const { going, http } = await signIn();
    const abort = new AbortController();
    const waiting = going.tokens({ signal: abort.signal });
    abort.abort();
    await failing(waiting, 'cancelled');
    http.close();
  });

  it('by a port that is registered with the app', async () => {
    const port = String(await freePort());
    await restart({ redirects: [`http://localhost:${port}/holdfast`] });
    const { way, going, http } = await signIn({ 'dropbox.redirect-port': port });
    const tokens = going.tokens();
    const sent = await fetch(going.url, { redirect: 'manual' });
    const back = (sent.headers.get('location') ?? '').replace('localhost', '127.0.0.1');
    expect(await (await fetch(back)).text()).toContain('You are signed in');
    expect(way.loginOf(await tokens)).toMatchObject({
      clientId: 'app-key',
      refreshToken: expect.any(String),
    });
    http.close();
  });

  it('not at all where the person refuses', async () => {
    const port = String(await freePort());
    await restart({ redirects: [`http://localhost:${port}/holdfast`] });
    server.login.consents = false;
    const { going, http } = await signIn({ 'dropbox.redirect-port': port });
    const sent = await fetch(going.url, { redirect: 'manual' });
    await failing(going.tokens({ pasted: sent.headers.get('location') ?? '' }), 'auth-expired');
    going.close();
    http.close();
  });
});

async function freePort(): Promise<number> {
  const other = await DropboxServer.start();
  const port = Number(new URL(other.options.get('dropbox.endpoint') ?? '').port);
  await other.close();
  return port;
}
