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
import { createDrive, driveSignIn, openDrive } from '../../../src/backend/gdrive/gdrive.ts';
import { createHttpClient } from '../../../src/backend/http/client.ts';
import { beginSignIn } from '../../../src/backend/oauth/oauth.ts';
import type { Login, StorageSetting } from '../../../src/backend/registry.ts';
import { retry } from '../../../src/backend/retry.ts';
import { DriveServer, type DriveServerOptions, refusing } from '../../servers/drive.ts';
import { FOLDER } from '../../servers/drive-space.ts';
import { QuietClock } from '../../servers/drive-story.ts';
import { bytes, fakeClock, named } from './support.ts';

const MIB = 1 << 20;

let server: DriveServer;
let clock: ReturnType<typeof fakeClock>;
const opened: Backend[] = [];
const warnings: string[] = [];

interface Kept {
  login: Login;
}

async function begin(o: DriveServerOptions = {}): Promise<void> {
  clock = fakeClock();
  server = await DriveServer.start({ now: () => clock.now(), ...o });
}

async function restart(o: DriveServerOptions): Promise<void> {
  await server[Symbol.asyncDispose]();
  await begin(o);
}

function signedIn(more: Login = {}): Kept {
  return { login: { clientSecret: server.login.clientSecret, ...server.login.grant(), ...more } };
}

function settingFor(kept: Kept, options: Record<string, string> = {}): StorageSetting {
  return {
    options: new Map([...server.options, ...Object.entries(options)]),
    warn: (sentence) => warnings.push(sentence),
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
  const parts = { clock, random: () => 0.5 };
  const bare = await openDrive('repo', settingFor(o.kept ?? signedIn(), o.options), parts);
  opened.push(bare);
  return o.retried ? retry({ clock, random: () => 0.5 })(bare) : bare;
}

beforeEach(() => begin());

afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
  warnings.length = 0;
  await server[Symbol.asyncDispose]();
});

async function failing(call: Promise<unknown>, code: ErrorCode, transient = false): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'EngineError', code, transient });
}

async function listed(files: AsyncIterable<FileInfo>): Promise<FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const file of files) all.push(file);
  return all;
}

const pathOf = ({ name }: Handle): string => `repo/data/${name.slice(0, 2)}/${name}`;
const contentsAt = (h: Handle): string[] =>
  server.space.at(pathOf(h)).map((file) => file.bytes.toString('latin1'));
const folderOf = (path: string): string => server.space.at(path)[0]?.id ?? '';

function noise(size: number): { readonly h: Handle; readonly data: Buffer[] } {
  const { h } = named('pack', String(size));
  return { h, data: [randomBytes(size)] };
}

