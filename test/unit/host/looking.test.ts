import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { CatalogState } from '../../../src/api/model/look.ts';
import type { Snapshot } from '../../../src/format/types.ts';
import { createLooking, type Looking } from '../../../src/host/looking.ts';
import type { OpenedVersions } from '../../../src/host/opened.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { findSnapshot } from '../../../src/repository/snapshot-filter.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { memoryRepository, type SketchFolder, saveTree, time } from '../../helpers/repo.ts';
import { useSharedTemp, useTemp } from '../../helpers/scope.ts';
import { until } from '../../helpers/until.ts';

const temp = useTemp();
const DISK = 'a-destination';

describe('looking into versions', () => {
  let repo: IndexedRepository;
  let looking: Looking;
  let states: CatalogState[];
  let asked: number;
  let fault: Error | undefined;
  let stuck: boolean;
  let folder: string;
  let said: string[];

  beforeEach(async () => {
    repo = await memoryRepository();
    states = [];
    said = [];
    asked = 0;
    fault = undefined;
    stuck = false;
    folder = temp.dir('catalogs');
    looking = create();
  });
  afterEach(() => looking.close());

  function create(): Looking {
    return createLooking({
      folder,
      versions: () => (stuck ? new Promise(() => {}) : opened()),
      onState: (state) => states.push(state),
      log: (_level, text) => said.push(text),
    });
  }

  async function opened(): Promise<OpenedVersions> {
    asked++;
    if (fault) throw fault;
    const snapshots = await repo.repository.snapshots();
    return {
      snapshots,
      named: (reference) => findSnapshot(snapshots, reference).snapshot,
      indexed: async () => repo,
    };
  }

  let hours = 0;
  async function version(sketch: SketchFolder, fields: Partial<Snapshot> = {}): Promise<string> {
    const tree = await saveTree(repo, sketch);
    const at = time(BigInt(1_700_000_000 + 3600 * hours++) * 1_000_000_000n);
    return repo.repository.saveSnapshot({ time: at, tree, paths: ['/data'], hostname: 'host', ...fields });
  }

  const at = (versionId: string, path: string) => ({ destinationId: DISK, versionId, path });

  it('shows pages of folders', async () => {
    const id = await version({ data: { 'b.txt': 'bb', 'a.txt': 'a', sub: {} } });
    const page = await looking.folder(at('latest', '/data/'), { offset: 0, limit: 2 });
    expect(page).toMatchObject({
      total: 3,
      offset: 0,
      entries: [
        { name: 'sub', path: '/data/sub', kind: 'dir', bytes: null },
        { name: 'a.txt', path: '/data/a.txt', kind: 'file', bytes: 1 },
      ],
    });
    fault = new Error('away');
    await expect(looking.folder(at('latest', '/'), { offset: 0, limit: 2 })).rejects.toThrow('away');
    // Once it is known which version is meant, pages of a folder in memory need nobody.
    const next = await looking.folder(at(id, 'data'), { offset: 2, limit: 2 });
    expect(next.entries.map((entry) => entry.path)).toEqual(['/data/b.txt']);
    expect(asked).toBe(2);
  });

  it('says which folder is not there', async () => {
    await version({ data: {} });
    const missing = looking.folder(at('latest', '/data/more'), { offset: 0, limit: 2 });
    await expect(missing).rejects.toMatchObject({ code: 'path-missing' });
    await expect(looking.folder(at('0123', '/'), { offset: 0, limit: 2 })).rejects.toMatchObject({
      code: 'snapshot-missing',
    });
  });

  /** The catalog is complete, or can't be. */
  async function settled(): Promise<CatalogState> {
    let state = await looking.catalog(DISK);
    await until(() => states.at(-1)?.working === false);
    state = states.at(-1)!;
    return state;
  }

  const find = (text: string, more: { planId?: string; limit?: number } = {}) =>
    looking.search({ destinationId: DISK, text, limit: 100, ...more });

  async function found(text: string, more: { planId?: string; limit?: number } = {}): Promise<string[]> {
    return (await find(text, more)).hits.map(({ path }) => path);
  }

  it('finds names in all versions, what is gone too', async () => {
    const first = await version({ data: { 'Report.txt': 'one', 'old report.pdf': 'x' } });
    const second = await version({ data: { 'Report.txt': 'two!', sub: { 'report-2.txt': '2' } } });
    expect(await settled()).toEqual({
      destinationId: DISK,
      done: 2,
      total: 2,
      working: false,
      problem: null,
    });
    const { hits, more, catalog } = await find('report');
    expect(hits).toMatchObject([
      { path: '/data/Report.txt', kind: 'file', bytes: 4, versionId: second, states: 2, gone: false },
      { path: '/data/sub/report-2.txt', name: 'report-2.txt', versionId: second, states: 1, gone: false },
      { path: '/data/old report.pdf', versionId: first, states: 1, gone: true },
    ]);
    expect(more).toBe(false);
    expect(catalog).toEqual(states.at(-1));
  });

  it('begins with the name itself, then names that begin so, then all others, those that are still there first', async () => {
    await version({ data: { 'a note': '', note: '', 'gone note': '', 'note gone': '' } });
    await version({ data: { 'a note': '', sub: { note: '' }, 'note 2': '', 'my note': '' } });
    await settled();
    expect(await found('note')).toEqual([
      ...['/data/sub/note', '/data/note', '/data/note 2', '/data/note gone'],
      ...['/data/a note', '/data/my note', '/data/gone note'],
    ]);
    const { hits, more } = await find('note', { limit: 3 });
    expect([hits.length, more]).toEqual([3, true]);
  });

  it('takes letters without case and accents, words in any order, parts of any length', async () => {
    await version({
      data: { 'Übersicht März 2024.XLSX': '', 'uebersicht.md': '', 'Straße.md': '', 日本語: '' },
    });
    await settled();
    const sheet = '/data/Übersicht März 2024.XLSX';
    for (const text of [
      'ubersicht',
      'ÜBERSICHT marz',
      '2024 über',
      'xlsx',
      'x',
      'XL',
      '4.x',
      ' märz  sicht ',
    ]) {
      expect(await found(text), text).toEqual([sheet]);
    }
    expect(await found('strasse')).toEqual(['/data/Straße.md']);
    expect(await found('本')).toEqual(['/data/日本語']);
    expect(await found('本語')).toEqual(['/data/日本語']);
    expect(await found('日本語')).toEqual(['/data/日本語']);
    for (const text of ['', ' ', 'sicht maerz', '"', '""" OR', '*', '\0', 'nothing'])
      expect(await found(text), text).toEqual([]);
  });

  it('looks into the path for a word with a slash', async () => {
    await version({
      photos: { 2019: { 'img.jpg': '', 'a.txt': '' }, 2020: { 'img.jpg': '' } },
      'img.jpg': '',
    });
    await settled();
    expect(await found('2019/img')).toEqual(['/photos/2019/img.jpg']);
    expect(await found('photos/ jpg')).toEqual(['/photos/2019/img.jpg', '/photos/2020/img.jpg']);
    expect(await found('photos/')).toEqual(['/photos']);
    expect(await found('/img.jpg')).toHaveLength(3);
    expect(await found('/')).toEqual([]);
    expect(await found('nowhere/img')).toEqual([]);
  });

  it('keeps computers and plans apart', async () => {
    const plan = '00000000-0000-4000-8000-000000000001';
    const other = '00000000-0000-4000-8000-000000000002';
    await version({ a: { 'x.txt': '1' } }, { hostname: 'one', tags: [`plan:${plan}`] });
    await version({ a: { 'x.txt': '2' } }, { hostname: 'two', tags: [`plan:${other}`] });
    // A plan whose folders were changed goes on as the same line.
    const last = await version({ b: {} }, { hostname: 'one', tags: [`plan:${plan}`], paths: ['/b'] });
    await settled();
    expect((await find('x.txt')).hits.map(({ gone, bytes }) => [gone, bytes])).toEqual([
      [false, 1],
      [true, 1],
    ]);
    expect((await find('x.txt', { planId: plan })).hits).toMatchObject([{ gone: true, states: 1 }]);
    expect((await looking.timeline(at(last, '/a/x.txt'))).spans).toHaveLength(1);
    expect((await looking.timeline(at(last, '/c'))).spans).toEqual([]);
  });

  it('tells the past of a file', async () => {
    const ids: string[] = [];
    for (const text of ['one', 'one', 'three', undefined, 'three'] as const) {
      ids.push(await version({ data: text === undefined ? {} : { f: text } }));
    }
    await settled();
    const { spans, catalog } = await looking.timeline(at(ids[0]!, 'data/f'));
    expect(
      spans.map((one) => [one.first.versionId, one.last.versionId, one.versions, one.entry.bytes]),
    ).toEqual([
      [ids[4], ids[4], 1, 5],
      [ids[2], ids[2], 1, 5],
      [ids[0], ids[1], 2, 3],
    ]);
    expect(spans[0]!.entry).toMatchObject({ name: 'f', path: '/data/f', kind: 'file' });
    expect(spans[0]!.first.at).toBeGreaterThan(spans[1]!.last.at);
    expect(catalog.done).toBe(5);
    expect((await looking.timeline(at('latest', '/data/f'))).spans).toEqual(spans);
    await expect(looking.timeline(at('fff', '/data/f'))).rejects.toMatchObject({ code: 'snapshot-missing' });
  });

  it('hears of versions that come and go', async () => {
    const first = await version({ data: { 'only here': '', both: '' } });
    await settled();
    await version({ data: { both: '', later: '' } });
    await repo.repository.backend.remove({ type: 'snapshot', name: first });
    states = [];
    looking.changed(DISK);
    await until(() => states.at(-1)?.working === false);
    expect(states.at(-1)).toMatchObject({ done: 1, total: 1 });
    expect(await found('only')).toEqual([]);
    expect(await found('later')).toEqual(['/data/later']);
    expect((await find('both')).hits[0]).toMatchObject({ states: 1, gone: false });
  });

  it('does not fill a catalog that nobody has asked for', async () => {
    await version({ data: {} });
    looking.changed(DISK);
    expect(asked).toBe(0);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('finds what it knows while the storage is away, and says what is wrong', async () => {
    await version({ data: { f: 'one' } });
    await settled();
    await looking.close();
    fault = new EngineError('unreachable', 'The disk is away.', { hint: 'Plug it in.' });
    looking = create();
    states = [];
    expect(await found('f')).toEqual(['/data/f']);
    await until(() => states.at(-1)?.working === false);
    expect(states.at(-1)).toMatchObject({ done: 1, total: 1, problem: 'The disk is away. Plug it in.' });
    expect((await looking.timeline(at('latest', '/data/f'))).spans).toHaveLength(1);
    // Who types on does not have it asked again and again; who opens the search does.
    const before = asked;
    await found('f');
    expect(asked).toBe(before);
    fault = undefined;
    expect(await settled()).toMatchObject({ problem: null, done: 1 });
  });

  it('begins anew where the file is damaged, also in the middle of its life', async () => {
    await version({ data: { f: 'one' } });
    await settled();
    await looking.close();
    const [file = ''] = fs.readdirSync(folder).filter((name) => name.endsWith('.db'));
    for (const content of ['no database at all, but long enough to be one'.repeat(100), '', 'x']) {
      fs.writeFileSync(join(folder, file), content);
      looking = create();
      states = [];
      expect(await settled()).toMatchObject({ problem: null, done: 1 });
      expect(await found('f')).toEqual(['/data/f']);
      await looking.close();
    }
    const bytes = fs.readFileSync(join(folder, file));
    bytes.fill(0x55, 4096);
    fs.writeFileSync(join(folder, file), bytes);
    looking = create();
    states = [];
    await found('f');
    await until(() => states.at(-1)?.working === false && states.at(-1)?.done === 1);
    expect(await found('f')).toEqual(['/data/f']);
    expect(said.join()).toContain('made anew');
  });

  it('keeps what it knows when the repository is damaged', async () => {
    await version({ data: { f: 'one' } });
    await settled();
    fault = new EngineError('damaged', 'The config is not what it must be.');
    states = [];
    looking.changed(DISK);
    await until(() => states.at(-1)?.working === false);
    expect(states.at(-1)).toMatchObject({ done: 1, problem: 'The config is not what it must be.' });
    expect(await found('f')).toEqual(['/data/f']);
  });

  it('begins anew also where a search finds the damage while the catalog is being filled', async () => {
    for (let i = 0; i < 5; i++)
      await version({ data: Object.fromEntries([1, 2, 3].map((n) => [`f${n} ${i}`, 'x'])) });
    await settled();
    await looking.close();
    const file = join(folder, `${DISK}.db`);
    const bytes = fs.readFileSync(file);
    bytes.fill(0x55, 8192);
    fs.writeFileSync(file, bytes);
    looking = create();
    states = [];
    looking.changed(DISK);
    for (let i = 0; i < 20; i++) await found(`f1 ${i % 5}`);
    await until(() => states.at(-1)?.working === false && states.at(-1)?.done === 5);
    expect(states.at(-1)).toMatchObject({ total: 5, problem: null });
    expect(await found('f3 4')).toEqual(['/data/f3 4']);
  });

  it('begins anew where another repository lies at the destination', async () => {
    await version({ data: { before: '' } });
    await settled();
    repo = await memoryRepository();
    await version({ data: { after: '' } });
    states = [];
    looking.changed(DISK);
    await until(() => states.at(-1)?.working === false);
    expect(await found('before')).toEqual([]);
    expect(await found('after')).toEqual(['/data/after']);
  });

  it('says so where the catalog cannot be made', async () => {
    await version({ data: { f: '' } });
    fs.rmSync(folder, { recursive: true });
    fs.writeFileSync(folder, 'a file where the folder should be');
    expect((await settled()).problem).toMatch(/catalog of files/);
    expect(await found('f')).toEqual([]);
  });

  it('is for its owner alone, and goes with the destination', async () => {
    await version({ data: { f: '' } });
    await settled();
    const files = fs.readdirSync(folder);
    expect(files).toContain(`${DISK}.db`);
    if (process.platform !== 'win32') {
      for (const file of files) expect(fs.statSync(join(folder, file)).mode & 0o077).toBe(0);
    }
    await looking.drop(DISK);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it('ends while a storage does not answer', async () => {
    stuck = true;
    await version({ data: {} });
    expect(await looking.catalog(DISK)).toMatchObject({ working: true, done: 0, total: 0 });
    await looking.close();
    expect(states.at(-1)?.working).toBe(true);
  });
});

describe('through the contract', () => {
  const shared = useSharedTemp();

  it('folders, the search and the past of a file are there after backups, and after the next start', async () => {
    const place = await new RealHost(shared).open();
    const source = place.write('source', { 'letter.txt': 'one', 'sub/other.txt': 'x' });
    const { destination } = await place.client.destinations.add({
      name: 'usb',
      location: join(place.home, 'usb'),
    });
    const plan = await place.client.plans.create({
      name: 'plan',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
    });
    const backUp = async () => {
      for (const run of await place.client.plans.run({ id: plan.id })) await place.ended(run);
    };
    const destinationId = destination.id;
    const complete = (total: number) => async () => {
      const { done, working } = await place.client.versions.catalog({ destinationId });
      return done === total && !working;
    };
    await backUp();
    await place.until(complete(1));
    place.write('source', { 'letter.txt': 'three' });
    await backUp();
    // The catalog is there, so it follows by itself.
    await place.until(complete(2));
    expect(place.events.some((e) => e.kind === 'catalog' && e.catalog.done === 2)).toBe(true);
    const [newest] = await place.client.versions.list({ destinationId });
    const path = join(source, 'letter.txt');
    const page = await place.client.versions.folder({ destinationId, versionId: newest!.id, path: source });
    expect(page.entries.map(({ name }) => name)).toEqual(['sub', 'letter.txt']);
    expect(page.entries[1]!.path).toBe(path);

    const asked = async () => ({
      found: (await place.client.versions.search({ destinationId, text: 'LETTER', planId: plan.id })).hits,
      past: (await place.client.versions.timeline({ destinationId, versionId: newest!.id, path })).spans,
    });
    const before = await asked();
    expect(before.found).toMatchObject([{ path, bytes: 5, versionId: newest!.id, states: 2, gone: false }]);
    expect(before.past.map(({ entry, versions }) => [entry.bytes, versions])).toEqual([
      [5, 1],
      [3, 1],
    ]);
    await place.close();
    await place.open();
    expect(await asked()).toEqual(before);
    await place.client.plans.remove({ id: plan.id });
    await place.client.destinations.remove({ id: destinationId });
    await place.until(async () => fs.readdirSync(join(place.data, 'catalogs')).length === 0);
    await place.close();
  });
});
