/** A repository on OpenSSH's own server: the contract, restic beside it, logins, host keys, lost servers and full disks. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, Handle } from '../../src/backend/backend.ts';
import type { Login, StorageSetting } from '../../src/backend/registry.ts';
import { fingerprintOf } from '../../src/backend/sftp/known-hosts.ts';
import { createSftp, openSftp, rememberHost } from '../../src/backend/sftp/sftp.ts';
import { backendContract } from '../contract/backend.ts';
import type { CliPlace } from '../helpers/cli.ts';
import { ResticCli } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { useTemp } from '../helpers/scope.ts';
import { makeKey, Sshd, type SshdOptions } from '../helpers/sshd.ts';
import { onDisk, removeTree } from '../helpers/temp.ts';
import { findProgram, isRoot, requireTool } from '../helpers/tools.ts';
import { file, tree, writeTree } from '../helpers/tree.ts';
import { until } from '../helpers/until.ts';

const temp = useTemp();
const MIB = 1 << 20;
const canServe = findProgram('sshd') !== undefined && isRoot();

/** What opens the server's door, and nothing of the person's own. */
function setting(
  server: Sshd,
  login: Login = {},
  options: Readonly<Record<string, string>> = {},
): StorageSetting {
  const all = { 'sftp.identity-file': server.key, 'sftp.known-hosts': server.knownHosts, ...options };
  return {
    options: new Map(Object.entries(all).filter(([, value]) => value !== '')),
    login: { get: async () => login, put: async () => undefined },
    env: { HOME: server.folder },
  };
}

const targetOf = (server: Sshd, path: string) => `//${server.user}@127.0.0.1:${server.port}/${path}`;

const packOf = (bytes: Uint8Array): Handle => ({
  type: 'pack',
  name: createHash('sha256').update(bytes).digest('hex'),
});

const CONFIG: Handle = { type: 'config', name: '' };

async function serverIn(folder: string, o: SshdOptions = {}): Promise<Sshd> {
  return Sshd.start(folder, o);
}

/** Restic, over the same server, by the ssh program. */
class ResticOverSsh extends ResticCli {
  protected override readonly program: readonly [string, ...string[]];
  readonly #server: Sshd;

  constructor(place: CliPlace, server: Sshd) {
    super(place);
    this.#server = server;
    const ssh = ['ssh', ...server.sshArgs(), `${server.user}@127.0.0.1`, '-s', 'sftp'].join(' ');
    this.program = ['restic', '-o', `sftp.command=${ssh}`];
  }

  override with(place: Partial<CliPlace>): ResticOverSsh {
    return new ResticOverSsh({ ...this.place, ...place }, this.#server);
  }

  protected override ownEnvironment(): Readonly<Record<string, string>> {
    const cache = join(this.place.home, 'restic-cache');
    return {
      RESTIC_REPOSITORY: this.place.repository,
      RESTIC_PASSWORD: this.password,
      RESTIC_CACHE_DIR: cache,
    };
  }
}

/** A home in which the command line finds key and server as `ssh` does. */
function homeFor(server: Sshd): string {
  const home = temp.dir('home');
  fs.mkdirSync(join(home, '.ssh'));
  fs.copyFileSync(server.key, join(home, '.ssh', 'id_ed25519'));
  fs.copyFileSync(server.knownHosts, join(home, '.ssh', 'known_hosts'));
  return home;
}

function writeSource(folder: string, seed: number): void {
  const many = Array.from(
    { length: 200 },
    (_, n) => [`small ${n}`, file(`${seed} ${n}\n`.repeat(n))] as const,
  );
  const root = tree({
    large: file({ seed, size: 40 * MIB + 7 }),
    other: file({ seed: seed + 1, size: 3 * MIB }),
    small: tree(Object.fromEntries(many)),
  });
  writeTree(join(folder, 'tree'), root);
}

// One server for the whole contract: a new one for each of its tests would take minutes.
if (canServe) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'holdfast-test-sshd-'));
  let starting: Promise<Sshd> | undefined;
  let n = 0;
  afterAll(async () => {
    await (await starting)?.kill();
    removeTree(folder);
  });
  backendContract('sftp, OpenSSH', async () => {
    // New keys every megabyte: the exchange must not disturb what is under way.
    starting ??= serverIn(folder, { lines: ['RekeyLimit 1M'] });
    const server = await starting;
    const target = targetOf(server, join(folder, `repo ${++n}`));
    const backend = await createSftp(target, setting(server));
    const other = await openSftp(target, setting(server));
    return { backend, other, dispose: () => other.close() };
  });
}