describe('Drive: settings', () => {
  it.each([
    [{ 'gdrive.conections': '4' }, 'gdrive.connections'],
    [{ 'gdrive.connections': '0' }, '1 to 64'],
    [{ 'gdrive.endpoint': 'googleapis.com' }, 'gdrive.endpoint'],
    [{ 'gdrive.shared-drive': "x' or 'y" }, 'last part of the address'],
    [{ 'gdrive.acknowledge-abuse': '1' }, 'yes or no'],
  ])('refuses %o', async (options, word) => {
    const call = openDrive('repo', settingFor(signedIn(), options));
    const e = await call.then(
      () => undefined,
      (error: { code: string; message: string; hint?: string }) => error,
    );
    expect(e?.code).toBe('usage');
    expect(`${e?.message} ${e?.hint}`).toContain(word);
  });

  it.each(['a/../b', `x/${'y'.repeat(256)}`, 'a/b\n'])('refuses the folder %o', async (target) => {
    await failing(openDrive(target, settingFor(signedIn())), 'usage');
  });

  it('shows the folder alone as its location, and can do with none', async () => {
    const deep = await openDrive('//a/b/', settingFor(signedIn()));
    const top = await openDrive('/', settingFor(signedIn()));
    expect([deep.location, top.location]).toEqual(['gdrive:a/b', 'gdrive:/']);
    await top.save(CONFIG_HANDLE, [bytes('x')]);
    expect(server.space.pathsOf()).toEqual(['config']);
    await Promise.all([deep.close(), top.close()]);
  });

  it('says so when nobody is signed in, and when no client is known', async () => {
    const login = { get: async () => undefined, put: async () => undefined };
    await failing(openDrive('repo', { login }), 'auth-expired');
    const env = { HOLDFAST_GDRIVE_REFRESH_TOKEN: 'r' };
    const want = { code: 'usage', hint: expect.stringContaining('Google Drive API') };
    await expect(openDrive('repo', { env })).rejects.toMatchObject(want);
    await expect(driveSignIn({ options: new Map() })).rejects.toMatchObject(want);
  });

  it('takes its login from the environment', async () => {
    const { refreshToken } = server.login.grant();
    const options = new Map(server.options);
    options.delete('gdrive.client-id');
    const env = {
      HOLDFAST_GDRIVE_CLIENT_ID: server.login.clientId,
      HOLDFAST_GDRIVE_CLIENT_SECRET: server.login.clientSecret,
      HOLDFAST_GDRIVE_REFRESH_TOKEN: refreshToken,
    };
    const backend = await openDrive('repo', { options, env }, { clock });
    expect(await backend.facts?.()).toMatchObject({ account: 'ada@example.org', appendOnly: false });
    await backend.close();
  });

  it('makes no second repository, and no first where somebody else was quicker', async () => {
    const mine = await createDrive('repo', settingFor(signedIn()), { clock });
    const theirs = await createDrive('repo', settingFor(signedIn()), { clock });
    opened.push(mine, theirs);
    await theirs.save(CONFIG_HANDLE, [bytes('theirs')]);
    await failing(mine.save(CONFIG_HANDLE, [bytes('mine')]), 'repository-exists');
    await failing(createDrive('repo', settingFor(signedIn()), { clock }), 'repository-exists');
    await theirs.save(CONFIG_HANDLE, [bytes('theirs anew')]);
    expect(Buffer.from(await mine.load(CONFIG_HANDLE)).toString()).toBe('theirs anew');
  });
});

describe('Drive: signing in', () => {
  it('signs in by the browser, and the login opens the storage', async () => {
    const http = await createHttpClient({ connections: 1 });
    const way = await driveSignIn({ options: server.options, clientSecret: server.login.clientSecret });
    const signIn = await beginSignIn(way.client, http, () => clock.now());
    const tokens = signIn.tokens();
    expect((await fetch(signIn.url)).status).toBe(200);
    const login = way.loginOf(await tokens);
    http.close();
    expect(Object.keys(login).sort()).toEqual(
      ['accessToken', 'clientId', 'clientSecret', 'expiresAt', 'refreshToken'].sort(),
    );
    const backend = await open({ kept: { login } });
    expect(await backend.facts?.()).toMatchObject({ account: 'ada@example.org' });
  });

  it('gets a new token before the old one dies, and keeps it', async () => {
    const kept = signedIn({ expiresAt: String(clock.now() + 30_000), note: 'stays' });
    const before = kept.login.accessToken;
    const backend = await open({ kept });
    await backend.facts?.();
    expect(server.login.refreshed).toBe(1);
    expect(kept.login).toMatchObject({ note: 'stays', expiresAt: String(clock.now() + 3_599_000) });
    expect(kept.login.accessToken).not.toBe(before);
  });

  it('asks once for all calls whose token was refused, and keeps a new refresh token', async () => {
    const kept = signedIn();
    const before = kept.login.refreshToken;
    const backend = await open({ kept });
    server.login.rotates = true;
    server.login.expireAll();
    await Promise.all(Array.from({ length: 8 }, () => backend.facts?.()));
    expect(server.login.refreshed).toBe(1);
    expect(kept.login.refreshToken).not.toBe(before);
  });

  it('says so when the login is not accepted any more', async () => {
    const backend = await open({ retried: true });
    server.login.revokeAll();
    await failing(Promise.resolve(backend.facts?.()), 'auth-expired');
    const { accessToken } = server.login.grant();
    const bare = await open({ kept: { login: { accessToken } } });
    server.login.expireAll();
    await failing(listed(bare.list('pack')), 'auth-expired');
  });

  it('goes on where a new token can’t be kept', async () => {
    const { login } = signedIn();
    const put = () => Promise.reject(new Error('the keychain is locked'));
    const setting = { ...settingFor({ login }), login: { get: async () => login, put } };
    const backend = await openDrive('repo', setting, { clock });
    opened.push(backend);
    server.login.expireAll();
    expect(await backend.facts?.()).toMatchObject({ account: 'ada@example.org' });
    expect(warnings.join()).toContain('the keychain is locked');
  });
});

