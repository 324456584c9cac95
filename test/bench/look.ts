/**
 * Looking into versions of 1,000,000 files: opening a repository, folders, the filling of the catalog, the search. Prints a table.
 * The repository holds trees alone, as a backup of such files would write them; another process makes it.
 *
 *   node test/bench/look.ts [--files 1000000] [--versions 30] [--at <folder for what it writes>]
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createLocal, openLocal } from '../../src/backend/local/local.ts';
import { fromEpochNs } from '../../src/format/time.ts';
import { serializeTree } from '../../src/format/tree.ts';
import type { Id, Node } from '../../src/format/types.ts';
import { createLooking } from '../../src/host/looking.ts';
import { OpenedRepositories } from '../../src/host/opened.ts';
import type { BlobWriter } from '../../src/repository/blob-writer.ts';
import { createRepository, openRepository } from '../../src/repository/repository.ts';
import { systemClock } from '../../src/util/clock.ts';
import { node } from '../helpers/repo.ts';
import { Temp } from '../helpers/temp.ts';
import { median } from './report.ts';

const { values: flags } = parseArgs({
  options: {
    files: { type: 'string', default: '1000000' },
    versions: { type: 'string', default: '30' },
    at: { type: 'string' },
    make: { type: 'string' },
  },
});
const FILES = Number(flags.files);
const VERSIONS = Number(flags.versions);
/** Entries of the one large folder. */
const LARGE = Math.min(100_000, FILES / 2);
const PER_FOLDER = 40;
/** Files that change from one version to the next. */
const CHANGES = 300;
const PASSWORD = 'a password';
const START_NS = 1_700_000_000_000_000_000n;
const HOUR_NS = 3_600_000_000_000n;
const DISK = 'disk';

// ---- making the repository

const WORDS =
  'report invoice photo holiday budget draft final copy backup archive config index main test helper module service letter contract summer winter berlin paris music track song video clip scan note plan meeting minutes slide table graph chart data export import'.split(
    ' ',
  );
const ENDS = 'jpg png txt pdf js ts md docx xlsx mp3'.split(' ');

/** Always the same, and as different as people's names of files are. */
function nameOf(n: number): string {
  const h = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  const word = (shift: number) => WORDS[(h >>> shift) % WORDS.length]!;
  const end = ENDS[(h >>> 7) % ENDS.length]!;
  if (h % 4 === 0) return `IMG_${n % 40_000}.jpg`;
  if (h % 4 === 1) return `${word(3)}.${end}`;
  return `${word(3)}-${word(11)} ${n % 5 === 0 ? n : h % 1000}.${end}`;
}

function fileOf(name: string, n: number, revision: number): Node {
  const id = createHash('sha256').update(`${n} ${revision}`).digest('hex') as Id;
  const mtime = fromEpochNs(START_NS - BigInt(n) * 60_000_000_000n + BigInt(revision) * HOUR_NS);
  return { ...node(name, 'file', { size: 1000 + (n % 100_000), content: [id], mtime }), inode: n };
}

async function saveFolder(writer: BlobWriter, nodes: readonly Node[]): Promise<Id> {
  const byName = new Map(nodes.map((one) => [one.name, one]));
  const sorted = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return (await writer.save('tree', serializeTree(sorted))).id;
}

/** Folders of folders of files. What has not changed is the same tree again, and is not stored twice. */
async function saveVersion(writer: BlobWriter, revision: number): Promise<Id> {
  const folders = Math.ceil((FILES - LARGE) / PER_FOLDER);
  const tops: Node[] = [];
  for (let top = 0; top * 200 < folders; top++) {
    const inner: Node[] = [];
    for (let f = top * 200; f < Math.min(folders, (top + 1) * 200); f++)
      inner.push(await innerFolder(writer, f, revision));
    tops.push(node(`project ${top}`, 'dir', { subtree: await saveFolder(writer, inner) }));
  }
  tops.push(node('large', 'dir', { subtree: await largeFolder(writer) }));
  return saveFolder(writer, [node('home', 'dir', { subtree: await saveFolder(writer, tops) })]);
}

const unchanged = new Map<number, Node>();

async function innerFolder(writer: BlobWriter, f: number, revision: number): Promise<Node> {
  const changed = revision > 0 && (f * 31 + revision * 17) % Math.ceil(FILES / PER_FOLDER / CHANGES) === 0;
  const known = changed ? undefined : unchanged.get(f);
  if (known) return known;
  const nodes = Array.from({ length: PER_FOLDER }, (_, i) => {
    const n = f * PER_FOLDER + i;
    return fileOf(`${nameOf(n)}`, n, changed && i === 0 ? revision : 0);
  });
  const made = node(`${WORDS[f % WORDS.length]} ${f}`, 'dir', { subtree: await saveFolder(writer, nodes) });
  if (!changed) unchanged.set(f, made);
  return made;
}

let large: Id | undefined;

async function largeFolder(writer: BlobWriter): Promise<Id> {
  const nodes = () => Array.from({ length: LARGE }, (_, i) => fileOf(`scan ${i}.png`, FILES + i, 0));
  large ??= await saveFolder(writer, nodes());
  return large;
}

