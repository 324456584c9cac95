import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { copyOfTemplate, type Json } from '../helpers/cli.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';
import { type DirNode, dirOf, file, hardlink, symlink, tree, writeTree } from '../helpers/tree.ts';

// What is listed of one repository must be what restic lists, field by field. A newer restic has more fields than
// Debian's: each field that the one at hand prints is held against ours.

const shared = useSharedTemp();
let restic: Restic;
let holdfast: Holdfast;
let ids: readonly string[] = [];

beforeEach((context) => requireTool(context, 'restic'));

const at = (seconds: number) => ({ mtimeNs: BigInt(seconds) * 1_000_000_000n + 123_456_789n });

const first: DirNode = tree({
  'a.txt': file('a', at(1_600_000_000)),
  'b.log': file(new Uint8Array(20_000), at(1_500_000_000)),
  gone: tree({ x: file('x'), deeper: tree({ y: file('y') }) }),
  kind: file('was a file'),
  mode: file('m', { mode: 0o600 }),
  'öffentlich "q"': file('q'),
});

const second: DirNode = dirOf([
  ['a.txt', file('other', at(1_700_000_000))],
  ['b.log', file(new Uint8Array(20_000), at(1_500_000_000))],
  ['new', tree({ z: file('z'), link: symlink('z'), same: hardlink('new/z') })],
  ['kind', symlink('a.txt')],
  ['mode', file('m', { mode: 0o4755 })],
  ['öffentlich "q"', file('q')],
  [Buffer.from([0xff, 0xe2, 0x82, 0x0a]), file('odd')],
]);

beforeAll(async () => {
  if (!hasTool('restic')) return;
  const home = shared.dir('home');
  const place = { home, repository: join(home, 'repository') };
  restic = new Restic(place);
  holdfast = new Holdfast(place);
  await copyOfTemplate(restic, 'restic', shared.dir('templates'));
  for (const [i, root] of [first, second].entries()) {
    const cwd = shared.dir('source');
    writeTree(join(cwd, 'tree'), root);
    await restic.backup(['tree'], { cwd, args: ['--tag', `t${i}`, '--host', `h${i}`] });
    await holdfast.backup(['tree/new', 'tree/a.txt'].slice(i === 0 ? 1 : 0), { cwd, args: ['--host', 'h0'] });
  }
  ids = (await restic.snapshots()).map((s) => s.id);
});

/** The ids of the snapshots stand for #0, #1 … */
function filled(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(/#(\d)/, (_, n: string) => ids[Number(n)]!.slice(0, 10)));
}

async function expectAlike(args: readonly string[]): Promise<void> {
  const [theirs, ours] = [await restic.json(filled(args)), await holdfast.json(filled(args))];
  expect(ours).toHaveLength(theirs.length);
  // Older restics find in no order of snapshots, and print zeros that newer ones leave out.
  const [expected, actual] = args[0] === 'find' ? [theirs, ours].map(bySnapshot) : [theirs, ours];
  for (const [i, item] of expected!.entries()) expect(actual![i]).toMatchObject(withoutZeros(item));
}

function bySnapshot(found: readonly Json[]): readonly Json[] {
  const key = (item: Json) => `${item.snapshot} ${item.path} ${item.id}`;
  return found.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function withoutZeros(item: Json): Json {
  const isTotal = (name: string) => name.startsWith('total_');
  return Object.fromEntries(Object.entries(item).filter(([name, value]) => !isTotal(name) || value !== 0));
}

describe('listings', () => {
  it.each([
    ['snapshots'],
    ['snapshots', '--host', 'h0'],
    ['snapshots', '--tag', 't1'],
    ['snapshots', '--latest', '1'],
    ['snapshots', '#0', '#2'],
    ['ls', '#0'],
    ['ls', '#2'],
    ['ls', 'latest', '--host', 'h1'],
    ['ls', '#0', '/tree/gone'],
    ['ls', '#0', '/tree/gone', '--recursive'],
    ['ls', '#0', '/tree/gone/deeper', '/tree/a.txt'],
    ['find', 'x'],
    ['find', '*.TXT', '--ignore-case'],
    ['find', '/tree/**/y'],
    ['find', '*', '--newest', '2018-01-01'],
    ['find', 'a.txt', '--oldest', '2021-01-01', '--snapshot', '#2'],
    ['find', 'nothing at all'],
    ['diff', '#0', '#2'],
    ['diff', '#2', '#0'],
    ['diff', '--metadata', '#0', '#2'],
    ['diff', '#1', '#3'],
    ['stats'],
    ['stats', '--mode', 'files-by-contents'],
    ['stats', '--mode', 'blobs-per-file'],
    ['stats', '--mode', 'raw-data'],
    ['stats', '--mode', 'raw-data', '#2'],
    ['stats', '--mode', 'restore-size', '--host', 'h0'],
  ])('%s %s %s %s %s %s', async (...args) => {
    await expectAlike(args.filter((arg) => arg !== undefined));
  });

  it('groups as restic does', async () => {
    const args = ['snapshots', '--group-by', 'host,paths'];
    const byKey = (groups: readonly Json[]) =>
      new Map(groups.map((group) => [JSON.stringify(group.group_key), group.snapshots]));
    const [theirs, ours] = [byKey(await restic.json(args)), byKey(await holdfast.json(args))];
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [key, snapshots] of theirs) expect(ours.get(key)).toMatchObject(snapshots as object);
  });

  it('finds blobs and trees by the beginnings of their ids', async () => {
    const { nodes } = await restic.cat('blob', (await restic.cat('snapshot', ids[2])).tree as string);
    const [folder] = nodes as readonly { readonly subtree: string }[];
    await expectAlike(['find', '--tree', folder!.subtree.slice(0, 8)]);
    for (const pack of await restic.packsOf('data')) await expectAlike(['find', '--pack', pack]);
  });

  it('orders as it is told', async () => {
    const names = async (...args: string[]) =>
      (await holdfast.json(['ls', ids[0]!, '/tree', ...args])).slice(1).map((n) => n.name);
    const all = await names();
    expect(await names('--reverse')).toEqual(all.toReversed());
    const files = (list: readonly unknown[]) =>
      list.filter((n) => ['a.txt', 'b.log', 'mode'].includes(String(n)));
    expect(files(await names('--sort', 'size'))).toEqual(['a.txt', 'mode', 'b.log']);
    expect(files(await names('--sort', 'time'))).toEqual(['b.log', 'a.txt', 'mode']);
    expect(files(await names('--sort', 'extension'))).toEqual(['mode', 'b.log', 'a.txt']);
  });

  it('gives ncdu what it reads', async () => {
    const { stdout } = await holdfast.call(['ls', ids[2]!, '--ncdu']);
    const [major, minor, , top] = JSON.parse(stdout.toString());
    expect([major, minor]).toEqual([1, 2]);
    const [root, [folder, ...entries]] = top;
    expect([root.name, folder.name]).toEqual(['/', 'tree']);
    expect(entries).toContainEqual(expect.objectContaining({ name: 'a.txt', asize: 5, dsize: 512 }));
    const [inner, ...files] = entries.find((entry: unknown) => Array.isArray(entry));
    expect([inner.name, files.length]).toEqual(['new', 3]);
  });

  it('never prints what would steer a terminal', async () => {
    const { stdout } = await holdfast.call(['ls', '-l', ids[2]!]);
    expect(stdout.toString()).toContain('\\n"');
    const nodes = (await holdfast.json(['ls', ids[2]!])).slice(1);
    // One line for each, and one for the snapshot; the last is empty.
    expect(stdout.toString().split('\n')).toHaveLength(nodes.length + 2);
  });
});