describe('Drive: refusals', () => {
  it.each([
    ['storageQuotaExceeded', 403, 'no-space', false],
    ['quotaExceeded', 403, 'no-space', false],
    ['teamDriveFileLimitExceeded', 403, 'no-space', false],
    ['activeItemCreationLimitExceeded', 403, 'no-space', false],
    ['numChildrenInNonRootLimitExceeded', 403, 'no-space', false],
    ['dailyLimitExceeded', 403, 'rate-limited', false],
    ['dailyLimitExceeded', 429, 'rate-limited', false],
    ['uploadLimitExceeded', 403, 'rate-limited', false],
    ['downloadQuotaExceeded', 403, 'rate-limited', false],
    ['accessNotConfigured', 403, 'permission', false],
    ['insufficientPermissions', 403, 'permission', false],
    ['insufficientFilePermissions', 403, 'permission', false],
    ['appNotAuthorizedToFile', 403, 'permission', false],
    ['domainPolicy', 403, 'permission', false],
    ['cannotDownloadAbusiveFile', 403, 'permission', false],
    ['teamDriveMembershipRequired', 403, 'permission', false],
    ['teamDrivesFolderMoveInNotSupported', 403, 'permission', false],
    ['somethingNew', 403, 'permission', false],
    ['badRequest', 400, 'io', false],
    ['backendError', 500, 'unreachable', true],
    ['internalError', 503, 'unreachable', true],
  ] as const)('tells %s (%i) apart, of calls and of bytes', async (reason, status, code, transient) => {
    const backend = await open();
    server.plan('about.get', refusing(reason, status));
    await failing(Promise.resolve(backend.facts?.()), code, transient);
    const { h, data } = named('pack', 'x');
    server.plan('upload.create', refusing(reason, status));
    await failing(backend.save(h, data), code, transient);
    expect(contentsAt(h)).toEqual([]);
  });

  it.each([
    ['rateLimitExceeded', 403],
    ['userRateLimitExceeded', 403],
    ['sharingRateLimitExceeded', 403],
    ['rateLimitExceeded', 429],
    ['', 429],
  ])('waits when Drive asks for it by %o (%i), longer each time', async (reason, status) => {
    const backend = await open();
    server.plan('about.get', ...Array.from({ length: 3 }, () => refusing(reason, status)));
    const before = clock.now();
    await backend.facts?.();
    expect(clock.slept).toEqual([1000, 2000, 4000]);
    expect(clock.now() - before).toBe(7000);
  });

  it('waits as long as Drive says, with all its calls, and not for ever', async () => {
    const backend = await open();
    server.plan('about.get', refusing('rateLimitExceeded', 429, { 'retry-after': '33' }));
    await backend.facts?.();
    expect(clock.slept).toEqual([33_000]);
    server.plan('about.get', ...Array.from({ length: 20 }, () => refusing('rateLimitExceeded')));
    await failing(Promise.resolve(backend.facts?.()), 'rate-limited', true);
    expect(server.faults).toHaveLength(13);
  });

  it('tells that a Drive is full, and stores nothing', async () => {
    const backend = await open({ retried: true });
    server.full = true;
    const small = named('pack', 'x');
    const large = noise(5 * MIB);
    await failing(backend.save(small.h, small.data), 'no-space');
    await failing(backend.save(large.h, large.data), 'no-space');
    server.full = false;
    expect(await listed(backend.list('pack'))).toEqual([]);
    await backend.save(large.h, large.data);
    expect(contentsAt(large.h)).toHaveLength(1);
  });

  it('reads what Google takes for harmful only when told to', async () => {
    const { h, data } = named('pack', 'x');
    const backend = await open({ options: { 'gdrive.acknowledge-abuse': 'yes' } });
    await backend.save(h, data);
    server.plan('media.get', refusing('cannotDownloadAbusiveFile'));
    await expect(backend.load(h)).rejects.toMatchObject({
      hint: expect.stringContaining('acknowledge-abuse'),
    });
    expect(Buffer.from(await backend.load(h)).toString()).toBe('x');
  });
});