describe('with restic at the same repository', () => {
  it('backs up, restores, prunes; and restic reads all of it', async (context) => {
    requireTool(context, 'restic', 'sshd', 'root');
    await using server = await serverIn(temp.dir('sshd'));
    const [home, disk, folder] = [homeFor(server), temp.dir('disk'), temp.dir('source')];
    const repository = join(disk, 'repository');
    const holdfast = new Holdfast({ home, repository: `sftp:${targetOf(server, repository)}` });
    const restic = new ResticOverSsh(
      { home, repository: `sftp:${server.user}@127.0.0.1:${repository}` },
      server,
    );
    await holdfast.init();
    writeSource(folder, 1);
    await holdfast.backup(['tree'], { cwd: folder });
    const first = snapshotOf(folder);
    fs.rmSync(join(folder, 'tree', 'large'));
    fs.writeFileSync(join(folder, 'tree', 'new'), randomBytes(9 * MIB));
    await holdfast.backup(['tree'], { cwd: folder });
    await restic.check();
    const [id = ''] = (await restic.snapshots()).map((s) => s.id);

    const targets = [temp.dir('target'), temp.dir('target')] as const;
    await restic.restore(id, targets[0]);
    await holdfast.restore(id, targets[1]);
    for (const target of targets) expectSame(first, snapshotOf(target), { root: false });

    await holdfast.call(['forget', id, '--prune']);
    await restic.backup(['tree'], { cwd: folder });
    await holdfast.check();
    await restic.check();
    const all = fs.readdirSync(repository, { recursive: true, encoding: 'utf8' });
    expect(all.filter((name) => name.includes('-tmp-'))).toEqual([]);
    const [pack = ''] = all.filter((name) => /^data\/..\/./.test(name));
    const modeOf = (path: string) => fs.statSync(path).mode & 0o777;
    expect([modeOf(join(repository, pack)), modeOf(join(repository, 'data'))]).toEqual([0o400, 0o700]);
  });
});

