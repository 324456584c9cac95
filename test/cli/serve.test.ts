/** `holdfast serve` as the system treats it: killed, told to end, asked by browsers, started twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HostEvent } from '../../src/api/model/event.ts';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import type { Client } from '../../src/transport/client.ts';
import { httpClient } from '../../src/transport/http.ts';
import { connectSocket, connectWebSocket } from '../../src/transport/web-socket.ts';
import { ENTRY, Holdfast } from '../helpers/holdfast.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const MiB = 1 << 20;

function place() {
  const home = fs.realpathSync(temp.dir('home'));
  const data = join(home, 'holdfast-data');
  return { home, data, program: new Holdfast({ home, repository: join(home, 'repository') }) };
}

interface Serving {
  readonly child: ChildProcess;
  /** What it printed, all of it once it has ended. */
  readonly output: string[];
  readonly errors: string[];
  readonly url: URL;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

async function serve(home: string, ...args: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [ENTRY, 'serve', '--port', '0', ...args], {
    env: {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: home,
      HOLDFAST_DATA_DIR: join(home, 'holdfast-data'),
      HOLDFAST_CACHE_DIR: join(home, 'holdfast-cache'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output: string[] = [];
  const errors: string[] = [];
  child.stderr.on('data', (part: Buffer) => errors.push(part.toString()));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (part: Buffer) => {
      output.push(part.toString());
      if (output.join('').includes('\n')) resolve();
    });
    void ended.then(({ code }) => reject(new Error(`serve ended with ${code}: ${errors.join('')}`)));
  });
  const line = output.join('');
  expect(line).toMatch(/^Holdfast is ready at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{20,}\n$/);
  return { child, output, errors, url: new URL(line.trim().split(' at ')[1]!), ended };
}

/** The cookie of the session that the token begins. */
async function signIn(url: URL): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  const cookie = answer.headers.get('set-cookie')!;
  expect(cookie).toContain('HttpOnly');
  return cookie.split(';')[0]!;
}

async function clientOf({ url }: Serving): Promise<Client> {
  return httpClient({ origin: url.origin, headers: { cookie: await signIn(url) } });
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const endOf = (client: Client, { id }: Pick<Run, 'id'>) =>
  until(async () => {
    const run = await client.runs.get({ id });
    return ENDED.includes(run.state) ? run : undefined;
  });

function packsOf(repository: string): readonly string[] {
  const files = fs.readdirSync(join(repository, 'data'), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile() && /^[0-9a-f]{64}$/.test(file.name))
    .map((file) => join(file.parentPath, file.name));
}

const bytesOf = (files: readonly string[]) => files.reduce((sum, file) => sum + fs.statSync(file).size, 0);

/** A plan whose backup takes some seconds, under way, with the first pack stored. */
async function inMidBackup(home: string, client: Client, size: number) {
  const source = join(home, 'documents');
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, 'large.bin'), randomBytes(size));
  const location = join(home, 'repository');
  const { destination } = await client.destinations.add({ name: 'Disk', location });
  const plan = await client.plans.create({
    name: 'Docs',
    sources: [{ kind: 'path', path: source }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' } },
  });
  await client.destinations.update({ id: destination.id, name: 'Disk', uploadLimit: 8 * MiB });
  const [run] = await client.plans.run({ id: plan.id });
  await until(async () => (packsOf(location).length > 0 ? true : undefined));
  expect(await client.runs.get({ id: run!.id })).toMatchObject({ state: 'running' });
  return { run: run!, plan, destination, location };
}

/** What the next process makes of a run that was cut off. */
async function expectContinued(client: Client, run: Run, planId: string, size: number): Promise<void> {
  const next = await until(async () => (await client.runs.list({ planId })).find((r) => r.id !== run.id));
  expect(next).toMatchObject({ trigger: 'continue', previousId: run.id, attempt: 2 });
  expect(await endOf(client, next)).toMatchObject({
    state: 'succeeded',
    report: { bytesProcessed: size, filesNew: 1 },
  });
  expect(await client.runs.get({ id: run.id })).toMatchObject({ state: 'interrupted', progress: null });
  expect(await client.runs.list({ planId })).toHaveLength(2);
}

