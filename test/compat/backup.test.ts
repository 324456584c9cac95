import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { copyOfTemplate, type Json, type ResticCli } from '../helpers/cli.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { arbTree } from '../helpers/random-tree.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { type DirNode, file, symlink, tree, writeTree } from '../helpers/tree.ts';

const shared = useSharedTemp();
const temp = useTemp();
const templates = shared.dir('templates');

beforeEach((context) => requireTool(context, 'restic'));

interface Pair {
  readonly restic: Restic;
  readonly holdfast: Holdfast;
}

/** Both programs on one new repository. */
async function pair(version: 1 | 2 = 2): Promise<Pair> {
  const home = temp.dir('home');
  const place = { home, repository: join(home, 'repository') };
  const restic = new Restic(place);
  await copyOfTemplate(restic, 'restic', templates, version);
  return { restic, holdfast: new Holdfast(place) };
}

function source(root: DirNode): string {
  const at = temp.dir('source');
  writeTree(join(at, 'tree'), root);
  return at;
}

async function backUp(cli: ResticCli, cwd: string, ...args: readonly string[]): Promise<Json> {
  return cli.backup(['tree'], { cwd, args });
}

async function treeOf(cli: ResticCli, summary: Json): Promise<string> {
  const found = (await cli.snapshots()).find((s) => s.id.startsWith(String(summary.snapshot_id)));
  return found?.tree ?? 'none';
}

function bytesOfRepository(cli: ResticCli): number {
  const data = join(cli.place.repository, 'data');
  const files = fs.readdirSync(data, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** The second program must find all that the first has stored, and make the same trees of it. */
async function expectShared(first: ResticCli, second: ResticCli, folder: string): Promise<void> {
  const one = await backUp(first, folder);
  const before = bytesOfRepository(first);
  // --force: nothing is taken from the parent, all is read and cut again.
  const two = await backUp(second, folder, '--force');
  expect(bytesOfRepository(first) - before).toBeLessThanOrEqual(before / 1000);
  expect(await treeOf(second, two)).toBe(await treeOf(first, one));
  expect(two.total_bytes_processed).toBe(one.total_bytes_processed);
  expect(two.total_files_processed).toBe(one.total_files_processed);
}

// restic before 0.16 can't keep link targets that aren't UTF-8, and passes over sockets as we do.
const trees = arbTree({ rawTargets: false }).filter((root) =>
  [...root.entries.values()].some((node) => node.type !== 'socket'),
);

const large = tree({
  random: file({ seed: 7, size: 24 * 1024 * 1024 }),
  text: file('All work and no play makes a dull backup.\n'.repeat(200_000)),
  zeros: file(new Uint8Array(9_000_000)),
});

describe.each([1, 2] as const)('in a repository of version %i', (version) => {
  it('what restic stored costs us nothing, and the other way round', async () => {
    await fc.assert(
      fc.asyncProperty(trees, fc.boolean(), async (root, resticFirst) => {
        const { restic, holdfast } = await pair(version);
        const folder = source(root);
        await (resticFirst ? expectShared(restic, holdfast, folder) : expectShared(holdfast, restic, folder));
        temp.clear();
      }),
      { numRuns: 8, interruptAfterTimeLimit: 240_000 },
    );
  });

  it.each([true, false])('large files are cut at the same places (restic first: %s)', async (resticFirst) => {
    const { restic, holdfast } = await pair(version);
    const folder = source(large);
    await (resticFirst ? expectShared(restic, holdfast, folder) : expectShared(holdfast, restic, folder));
    await restic.check();
  });
});

it('finds the snapshots of restic as parents, and restic ours', async () => {
  const { restic, holdfast } = await pair();
  const folder = source(tree({ a: file('a'), b: tree({ c: file('c') }) }));
  const first = await backUp(restic, folder);
  const second = await backUp(holdfast, folder);
  expect(second).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: 2, data_added: 0 });
  const third = await backUp(restic, folder);
  expect(third).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: 2, data_added: 0 });
  const [, ours, theirs] = await restic.snapshots();
  expect(ours!.parent?.startsWith(String(first.snapshot_id))).toBe(true);
  expect(theirs!.parent).toBe(ours!.id);
});

const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n';
const choosy = tree({
  'a.tmp': file('1'),
  'A.TMP': file('2'),
  big: file(new Uint8Array(3000)),
  cache: tree({ 'CACHEDIR.TAG': file(cacheTag), inner: file('3') }),
  'no backup': tree({ '.nobackup': file('yes, really'), kept: tree({ x: file('4') }) }),
  deep: tree({ deeper: tree({ 'b.tmp': file('5'), 'keep.tmp': file('6'), 'c.txt': file('7') }) }),
  link: symlink('a.tmp'),
  rules: file('# comment\n\n  **/deeper\n!**/c.txt\n'),
  irules: file('*.TXT\n'),
});

