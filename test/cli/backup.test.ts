import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyOfTemplate } from '../helpers/cli.ts';
import { snapshotOf } from '../helpers/compare.ts';
import { ENTRY, Holdfast } from '../helpers/holdfast.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { isRoot } from '../helpers/tools.ts';
import { type DirNode, file, tree, writeTree } from '../helpers/tree.ts';

const shared = useSharedTemp();
const temp = useTemp();
const templates = shared.dir('templates');
const MIB = 1024 * 1024;

async function repository(): Promise<Holdfast> {
  const home = temp.dir('home');
  const cli = new Holdfast({ home, repository: join(home, 'repository') });
  await copyOfTemplate(cli, 'holdfast', templates);
  return cli;
}

function source(root: DirNode): string {
  const at = temp.dir('source');
  writeTree(join(at, 'tree'), root);
  return at;
}

const small = tree({ a: file('a'), b: tree({ c: file('c') }) });
/** Twelve packs' worth that nothing compresses. */
const big = tree({ one: file({ seed: 1, size: 96 * MIB }), two: file({ seed: 2, size: 96 * MIB }) });

const packsOf = (cli: Holdfast) =>
  fs
    .readdirSync(join(cli.place.repository, 'data'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /[0-9a-f]{64}$/.test(name));
const filesOf = (cli: Holdfast, folder: string) => fs.readdirSync(join(cli.place.repository, folder));

describe('backup', () => {
  it('tells in words what it did', async () => {
    const cli = await repository();
    const cwd = source(small);
    const first = await cli.call(['backup', 'tree'], { cwd });
    expect(first.stdout.toString()).toMatch(/no parent snapshot/);
    expect(first.stdout.toString()).toMatch(/Files: +2 new, +0 changed, +0 unmodified\n/);
    expect(first.stdout.toString()).toMatch(
      /processed 2 files, 2 B in 0:\d\d\nsnapshot [0-9a-f]{8} saved\n$/,
    );
    const second = await cli.call(['backup', 'tree', '-vv'], { cwd });
    expect(second.stdout.toString()).toMatch(/using parent snapshot [0-9a-f]{8}\n/);
    expect(second.stdout.toString()).toMatch(/unchanged \/tree\/b\/c\n/);
    expect(filesOf(cli, 'locks')).toEqual([]);
  });

  it('says what it left out, and by which rule, when asked for everything', async () => {
    const cli = await repository();
    const { stdout } = await cli.call(['backup', 'tree', '-vv', '--exclude', 'c'], { cwd: source(small) });
    expect(stdout.toString()).toMatch(/excluded {2}.*\/tree\/b\/c \(--exclude c\)\n/);
  });

  it('gives the lines of restic as JSON', async () => {
    const cli = await repository();
    const lines = await cli.json(['backup', 'tree', '-v'], { cwd: source(small) });
    const types = new Set(lines.map((line) => line.message_type));
    expect([...types].filter((type) => type !== 'status')).toEqual(['verbose_status', 'summary']);
    const details = lines.filter((line) => line.message_type === 'verbose_status');
    expect(details.map((line) => line.duration)).toEqual(details.map(() => expect.any(Number)));
    expect(lines.at(-1)).toMatchObject({
      message_type: 'summary',
      files_new: 2,
      dirs_new: 2,
      data_blobs: 2,
      tree_blobs: 3,
      total_files_processed: 2,
      total_bytes_processed: 2,
      snapshot_id: expect.stringMatching(/^[0-9a-f]{64}$/),
      backup_start: expect.any(String),
      backup_end: expect.any(String),
    });
  });

  it('writes nothing in a dry run', async () => {
    const cli = await repository();
    const before = snapshotOf(cli.place.repository);
    const summary = await cli.backup(['tree'], { cwd: source(small), args: ['--dry-run'] });
    expect(summary).toMatchObject({ dry_run: true, files_new: 2 });
    expect(summary.snapshot_id).toBeUndefined();
    expect(snapshotOf(cli.place.repository)).toEqual(before);
  });

  it('makes no snapshot of what is unchanged, if told so', async () => {
    const cli = await repository();
    const cwd = source(small);
    const args = ['--skip-if-unchanged'];
    await cli.backup(['tree'], { cwd, args });
    expect((await cli.backup(['tree'], { cwd, args })).snapshot_id).toBeUndefined();
    fs.writeFileSync(join(cwd, 'tree/a'), 'other');
    await cli.backup(['tree'], { cwd, args });
    expect(await cli.snapshots()).toHaveLength(2);
  });

  it('keeps the snapshot and ends with 3 when a file can not be read', async () => {
    const cli = await repository();
    const cwd = source(tree({ open: file('a'), closed: file('b', { mode: 0 }) }));
    // No mode keeps root out; another process's memory can't be read as a file by anybody.
    const [more, name] = isRoot() ? [['/proc/1/mem'], '/proc/1/mem'] : [[], 'closed'];
    const { code, stderr } = await cli.try(['backup', 'tree', ...more], { cwd });
    expect([code, stderr]).toEqual([3, expect.stringContaining(name)]);
    expect(await cli.snapshots()).toHaveLength(1);
  });

  it('refuses a source that is empty or gone, until it is told that this is right', async () => {
    const cli = await repository();
    const cwd = source(small);
    fs.mkdirSync(join(cwd, 'other'));
    await cli.backup(['tree', 'other'], { cwd });
    fs.rmSync(join(cwd, 'tree'), { recursive: true });
    for (const args of [[], ['--force']]) {
      const gone = await cli.try(['backup', 'tree', 'other', ...args], { cwd });
      expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('--allow-empty')]);
    }
    fs.mkdirSync(join(cwd, 'tree'));
    const empty = await cli.try(['backup', 'tree', 'other'], { cwd });
    expect([empty.code, empty.stderr]).toEqual([1, expect.stringContaining('--allow-empty')]);
    expect(await cli.snapshots()).toHaveLength(1);
    await cli.call(['backup', 'tree', 'other', '--allow-empty'], { cwd });
    expect(await cli.snapshots()).toHaveLength(2);
  });

  it('never backs up the repository that it writes to', async () => {
    const cli = await repository();
    await cli.call(['backup', cli.place.home]);
    const paths = (await cli.json(['ls', 'latest'])).map((node) => String(node.path));
    expect(paths).toContain(join(cli.place.home, 'tmp'));
    expect(paths.filter((path) => path.startsWith(cli.place.repository))).toEqual([]);
  });
});