describe('Drive: uploads', () => {
  it('sends large files in chunks', async () => {
    const { h, data } = noise(17 * MIB + 3);
    const backend = await open();
    await backend.save(h, [data[0]!.subarray(0, 5), data[0]!.subarray(5)]);
    expect(server.count('upload.chunk')).toBe(2);
    expect(Buffer.from(await backend.load(h)).equals(data[0]!)).toBe(true);
  });

  it.each([
    ['drop', [{ kind: 'drop' }, { kind: 'drop' }]],
    ['lost', [{ kind: 'lost' }, { kind: 'lost' }]],
    ['part', [{ kind: 'part' }, { kind: 'part' }]],
    ['a session forgotten', [{ kind: 'forget' }]],
    ['a session gone', [{ kind: 'part' }, { kind: 'forget', status: 410 }]],
    ['faults of the service', [refusing('backendError', 503), refusing('backendError', 500)]],
    ['pauses', [refusing('rateLimitExceeded'), refusing('userRateLimitExceeded')]],
    ['a token that dies', [{ kind: 'expire' }, { kind: 'expire' }]],
  ] as const)('carries a file through %s, without a retry', async (_, faults) => {
    const { h, data } = noise(17 * MIB);
    const backend = await open();
    server.plan('upload.chunk', ...faults);
    await backend.save(h, data);
    expect(server.faults).toEqual([]);
    expect(server.space.at(pathOf(h)).map((file) => file.bytes.equals(data[0]!))).toEqual([true]);
  });

  it('asks again how an upload stands when that answer is lost too', async () => {
    const { h, data } = noise(5 * MIB);
    const backend = await open();
    server.plan('upload.chunk', { kind: 'lost' });
    server.plan('upload.status', { kind: 'drop' }, refusing('backendError', 502));
    await backend.save(h, data);
    expect(server.count('upload.status')).toBe(3);
    expect(server.space.at(pathOf(h))).toHaveLength(1);
  });

  it('gives up where a session takes nothing, and where sessions are forgotten each time', async () => {
    const { h, data } = noise(5 * MIB);
    const backend = await open();
    const down = Array.from({ length: 20 }, () => refusing('backendError', 503));
    server.plan('upload.chunk', ...down);
    server.plan('upload.status', ...down);
    await failing(backend.save(h, data), 'unreachable', true);
    server.faults.length = 0;
    server.plan('upload.chunk', { kind: 'forget' }, { kind: 'forget' }, { kind: 'forget' });
    await failing(backend.save(h, data), 'unreachable', true);
    expect(contentsAt(h)).toEqual([]);
  });

  it('removes what arrived with other bytes, and a retry mends it', async () => {
    const small = named('pack', 'small');
    const large = noise(5 * MIB);
    const backend = await open();
    server.plan('upload.create', { kind: 'spoil' });
    await failing(backend.save(small.h, small.data), 'io', true);
    server.plan('upload.chunk', { kind: 'spoil' });
    await failing(backend.save(large.h, large.data), 'io', true);
    expect(server.space.pathsOf()).toEqual([]);
    await backend.save(small.h, small.data);
    expect(contentsAt(small.h)).toEqual(['small']);
  });

  it('makes no twin when the answer to a creation is lost', async () => {
    const backend = await open({ retried: true });
    const { h, data } = named('pack', 'x');
    server.plan('upload.create', { kind: 'lost' });
    await backend.save(h, data);
    expect(contentsAt(h)).toEqual(['x']);
    expect(server.faults).toEqual([]);
  });

  it('makes no twin even where lists do not show yet what was stored', async () => {
    const backend = await open({ retried: true });
    const first = named('pack', 'first');
    await backend.save(first.h, first.data);
    clock.advance(7_200_000);
    server.lagMs = 3_600_000;
    const { h, data } = named('pack', 'x');
    // The second call is HTTP's own, on another connection; only the third is a retry.
    server.plan('upload.create', { kind: 'lost' }, refusing('backendError', 503));
    await backend.save(h, data);
    expect(contentsAt(h)).toEqual(['x']);
    expect(server.count('upload.create')).toBeGreaterThan(2);
    expect(Buffer.from(await backend.load(h)).toString()).toBe('x');
    expect(await backend.stat(h)).toEqual({ name: h.name, size: 1 });
    await backend.remove(h);
    expect(contentsAt(h)).toEqual([]);
  });

  it('makes no folder twice where lists do not show it yet', async () => {
    server.lagMs = 3_600_000;
    const backend = await open();
    const all = [named('pack', 'x'), named('index', 'y'), named('index', 'z')];
    for (const { h, data } of all) {
      await failing(backend.stat(h), 'not-found');
      await backend.save(h, data);
    }
    const folders = [...server.space.files.values()].filter(({ mimeType }) => mimeType === FOLDER);
    const prefix = all[0]?.h.name.slice(0, 2) ?? '';
    expect(folders.map(({ name }) => name).sort()).toEqual(
      ['My Drive', 'repo', 'data', 'index', prefix].sort(),
    );
  });

  it('makes a file that was removed while its answer was lost', async () => {
    const backend = await open({ retried: true });
    const { h, data } = named('pack', 'x');
    const bare = await open();
    // Nor can the server be asked what became of it.
    server.plan('upload.create', { kind: 'lost' });
    server.chance = (method) =>
      method === 'files.get' || method === 'upload.create' ? refusing('backendError', 503) : undefined;
    await failing(bare.save(h, data), 'unreachable', true);
    server.chance = undefined;
    await backend.remove(h);
    await failing(bare.save(h, data), 'unreachable', true);
    await bare.save(h, data);
    expect(contentsAt(h)).toEqual(['x']);
  });

  it('keeps to a pace, piece by piece, both ways', async () => {
    const up: number[] = [];
    const down: number[] = [];
    const pace: Pace = {
      up: async (n) => void up.push(n),
      down: async (n) => void down.push(n),
      piece: 100_000,
    };
    const { h, data } = noise(5 * MIB);
    const backend = await open();
    await backend.save(h, data, { pace });
    down.length = 0;
    expect(await backend.load(h, { pace, offset: 1 })).toHaveLength(5 * MIB - 1);
    const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
    expect([sum(up), sum(down)]).toEqual([5 * MIB, 5 * MIB - 1]);
    expect(Math.max(...up, ...down)).toBeLessThanOrEqual(100_000);
  });

  it.each([0, 1, 40, 170, 175])('stores nothing when it is aborted at piece %i of a session', async (at) => {
    const abort = new AbortController();
    let count = 0;
    const pace: Pace = {
      up: async () => void (count++ === at && abort.abort()),
      down: async () => undefined,
      piece: 100_000,
    };
    const { h, data } = noise(17 * MIB);
    const backend = await open();
    await failing(backend.save(h, data, { pace, signal: abort.signal }), 'cancelled');
    expect(server.space.pathsOf()).toEqual([]);
  });

  it('does not say "cancelled" where the last bytes came through', async () => {
    const abort = new AbortController();
    const { h, data } = noise(5 * MIB);
    const backend = await open();
    server.plan('upload.chunk', { kind: 'lost' });
    const write = server.space.write.bind(server.space);
    server.space.write = (file, content) => {
      if (content.length > 0) abort.abort();
      write(file, content);
    };
    await backend.save(h, data, { signal: abort.signal });
    expect(server.space.at(pathOf(h))).toHaveLength(1);
  });
});