async function make(path: string): Promise<void> {
  const repo = await createRepository(await createLocal(path), {
    password: PASSWORD,
    hostname: 'host',
    username: 'user',
  });
  const indexed = await repo.loadIndex();
  for (let revision = 0; revision < VERSIONS; revision++) {
    const writer = indexed.writer();
    const tree = await saveVersion(writer, revision);
    await writer.flush();
    const time = fromEpochNs(START_NS + BigInt(revision) * HOUR_NS);
    await repo.saveSnapshot({ time, tree, paths: ['/home'], hostname: 'host' });
  }
  await repo.close();
}

// ---- measuring

type Measured = [what: string, value: string];

const ms = (value: number) => (value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`);
const mib = (value: number) => `${Math.round(value / (1 << 20))} MiB`;

async function timed<T>(work: () => Promise<T>): Promise<readonly [number, T]> {
  const begun = performance.now();
  const result = await work();
  return [performance.now() - begun, result];
}

async function measure(repository: string, data: string): Promise<Measured[]> {
  const opened = new OpenedRepositories(
    async () => openRepository(await openLocal(repository), { password: PASSWORD }),
    systemClock,
  );
  const { promise: filled, resolve } = Promise.withResolvers<void>();
  const firstVersion = Promise.withResolvers<void>();
  const looking = createLooking({
    folder: data,
    versions: (id, signal) => opened.versions(id, signal),
    onState: (state) => {
      if (state.done > 0) firstVersion.resolve();
      if (!state.working && state.problem) throw new Error(state.problem);
      if (!state.working) resolve();
    },
    log: (level, text) => console.error(`${level}: ${text}`),
  });
  const page = (path: string, offset: number) =>
    looking.folder({ destinationId: DISK, versionId: 'latest', path }, { offset, limit: 200 });
  const rows: Measured[] = [];
  const [open] = await timed(() => page('/', 0));
  rows.push(['opening the repository, and its first folder', ms(open)]);
  const [small] = await timed(() => page('/home/project 1', 0));
  rows.push(['a folder of 200', ms(small)]);
  const [first, { total }] = await timed(() => page('/home/large', 0));
  rows.push([`first page of a folder of ${total.toLocaleString('en')}`, ms(first)]);
  const [later] = await timed(() => page('/home/large', LARGE / 2));
  rows.push(['a page in its middle', ms(later)]);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  const cpu = process.cpuUsage();
  await looking.catalog(DISK);
  await firstVersion.promise;
  const newest = performance.now() - begun;
  await filled;
  const all = performance.now() - begun;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  rows.push([`filling the catalog: the newest version`, `${(newest / 1000).toFixed(1)} s`]);
  rows.push([
    `filling the catalog: all ${VERSIONS} versions`,
    `${(all / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of one core`,
  ]);
  rows.push([
    'how long others wait meanwhile: 99 %, longest',
    `${ms(delay.percentile(99) / 1e6)}, ${ms(delay.max / 1e6)}`,
  ]);
  const size = fs.readdirSync(data).reduce((sum, name) => sum + fs.statSync(join(data, name)).size, 0);
  rows.push(['size of the catalog', mib(size)]);
  const words = [
    'a',
    'jpg',
    '.',
    'zq',
    'report',
    'holiday',
    'IMG_1234',
    'summer winter',
    'scan 99999',
    'nothing-like-it',
  ];
  for (const text of [...words, 'home/project 1/', 'project 1/ report']) {
    const times: number[] = [];
    const cpu = process.cpuUsage();
    let hits = '';
    for (let i = 0; i < 7; i++) {
      const [took, found] = await timed(() => looking.search({ destinationId: DISK, text, limit: 200 }));
      times.push(took);
      hits = `${found.hits.length}${found.more ? '+' : ''}`;
    }
    const { user, system } = process.cpuUsage(cpu);
    const own = (user + system) / 1000 / times.length;
    rows.push([
      `search for "${text}" (${hits} found)`,
      `${ms(median(times))}, longest ${ms(Math.max(...times))}; ${ms(own)} of one core`,
    ]);
  }
  const { hits } = await looking.search({ destinationId: DISK, text: 'report', limit: 1 });
  const { path, versionId } = hits[0]!;
  const [past] = await timed(() => looking.timeline({ destinationId: DISK, versionId, path }));
  rows.push(['the past of a file', ms(past)]);
  await looking.close();
  await opened.close();
  rows.push(['peak of all memory', mib(process.resourceUsage().maxRSS * 1024)]);
  return rows;
}

if (flags.make !== undefined) await make(flags.make);
else {
  using temp = new Temp(flags.at);
  const repository = join(temp.dir('look'), 'repository');
  const made = spawnSync(
    process.execPath,
    [import.meta.filename, ...process.argv.slice(2), '--make', repository],
    {
      stdio: 'inherit',
    },
  );
  if (made.status !== 0) throw new Error('the repository could not be made');
  const rows = await measure(repository, temp.dir('catalogs'));
  console.log(
    `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.version}; ${new Date().toISOString().slice(0, 10)}\n`,
  );
  console.log(`| ${FILES.toLocaleString('en')} files, ${VERSIONS} versions |  |\n| --- | --- |`);
  for (const [what, value] of rows) console.log(`| ${what} | ${value} |`);
}
