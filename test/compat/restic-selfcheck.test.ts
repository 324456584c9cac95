import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromText } from '../../src/util/byte-string.ts';
import { copyOfTemplate, copyRepository } from '../helpers/cli.ts';
import type { CompareOptions } from '../helpers/compare.ts';
import { differences, expectSame, snapshotOf } from '../helpers/compare.ts';
import { addOrphanPacks, flipByte, idsOf, removeFile, removeIndex, truncate } from '../helpers/damage.ts';
import { setTimes } from '../helpers/libc.ts';
import { arbTree, deepChain, hugeDirectory } from '../helpers/random-tree.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { onDisk } from '../helpers/temp.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';
import type { DirNode } from '../helpers/tree.ts';
import { fifo, file, hardlink, sparse, symlink, tree, writeTree } from '../helpers/tree.ts';

/** Only defined where a newer restic is at hand (HOLDFAST_TEST_RESTIC_NEW): nothing is missing without it. */
const itWithNewer = hasTool('restic-new') ? it : undefined;

// Proves the measuring tools, not Holdfast: restic's own round trip must come out as equal, and every planted
// difference as a difference. restic doesn't restore sockets, and before 0.16 no link target that isn't UTF-8.
const OPTIONS = { ignoreTypes: ['socket'], root: false } as const satisfies CompareOptions;

const shared = useSharedTemp();
const temp = useTemp();
const templates = shared.dir('templates');

beforeEach((context) => requireTool(context, 'restic'));

async function restic(version: 1 | 2 = 2): Promise<Restic> {
  const home = temp.dir('home');
  const cli = new Restic({ home, repository: join(home, 'repository') });
  await copyOfTemplate(cli, 'restic', templates, version);
  return cli;
}

function source(root: DirNode): string {
  const at = temp.dir('source');
  writeTree(at, root);
  return at;
}

describe('restic to restic', () => {
  it.each([1, 2] as const)('brings random trees back (repository version %i)', async (version) => {
    await fc.assert(
      fc.asyncProperty(arbTree({ rawTargets: false, sockets: false }), async (root) => {
        const [cli, from, to] = [await restic(version), temp.dir('source'), temp.dir('target')];
        // One level down: restic keeps the metadata of a named folder, and refuses a backup of nothing at all.
        writeTree(join(from, 'tree'), root);
        const before = snapshotOf(from);
        await cli.backup(['tree'], { cwd: from });
        await cli.restore('latest', to);
        expectSame(before, snapshotOf(to), OPTIONS);
        expectSame(before, snapshotOf(from));
        temp.clear();
      }),
      { numRuns: 8, interruptAfterTimeLimit: 240_000 },
    );
  });

  it('brings a huge folder and a deep one back, and its check is clean', async () => {
    const [cli, to] = [await restic(), temp.dir('target')];
    const from = source(tree({ huge: hugeDirectory(2000), deep: deepChain(3000) }));
    await cli.backup(['.'], { cwd: from });
    await cli.check();
    await cli.restore('latest', to);
    expectSame(snapshotOf(from), snapshotOf(to), OPTIONS);
  });

  it('shows each difference planted after the restore', async () => {
    const [cli, to] = [await restic(), temp.dir('target')];
    const root = tree({
      a: file('one', { mtimeNs: 5n }),
      b: 'two',
      l: symlink('a'),
      h: hardlink('b'),
      p: fifo(),
    });
    const from = source(root);
    await cli.backup(['.'], { cwd: from });
    await cli.restore('latest', to);
    const before = snapshotOf(from);
    expect(differences(before, snapshotOf(to), OPTIONS)).toEqual([]);
    setTimes(fromText(join(to, 'a')), 0n, 6n);
    fs.rmSync(join(to, 'h'));
    fs.writeFileSync(join(to, 'h'), 'two');
    fs.chmodSync(join(to, 'p'), 0o611);
    const lines = differences(before, snapshotOf(to), { ...OPTIONS, ignore: ['mode'] });
    expect(lines).toContain('"a": mtimeNs 5 → 6');
    expect(lines).toContain('"h": links "b" → ""');
    expect(differences(before, snapshotOf(to), OPTIONS).join('\n')).toContain('"p": mode 0644 → 0611');
  });

  itWithNewer?.('works with a newer restic too, raw link targets included', async () => {
    const home = temp.dir('home');
    const cli = Restic.newer({ home, repository: join(home, 'repository') });
    await copyOfTemplate(cli, 'restic-new', templates);
    const [from, to] = [
      source(tree({ l: symlink(Buffer.from([0xff, 0x80])), s: sparse(1 << 20, []) })),
      temp.dir(),
    ];
    await cli.backup(['.'], { cwd: from });
    await cli.restore('latest', to, ['--sparse']);
    expectSame(snapshotOf(from), snapshotOf(to), { ...OPTIONS, allocatedSlack: 4096 });
  });
});

