import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { type Backend, CONFIG_HANDLE, type Pace } from '../../../src/backend/backend.ts';
import type { Login, StorageSetting } from '../../../src/backend/registry.ts';
import { fingerprintOf } from '../../../src/backend/sftp/known-hosts.ts';
import { createSftp, openSftp } from '../../../src/backend/sftp/sftp.ts';
import { until } from '../../helpers/until.ts';
import {
  type Misbehaviour,
  newHostKey,
  parsed,
  type SftpServer,
  type SftpServerOptions,
  startSftp,
} from '../../servers/sftp.ts';
import { bytes, named } from './support.ts';

const PASSWORD = 'secret';
const HOST_KEY = newHostKey();
const TRUSTED = fingerprintOf(parsed(HOST_KEY).getPublicSSH());

let root: string;
let server: SftpServer | undefined;
let open: Backend[] = [];
beforeEach(async () => {
  root = await fs.mkdtemp(join(tmpdir(), 'holdfast-sftp-'));
});
afterEach(async () => {
  await Promise.all(open.map((b) => b.close()));
  open = [];
  await server?.close();
  await fs.rm(root, { recursive: true });
});

async function serve(m: Misbehaviour = {}, o: Partial<SftpServerOptions> = {}): Promise<SftpServer> {
  server = await startSftp({ root, password: PASSWORD, hostKeys: [HOST_KEY], misbehaviour: m, ...o });
  return server;
}

const usual: Login = { password: PASSWORD, hostKey: TRUSTED };

interface With extends Omit<StorageSetting, 'login' | 'options'> {
  readonly login?: Login;
  readonly options?: Readonly<Record<string, string>>;
}

function setting({ login = usual, options = {}, ...rest }: With = {}): StorageSetting {
  return {
    env: { HOME: root },
    login: { get: async () => login, put: async () => undefined },
    options: new Map(Object.entries(options)),
    ...rest,
  };
}

const target = () => `//me@127.0.0.1:${server?.port}//repo`;

async function create(o?: With): Promise<Backend> {
  const backend = await createSftp(target(), setting(o));
  open.push(backend);
  return backend;
}

