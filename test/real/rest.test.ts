/** REST storages against the servers that people run: `rclone serve restic`, and restic's rest-server where it is at hand. */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, CONFIG_HANDLE } from '../../src/backend/backend.ts';
import { createRest, openRest } from '../../src/backend/rest/rest.ts';
import { backendContract } from '../contract/backend.ts';
import { CERTIFICATE, KEY } from '../helpers/certificate.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';
import { RealRest } from '../servers/real-rest.ts';

const temp = useTemp();
const shared = useSharedTemp();
const login = { username: 'ann', password: 'a word' };

let serving: Promise<RealRest> | undefined;
let repositories = 0;
afterAll(async () => (await serving)?.[Symbol.asyncDispose]());

// One server for all: a new repository for each test.
if (hasTool('rclone')) {
  backendContract('rest, by rclone', async () => {
    serving ??= RealRest.rclone({ folder: shared.dir('rclone'), login });
    const server = await serving;
    const target = server.target(`${repositories++}/`, { login: `${login.username}:${login.password}` });
    const other = await openRest(target);
    return {
      backend: await createRest(target),
      other,
      secrets: [login.password],
      dispose: () => other.close(),
    };
  });
}

async function sourceOf(files: number): Promise<string> {
  const folder = temp.dir('source');
  for (let i = 0; i < files; i++) {
    fs.writeFileSync(join(folder, `text ${i}`), `line ${i}\n`.repeat(9000 + i));
    fs.writeFileSync(join(folder, `noise ${i}`), randomBytes(1 << 20));
  }
  return folder;
}

/** Both programs on the repository at an address. */
function handsOn(target: string): { readonly holdfast: Holdfast; readonly restic: Restic } {
  const place = { home: temp.dir('home'), repository: `rest:${target}` };
  return { holdfast: new Holdfast(place), restic: new Restic(place) };
}

/** The story of a repository at an address; restic judges. */
async function livesThrough(target: string): Promise<void> {
  const { holdfast, restic } = handsOn(target);
  const folder = await sourceOf(6);
  await holdfast.init();
  await holdfast.backup(['.'], { cwd: folder });
  for (let i = 0; i < 6; i += 2) fs.rmSync(join(folder, `noise ${i}`));
  await restic.backup(['.'], { cwd: folder });
  await holdfast.backup(['.'], { cwd: folder });
  await holdfast.call(['forget', '--keep-last', '1', '--prune']);
  await holdfast.check();
  await restic.check({ readData: true });
  for (const hand of [holdfast, restic]) {
    const back = temp.dir('back');
    await hand.restore('latest', back);
    expectSame(snapshotOf(folder), snapshotOf(back), { root: false });
  }
}

/** Backups go on; what would remove something is refused with a sentence, and nothing is harmed. */
async function keepsAll(target: string): Promise<void> {
  const { holdfast, restic } = handsOn(target);
  const folder = await sourceOf(2);
  await holdfast.init();
  await holdfast.backup(['.'], { cwd: folder });
  fs.writeFileSync(join(folder, 'more'), randomBytes(1 << 20));
  await holdfast.backup(['.'], { cwd: folder });
  const refused = await holdfast.try(['forget', '--keep-last', '1', '--prune']);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/the server is append-only and keeps everything that is there/);
  expect(await holdfast.list('locks')).toEqual([]);
  expect(await restic.snapshots()).toHaveLength(2);
  await restic.check({ readData: true });
  await using storage = disposable(await openRest(target));
  expect(await storage.backend.facts?.()).toMatchObject({ appendOnly: true });
}

function disposable(backend: Backend): AsyncDisposable & { readonly backend: Backend } {
  return { backend, [Symbol.asyncDispose]: () => backend.close() };
}

/** rest-server is in no registry that CI reaches: like a newer restic, it takes part where somebody has put it. */
const SERVERS = [
  ['rclone', RealRest.rclone] as const,
  ...(hasTool('rest-server') ? [['rest-server', RealRest.restServer] as const] : []),
];
if (!hasTool('rest-server'))
  console.warn('rest-server is not here: it takes no part in the proofs of REST storages');

