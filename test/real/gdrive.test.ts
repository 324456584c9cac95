/** The Drive storage beside rclone's own Drive client, and restic through that; and many files while much goes wrong. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, FileInfo } from '../../src/backend/backend.ts';
import { openDrive } from '../../src/backend/gdrive/gdrive.ts';
import { KEY } from '../helpers/certificate.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { expectCode, type RunResult, run } from '../helpers/process.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { ConnectProxy } from '../servers/connect-proxy.ts';
import { DriveServer } from '../servers/drive.ts';
import { driveStory } from '../servers/drive-story.ts';
import { GOOGLE_CERTIFICATE } from '../servers/google-certificate.ts';

const temp = useTemp();
const ALL = 'https://www.googleapis.com/auth/drive';

let server: DriveServer;
let proxy: ConnectProxy;

beforeEach(async () => {
  server = await DriveServer.start();
  proxy = await ConnectProxy.start({
    key: KEY,
    certificate: GOOGLE_CERTIFICATE,
    adopt: (socket) => server.adopt(socket),
  });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** With rclone's remote "drive:", that reaches the Drive of the test whatever address it asks for. */
function rcloneEnv(): Readonly<Record<string, string>> {
  const folder = temp.dir('rclone');
  const { accessToken, refreshToken } = server.login.grant(ALL);
  const token = { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer' };
  const config = [
    '[drive]',
    'type = drive',
    'scope = drive',
    `client_id = ${server.login.clientId}`,
    `client_secret = ${server.login.clientSecret}`,
    `token = ${JSON.stringify({ ...token, expiry: '2020-01-01T00:00:00Z' })}`,
    // More than 5 MB in one call is more than Google documents.
    'upload_cutoff = 4Mi',
    'pacer_min_sleep = 1ms',
    'use_trash = false',
  ];
  fs.writeFileSync(join(folder, 'rclone.conf'), `${config.join('\n')}\n`);
  fs.writeFileSync(join(folder, 'ca.pem'), GOOGLE_CERTIFICATE);
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: folder,
    RCLONE_CONFIG: join(folder, 'rclone.conf'),
    RCLONE_CA_CERT: join(folder, 'ca.pem'),
    HTTPS_PROXY: proxy.url,
  };
}

