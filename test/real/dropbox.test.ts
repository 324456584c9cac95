/**
 * Dropbox by its real addresses, which a proxy leads to the Dropbox of tests: what rclone's own client makes of that one, and what
 * rclone and restic make of a repository that we wrote.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { expectCode, run } from '../helpers/process.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { DropboxServer, tooManyRequests } from '../servers/dropbox.ts';
import { storm } from '../servers/dropbox-storm.ts';
import { SERVICES_CERTIFICATE, TlsProxy } from '../servers/tls-proxy.ts';

const temp = useTemp();
let server: DropboxServer;
let proxy: TlsProxy;
/** Of programs that shall reach our Dropbox. */
let env: Record<string, string>;
let authority: string;

beforeEach(async () => {
  server = await DropboxServer.start({ clientSecret: 'app-secret', page: 50 });
  proxy = await TlsProxy.start({
    'api.dropboxapi.com': (socket) => server.adopt('api', socket),
    'content.dropboxapi.com': (socket) => server.adopt('content', socket),
    'www.dropbox.com': (socket) => server.adopt('api', socket),
  });
  const place = temp.dir('rclone');
  authority = join(place, 'authority.pem');
  fs.writeFileSync(authority, SERVICES_CERTIFICATE);
  env = {
    PATH: process.env.PATH ?? '',
    HOME: place,
    HTTPS_PROXY: proxy.url,
    RCLONE_CA_CERT: authority,
    RCLONE_CONFIG: join(place, 'rclone.conf'),
  };
  fs.writeFileSync(join(place, 'rclone.conf'), rcloneConfig('2001-01-01T00:00:00Z'));
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.close();
});

function rcloneConfig(expiry: string): string {
  const { accessToken, refreshToken } = server.login.grant();
  const token = { access_token: accessToken, token_type: 'bearer', refresh_token: refreshToken, expiry };
  const lines = ['type = dropbox', 'client_id = app-key', 'client_secret = app-secret'];
  return ['[db]', ...lines, `token = ${JSON.stringify(token)}`, ''].join('\n');
}

async function rclone(...args: readonly string[]): Promise<string> {
  const { stdout } = expectCode(await run('rclone', [...args, '--retries', '1'], { env }), 0);
  return stdout.toString();
}

describe('rclone with the Dropbox of tests', () => {
  it('copies there and back, compares hashes, lists and removes', async (context) => {
    requireTool(context, 'rclone');
    const [from, to] = [temp.dir('from'), temp.dir('to')];
    for (let i = 0; i < 60; i++) fs.writeFileSync(join(from, `file ${i}`), randomBytes(i * 100));
    fs.mkdirSync(join(from, 'Ünter', 'tief'), { recursive: true });
    fs.writeFileSync(join(from, 'Ünter', 'tief', 'groß'), randomBytes(50 << 20));
    server.plan('files/list_folder', tooManyRequests(0));
    await rclone('copy', from, 'db:there');
    // By Dropbox's own hash.
    await rclone('check', from, 'db:there');
    await rclone('copy', 'db:there', to);
    for (const entry of fs.readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      expect(fs.readFileSync(join(to, relative(from, path))).equals(fs.readFileSync(path))).toBe(true);
    }
    const names = (await rclone('lsf', '-R', '--files-only', 'db:there')).trim().split('\n');
    expect(names).toHaveLength(61);
    expect(JSON.parse(await rclone('about', '--json', 'db:'))).toMatchObject({
      total: server.space.capacity,
    });
    expect(await rclone('cat', '--offset', '100', '--count', '5', 'db:there/file 9')).toHaveLength(5);
    await rclone('deletefile', 'db:there/file 9');
    await rclone('purge', 'db:there/Ünter');
    expect(server.space.files.size).toBe(59);
    expect(server.login.refreshed).toBeGreaterThan(0);
    expect([...proxy.asked].sort()).toEqual(['api.dropboxapi.com', 'content.dropboxapi.com']);
  });
});

describe('a repository in Dropbox', () => {
  async function sourceOf(files: number): Promise<string> {
    const folder = temp.dir('source');
    for (let i = 0; i < files; i++) {
      fs.writeFileSync(join(folder, `text ${i}`), `line ${i}\n`.repeat(9000 + i));
      fs.writeFileSync(join(folder, `noise ${i}`), randomBytes(3 << 20));
    }
    return folder;
  }

  it('lives by Holdfast and by restic over rclone, in turns', async (context) => {
    requireTool(context, 'rclone', 'restic');
    const ours = { HTTPS_PROXY: proxy.url, ...loginOf(server) };
    const holdfast = new Holdfast({ home: temp.dir('home'), repository: 'dropbox:Ada’s/repo' });
    const restic = new Restic({ home: temp.dir('home'), repository: 'rclone:db:Ada’s/repo' });
    const hand = { env: ours };
    const folder = await sourceOf(8);
    const call = (...args: readonly string[]) => holdfast.call(['--cacert', authority, ...args], hand);
    await call('init');
    await holdfast.call(['--cacert', authority, 'backup', '.'], { ...hand, cwd: folder });
    for (let i = 0; i < 8; i += 2) fs.rmSync(join(folder, `noise ${i}`));
    expectCode(await restic.try(['backup', '.'], { env, cwd: folder }), 0);
    await holdfast.call(['--cacert', authority, 'backup', '.'], { ...hand, cwd: folder });
    await call('forget', '--keep-last', '1', '--prune');
    await call('check', '--read-data');
    expectCode(await restic.try(['check', '--read-data'], { env }), 0);
    const [back, again] = [temp.dir('back'), temp.dir('again')];
    await call('restore', 'latest', '--target', back);
    expectSame(snapshotOf(folder), snapshotOf(back), { root: false });
    expectCode(await restic.try(['restore', 'latest', '--target', again], { env }), 0);
    expectSame(snapshotOf(folder), snapshotOf(again), { root: false });
    expect(server.overlaps).toBe(0);
  });
});

/** HOLDFAST_TEST_STORM=full: as many as take minutes. */
const SEEDS =
  process.env.HOLDFAST_TEST_STORM === 'full' ? [11, 12, 13, 14, 15, 16, 17, 18, 19, 20] : [11, 12, 13];

describe('a Dropbox where every twelfth call goes wrong', () => {
  it.each(SEEDS)('keeps every byte of 5,000 files: seed %i', async (seed) => {
    const { wrong, files, faults } = await storm(seed, 5000, 1 / 12);
    expect(wrong).toEqual([]);
    expect(files).toBe(3333);
    expect(faults).toBeGreaterThan(500);
  });
});

function loginOf({ login }: DropboxServer): Record<string, string> {
  return {
    HOLDFAST_DROPBOX_CLIENT_ID: login.app.clientId,
    HOLDFAST_DROPBOX_REFRESH_TOKEN: login.grant().refreshToken,
  };
}