describe('flags that leave out', () => {
  it.each([
    [['--exclude', '*.tmp']],
    [['--exclude', '*.tmp', '--exclude', '!keep.tmp']],
    [['--iexclude', '*.TMP']],
    [['--exclude-file', 'tree/rules']],
    [['--iexclude-file', 'tree/irules']],
    [['--exclude-larger-than', '2k']],
    [['--exclude-caches']],
    [['--exclude-if-present', '.nobackup']],
    [['--exclude-if-present', '.nobackup:yes']],
    [['--exclude-if-present', '.nobackup:no']],
    [['--exclude', '/nowhere', '--exclude', 'deep/**/b.*']],
    [['--one-file-system']],
  ])('%j leave the same in', async (args) => {
    const { restic, holdfast } = await pair();
    const folder = source(choosy);
    await backUp(restic, folder, ...args);
    await backUp(holdfast, folder, ...args);
    const [theirs, ours] = await restic.snapshots();
    const list = async (id: string) => (await restic.json(['ls', id])).slice(1).map((node) => node.path);
    expect(await list(ours!.id)).toEqual(await list(theirs!.id));
    expect(ours!.tree).toBe(theirs!.tree);
    expect((ours as unknown as Json).excludes).toEqual((theirs as unknown as Json).excludes);
  });
});

describe('targets', () => {
  const layout = tree({ a: tree({ x: file('1'), y: file('2') }), b: tree({ x: file('3') }), c: file('4') });

  it.each([
    { name: 'relative ones', args: ['tree/a', 'tree/c'] },
    { name: 'one within another', args: ['tree', 'tree/a'] },
    { name: 'the folder itself', args: ['.'] },
    { name: 'the same name twice', args: ['tree/a/x', 'tree/b/x'] },
    { name: 'upwards', args: ['tree/../tree/b'] },
    { name: 'a list with patterns', args: ['--files-from', 'list'] },
    { name: 'a verbatim list', args: ['--files-from-verbatim', 'verbatim'] },
    { name: 'a raw list', args: ['--files-from-raw', 'raw'] },
  ])('$name are laid out alike', async ({ args }) => {
    const { restic, holdfast } = await pair();
    const cwd = source(layout);
    const lists = temp.dir('lists');
    const files = { list: 'tree/*\n# no\n', verbatim: 'tree/a\n', raw: 'tree/b\0tree/c\0' };
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(join(lists, name), content);
    const given = args.map((arg) => (arg in files ? join(lists, arg) : arg));
    await restic.backup([], { cwd, args: given });
    await holdfast.backup([], { cwd, args: given });
    const [theirs, ours] = await restic.snapshots();
    expect(ours!.tree).toBe(theirs!.tree);
    expect(new Set(ours!.paths)).toEqual(new Set(theirs!.paths));
  });

  it('one of two is missing: both back up the rest, and we say so with the exit code', async () => {
    const { restic, holdfast } = await pair();
    const cwd = source(layout);
    const { code, stderr } = await holdfast.try(['backup', 'tree', 'gone'], { cwd });
    expect([code, stderr]).toEqual([3, expect.stringContaining('/gone"')]);
    await restic.call(['backup', 'tree', 'gone'], { cwd, codes: [0, 3] });
    const [ours, theirs] = await restic.snapshots();
    expect(ours!.tree).toBe(theirs!.tree);
    expect(ours!.paths).toEqual(theirs!.paths);
  });
});

it('what the fields of a summary and of a snapshot say is what restic says', async () => {
  const { restic, holdfast } = await pair();
  const folder = source(large);
  const args = ['--tag', 'x,y', '--tag', 'z', '--host', 'h', '--time', '2021-02-03 04:05:06'];
  const ours = await backUp(holdfast, folder, ...args);
  const theirs = await backUp(
    restic.with({ repository: (await pair()).restic.place.repository }),
    folder,
    ...args,
  );
  const same = ['files_new', 'files_changed', 'dirs_new', 'total_files_processed', 'total_bytes_processed'];
  for (const field of same) expect(ours[field], field).toBe(theirs[field]);
  const [snapshot] = await restic.snapshots();
  expect(snapshot).toMatchObject({ hostname: 'h', tags: ['x', 'y', 'z'], time: '2021-02-03T04:05:06Z' });
});

it('a stream is stored as restic stores it', async () => {
  const { restic, holdfast } = await pair();
  const args = ['backup', '--stdin', '--stdin-filename', 'a/b'];
  const content = Buffer.alloc(5_000_000, 'stream ');
  await restic.call(args, { stdin: content });
  const before = bytesOfRepository(restic);
  await holdfast.call(args, { stdin: content });
  // Nothing but the trees with their new times.
  expect(bytesOfRepository(restic) - before).toBeLessThan(10_000);
  const [theirs, ours] = await restic.snapshots();
  expect(ours!.paths).toEqual(theirs!.paths);
  for (const { id } of [theirs!, ours!]) {
    expect((await restic.call(['dump', id, '/a/b'])).stdout.equals(content)).toBe(true);
  }
});
