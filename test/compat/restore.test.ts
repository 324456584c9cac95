import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { openLocal } from '../../src/backend/local/local.ts';
import { type RestoreRequest, restore } from '../../src/operations/restore.ts';
import { type IndexedRepository, openRepository } from '../../src/repository/repository.ts';
import type { RestoreReport } from '../../src/restorer/progress.ts';
import { fromText, toText } from '../../src/util/byte-string.ts';
import { copyOfTemplate } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { arbTree, deepChain, hugeDirectory } from '../helpers/random-tree.ts';
import { memoryRepository, saveTree } from '../helpers/repo.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { onDisk } from '../helpers/temp.ts';
import { requireTool } from '../helpers/tools.ts';
import { type DirNode, file, hardlink, sparse, symlink, tree, writeTree } from '../helpers/tree.ts';

// Nobody restores sockets. The Debian restic stores link targets that aren't UTF-8 in a lossy way.
const OPTIONS = { ignoreTypes: ['socket'], root: false } as const;

const shared = useSharedTemp();
const temp = useTemp();
const templates = shared.dir('templates');

async function restic(version: 1 | 2 = 2): Promise<Restic> {
  const home = temp.dir('home');
  const cli = new Restic({ home, repository: join(home, 'repository') });
  await copyOfTemplate(cli, 'restic', templates, version);
  return cli;
}

async function open(cli: Restic): Promise<IndexedRepository> {
  const backend = await openLocal(cli.place.repository);
  return (await openRepository(backend, { password: cli.password })).loadIndex();
}

async function restoreLatest(
  repo: IndexedRepository,
  target: string,
  o: Partial<RestoreRequest> = {},
): Promise<RestoreReport> {
  const latest = (await repo.repository.snapshots()).at(-1)!;
  return restore(repo, latest, { ...o, target: fromText(target) });
}

function expectComplete(report: RestoreReport): void {
  expect(report.failed.map((f) => `${toText(f.path)}: ${f.error.message}`)).toEqual([]);
}

/** Backs up `root` with restic and brings it back with Holdfast. */
async function roundTrip(cli: Restic, root: DirNode, o: Partial<RestoreRequest> = {}): Promise<string> {
  const [from, to] = [temp.dir('source'), temp.dir('target')];
  writeTree(join(from, 'tree'), root);
  await cli.backup(['tree'], { cwd: from });
  const repo = await open(cli);
  expectComplete(await restoreLatest(repo, to, { verify: true, ...o }));
  await repo.repository.close();
  expectSame(snapshotOf(from), snapshotOf(to), OPTIONS);
  return to;
}

describe('what restic backed up', () => {
  beforeEach((context) => requireTool(context, 'restic'));

  it.each([1, 2] as const)('comes back equal: random trees (repository version %i)', async (version) => {
    await fc.assert(
      fc.asyncProperty(
        arbTree({ rawTargets: false, sockets: false }),
        fc.boolean(),
        async (root, sparseToo) => {
          await roundTrip(await restic(version), root, { sparse: sparseToo });
          temp.clear();
        },
      ),
      { numRuns: 10, interruptAfterTimeLimit: 240_000 },
    );
  });

  it('comes back equal: a huge folder, a deep one, large files, links', async () => {
    const root = tree({
      huge: hugeDirectory(3000),
      deep: deepChain(3000),
      large: file({ seed: 1, size: 40 << 20 }),
      again: file({ seed: 1, size: 40 << 20 }),
      hole: sparse(64 << 20, [[5 << 20, Buffer.from('data')]]),
      a: { first: 'linked' },
      b: { second: hardlink('a/first'), s: symlink('../a') },
    });
    await roundTrip(await restic(), root);
  });

  it('leaves holes with sparse that take no more room than before', async () => {
    const root = tree({ hole: sparse(64 << 20, [[5 << 20, Buffer.from('data')]]) });
    const to = await roundTrip(await restic(), root, { sparse: true });
    expect(fs.statSync(join(to, 'tree/hole')).blocks * 512).toBeLessThan(4 << 20);
  });

  it('is repaired in a tree that was harmed, and left alone where it was not', async () => {
    const cli = await restic();
    const from = temp.dir('source');
    writeTree(
      from,
      tree({ large: file({ seed: 2, size: 20 << 20 }), dir: { small: 'small' }, l: symlink('large') }),
    );
    await cli.backup(['.'], { cwd: from });
    const harmed = temp.dir('target');
    const repo = await open(cli);
    expectComplete(await restoreLatest(repo, harmed));
    const fd = fs.openSync(join(harmed, 'large'), 'r+');
    fs.writeSync(fd, 'harm', 10 << 20);
    fs.closeSync(fd);
    fs.rmSync(join(harmed, 'l'));
    fs.symlinkSync('dir', join(harmed, 'l'));
    fs.writeFileSync(join(harmed, 'dir/extra'), '');
    const report = await restoreLatest(repo, harmed, { delete: true });
    expectComplete(report);
    expect(report.counters.bytesWritten).toBeLessThanOrEqual(8 << 20);
    expectSame(snapshotOf(from), snapshotOf(harmed), OPTIONS);
    await repo.repository.close();
  });
});

describe('a full target', () => {
  beforeEach((context) => requireTool(context, 'loop', 'mkfs.ext4'));

  it('stops with a sentence when the disk is full, and names a file beforehand that cannot fit', async () => {
    using disk = onDisk('ext4', 24);
    const repo = await memoryRepository();
    const noise = Array.from({ length: 200 }, (_, i) => Buffer.alloc(512 * 1024, `noise ${i}`));
    const small = Object.fromEntries(noise.map((bytes, i) => [`f${String(i).padStart(3, '0')}`, bytes]));
    const many = await saveTree(repo, small);
    const target = join(disk.path, 'many');
    await expect(restore(repo, { tree: many }, { target: fromText(target) })).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(/disk is full/),
    });
    // What has its time is whole.
    for (const name of fs.readdirSync(target)) {
      const { size, mtimeMs } = fs.statSync(join(target, name));
      if (mtimeMs < Date.now() - 86_400_000) expect(size).toBe(512 * 1024);
    }
    fs.rmSync(target, { recursive: true });
    const large = await saveTree(repo, { large: noise, little: 'fits' });
    const report = await restore(repo, { tree: large }, { target: fromText(target) });
    expect(report.failed.map((f) => [toText(f.path), f.error.code])).toEqual([['/large', 'no-space']]);
    expect(fs.readdirSync(target)).toEqual(['little']);
  });
});