describe.each(SERVERS)('a repository by %s', (program, start) => {
  beforeEach((context) => requireTool(context, 'restic', program));

  it('lives through backups by Holdfast and restic, forget, prune, check and restore', async () => {
    await using server = await start({ folder: temp.dir('server') });
    await livesThrough(server.target('deep/repo/'));
  });

  it('is as good as any where nothing can be removed', async () => {
    await using server = await start({ folder: temp.dir('server'), appendOnly: true });
    await keepsAll(server.target('repo'));
  });

  it('tells of a server that lets files be removed', async () => {
    await using server = await start({ folder: temp.dir('server') });
    await using storage = disposable(await createRest(server.target('repo/')));
    expect(await storage.backend.facts?.()).toMatchObject({ appendOnly: false, account: null });
  });

  it.each([false, true])('takes the same file twice (append-only: %s)', async (appendOnly) => {
    await using server = await start({ folder: temp.dir('server'), appendOnly });
    await using storage = disposable(await createRest(server.target('repo/')));
    const data = Buffer.from('the same bytes');
    const h = { type: 'index', name: createHash('sha256').update(data).digest('hex') } as const;
    await storage.backend.save(h, [data]);
    await storage.backend.save(h, [data.subarray(0, 5), data.subarray(5)]);
    expect(await storage.backend.stat(h)).toEqual({ name: h.name, size: data.length });
  });

  it('refuses to put another file in the place of one where nothing can be removed', async () => {
    await using server = await start({ folder: temp.dir('server'), appendOnly: true });
    await using storage = disposable(await createRest(server.target('repo/')));
    const { backend } = storage;
    await backend.save(CONFIG_HANDLE, [Buffer.from('the first')]);
    await expect(backend.save(CONFIG_HANDLE, [Buffer.from('another')])).rejects.toMatchObject({
      code: 'repository-exists',
    });
    expect(Buffer.from(await backend.load(CONFIG_HANDLE)).toString()).toBe('the first');
    const refusal = { code: 'permission', context: { appendOnly: true } };
    await expect(backend.remove(CONFIG_HANDLE)).rejects.toMatchObject(refusal);
  });
});

describe('rclone', () => {
  beforeEach((context) => requireTool(context, 'rclone'));

  function inPem(): { readonly key: string; readonly certificate: string; readonly both: string } {
    const folder = temp.dir('pem');
    const [key, certificate, both] = ['key', 'certificate', 'both'].map((name) => join(folder, name));
    if (!key || !certificate || !both) throw new Error('no names');
    fs.writeFileSync(key, KEY);
    fs.writeFileSync(certificate, CERTIFICATE);
    fs.writeFileSync(both, CERTIFICATE + KEY);
    return { key, certificate, both };
  }

  it('is believed by its own certificate, and believes ours', async () => {
    const pem = inPem();
    await using server = await RealRest.rclone({
      folder: temp.dir('s'),
      tls: { ...pem, clients: pem.certificate },
    });
    const target = server.target('repo/', { scheme: 'https' });
    const opening = (tls: object) => createRest(target, { tls });
    await expect(opening({})).rejects.toMatchObject({ code: 'permission', transient: false });
    await expect(opening({ caFiles: [pem.certificate] })).rejects.toMatchObject({ code: 'auth-expired' });
    await using storage = disposable(
      await opening({ caFiles: [pem.certificate], clientCertificate: pem.both }),
    );
    const h = { type: 'lock', name: 'a'.repeat(64) } as const;
    await storage.backend.save(h, [Buffer.from('x')]);
    expect(await storage.backend.stat(h)).toEqual({ name: h.name, size: 1 });
  });

  it('lets the command line in by the environment, our own variables first', async () => {
    await using server = await RealRest.rclone({ folder: temp.dir('s'), login });
    const { holdfast } = handsOn(server.target('repo/'));
    const { username, password } = login;
    const restics = { RESTIC_REST_USERNAME: username, RESTIC_REST_PASSWORD: password };
    await holdfast.call(['init'], { env: restics });
    const ours = { ...restics, RESTIC_REST_PASSWORD: 'wrong', HOLDFAST_REST_PASSWORD: password };
    await holdfast.call(['check'], { env: ours });
    const refused = await holdfast.try(['snapshots'], { env: { ...ours, HOLDFAST_REST_PASSWORD: 'wrong' } });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/does not accept the user name and password/);
    const options = await holdfast.try(['snapshots', '-o', 'rest.speed=1'], { env: ours });
    expect(options.stderr).toMatch(/no option rest\.speed/);
  });

  it('lets nobody in with the wrong word, and says so', async () => {
    await using server = await RealRest.rclone({ folder: temp.dir('s'), login });
    for (const word of ['', 'ann:wrong']) {
      const opening = createRest(server.target('repo/', { login: word }));
      await expect(opening).rejects.toMatchObject({ code: 'auth-expired', transient: false });
    }
  });
});