describe('Drive: twins', () => {
  const put = (path: string, content: string) => {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    return server.space.create({ name, parents: [folderOf(parts.join('/'))], bytes: Buffer.from(content) });
  };

  it('reads, lists and removes the files of all folders of one name', async () => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    const twin = server.space.create({ name: 'data', parents: [folderOf('repo')], mimeType: FOLDER });
    const far = named('pack', 'far');
    const sub = { name: far.h.name.slice(0, 2), parents: [twin.id], mimeType: FOLDER };
    const folder = server.space.create(sub);
    server.space.create({ name: far.h.name, parents: [folder.id], bytes: Buffer.from('far') });
    expect((await listed(backend.list('pack'))).map(({ name }) => name).sort()).toEqual(
      [h.name, far.h.name].sort(),
    );
    const other = await open();
    expect(Buffer.from(await other.load(far.h)).toString()).toBe('far');
    await other.remove(far.h);
    expect(contentsAt(far.h)).toEqual([]);
  });

  it('prefers the file with the right hash, then the newest; and removes all', async () => {
    const first = await open();
    const { h, data } = named('pack', 'right');
    await first.save(h, data);
    clock.advance(1000);
    put(pathOf(h), 'wrong');
    const backend = await open();
    expect(await listed(backend.list('pack'))).toMatchObject([{ name: h.name, size: 5 }]);
    expect(Buffer.from(await backend.load(h)).toString()).toBe('right');
    await backend.remove(h);
    expect(contentsAt(h)).toEqual([]);
    await first.save(CONFIG_HANDLE, [bytes('old')]);
    clock.advance(1000);
    server.space.create({ name: 'config', parents: [folderOf('repo')], bytes: Buffer.from('newer') });
    expect(Buffer.from(await backend.load(CONFIG_HANDLE)).toString()).toBe('newer');
    await (await open()).save(CONFIG_HANDLE, [bytes('newest')]);
    expect(server.space.at('repo/config').map((file) => file.bytes.toString())).toEqual(['newest']);
  });

  it('replaces a file in one step, by its id', async () => {
    const backend = await open();
    const { h } = named('pack', 'x');
    await backend.save(h, [bytes('first')]);
    const [before] = server.space.at(pathOf(h));
    const other = await open();
    await other.save(h, [bytes('second')]);
    expect(server.space.at(pathOf(h)).map(({ id }) => id)).toEqual([before?.id]);
    expect(Buffer.from(await backend.load(h)).toString()).toBe('second');
  });

  it('makes anew what somebody removed: files, folders, or the whole repository', async () => {
    const backend = await open({ retried: true });
    const { h, data } = named('pack', 'x');
    for (const path of [pathOf(h), 'repo/data', 'repo']) {
      await backend.save(h, data);
      server.space.remove(server.space.at(path)[0]?.id ?? folderIdOf(path));
      await failing(backend.load(h), 'not-found');
      await failing(backend.stat(h), 'not-found');
    }
    await backend.save(h, data);
    expect(contentsAt(h)).toEqual(['x']);
  });

  it('does not write into a folder that lies in the bin', async () => {
    const backend = await open({ retried: true });
    const [first, second] = [named('pack', 'x'), named('index', 'y')];
    await backend.save(first.h, first.data);
    await backend.save(second.h, second.data);
    const folder = server.space.get(folderIdOf('repo'));
    if (folder) folder.trashed = true;
    const third = named('index', 'z');
    await backend.save(third.h, third.data);
    expect(await listed((await open()).list('index'))).toMatchObject([{ name: third.h.name }]);
  });

  function folderIdOf(path: string): string {
    return [...server.space.files.values()].find((f) => f.name === path.split('/').at(-1))?.id ?? '';
  }
});