describe('a serving host', () => {
  it('that is killed in mid-backup is continued by the next one, which stores nothing twice', async () => {
    const { home, program } = place();
    const size = 48 * MiB;
    const first = await serve(home);
    const { run, plan, location } = await inMidBackup(home, await clientOf(first), size);
    first.child.kill('SIGKILL');
    expect(await first.ended).toEqual({ code: null, signal: 'SIGKILL' });
    expect(fs.existsSync(join(home, 'holdfast-data', 'host.sock'))).toBe(true);
    const stored = packsOf(location);

    // The socket that is left is no obstacle, neither for a command nor for a host.
    const [left] = await program.json(['runs', 'list']);
    expect(left).toMatchObject({ id: run.id, state: 'interrupted' });
    const second = await serve(home);
    const client = await clientOf(second);
    await expectContinued(client, run, plan.id, size);
    const packs = packsOf(location);
    expect(packs).toEqual(expect.arrayContaining([...stored]));
    expect(bytesOf(packs)).toBeLessThan(size * 1.05);
    const [destination] = (await client.destinations.list()).filter((d) => d.name === 'Disk');
    const check = await client.destinations.check({ id: destination!.id, percent: 100 });
    expect(await endOf(client, check)).toMatchObject({ state: 'succeeded' });
    second.child.kill('SIGTERM');
    expect(await second.ended).toEqual({ code: 0, signal: null });
  });

  it('that is told to end in mid-backup ends well, and the next one goes on', async () => {
    const { home, program } = place();
    const size = 40 * MiB;
    const first = await serve(home);
    const { run, plan, location } = await inMidBackup(home, await clientOf(first), size);
    first.child.kill('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(first.output.join('')).toMatch(/^Holdfast is ready at [^\n]*\n$/);
    expect(fs.existsSync(join(home, 'holdfast-data', 'host.sock'))).toBe(false);
    expect(fs.readdirSync(join(location, 'locks'))).toEqual([]);
    const second = await serve(home);
    await expectContinued(await clientOf(second), run, plan.id, size);
    expect(bytesOf(packsOf(location))).toBeLessThan(size * 1.05);

    // A command beside it goes through its socket, and its run is the host's.
    const lines = await program.json(['plan', 'run', 'Docs']);
    expect(lines.at(-1)).toMatchObject({ kind: 'run', run: { state: 'succeeded' } });
    const runs = await (await connectSocket(join(home, 'holdfast-data', 'host.sock'))).client.runs.list();
    expect(runs[0]).toMatchObject({ state: 'succeeded', report: { filesUnmodified: 1 } });
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });

  it('is the only one at its data folder', async () => {
    const { home, program, data } = place();
    const first = await serve(home);
    const second = await program.try(['serve', '--port', '0']);
    expect(second.code).toBe(11);
    expect(second.stdout.toString()).toBe('');
    expect(second.stderr).toContain(
      `Another Holdfast (process ${first.child.pid}) is running with the data folder "${data}".`,
    );
    expect(second.stderr).toContain('stop it first');
    expect(await (await fetch(new URL('/healthz', first.url))).text()).toBe('ok\n');
  });

  it('lets nobody in without the token, which works once; the cookie carries calls and events', async () => {
    const { home } = place();
    const serving = await serve(home);
    const { url } = serving;
    const { origin } = url;
    const headers = { 'x-holdfast-client': '1', 'content-type': 'application/json' };
    const post = () => fetch(`${origin}/rpc/system/status`, { method: 'POST', headers, body: '{}' });
    expect((await post()).status).toBe(401);
    const cookie = await signIn(url);
    const twice = await fetch(url, { redirect: 'manual' });
    expect(twice.headers.get('set-cookie')).toBeNull();

    const overHttp = httpClient({ origin, headers: { cookie } });
    expect(await overHttp.system.status()).toMatchObject({ running: [], verdict: { state: 'none' } });
    await expect(httpClient({ origin }).system.status()).rejects.toMatchObject({ code: 'auth-expired' });

    const socket = await connectWebSocket(`${origin.replace('http', 'ws')}/ws`, {
      headers: { cookie, origin },
    });
    const seen: HostEvent[] = [];
    const events = await socket.client.system.events();
    const stream = (async () => {
      for await (const event of events) {
        seen.push(event);
        if (event.kind === 'plan-removed') break;
      }
    })();
    const [embedded] = await socket.client.destinations.list();
    const plan = await overHttp.plans.create({
      name: 'Docs',
      sources: [{ kind: 'path', path: home }],
      destinations: [embedded!.id],
      schedule: { when: { kind: 'daily', at: ['12:30'] } },
    });
    await overHttp.plans.remove({ id: plan.id });
    await stream;
    expect(seen[0]).toMatchObject({ kind: 'status' });
    expect(seen).toContainEqual({ kind: 'plan', plan });
    await socket.close();

    const metrics = await (await fetch(`${origin}/metrics`)).text();
    expect(metrics).toContain('holdfast_');
    expect(await (await fetch(`${origin}/healthz`)).text()).toBe('ok\n');
    serving.child.kill('SIGTERM');
    expect((await serving.ended).code).toBe(0);
    expect(serving.errors.join('')).not.toContain(url.searchParams.get('token'));
  });
});

describe('beyond this machine', () => {
  it('nobody is served without a password; with one, people sign in with it', async () => {
    const { home, program } = place();
    const refused = await program.try(['serve', '--host', '0.0.0.0', '--port', '0']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('password') });
    expect(refused.stdout.toString()).toBe('');

    const short = await program.try(['serve', '--set-password'], { stdin: 'short\n' });
    expect(short).toMatchObject({ code: 1, stderr: expect.stringContaining('at least 8') });
    const set = await program.call(['serve', '--set-password'], { stdin: 'long enough for me\n' });
    expect(set.stdout.toString() + set.stderr).not.toContain('long enough for me');

    const child = spawn(process.execPath, [ENTRY, 'serve', '--host', '0.0.0.0', '--port', '0'], {
      env: {
        PATH: process.env.PATH,
        HOME: home,
        HOLDFAST_DATA_DIR: join(home, 'holdfast-data'),
        HOLDFAST_CACHE_DIR: join(home, 'holdfast-cache'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const line = await new Promise<string>((resolve) => child.stdout.once('data', (d) => resolve(String(d))));
    const { port } = new URL(line.trim().split(' at ')[1]!);
    const origin = `http://127.0.0.1:${port}`;
    const signInWith = (password: string) =>
      fetch(`${origin}/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ password }),
      });
    expect((await signInWith('something else')).status).toBe(401);
    const answer = await signInWith('long enough for me');
    expect(answer.status).toBe(303);
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    const client = httpClient({ origin, headers: { cookie } });
    expect(await client.destinations.list()).toHaveLength(1);
    child.kill('SIGTERM');
  });
});
