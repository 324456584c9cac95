/** What one program backs up, the other brings back, equal in all that a person could tell apart. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromText } from '../../src/util/byte-string.ts';
import type { CliPlace, ResticCli } from '../helpers/cli.ts';
import { type CompareOptions, expectSame, type FolderSnapshot, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { arbTree, deepChain, hugeDirectory, type TreeOptions } from '../helpers/random-tree.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { hasTool, isRoot, requireTool } from '../helpers/tools.ts';
import {
  type DirNode,
  device,
  dirOf,
  fifo,
  file,
  hardlink,
  type Literal,
  type Name,
  sparse,
  symlink,
  tree,
  writeTree,
} from '../helpers/tree.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

type Version = 1 | 2;
type Make = (place: CliPlace) => ResticCli;

interface Direction {
  readonly name: string;
  readonly writer: Make;
  readonly reader: Make;
  /** restic before 0.16 can't keep link targets that aren't UTF-8. */
  readonly rawTargets: boolean;
}

const holdfast: Make = (place) => new Holdfast(place);
const restic: Make = (place) => new Restic(place);

const DIRECTIONS: readonly Direction[] = [
  { name: 'Holdfast to restic', writer: holdfast, reader: restic, rawTargets: false },
  { name: 'restic to Holdfast', writer: restic, reader: holdfast, rawTargets: false },
  { name: 'Holdfast to Holdfast', writer: holdfast, reader: holdfast, rawTargets: true },
];

const newer: Make = (place) => Restic.newer(place);
const WITH_NEWER: readonly Direction[] = hasTool('restic-new')
  ? [
      { name: 'Holdfast to the newer restic', writer: holdfast, reader: newer, rawTargets: true },
      { name: 'the newer restic to Holdfast', writer: newer, reader: holdfast, rawTargets: true },
    ]
  : [];
const ALL_DIRECTIONS = [...DIRECTIONS, ...WITH_NEWER];

/** The folder's own entry is the temporary folder's, which is in no backup. */
const COMPARE = { root: false } as const satisfies CompareOptions;

async function newPlace(version: Version): Promise<CliPlace> {
  const home = temp.dir('home');
  const place = { home, repository: join(home, 'repository') };
  await createOnDisk(place, version);
  return place;
}

function source(root: DirNode): string {
  const at = temp.dir('source');
  // One level down: the metadata of a named folder is kept.
  writeTree(join(at, 'tree'), root);
  return at;
}

interface Trip {
  readonly direction: Direction;
  readonly place: CliPlace;
  readonly from: string;
  readonly backupArgs?: readonly string[];
  readonly restoreArgs?: readonly string[];
}

/** Backs up, checks with both programs, restores; the path of what came back. */
async function travel({ direction, place, from, backupArgs = [], restoreArgs = [] }: Trip): Promise<string> {
  const [writer, reader] = [direction.writer(place), direction.reader(place)];
  await writer.backup(['tree'], { cwd: from, args: backupArgs });
  for (const make of new Set([restic, holdfast, direction.reader])) await make(place).check();
  const to = temp.dir('target');
  await reader.restore('latest', to, restoreArgs);
  return to;
}

async function expectRoundTrip(
  trip: Trip,
  before: FolderSnapshot = snapshotOf(trip.from),
  compare: CompareOptions = COMPARE,
): Promise<void> {
  expectSame(before, snapshotOf(await travel(trip)), compare);
}

/** Told on stderr, so that a failure elsewhere can be had again. */
function newSeed(what: string): number {
  const seed = Number(process.env.HOLDFAST_TEST_SEED ?? Date.now() % 2 ** 31);
  process.stderr.write(`${what}: HOLDFAST_TEST_SEED=${seed}\n`);
  return seed;
}

const KINDS = [
  { version: 1, compression: 'auto' },
  { version: 2, compression: 'auto' },
  { version: 2, compression: 'off' },
  { version: 2, compression: 'max' },
] as const;

describe.each(KINDS)('random trees, version $version, compression $compression', (kind) => {
  it.each(ALL_DIRECTIONS)('$name', async (direction) => {
    const seed = newSeed(`${direction.name}, version ${kind.version}, ${kind.compression}`);
    const options: TreeOptions = { sockets: false, rawTargets: direction.rawTargets };
    await fc.assert(
      fc.asyncProperty(arbTree(options), async (root) => {
        const place = await newPlace(kind.version);
        const backupArgs = ['--compression', kind.compression];
        await expectRoundTrip({ direction, place, from: source(root), backupArgs });
        temp.clear();
      }),
      { seed, numRuns: 3, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true },
    );
  });
});