describe('logins', () => {
  beforeEach((context) => requireTool(context, 'sshd', 'root'));

  async function opens(target: string, o: StorageSetting): Promise<Backend> {
    const backend = await createSftp(target, o);
    await backend.save(CONFIG, [Buffer.from('config')]);
    await backend.close();
    return backend;
  }

  it('are refused with a key that the server does not know', async () => {
    await using server = await serverIn(temp.dir('sshd'));
    const stranger = makeKey(temp.dir('key'), 'stranger');
    const o = setting(server, {}, { 'sftp.identity-file': stranger });
    await expect(openSftp(targetOf(server, '/nowhere'), o)).rejects.toMatchObject({
      code: 'auth-expired',
      transient: false,
      context: { methods: 'publickey' },
    });
  });

  it('work with a locked key of each format and its passphrase, not with another', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    for (const [i, type] of (['ed25519', 'ecdsa', 'rsa'] as const).entries()) {
      const key = makeKey(folder, `locked_${type}`, type, 'open sesame');
      server.authorize(`${key}.pub`);
      const target = targetOf(server, join(temp.dir('disk'), 'repo'));
      const options = i === 0 ? { 'sftp.identity-file': key } : { 'sftp.identity-file': '' };
      const kept = i === 0 ? {} : { privateKey: fs.readFileSync(key, 'utf8') };
      await opens(target, setting(server, { ...kept, passphrase: 'open sesame' }, options));
      const wrong = setting(server, { ...kept, passphrase: 'open barley' }, options);
      await expect(openSftp(target, wrong)).rejects.toMatchObject({ code: 'auth-expired' });
      const none = openSftp(target, setting(server, kept, options));
      await expect(none).rejects.toMatchObject({ code: 'auth-expired' });
      await expect(none).rejects.toThrow(/locked/);
    }
  });

  it('work with a key that only the agent can use', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    const socket = join(folder, 'agent');
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await until(() => fs.existsSync(socket));
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      for (const other of ['one', 'two']) {
        execFileSync('ssh-add', ['-q', makeKey(folder, other)], { env, stdio: 'pipe' });
      }
      execFileSync('ssh-add', ['-q', server.key], { env, stdio: 'pipe' });
      const o = setting(server, {}, { 'sftp.identity-file': '' });
      const target = targetOf(server, join(temp.dir('disk'), 'repo'));
      await expect(openSftp(target, o)).rejects.toMatchObject({ code: 'auth-expired' });
      await opens(target, { ...o, env: { HOME: folder, SSH_AUTH_SOCK: socket } });
      await (
        await openSftp(target, setting(server, {}, { 'sftp.identity-file': '', 'sftp.agent': socket }))
      ).close();
    } finally {
      agent.kill();
      await once(agent, 'exit');
    }
  });

  it('find host, port, user and key in ~/.ssh/config', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    const [home, disk] = [temp.dir('home'), temp.dir('disk')];
    fs.mkdirSync(join(home, '.ssh'));
    const lines = ['Host attic', 'HostName 127.0.0.1', `Port ${server.port}`, `User ${server.user}`];
    fs.writeFileSync(join(home, '.ssh', 'config'), [...lines, `IdentityFile "${server.key}"`].join('\n'));
    fs.copyFileSync(server.knownHosts, join(home, '.ssh', 'known_hosts'));
    const backend = await opens(`attic:${disk}/repo`, { env: { HOME: home } });
    expect(backend.location).toBe(`sftp:attic:${disk}/repo`);
    expect(fs.readFileSync(join(disk, 'repo', 'config'), 'utf8')).toBe('config');
  });

  it('that get no SFTP are told so', async () => {
    await using server = await serverIn(temp.dir('sshd'), { lines: ['ForceCommand /bin/false'] });
    const opening = openSftp(targetOf(server, '/'), setting(server));
    await expect(opening).rejects.toMatchObject({ code: 'permission', transient: false });
  });
});