async function attempt(o?: With): Promise<Backend> {
  const backend = await openSftp(target(), setting(o));
  open.push(backend);
  return backend;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await fs.readdir(join(root, 'repo', folder), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** A connection that was cut is noticed by and by. */
async function untilCode(call: () => Promise<unknown>, code: string): Promise<void> {
  for (let found: unknown; found !== code; ) {
    const e = await call();
    found = e instanceof EngineError ? e.code : undefined;
  }
}

async function namesOf(files: AsyncIterable<{ readonly name: string }>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of files) names.push(name);
  return names;
}

const big = named('pack', 'big');
const BIG = [new Uint8Array(1_000_000).fill(7)];

describe('a login over SFTP', () => {
  beforeEach(async () => {
    await fs.mkdir(join(root, 'repo'));
  });

  it('sends nothing before the server is known', async () => {
    const { attempts, logins } = await serve();
    const context = { fingerprint: TRUSTED, keyType: 'ssh-ed25519', changed: false };
    await expect(attempt({ login: { password: PASSWORD } })).rejects.toMatchObject({
      code: 'host-unverified',
      context,
    });
    const other = { password: PASSWORD, hostKey: `SHA256:${'A'.repeat(43)}` };
    await expect(attempt({ login: other })).rejects.toMatchObject({
      code: 'host-unverified',
      context: { ...context, changed: true },
    });
    expect([attempts, logins()]).toEqual([[], 0]);
  });

  it('finds the accepted key among several of the server, in whatever order', async () => {
    const second = newHostKey('ecdsa');
    await serve({}, { hostKeys: [HOST_KEY, second] });
    const hostKey = fingerprintOf(parsed(second).getPublicSSH());
    await attempt({ login: { ...usual, hostKey } });
    await attempt();
  });

  it('takes the password by questions too', async () => {
    const { attempts } = await serve({}, { questions: true });
    await attempt();
    expect(attempts).toEqual(['none', 'keyboard-interactive']);
  });

  it('shows a key, and then the password where both are wanted', async () => {
    const key = ssh2.utils.generateKeyPairSync('ed25519').private;
    const publicKey = parsed(key);
    const { attempts } = await serve({}, { publicKey, both: true });
    await attempt({ login: { ...usual, privateKey: key } });
    expect([...new Set(attempts)]).toEqual(['none', 'publickey', `password ${PASSWORD}`]);
    await expect(attempt()).rejects.toMatchObject({ code: 'auth-expired' });
  });

  it('that is refused is tried once, however many calls wait for it', async () => {
    const { attempts } = await serve();
    let login: Login = usual;
    const o = { ...setting(), login: { get: async () => login, put: async () => undefined } };
    const backend = await openSftp(target(), o);
    open.push(backend);
    login = { ...usual, password: 'wrong' };
    server?.cut();
    const look = () => backend.stat(CONFIG_HANDLE).catch((e: unknown) => e);
    await untilCode(look, 'auth-expired');
    const before = attempts.length;
    const refusals = await Promise.all([look(), look(), look(), look(), look()]);
    expect(attempts.slice(before)).toEqual(['none', 'password wrong']);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        code: 'auth-expired',
        transient: false,
        message: expect.not.stringContaining('wrong'),
        context: { methods: 'password', account: `me@127.0.0.1:${server?.port}` },
      });
    }
    login = usual;
    await expect(backend.stat(CONFIG_HANDLE)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('without anything to show says so', async () => {
    await serve();
    await expect(attempt({ login: { hostKey: TRUSTED } })).rejects.toThrow(/nothing to log in/);
  });

  it('whose password has expired says so', async () => {
    await serve({}, { expired: true });
    const refused = attempt();
    await expect(refused).rejects.toMatchObject({ code: 'auth-expired', transient: false });
    await expect(refused).rejects.toThrow(/changed/);
  });

  it('that is given no SFTP is no login for us', async () => {
    await serve({ noSftp: true });
    await expect(attempt()).rejects.toMatchObject({ code: 'permission', transient: false });
  });
});

describe('an SFTP server that misbehaves', () => {
  it('may drop the connection in mid-write: nothing is seen, and the next call connects again', async () => {
    const m: Misbehaviour = {};
    await serve(m);
    const backend = await create();
    let writes = 0;
    m.drop = (request) => request === 'WRITE' && ++writes === 10;
    await expect(backend.save(big.h, BIG)).rejects.toMatchObject({ code: 'unreachable', transient: true });
    await expect(backend.stat(big.h)).rejects.toMatchObject({ code: 'not-found' });
    await backend.save(big.h, BIG);
    expect(await backend.load(big.h)).toHaveLength(1_000_000);
    expect(await backend.cleanTemporary?.({ now: Date.now() + 8 * 86_400_000 })).toBe(1);
    expect(await filesIn('data')).toEqual([big.h.name]);
  });

  it('may fall silent at any request: that is a timeout', async () => {
    const at = async (what: string) => {
      const m: Misbehaviour = {};
      const own = await startSftp({ root, password: PASSWORD, hostKeys: [HOST_KEY], misbehaviour: m });
      const patience = setting({ tls: { stuckRequestMs: 3_000 } });
      const backend = await createSftp(`//me@127.0.0.1:${own.port}//${what}`, patience);
      m.silent = (request) => request === what;
      const end = await backend.save(big.h, BIG).catch((e: unknown) => e);
      m.silent = () => false;
      await backend.save(big.h, BIG);
      await backend.close();
      await own.close();
      return end;
    };
    const ends = await Promise.all(['OPEN', 'WRITE', 'FSETSTAT', 'CLOSE', 'RENAME'].map(at));
    for (const end of ends) expect(end).toMatchObject({ code: 'timeout', transient: true });
  });

  it('may allow a single connection: all goes over that', async () => {
    await serve({ mostConnections: 1 });
    const backend = await create();
    const packs = ['a', 'b', 'c', 'd', 'e'].map((seed) => named('pack', seed).h);
    await Promise.all(packs.map((h) => backend.save(h, BIG)));
    for (const h of packs) expect(await backend.load(h)).toHaveLength(1_000_000);
    expect(server?.logins()).toBe(1);
  });

  it('gets as many connections as are allowed for files, and one for the rest', async () => {
    await serve();
    const backend = await create({ options: { 'sftp.connections': '3' } });
    const packs = ['a', 'b', 'c', 'd', 'e'].map((seed) => named('pack', seed).h);
    await Promise.all(packs.map((h) => backend.stat(h).catch(() => undefined)));
    expect(server?.logins()).toBe(1);
    await Promise.all(packs.map((h) => backend.save(h, BIG)));
    expect(server?.logins()).toBe(3);
    expect(backend.traits).toEqual({ connections: 3, atomicReplace: false, listLag: false, paced: true });
  });

  it.each([
    [3, 'permission'],
    [4, 'io'],
    [7, 'unreachable'],
    [8, 'unsupported'],
  ])('may answer a write with status %i: %s, and what was begun is taken away', async (status, code) => {
    const m: Misbehaviour = {};
    await serve(m);
    const backend = await create();
    let writes = 0;
    m.refuse = (request) => (request === 'WRITE' && ++writes > 20 ? status : undefined);
    await expect(backend.save(big.h, BIG)).rejects.toMatchObject({ code, context: { status } });
    expect(await filesIn('data')).toEqual([]);
  });

  it('may know no rights: files are kept all the same', async () => {
    await serve({ refuse: (request) => (request === 'FSETSTAT' ? 8 : undefined) });
    const backend = await create();
    await backend.save(big.h, BIG);
    expect(await filesIn('data')).toEqual([big.h.name]);
  });

  it('may fail between the two steps of a replacement: the old file comes back', async () => {
    const m: Misbehaviour = {};
    await serve(m);
    const backend = await create();
    const { h } = named('lock', 'kept');
    await backend.save(h, [bytes('old')]);
    // The first finds the name taken, the second moves aside; the third, and the seventh, would put the new file in place.
    let renames = 0;
    m.refuse = (request) => (request === 'RENAME' && ++renames % 4 === 3 ? 4 : undefined);
    await expect(backend.save(h, [bytes('new')])).rejects.toMatchObject({ code: 'io' });
    expect(Buffer.from(await backend.load(h)).toString()).toBe('old');
    expect(await filesIn('locks')).toEqual([h.name]);
    delete m.refuse;
    await backend.save(h, [bytes('new')]);
    expect(Buffer.from(await backend.load(h)).toString()).toBe('new');
    expect(await filesIn('locks')).toEqual([h.name]);
  });

  it('may give no space and no facts but the account', async () => {
    await serve();
    const backend = await create();
    expect(await backend.space?.()).toEqual({ free: null, total: null, used: null });
    expect((await backend.facts?.())?.account).toBe(`me@127.0.0.1:${server?.port}`);
  });
});

describe('a repository over SFTP', () => {
  it('is not made where one is, and not opened where none is', async () => {
    await serve();
    await expect(attempt()).rejects.toMatchObject({ code: 'repository-missing' });
    const backend = await create();
    await backend.save(CONFIG_HANDLE, [bytes('config')]);
    await expect(create()).rejects.toMatchObject({ code: 'repository-exists' });
    expect(Buffer.from(await (await attempt()).load(CONFIG_HANDLE)).toString()).toBe('config');
  });

  it('that vanished is neither written to nor taken for an empty one', async () => {
    await serve();
    const backend = await create();
    await backend.save(CONFIG_HANDLE, [bytes('config')]);
    await fs.rm(join(root, 'repo'), { recursive: true });
    await fs.mkdir(join(root, 'repo'));
    const gone = { code: 'unreachable', transient: false };
    await expect(backend.save(big.h, BIG)).rejects.toMatchObject(gone);
    await expect(backend.save(CONFIG_HANDLE, [bytes('x')])).rejects.toMatchObject(gone);
    await expect(backend.stat(big.h)).rejects.toMatchObject(gone);
    await expect(namesOf(backend.list('pack'))).rejects.toMatchObject(gone);
    expect(await fs.readdir(join(root, 'repo'))).toEqual([]);
  });

  it('gives group and owner what the config gives them', async () => {
    await serve();
    await (await create()).save(CONFIG_HANDLE, [bytes('config')]);
    await fs.chmod(join(root, 'repo', 'config'), 0o440);
    const shared = await attempt();
    await shared.save(big.h, BIG);
    const { mode } = await fs.stat(join(root, 'repo', 'data', big.h.name.slice(0, 2), big.h.name));
    expect(mode & 0o777).toBe(0o440);
  });

  it('keeps to a pace, piece by piece, up and down', async () => {
    await serve();
    const backend = await create();
    let allowed = 0;
    const pieces: number[] = [];
    const pace: Pace = {
      piece: 5_000,
      up: async (n) => {
        pieces.push(n);
        if (pieces.length > 6) await until(() => allowed > 0);
      },
      down: async (n) => void pieces.push(-n),
    };
    const saving = backend.save(big.h, BIG, { pace });
    const writes = () => server?.requests.filter((r) => r === 'WRITE').length;
    await until(() => pieces.length === 7 && writes() === 6);
    allowed = 1;
    await saving;
    expect(pieces.reduce((a, b) => a + b, 0)).toBe(1_000_000);
    expect(Math.max(...pieces)).toBe(5_000);
    pieces.length = 0;
    await backend.load(big.h, { pace, offset: 500_000 });
    expect(pieces.reduce((a, b) => a + b, 0)).toBe(-500_000);
    expect(Math.min(...pieces)).toBe(-5_000);
  });

  it('leaves nothing of a save that was stopped while it waited', async () => {
    await serve();
    const backend = await create();
    const abort = new AbortController();
    const pace: Pace = {
      piece: 5_000,
      up: async () => until(() => abort.signal.aborted),
      down: async () => undefined,
    };
    const saving = backend.save(big.h, BIG, { pace, signal: abort.signal });
    await until(() => server?.requests.includes('OPEN') ?? false);
    abort.abort();
    await expect(saving).rejects.toMatchObject({ code: 'cancelled' });
    await backend.close();
    expect(await filesIn('data')).toEqual([]);
  });

  it('need not wait for a silent server once it is stopped', async () => {
    const m: Misbehaviour = {};
    await serve(m);
    const backend = await create();
    m.silent = () => true;
    const abort = new AbortController();
    const before = server?.requests.length ?? 0;
    const calls = [
      backend.save(big.h, BIG, { signal: abort.signal }),
      backend.load(big.h, { signal: abort.signal }),
      namesOf(backend.list('pack', { signal: abort.signal })),
    ];
    const ends = Promise.allSettled(calls);
    await until(() => (server?.requests.length ?? 0) >= before + 3);
    abort.abort();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    }
  });
});
