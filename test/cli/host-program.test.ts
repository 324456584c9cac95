/** Plans, destinations and the host as people meet them: the built program, real repositories, processes and signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { ENTRY, Holdfast } from '../helpers/holdfast.ts';
import { useTemp } from '../helpers/scope.ts';
import { tree, writeTree } from '../helpers/tree.ts';

const temp = useTemp();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function place() {
  const home = temp.dir('home');
  const source = path.join(home, 'documents');
  writeTree(source, tree({ 'a.txt': 'hello', deep: { 'b.txt': 'world' } }));
  return { home, source, program: new Holdfast({ home, repository: path.join(home, 'repository') }) };
}

const environment = (home: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  HOME: home,
  HOLDFAST_DATA_DIR: path.join(home, 'holdfast-data'),
  HOLDFAST_CACHE_DIR: path.join(home, 'holdfast-cache'),
});

/** `serve`, once it has said where it is. */
async function serving(home: string) {
  const child = spawn(process.execPath, [ENTRY, 'serve', '--port', '0'], {
    env: environment(home),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [line] = await Promise.race([
    createInterface({ input: child.stdout })
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [String(value)]),
    ended.then((code) => [`ended with ${code}`]),
  ]);
  return { child, ended, line: line ?? '' };
}

describe('a plan without a running host', () => {
  it('is made, run and found again, and its backup is a snapshot like any other', async () => {
    const { program, source, home } = place();
    const repository = program.place.repository;
    const added = await program.json(['destination', 'add', 'Disk', repository]);
    expect(added).toMatchObject([{ destination: { name: 'Disk', kind: 'local' }, restoredPlans: 0 }]);
    await program.call(['plan', 'add', 'Docs', '--source', source, '--destination', 'disk', '--manual']);
    const { stdout } = await program.call(['plan', 'run', 'docs']);
    expect(stdout.toString()).toMatch(/^Docs → Disk: done in .*2 new and 0 changed of 2 files/);
    const [snapshot] = await program.snapshots();
    expect(snapshot?.paths).toEqual([source]);
    const [run] = await program.json(['runs', 'list']);
    expect(run).toMatchObject({ state: 'succeeded', report: { snapshotId: snapshot?.id } });
    await program.call(['destination', 'check', 'disk', '--percent', '100']);

    const yaml = (await program.call(['config', 'export'])).stdout.toString();
    expect(yaml).toContain('name: Docs');
    expect(yaml).not.toContain(program.password);
    const other = new Holdfast({ home: temp.dir('other'), repository });
    const file = path.join(home, 'config.yaml');
    const password = path.join(home, 'password.txt');
    writeFileSync(file, yaml);
    writeFileSync(password, program.password);
    await other.call(['config', 'import', file, '--destination-password-file', `Disk=${password}`]);
    expect(await other.json(['plan', 'list'])).toMatchObject([{ plan: { name: 'Docs' } }]);
  });

  it('that is in a wrong document changes nothing, and the line is named', async () => {
    const { program, home } = place();
    const file = path.join(home, 'config.yaml');
    writeFileSync(file, 'version: 1\nplans:\n  - name: X\n    sauces: []\n');
    const { stderr } = await program.call(['config', 'import', file], { codes: [1] });
    expect(stderr).toMatch(/^Line \d: /);
    expect(await program.json(['plan', 'list'])).toEqual([]);
  });
});

describe('serve', () => {
  it('is used by the commands beside it, and ends with SIGTERM', async () => {
    const { program, source, home } = place();
    const { child, ended, line } = await serving(home);
    expect(line).toMatch(/^Holdfast is ready at http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{20,}$/);
    const health = await fetch(new URL('/healthz', line.split(' at ')[1]));
    expect(health.status).toBe(200);
    await program.call(['destination', 'add', 'Disk', program.place.repository]);
    await program.call(['plan', 'add', 'Docs', '--source', source, '--destination', 'Disk', '--manual']);
    await program.call(['plan', 'run', 'Docs']);
    const { stdout } = await program.call(['plan', 'run', 'Docs', '--no-wait']);
    expect(stdout.toString()).toMatch(/^Started Docs → Disk as run/);
    expect(existsSync(path.join(home, 'holdfast-data', 'open.html'))).toBe(false);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    // Alone again, over what the host has left.
    expect(await program.json(['runs', 'list'])).toHaveLength(2);
  });

  it('does not begin twice on one data folder', async () => {
    const { program, home } = place();
    await serving(home);
    const second = await program.try(['serve', '--port', '0']);
    expect(second.code).toBe(11);
    expect(second.stdout.toString()).toBe('');
  });
});

describe.skipIf(process.platform === 'win32')('service', () => {
  /** A `systemctl` that notes what it is asked for and answers as it is told. */
  function withSystemctl(script: string) {
    const { home, program } = place();
    const bin = path.join(home, 'bin');
    mkdirSync(bin);
    const calls = path.join(home, 'calls');
    writeFileSync(path.join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >> '${calls}'\n${script}\n`);
    chmodSync(path.join(bin, 'systemctl'), 0o755);
    const env = { PATH: `${bin}:/usr/bin:/bin`, XDG_CONFIG_HOME: path.join(home, 'config') };
    return {
      unit: path.join(home, 'config', 'systemd', 'user', 'holdfast.service'),
      calls: () => readFileSync(calls, 'utf8').trim().split('\n'),
      try: (...args: string[]) => program.try(['service', ...args], { env }),
    };
  }

  it('is installed with absolute paths, started, and removed', async () => {
    const s = withSystemctl('exit 0');
    expect((await s.try('install', '--port', '8485', '--data-dir', '/data of % $me')).code).toBe(0);
    const unit = readFileSync(s.unit, 'utf8');
    expect(unit).toContain(
      `ExecStart=${process.execPath} ${ENTRY} serve --data-dir "/data of %% $$me" --host`,
    );
    expect(unit).toContain('--port 8485\n');
    expect(s.calls()).toEqual([
      '--user --version',
      '--user daemon-reload',
      '--user enable holdfast.service',
      '--user restart holdfast.service',
    ]);
    expect((await s.try('install')).code).toBe(0);
    expect((await s.try('remove')).code).toBe(0);
    expect(existsSync(s.unit)).toBe(false);
    expect(s.calls().slice(-2)).toEqual(['--user disable --now holdfast.service', '--user daemon-reload']);
  });

  it('says whether it runs', async () => {
    const s = withSystemctl('echo inactive; exit 3');
    const { code, stdout } = await s.try('status');
    expect([code, stdout.toString()]).toEqual([3, expect.stringMatching(/not installed/)]);
    const running = withSystemctl('echo active');
    await running.try('install');
    expect((await running.try('status')).stdout.toString()).toBe('The service is running.\n');
  });

  it('leaves a unit alone that somebody else wrote', async () => {
    const s = withSystemctl('exit 0');
    mkdirSync(path.dirname(s.unit), { recursive: true });
    writeFileSync(s.unit, '[Service]\nExecStart=/mine\n');
    const { code, stderr } = await s.try('install');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/did not make/)]);
    expect(readFileSync(s.unit, 'utf8')).toContain('/mine');
  });

  it('says why it could not be started', async () => {
    const s = withSystemctl('[ "$2" = --version ] || { echo "Failed to connect to bus" >&2; exit 1; }');
    const { code, stderr } = await s.try('install');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Failed to connect to bus\n.*sign in as this person/),
    ]);
  });

  it('says so where there is no systemd, and changes nothing; --print works everywhere', async () => {
    const { home, program } = place();
    const env = { PATH: home, XDG_CONFIG_HOME: path.join(home, 'config') };
    for (const command of ['install', 'status', 'remove']) {
      const { code, stderr } = await program.try(['service', command], { env });
      expect([code, stderr]).toEqual([1, expect.stringMatching(/no systemd/)]);
    }
    expect(existsSync(path.join(home, 'config'))).toBe(false);
    const { code, stdout } = await program.try(['service', 'install', '--print'], { env });
    expect([code, stdout.toString()]).toEqual([0, expect.stringMatching(/^# Made by [\s\S]*ExecStart=\//)]);
  });
});