describe('the output of a command', () => {
  it('is stored under a name', async () => {
    const cli = await repository();
    const args = ['backup', '--stdin-from-command', '--stdin-filename', 'dump.sql', '--'];
    await cli.call([...args, process.execPath, '-e', 'process.stdout.write("x".repeat(3e6))']);
    const [, node] = await cli.json(['ls', 'latest']);
    expect(node).toMatchObject({ path: '/dump.sql', size: 3_000_000, type: 'file' });
  });

  it.each([
    ['fails', [process.execPath, '-e', 'console.log("half of it"); process.exit(7)'], /exit code 7/],
    ['does not exist', ['no-such-program-at-all'], /can't be run/],
  ])('is not stored when the command %s', async (_, words, why) => {
    const cli = await repository();
    const { code, stderr } = await cli.try(['backup', '--stdin-from-command', '--', ...words]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(why)]);
    expect(await cli.snapshots()).toEqual([]);
  });
});

describe('a backup that is stopped', () => {
  it('by Ctrl-C ends with 130, unlocks, and the next one uses what is stored', async () => {
    const cli = await repository();
    const cwd = source(big);
    const stopped = await stopAtPack(cli, cwd, 'SIGINT');
    expect(stopped).toBe(130);
    expect(filesOf(cli, 'locks')).toEqual([]);
    expect(filesOf(cli, 'index')).not.toEqual([]);
    await expectResumed(cli, cwd);
  });

  it('by kill -9 is gone on with as well', async () => {
    const cli = await repository();
    const cwd = source(big);
    await stopAtPack(cli, cwd, 'SIGKILL');
    expect(filesOf(cli, 'locks')).toHaveLength(1);
    expect(filesOf(cli, 'index')).toEqual([]);
    await expectResumed(cli, cwd);
    expect(filesOf(cli, 'locks')).toEqual([]);
  });
});

