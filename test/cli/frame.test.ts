import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const project = path.dirname(path.dirname(import.meta.dirname));
const launcher = path.join(project, 'src/cli/holdfast.mjs');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program as people do, in an environment that has no settings of whoever runs the tests. */
function start(args: readonly string[], program = [process.execPath, launcher]) {
  const { PATH, HOME } = process.env;
  const [file = '', ...before] = program;
  const child = spawn(file, [...before, ...args], {
    env: { PATH, HOME, HOLDFAST_CACHE_DIR: folder, HOLDFAST_DATA_DIR: path.join(folder, 'data') },
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    texts.err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
  });
  return { child, ended };
}

function run(...args: string[]): Promise<Ended> {
  const { child, ended } = start(args);
  child.stdin.end();
  return ended;
}

describe('the launcher', () => {
  it('runs what was built, under its name', async () => {
    const { ended } = start(['version'], [path.join(project, 'node_modules/.bin/holdfast')]);
    expect(await ended).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining(`holdfast ${packageJson.version} `),
    });
    expect(await readdir(path.join(project, 'dist'))).toContain('holdfast.mjs');
  });

  it('starts from the sources where nothing was built', async () => {
    const copy = path.join(folder, 'copy/src/cli');
    await mkdir(copy, { recursive: true });
    const main = "process.stdout.write(['sources', ...process.argv.slice(2)].join(' '));";
    await writeFile(path.join(copy, 'main.ts'), main);
    await writeFile(path.join(copy, 'holdfast.mjs'), await launcherText());
    const { ended } = start(['a b'], [process.execPath, path.join(copy, 'holdfast.mjs')]);
    expect(await ended).toEqual({ code: 0, out: 'sources a b', err: '' });
  });

  it('refuses a Node that is too old with a sentence, unless a newer one lies beside it', async () => {
    const copy = path.join(folder, 'old/src/cli');
    await mkdir(copy, { recursive: true });
    // What an old Node would see, told by the same text with its first requirement raised.
    const text = (await launcherText()).replace('LEAST_NODE = 24', 'LEAST_NODE = 99');
    await writeFile(path.join(copy, 'holdfast.mjs'), text);
    const alone = await start([], [process.execPath, path.join(copy, 'holdfast.mjs')]).ended;
    expect(alone).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^Holdfast needs Node\.js 99 or newer/),
    });
    const bin = path.join(folder, 'old/node_modules/.bin');
    await mkdir(bin, { recursive: true });
    await writeFile(path.join(bin, 'node'), '#!/bin/sh\nshift\necho "newer: $*"\nexit 7\n', { mode: 0o755 });
    const helped = await start(['x'], [process.execPath, path.join(copy, 'holdfast.mjs')]).ended;
    expect(helped).toEqual({ code: 7, out: 'newer: x\n', err: '' });
  });
});

function launcherText(): Promise<string> {
  return readFile(launcher, 'utf8');
}

describe('the program', () => {
  it('tells its version as JSON in restic’s form', async () => {
    const { out } = await run('version', '--json');
    expect(JSON.parse(out)).toMatchObject({
      message_type: 'version',
      version: packageJson.version,
      go_os: expect.any(String),
    });
  });

  it('ends with 1 and a sentence when it is called wrongly', async () => {
    expect(await run('versoin')).toEqual({
      code: 1,
      out: '',
      err: 'There is no command "versoin".\nDid you mean version?\n',
    });
  });

  it('welcomes without asking where nobody answers', async () => {
    const { code, out } = await run('welcome');
    expect(code).toBe(0);
    expect(out).toContain('npx holdfast backup <folder>');
    expect(out).toContain('window arrives in a later version');
  });

  it('ends quietly when its reader goes away', async () => {
    const { child, ended } = start(['help']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 141, err: '' });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops on %s while it waits for an answer',
    async (signal) => {
      const password = start(['welcome', '--password-command', 'true'], questioner());
      await new Promise<void>((resolve) => password.child.stdout.once('data', () => resolve()));
      password.child.kill(signal);
      expect(await password.ended).toMatchObject({
        code: 130,
        err: expect.stringContaining(`${signal} received`),
      });
    },
  );
});

/** `welcome` believes that it runs at a terminal, so it asks and waits. */
function questioner(): string[] {
  const pretend = 'Object.defineProperty(process.stdin, "isTTY", { value: true });';
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  return [process.execPath, '--import', preload, launcher];
}

describe('cache', () => {
  const old = 'a'.repeat(64);
  const young = 'b'.repeat(64);

  it('lists the caches of repositories, and removes those that are old', async () => {
    const base = path.join(folder, 'caches');
    for (const [id, days] of [
      [old, 40],
      [young, 2],
    ] as const) {
      await mkdir(path.join(base, id, 'index'), { recursive: true });
      await writeFile(path.join(base, id, 'index', 'x'), Buffer.alloc(2048));
      const used = Date.now() / 1000 - days * 86_400;
      await utimes(path.join(base, id), used, used);
    }
    await mkdir(path.join(base, 'something else'));
    expect((await run('cache', '--cache-dir', base)).out).toBe(
      [
        'Repo ID     Last Used    Old  Size',
        '-----------------------------------------',
        `${old.slice(0, 10)}  40 days ago  yes    2.000 KiB`,
        `${young.slice(0, 10)}  2 days ago          2.000 KiB`,
        '-----------------------------------------',
        `2 caches in ${base}`,
        '',
      ].join('\n'),
    );
    expect((await run('cache', '--cleanup', '--cache-dir', base)).out).toBe('Removed 1 old cache.\n');
    expect((await readdir(base)).sort()).toEqual([young, 'something else'].sort());
    expect(await run('cache', '--no-cache')).toMatchObject({ code: 1 });
  });
});