// ---- what is known to be hard, each by name

const MTIME = { mtimeNs: 1_234_567_890_123_456_789n } as const;
const acl = (perm: number): Uint8Array => {
  const entries = [
    [0x01, 6, -1],
    [0x02, perm, 1234],
    [0x04, 4, -1],
    [0x10, 7, -1],
    [0x20, 0, -1],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2);
  entries.forEach(([tag, bits, id], i) => {
    bytes.writeUInt16LE(tag, 4 + i * 8);
    bytes.writeUInt16LE(bits, 6 + i * 8);
    bytes.writeInt32LE(id, 8 + i * 8);
  });
  return bytes;
};

const LONG = 'n'.repeat(255);
const PATH_BYTES = 4000;
/** `deepChain` may stay short by a folder name. */
const ROUNDING = 36;

function hardNames(): DirNode {
  const names: readonly (readonly [Name, Literal])[] = [
    [LONG, file('the longest name', MTIME)],
    ['ü'.repeat(127), tree({ [LONG]: 'within' })],
    [Buffer.from('ff80c328', 'hex'), file('not UTF-8')],
    [Buffer.from('eda080', 'hex'), tree({ inner: 'half of a pair' })],
    ['new\nline', 'x'],
    ['\\x41', 'x'],
    ['*?[a]{b}', 'x'],
    ['$HOME', 'x'],
  ];
  return dirOf(names);
}

const HARD: Readonly<Record<string, () => DirNode>> = {
  'names of 255 bytes, names that are no text, names of patterns': hardNames,
  'a path of 4,000 bytes': () => deepChain(PATH_BYTES + ROUNDING),
  'hard links': () =>
    tree({
      a: file('linked', MTIME),
      empty: file(''),
      d: tree({ b: hardlink('a'), deeper: tree({ c: hardlink('a'), none: hardlink('empty') }) }),
    }),
  'sparse files': () =>
    tree({
      holes: sparse(20 << 20, [[9 << 20, Buffer.from('an island')]], MTIME),
      nothing: sparse(5 << 20, []),
    }),
  'lists of access rights and extended attributes': () =>
    tree({
      f: file('x', { mode: 0o670, xattrs: { 'system.posix_acl_access': acl(6), 'user.empty': Buffer.of() } }),
      d: dirOf([['in', file('y', { xattrs: { 'user.binary': Buffer.from('00ff80', 'hex') } })]], {
        ...MTIME,
        mode: 0o2770,
        xattrs: { 'system.posix_acl_default': acl(7) },
      }),
    }),
  'modes, owners, times and special files': () =>
    tree({
      ...(isRoot()
        ? { null: device('chardev', 1, 3, { mode: 0o666, ...MTIME }), disk: device('dev', 259, 300) }
        : {}),
      pipe: fifo({ mode: 0o600, ...MTIME }),
      setuid: file('x', { mode: 0o6755, ...(isRoot() ? { uid: 2_000_000_000, gid: 65_534 } : {}) }),
      old: file('x', { mtimeNs: -1n }),
      unreadable: file('x', { mode: isRoot() ? 0 : 0o400 }),
      sticky: dirOf([['link', symlink('../nowhere', MTIME)]], { mode: 0o1777, mtimeNs: 1n }),
    }),
};

describe.each(Object.entries(HARD))('%s', (_, make) => {
  it.each(ALL_DIRECTIONS)('$name', async (direction) => {
    const place = await newPlace(2);
    await expectRoundTrip({ direction, place, from: source(make()) });
  });
});

it('the longest path is as long as it says', () => {
  const paths = [...snapshotOf(source(deepChain(PATH_BYTES + ROUNDING))).keys()];
  expect(Math.max(...paths.map((path) => path.length))).toBeGreaterThanOrEqual(PATH_BYTES);
});