/** Sends the signal when some packs are stored; resolves with the exit code. */
async function stopAtPack(cli: Holdfast, cwd: string, signal: 'SIGINT' | 'SIGKILL'): Promise<number | null> {
  const data = join(cli.place.repository, 'data');
  const env = {
    PATH: process.env.PATH,
    HOME: cli.place.home,
    HOLDFAST_REPOSITORY: cli.place.repository,
    HOLDFAST_PASSWORD: cli.password,
  };
  const child = spawn(process.execPath, [ENTRY, 'backup', 'tree'], { cwd, env, stdio: 'ignore' });
  const watcher = fs.watch(data, { recursive: true }, () => {
    if (packsOf(cli).length < 3) return;
    // Once: a second Ctrl-C would mean "at once".
    watcher.close();
    child.kill(signal);
  });
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      watcher.close();
      resolve(code);
    });
  });
}

async function expectResumed(cli: Holdfast, cwd: string): Promise<void> {
  const stored = packsOf(cli).length;
  expect(stored).toBeGreaterThanOrEqual(3);
  const summary = await cli.backup(['tree'], { cwd });
  const total = 192 * MIB;
  // A pack holds at least its target size of data, but for the one that was written last.
  expect(summary.data_added).toBeLessThanOrEqual(total - (stored - 1) * 15 * MIB);
  expect(summary.total_bytes_processed).toBe(total);
}

describe('without any settings', () => {
  const bare = { HOLDFAST_REPOSITORY: '', HOLDFAST_PASSWORD: '' };

  it('backup makes a repository, shows its key once, and finds it again', async () => {
    const home = temp.dir('home');
    const cli = new Holdfast({ home, repository: join(home, 'unused') });
    const cwd = source(small);
    const first = (await cli.call(['backup', 'tree'], { cwd, env: bare })).stdout.toString();
    expect(first).toContain(join(home, 'holdfast-data'));
    const key = /Recovery key: ((?:[0-9A-Z]{5}-){5}[0-9A-Z]{5})\n/.exec(first)?.[1] ?? '';
    expect(first).toMatch(/protects from mistakes/);
    const second = (await cli.call(['backup', 'tree'], { cwd, env: bare })).stdout.toString();
    expect(second).toMatch(/using parent snapshot/);
    expect(second).not.toMatch(/key/i);
    expect(
      JSON.parse((await cli.call(['snapshots', '--json'], { env: bare })).stdout.toString()),
    ).toHaveLength(2);
    const [, repo] = /for you: (.*)\n/.exec(first) ?? [];
    const named = { HOLDFAST_REPOSITORY: String(repo), HOLDFAST_PASSWORD: key };
    await cli.call(['ls', 'latest'], { env: named });
  });

  it('a dry run makes nothing', async () => {
    const home = temp.dir('home');
    const cli = new Holdfast({ home, repository: join(home, 'unused') });
    const { code, stderr } = await cli.try(['backup', '-n', 'tree'], { cwd: source(small), env: bare });
    expect([code, stderr]).toEqual([1, expect.stringContaining('no repository yet')]);
    expect(fs.existsSync(join(home, 'holdfast-data'))).toBe(false);
  });
});

describe('init', () => {
  it('makes a repository once', async () => {
    const home = temp.dir('home');
    const cli = new Holdfast({ home, repository: join(home, 'repository') });
    const [line] = await cli.json(['init', '--repository-version', '1']);
    expect(line).toEqual({
      message_type: 'initialized',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      repository: cli.place.repository,
    });
    expect((await cli.try(['init'])).code).toBe(1);
    expect(await cli.cat('config')).toMatchObject({ version: 1, id: line!.id });
  });

  it('takes the chunker parameters of another repository', async () => {
    const other = await repository();
    const home = temp.dir('home');
    const cli = new Holdfast({ home, repository: join(home, 'repository') });
    const env = {
      HOLDFAST_FROM_REPOSITORY: other.place.repository,
      HOLDFAST_FROM_PASSWORD: other.password,
    };
    await cli.call(['init', '--copy-chunker-params'], { env });
    const polynomial = (await other.cat('config')).chunker_polynomial;
    expect(await cli.cat('config')).toMatchObject({ version: 2, chunker_polynomial: polynomial });
  });
});