describe('Drive: lists and files', () => {
  it('asks for many folders at once, and turns pages', async () => {
    await restart({ page: 7 });
    const backend = await open();
    const all = Array.from({ length: 120 }, (_, i) => named('pack', `pack ${i}`));
    for (const { h, data } of all) await backend.save(h, data);
    const before = server.count('files.list');
    const files = await listed((await open()).list('pack'));
    expect(files.map(({ name }) => name).sort()).toEqual(all.map(({ h }) => h.name).sort());
    expect(server.count('files.list') - before).toBeLessThan(45);
  });

  it('tells checksums when asked, and when files were stored', async () => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    const storedAt = clock.now();
    expect(await listed(backend.list('pack', { checksums: true }))).toEqual([
      { name: h.name, size: 1, storedAt, checksum: { kind: 'sha256', value: h.name } },
    ]);
    expect(await listed(backend.list('pack'))).toEqual([{ name: h.name, size: 1, storedAt }]);
  });

  it('leaves alone what is no file of a repository', async () => {
    const backend = await open();
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    const folder = folderOf('repo/data');
    const wrong = server.space.create({ name: 'zz', parents: [folder], mimeType: FOLDER });
    server.space.create({ name: h.name, parents: [wrong.id], bytes: Buffer.from('y') });
    server.space.create({ name: 'notes.txt', parents: [folder], bytes: Buffer.from('y') });
    expect((await listed(backend.list('pack'))).map(({ name, size }) => [name, size])).toEqual([[h.name, 1]]);
  });

  it('sees only what Holdfast made', async () => {
    const backend = await open();
    server.space.create({ name: 'repo', parents: [], mimeType: FOLDER, clientId: 'somebody else' });
    const { h, data } = named('pack', 'x');
    await backend.save(h, data);
    expect(await listed(backend.list('pack'))).toHaveLength(1);
  });

  it('works in a shared drive; what it may not remove for good goes to the bin, and it says so once', async () => {
    const id = server.space.addDrive('Shared');
    const backend = await open({ options: { 'gdrive.shared-drive': id } });
    const all = [named('pack', 'x'), named('pack', 'y')];
    for (const { h, data } of all) await backend.save(h, data);
    server.mayDelete = false;
    for (const { h } of all) await backend.remove(h);
    expect(await listed(backend.list('pack'))).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(await backend.space?.()).toEqual({ free: null, total: null, used: null });
    const wrong = await open({ options: { 'gdrive.shared-drive': 'nowhere' } });
    await failing(listed(wrong.list('pack')), 'permission');
  });

  it('tells how full it is', async () => {
    const backend = await open();
    await backend.save(CONFIG_HANDLE, [bytes('12345')]);
    expect(await backend.space?.()).toEqual({ used: 5, total: 15_000_000_000, free: 14_999_999_995 });
    await restart({ limit: null });
    expect(await (await open()).space?.()).toEqual({ used: 0, total: null, free: null });
  });

  it('is refused nothing for haste', async () => {
    const quiet = new QuietClock(() => server.underWay > 0);
    const quota = { creationsInTenSeconds: 30, queriesInAMinute: 12_000 };
    await restart({ quota, now: () => quiet.now() });
    const backend = await openDrive('repo', settingFor(signedIn()), { clock: quiet });
    opened.push(backend);
    const all = Array.from({ length: 60 }, (_, i) => named('lock', `lock ${i}`));
    await Promise.all(all.map(({ h, data }) => backend.save(h, data)));
    expect(server.seen.creationsInTenSeconds).toBeLessThanOrEqual(30);
    expect(server.count('upload.create')).toBe(60);
  });
});
