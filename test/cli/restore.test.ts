import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { copyRepository } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { file, symlink, tree, writeTree } from '../helpers/tree.ts';

const shared = useSharedTemp();
const temp = useTemp();
let cli: Holdfast;
let source: string;

beforeAll(async () => {
  const home = shared.dir('home');
  cli = new Holdfast({ home, repository: join(home, 'repository') });
  await cli.init();
  source = shared.dir('source');
  writeTree(
    source,
    tree({
      top: { 'a.txt': 'one', 'b.md': 'two', big: file({ seed: 1, size: 2 << 20 }), l: symlink('a.txt') },
    }),
  );
  await cli.backup(['top'], { cwd: source });
});

describe('restore', () => {
  it('brings everything back, says so, and verifies it when asked', async () => {
    const target = temp.dir('target');
    const { stdout } = await cli.call(['restore', 'latest', '--target', target, '--verify']);
    expect(stdout.toString()).toMatch(/Restored 5 items, 2\.000 MiB, verified 3 files in 0:0\d\n$/);
    expectSame(snapshotOf(join(source, 'top')), snapshotOf(join(target, 'top')));
  });

  it('takes a folder of the snapshot, and only what is included', async () => {
    const target = temp.dir('target');
    await cli.call(['restore', 'latest:/top', '--target', target, '--include', '*.txt']);
    expect(fs.readdirSync(target)).toEqual(['a.txt']);
  });

  it('tells with --json what restic tells', async () => {
    const target = temp.dir('target');
    const lines = await cli.json(['restore', 'latest', '--target', target, '-vv']);
    expect(lines).toContainEqual({
      message_type: 'verbose_status',
      action: 'restored',
      item: '/top/a.txt',
      size: 3,
    });
    expect(lines.at(-1)).toMatchObject({ message_type: 'summary', total_files: 5, files_restored: 5 });
  });

  it('writes nothing in a dry run', async () => {
    const target = temp.dir('target');
    const { stdout } = await cli.call(['restore', 'latest', '--target', target, '--dry-run']);
    expect(stdout.toString()).toContain('Nothing was written: this was a dry run.');
    expect(fs.readdirSync(target)).toEqual([]);
  });

  it('names what can’t be restored, restores the rest, and ends with 1', async () => {
    const home = temp.dir('home');
    const repository = join(home, 'repository');
    copyRepository(cli.place.repository, repository);
    const damaged = cli.with({ home, repository });
    for (const pack of await damaged.packsOf('data'))
      fs.rmSync(join(repository, 'data', pack.slice(0, 2), pack));
    const target = temp.dir('target');
    const { code, stderr } = await damaged.try(['restore', 'latest', '--target', target]);
    expect(code).toBe(1);
    for (const name of ['a.txt', 'b.md', 'big']) expect(stderr).toContain(`/top/${name}`);
    expect(fs.readlinkSync(join(target, 'top/l'))).toBe('a.txt');
  });

  it.each([
    [['restore', 'latest'], 'Where to restore to is not given.'],
    [['restore', 'latest', '--target', 'x', '--no-owner', '--ownership-by-name'], 'contradict'],
    [['restore', 'latest', '--target', 'x', '--include', 'a', '--exclude', 'b'], 'at once'],
    [['restore', 'ffffffff', '--target', 'x'], 'ffffffff'],
  ])('refuses %j', async (args, sentence) => {
    const { code, stderr } = await cli.try(args, { cwd: temp.dir('cwd') });
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
  });
});

describe('dump', () => {
  it('writes a file to the standard output', async () => {
    expect((await cli.call(['dump', 'latest', '/top/a.txt'])).stdout.toString()).toBe('one');
    expect((await cli.call(['dump', 'latest:/top', 'b.md'])).stdout.toString()).toBe('two');
  });

  it('writes a folder as an archive to a file, whole or not at all', async () => {
    const target = join(temp.dir('out'), 'top.zip');
    await cli.call(['dump', 'latest', '/top', '-a', 'zip', '--target', target]);
    expect(fs.readFileSync(target).subarray(0, 4).toString('latin1')).toBe('PK\x03\x04');

    const other = join(temp.dir('out'), 'x');
    const { code } = await cli.try(['dump', 'latest', '/absent', '--target', other]);
    expect(code).toBe(1);
    expect(fs.readdirSync(join(other, '..'))).toEqual([]);
  });
});