it('holes come back as holes where it is asked for', async () => {
  const from = source(HARD['sparse files']!());
  const slack = { ...COMPARE, allocatedSlack: 64 << 10 };
  // restic leaves out whole chunks of zeros at best: what is asked here is only Holdfast's to give.
  for (const direction of ALL_DIRECTIONS.filter(({ reader }) => reader === holdfast)) {
    const trip = { direction, place: await newPlace(2), from, restoreArgs: ['--sparse'] };
    await expectRoundTrip(trip, snapshotOf(from), slack);
  }
});

// ---- size

const MANY = 100_000;

/** Of the 100,000: all names, and every 97th file whole. */
function sampleOf(folder: string): { readonly names: readonly string[]; readonly some: readonly string[] } {
  const names = fs.readdirSync(folder).sort();
  const some = names
    .filter((_, i) => i % 97 === 0)
    .map((name) => {
      const { mode, uid, mtimeNs } = fs.statSync(join(folder, name), { bigint: true });
      return [name, mode, uid, mtimeNs, fs.readFileSync(join(folder, name), 'utf8')].join(' ');
    });
  return { names, some };
}

it('100,000 files in one folder', async () => {
  const from = source(hugeDirectory(MANY));
  const before = sampleOf(join(from, 'tree'));
  expect(before.names).toHaveLength(MANY);
  for (const direction of ALL_DIRECTIONS.filter(({ writer, reader }) => writer !== reader)) {
    const to = await travel({ direction, place: await newPlace(2), from });
    expect(sampleOf(join(to, 'tree'))).toEqual(before);
  }
});

const PROJECT = resolve(import.meta.dirname, '../..');

/** A copy: the folders of the project may change while the test runs. */
function installedModules(): string {
  const from = temp.dir('source');
  fs.mkdirSync(join(from, 'tree'));
  for (const name of ['node_modules', 'src', 'test']) {
    execFileSync('cp', ['-a', join(PROJECT, name), join(from, 'tree')]);
  }
  return from;
}

it('a real tree: the modules that this project has installed, with its own sources', async () => {
  const from = installedModules();
  const before = snapshotOf(from);
  expect([...before.values()].filter(({ type }) => type === 'file').length).toBeGreaterThanOrEqual(5000);
  expect(before.has(fromText('tree/node_modules/typescript/package.json'))).toBe(true);
  for (const direction of ALL_DIRECTIONS.filter(({ writer, reader }) => writer !== reader)) {
    await expectRoundTrip({ direction, place: await newPlace(2), from }, before);
  }
});

// ---- keys

/** Adds a key or changes the password, with the new one in a file. */
async function key(cli: ResticCli, verb: 'add' | 'passwd', password: string): Promise<void> {
  const at = join(temp.dir('password'), 'new');
  fs.writeFileSync(at, `${password}\n`);
  await cli.call(['key', verb, '--new-password-file', at]);
}

async function keyIdOf(cli: ResticCli): Promise<string> {
  const keys = await cli.json(['key', 'list']);
  return String(keys.find(({ current }) => current)!.id);
}

const refuses = async (cli: ResticCli): Promise<boolean> => (await cli.try(['snapshots'])).code !== 0;

describe('several keys', () => {
  it.each([
    { name: 'made by restic', maker: restic, other: holdfast },
    { name: 'made by Holdfast', maker: holdfast, other: restic },
  ])('in a repository $name', async ({ maker, other }) => {
    const home = temp.dir('home');
    const at = (password: string): CliPlace => ({ home, repository: join(home, 'repository'), password });
    await maker(at('one')).init();
    const from = source(tree({ a: file('x', MTIME) }));
    await maker(at('one')).backup(['tree'], { cwd: from });
    await key(other(at('one')), 'add', 'two: with ünïcode');
    await key(maker(at('two: with ünïcode')), 'passwd', 'three');
    expect(await refuses(other(at('two: with ünïcode')))).toBe(true);
    await key(other(at('three')), 'passwd', 'four');
    expect(await refuses(maker(at('three')))).toBe(true);
    const first = await keyIdOf(other(at('one')));
    await other(at('four')).call(['key', 'remove', first]);
    for (const make of [maker, other]) expect(await refuses(make(at('one')))).toBe(true);
    expect(await maker(at('four')).list('keys')).toHaveLength(1);
    for (const [writer, reader] of [
      [maker, other],
      [other, maker],
    ] as const) {
      const direction = { name: 'with the fourth', writer, reader, rawTargets: false };
      await expectRoundTrip({ direction, place: at('four'), from });
    }
  });
});