describe('the server’s identity', () => {
  beforeEach((context) => requireTool(context, 'sshd', 'root'));

  it('is asked for once, remembered, and missed when it changes', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    const known = join(folder, 'fresh', 'known_hosts');
    const o = setting(server, {}, { 'sftp.known-hosts': known });
    const target = targetOf(server, folder);
    const [line = ''] = server.knownLines().split('\n');
    const [host = '', keyType = '', publicKey = ''] = line.split(' ');
    const fingerprint = fingerprintOf(publicKey);
    const at = { host: '127.0.0.1', port: server.port };
    const context = { fingerprint, keyType, publicKey, ...at, changed: false };
    await expect(openSftp(target, o)).rejects.toMatchObject({ code: 'host-unverified', context });
    const shown = execFileSync('ssh-keygen', ['-l', '-f', `${server.hostKeys[0]}.pub`], { encoding: 'utf8' });
    expect(shown).toContain(fingerprint);

    await rememberHost(known, '127.0.0.1', server.port, publicKey);
    await (await openSftp(target, o)).close();
    const accepted = setting(server, { hostKey: fingerprint }, { 'sftp.known-hosts': join(folder, 'none') });
    await (await openSftp(target, accepted)).close();
    // OpenSSH reads what was remembered.
    execFileSync('ssh-keygen', ['-F', host, '-f', known], { stdio: 'pipe' });

    await server.kill();
    server.changeHostKey();
    await server.start();
    const changed = { code: 'host-unverified', transient: false, context: { changed: true } };
    await expect(openSftp(target, o)).rejects.toMatchObject(changed);
    await expect(openSftp(target, accepted)).rejects.toMatchObject(changed);
    expect(server.log).not.toMatch(/Accepted|Failed|userauth/);
  });

  it('is found whichever of its keys is known, in hashed names too', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder, { hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
    const target = targetOf(server, folder);
    for (const type of ['rsa', 'ecdsa', 'ed25519'] as const) {
      const known = join(folder, `known_${type}`);
      fs.writeFileSync(known, `# a comment\n\n${server.knownLines(type)}`);
      await (await openSftp(target, setting(server, {}, { 'sftp.known-hosts': known }))).close();
      execFileSync('ssh-keygen', ['-H', '-f', known], { stdio: 'pipe' });
      expect(fs.readFileSync(known, 'utf8')).not.toContain('127.0.0.1');
      await (await openSftp(target, setting(server, {}, { 'sftp.known-hosts': known }))).close();
      const [, , key = ''] = server.knownLines(type).trim().split(' ');
      const login = { hostKey: `SHA256:${'A'.repeat(43)} ${fingerprintOf(key)}` };
      await (await openSftp(target, setting(server, login, { 'sftp.known-hosts': '/dev/null' }))).close();
    }
  });

  it('is not taken from a revoked key', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    const [line = ''] = server.knownLines().split('\n');
    fs.appendFileSync(server.knownHosts, `@revoked * ${line.split(' ').slice(1).join(' ')}\n`);
    const login = { hostKey: fingerprintOf(line.split(' ')[2] ?? '') };
    await expect(openSftp(targetOf(server, folder), setting(server, login))).rejects.toMatchObject({
      code: 'host-unverified',
      context: { changed: true, revoked: true },
    });
  });
});