async function rclone(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RunResult> {
  return expectCode(await run('rclone', args, { env }), 0);
}

function ours(): { readonly env: Readonly<Record<string, string>>; readonly flags: readonly string[] } {
  const { refreshToken } = server.login.grant();
  const env = {
    HOLDFAST_GDRIVE_CLIENT_ID: server.login.clientId,
    HOLDFAST_GDRIVE_CLIENT_SECRET: server.login.clientSecret,
    HOLDFAST_GDRIVE_REFRESH_TOKEN: refreshToken,
  };
  const flags = ['gdrive.endpoint', 'gdrive.token-url'].flatMap((name) => [
    '-o',
    `${name}=${server.options.get(name)}`,
  ]);
  return { env, flags };
}

async function openOurs(target: string): Promise<Backend & AsyncDisposable> {
  const { env } = ours();
  const backend = await openDrive(target, { options: server.options, env });
  return Object.assign(backend, { [Symbol.asyncDispose]: () => backend.close() });
}

async function listed(files: AsyncIterable<FileInfo>): Promise<FileInfo[]> {
  const all: FileInfo[] = [];
  for await (const file of files) all.push(file);
  return all;
}

describe('the Drive of tests, by rclone', () => {
  beforeEach((context) => requireTool(context, 'rclone'));

  it('takes, lists, gives and removes small and large files', async () => {
    const env = rcloneEnv();
    const [from, to] = [temp.dir('from'), temp.dir('to')];
    fs.mkdirSync(join(from, 'deep', 'it’s'), { recursive: true });
    fs.writeFileSync(join(from, 'deep', 'it’s', "o'clock"), 'small');
    fs.writeFileSync(join(from, 'large'), randomBytes(20 << 20));
    await rclone(env, 'copy', '--checksum', from, 'drive:x');
    const { stdout } = await rclone(env, 'lsf', '-R', '--files-only', 'drive:x');
    expect(stdout.toString().trim().split('\n').sort()).toEqual(["deep/it’s/o'clock", 'large']);
    await rclone(env, 'check', '--download', from, 'drive:x');
    await rclone(env, 'copy', 'drive:x', to);
    for (const file of ['large', "deep/it’s/o'clock"]) {
      expect(fs.readFileSync(join(to, file)).equals(fs.readFileSync(join(from, file)))).toBe(true);
    }
    await rclone(env, 'deletefile', 'drive:x/large');
    expect(server.space.pathsOf()).toEqual(["x/deep/it’s/o'clock"]);
    expect([...proxy.hosts].sort()).toEqual(['oauth2.googleapis.com:443', 'www.googleapis.com:443']);
  });
});

describe('a repository in Drive', () => {
  beforeEach((context) => requireTool(context, 'rclone', 'restic'));

  it('written by Holdfast is read, checked and gone on with by restic through rclone', async () => {
    const folder = temp.dir('source');
    for (let i = 0; i < 4; i++) {
      fs.writeFileSync(join(folder, `noise ${i}`), randomBytes(6 << 20));
      fs.writeFileSync(join(folder, `text ${i}`), `line ${i}\n`.repeat(9000));
    }
    const { env, flags } = ours();
    const holdfast = new Holdfast({ home: temp.dir('home'), repository: 'gdrive:backups/mine' });
    await holdfast.call(['init', ...flags], { env });
    await holdfast.backup(['.'], { cwd: folder, args: flags, env });
    const through = { env: rcloneEnv() };
    const restic = new Restic({ home: temp.dir('home'), repository: 'rclone:drive:backups/mine' });
    await restic.check(through);
    const back = temp.dir('back');
    await restic.restore('latest', back, [], through);
    expectSame(snapshotOf(folder), snapshotOf(back), { root: false });
    fs.writeFileSync(join(folder, 'more'), randomBytes(1 << 20));
    await restic.backup(['.'], { cwd: folder, ...through });
    await holdfast.call(['check', '--read-data', ...flags], { env: { ...env, ...sees(ALL) } });
    const again = temp.dir('again');
    await holdfast.restore('latest', again, flags, { env: { ...env, ...sees(ALL) } });
    expectSame(snapshotOf(folder), snapshotOf(again), { root: false });
  });

  /** restic's files are another program's: a login with few rights does not see them. */
  function sees(scope: string): Readonly<Record<string, string>> {
    return { HOLDFAST_GDRIVE_REFRESH_TOKEN: server.login.grant(scope).refreshToken };
  }

  it('shows rclone and Holdfast the same files', async () => {
    await using backend = await openOurs('repo');
    const env = rcloneEnv();
    const name = 'ab'.repeat(32);
    await backend.save({ type: 'pack', name }, [randomBytes(1000)]);
    const { stdout } = await rclone(env, 'lsf', '-R', '--files-only', 'drive:repo');
    expect(stdout.toString().trim()).toBe(`data/ab/${name}`);
    const read = await rclone(env, 'cat', `drive:repo/data/ab/${name}`);
    expect(Buffer.from(await backend.load({ type: 'pack', name })).equals(read.stdout)).toBe(true);
    await rclone(env, 'purge', 'drive:repo/data');
    expect(await listed(backend.list('pack'))).toEqual([]);
  });
});

/** HOLDFAST_TEST_STORM=full: as many as take minutes. */
const FILES = process.env.HOLDFAST_TEST_STORM === 'full' ? 5000 : 2000;

describe('many files while much goes wrong', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('come through byte by byte, by seed %i', async (seed) => {
    const { stored, expected, wrong, seen, allowed, faults } = await driveStory(seed, FILES);
    expect(wrong).toEqual([]);
    expect(new Set(stored.keys())).toEqual(expected);
    expect([...stored.values()].filter((files) => files > 1)).toEqual([]);
    expect(seen.creationsInTenSeconds).toBeLessThanOrEqual(allowed.creationsInTenSeconds);
    expect(seen.queriesInAMinute).toBeLessThanOrEqual(allowed.queriesInAMinute);
    expect(faults).toBeGreaterThan(100);
  });
});