describe('the calls', () => {
  it('give summaries, snapshots, packs and trees as values', async () => {
    const cli = await restic();
    const summary = await cli.backup(['.'], { cwd: source(tree({ a: 'x', d: {} })), args: ['--tag', 't'] });
    expect(summary).toMatchObject({ files_new: 1, snapshot_id: expect.any(String) });
    const [snapshot] = await cli.snapshots();
    expect(snapshot).toMatchObject({ tags: ['t'] });
    const packs = await cli.packs();
    expect(packs.map((p) => p.id)).toEqual(idsOf(cli.place.repository, 'data'));
    expect(packs.flatMap((p) => p.blobs.map((b) => b.type)).sort()).toEqual(['data', 'tree', 'tree']);
    expect(await cli.cat('config')).toMatchObject({ version: 2 });
    expect(await cli.cat('snapshot', snapshot!.id)).toMatchObject({ tree: snapshot!.tree });
  });

  it('tell a wrong password by the exit code', async () => {
    const cli = await restic();
    const result = await cli.with({ password: 'wrong' }).try(['snapshots']);
    expect(result.code).not.toBe(0);
    await expect(cli.with({ password: 'wrong' }).call(['snapshots'])).rejects.toThrow('wrong password');
  });
});

describe('damage', () => {
  // restic reads trees in every check, and tries for a minute when one is cut or gone: here only data packs are.
  const harms: readonly (readonly [
    string,
    readonly string[],
    (repository: string, pack: string) => unknown,
  ])[] = [
    ['a missing pack', [], (r, id) => removeFile(r, { type: 'data', id })],
    ['a cut pack', [], (r, id) => truncate(r, { type: 'data', id })],
    ['a flipped bit in a pack', ['--read-data'], (r) => flipByte(r, { type: 'data', seed: 1 })],
    ['a flipped bit in an index', [], (r) => flipByte(r, { type: 'index' })],
    ['a missing index', [], (r) => removeIndex(r, 'all')],
    ['a flipped bit in a snapshot', [], (r) => flipByte(r, { type: 'snapshots' })],
  ];
  it.each(harms)('restic notices %s', async (_, args, harm) => {
    const cli = await restic();
    await cli.backup(['.'], { cwd: source(tree({ a: 'x', d: { b: 'y' } })) });
    const [pack] = await cli.packsOf('data');
    harm(cli.place.repository, pack!);
    expect((await cli.try(['check', ...args])).code).toBe(1);
  });

  it('orphaned packs are sound', async () => {
    const cli = await restic();
    await cli.backup(['.'], { cwd: source(tree({ a: 'x' })) });
    const later = cli.with({ repository: join(cli.place.home, 'later') });
    copyRepository(cli.place.repository, later.place.repository);
    await later.backup(['.'], { cwd: source(tree({ b: 'new' })) });
    const added = addOrphanPacks(cli.place.repository, later.place.repository);
    expect(added.length).toBeGreaterThan(0);
    const result = await cli.check();
    expect(result.stdout.toString() + result.stderr).toContain('not referenced in any index');
  });
});

describe('disks of their own', () => {
  it.for(['ext4', 'btrfs', 'xfs'] as const)(
    '%s is mounted, keeps all, gets full, and goes away',
    (type, context) => {
      requireTool(context, 'loop', `mkfs.${type}`);
      let path: string;
      {
        using disk = onDisk(type, type === 'xfs' ? 320 : 128);
        path = disk.path;
        const [root] = fc.sample(arbTree({ bigFiles: false }), { numRuns: 1, seed: 5 });
        const elsewhere = source(root!);
        writeTree(join(path, 'tree'), root!);
        expectSame(snapshotOf(elsewhere), snapshotOf(join(path, 'tree')));
        const fill = () => writeTree(path, tree({ big: file({ seed: 1, size: 400 << 20 }) }));
        expect(fill).toThrow('ENOSPC');
      }
      expect(fs.existsSync(path)).toBe(false);
      expect(fs.readFileSync('/proc/mounts', 'utf8')).not.toContain(path);
    },
  );
});