describe('trouble', () => {
  beforeEach((context) => requireTool(context, 'sshd', 'root'));

  it('a server that dies while it is written to, and comes back', async () => {
    const [folder, disk] = [temp.dir('sshd'), temp.dir('disk')];
    await using server = await serverIn(folder);
    const backend = await createSftp(targetOf(server, join(disk, 'repo')), setting(server));
    await backend.save(CONFIG, [Buffer.from('config')]);
    const bytes = randomBytes(64 * MIB);
    const pack = packOf(bytes);
    const saving = backend.save(pack, [bytes]).catch((e: unknown) => e);
    const inPlace = () => fs.readdirSync(join(disk, 'repo', 'data', pack.name.slice(0, 2)));
    await until(() => inPlace().length > 0);
    await server.kill();
    expect(await saving).toMatchObject({ code: 'unreachable', transient: true });
    await expect(backend.stat(CONFIG)).rejects.toMatchObject({ code: 'unreachable', transient: true });
    expect(inPlace()).toEqual([expect.stringMatching(/^[0-9a-f]{64}-tmp-\d+$/)]);

    await server.start();
    await expect(backend.stat(pack)).rejects.toMatchObject({ code: 'not-found' });
    await backend.save(pack, [bytes]);
    expect(Buffer.from(await backend.load(pack)).equals(bytes)).toBe(true);
    expect(await backend.cleanTemporary?.()).toBe(0);
    expect(await backend.cleanTemporary?.({ now: Date.now() + 8 * 86_400_000 })).toBe(1);
    expect(inPlace()).toEqual([pack.name]);
    await backend.close();
  });

  it('a full disk, and room again', async (context) => {
    requireTool(context, 'loop', 'mkfs.ext4');
    await using server = await serverIn(temp.dir('sshd'));
    using disk = onDisk('ext4', 48);
    const root = join(disk.path, 'repo');
    const backend = await createSftp(targetOf(server, root), setting(server));
    await backend.save(CONFIG, [Buffer.from('config')]);
    const space = await backend.space?.();
    const { bavail, bsize, blocks } = fs.statfsSync(disk.path);
    expect(space).toMatchObject({ free: bavail * bsize, total: blocks * bsize });
    const data = Array.from({ length: 8 }, () => randomBytes(9 * MIB));
    const ends = await Promise.allSettled(data.map((bytes) => backend.save(packOf(bytes), [bytes])));
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) expect(error).toMatchObject({ code: 'no-space', transient: false });
    const all = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(all.filter((name) => name.includes('-tmp-'))).toEqual([]);
    for (const bytes of data) await backend.remove(packOf(bytes));
    const [first = Buffer.alloc(1)] = data;
    await backend.save(packOf(first), [first]);
    expect(Buffer.from(await backend.load(packOf(first))).equals(first)).toBe(true);

    execFileSync('mount', ['-o', 'remount,ro', disk.path], { stdio: 'pipe' });
    const readOnly = { code: 'read-only', transient: false };
    await expect(backend.save(packOf(randomBytes(1)), [])).rejects.toMatchObject(readOnly);
    await expect(backend.remove(packOf(first))).rejects.toMatchObject(readOnly);
    await backend.close();
  });

  it('a disk that is unmounted on the server', async (context) => {
    requireTool(context, 'loop', 'mkfs.ext4');
    await using server = await serverIn(temp.dir('sshd'));
    using disk = onDisk('ext4', 24);
    const backend = await createSftp(targetOf(server, disk.path), setting(server));
    await backend.save(CONFIG, [Buffer.from('config')]);
    execFileSync('umount', ['--lazy', disk.path]);
    const gone = { code: 'unreachable', transient: false };
    const pack = packOf(randomBytes(1));
    await expect(backend.save(pack, [Buffer.from('x')])).rejects.toMatchObject(gone);
    await expect(backend.save(CONFIG, [Buffer.from('x')])).rejects.toMatchObject(gone);
    await expect(backend.load(pack)).rejects.toMatchObject(gone);
    await expect(backend.remove(pack)).rejects.toMatchObject(gone);
    const listing = (async () => {
      for await (const _ of backend.list('pack'));
    })();
    await expect(listing).rejects.toMatchObject(gone);
    expect(fs.readdirSync(disk.path)).toEqual([]);
    await backend.close();
  });

  it('a folder in which this login may not write', async () => {
    await using server = await serverIn(temp.dir('sshd'));
    await using reader = await serverIn(temp.dir('sshd'), { subsystem: 'internal-sftp -R' });
    const root = join(temp.dir('disk'), 'repo');
    const backend = await createSftp(targetOf(server, root), setting(server));
    const kept = packOf(Buffer.from('kept'));
    await backend.save(kept, [Buffer.from('kept')]);
    await backend.close();
    const looking = await openSftp(targetOf(reader, root), setting(reader));
    expect(Buffer.from(await looking.load(kept)).toString()).toBe('kept');
    await expect(looking.save(packOf(randomBytes(1)), [])).rejects.toMatchObject({ code: 'permission' });
    await expect(looking.remove(kept)).rejects.toMatchObject({ code: 'permission' });
    await looking.close();
    await expect(createSftp(targetOf(reader, join(root, 'new')), setting(reader))).rejects.toMatchObject({
      code: 'permission',
    });
  });

  it('a server that is not there, and a folder that is not', async () => {
    const folder = temp.dir('sshd');
    await using server = await serverIn(folder);
    const missing = openSftp(targetOf(server, join(folder, 'no', 'such')), setting(server));
    await expect(missing).rejects.toMatchObject({ code: 'repository-missing' });
    const inFile = openSftp(targetOf(server, server.key), setting(server));
    await expect(inFile).rejects.toMatchObject({ code: 'conflict' });
    await server.kill();
    const off = openSftp(targetOf(server, folder), setting(server));
    await expect(off).rejects.toMatchObject({ code: 'unreachable', transient: true });
  });
});
