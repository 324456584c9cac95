import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FolderListing } from '../../../src/api/model/computer.ts';
import { FirstEntries, listFolder, makeFolder, parentOf, wholePath } from '../../../src/host/folders.ts';
import { Patience } from '../../../src/host/patience.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { asNobody } from '../../helpers/nobody.ts';
import { useTemp } from '../../helpers/scope.ts';
import { isRoot } from '../../helpers/tools.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const temp = useTemp();

function ports(over: { platform?: NodeJS.Platform; drives?: readonly string[] } = {}) {
  return {
    platform: over.platform ?? process.platform,
    home: fs.realpathSync(temp.dir('home')),
    patience: new Patience(systemClock),
    drives: async () => over.drives ?? [],
  };
}

describe('a folder to choose from', () => {
  it('shows folders first, in the order of people, with what is hidden marked', async () => {
    const p = ports();
    for (const name of ['Photos 10', 'photos 2', '.config']) fs.mkdirSync(join(p.home, name));
    for (const name of ['b.txt', 'A.txt', '.profile']) fs.writeFileSync(join(p.home, name), '');
    const found = FolderListing.parse(await listFolder(p, null));
    expect(found.path).toBe(p.home);
    expect(found.parent).toBe(join(p.home, '..'));
    expect(found.entries.map(({ name, kind, hidden }) => [name, kind, hidden])).toEqual([
      ['.config', 'folder', true],
      ['photos 2', 'folder', false],
      ['Photos 10', 'folder', false],
      ['.profile', 'file', true],
      ['A.txt', 'file', false],
      ['b.txt', 'file', false],
    ]);
    expect(found.entries[1]?.path).toBe(join(p.home, 'photos 2'));
    expect(found).toMatchObject({ cut: false, writable: true });
  });

  it('takes links to folders for folders, and links to nowhere for files', async () => {
    const p = ports();
    fs.mkdirSync(join(p.home, 'real'));
    fs.symlinkSync('real', join(p.home, 'link'));
    fs.symlinkSync('nothing', join(p.home, 'broken'));
    const { entries } = await listFolder(p, p.home);
    expect(entries.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'link folder',
      'real folder',
      'broken file',
    ]);
    expect((await listFolder(p, join(p.home, 'link'))).path).toBe(join(p.home, 'link'));
  });

  it('shows a name that is no text, and says what to do when it is chosen', async () => {
    const p = ports();
    fs.mkdirSync(Buffer.concat([Buffer.from(`${p.home}/`), Buffer.from([0x66, 0xff])]));
    const { entries } = await listFolder(p, p.home);
    expect(entries.map(({ name, kind }) => [name, kind])).toEqual([['f\ufffd', 'folder']]);
    await expect(listFolder(p, entries[0]!.path)).rejects.toMatchObject({
      code: 'path-missing',
      hint: expect.stringContaining('the folder above'),
    });
  });

  it('shows at most 2,000 of many, the first ones', async () => {
    const p = ports();
    for (let n = 0; n < 4100; n++) fs.writeFileSync(join(p.home, `file ${n}`), '');
    fs.mkdirSync(join(p.home, 'zoo'));
    const { entries, cut } = await listFolder(p, p.home);
    expect(cut).toBe(true);
    expect(entries).toHaveLength(2000);
    expect(entries[0]?.name).toBe('zoo');
    expect(entries.slice(1).map(({ name }) => name)).toEqual(
      Array.from({ length: 1999 }, (_, n) => `file ${n}`),
    );
  });

  it('keeps the first of many, in whatever order they come', () => {
    const entry = (n: number) => ({ name: `${n}`, path: `/${n}`, kind: 'file' as const, hidden: false });
    const wanted = ['0', '1', '2', '3', '4'];
    // 101 is prime: its multiples go through all numbers below it.
    for (let step = 1; step < 101; step++) {
      const first = new FirstEntries(5);
      for (let n = 0; n < 101; n++) first.add(entry((n * step) % 101));
      expect(first.result().entries.map(({ name }) => name)).toEqual(wanted);
    }
  });

  it('says what is wrong with a path', async () => {
    const p = ports();
    fs.writeFileSync(join(p.home, 'file'), '');
    await expect(listFolder(p, join(p.home, 'gone'))).rejects.toMatchObject({ code: 'path-missing' });
    await expect(listFolder(p, join(p.home, 'file'))).rejects.toMatchObject({ code: 'path-missing' });
    await expect(listFolder(p, 'Documents')).rejects.toMatchObject({ code: 'usage' });
    await expect(listFolder(p, '/a\0b')).rejects.toMatchObject({ code: 'usage' });
  });

  it('says that a folder may not be read, or not be written to', async () => {
    const p = ports();
    fs.mkdirSync(join(p.home, 'closed'), { mode: 0o000 });
    fs.mkdirSync(join(p.home, 'shown'), { mode: 0o555 });
    const closed = asNobody(p.home, () => listFolder(p, join(p.home, 'closed')));
    await expect(closed).rejects.toMatchObject({ code: 'permission' });
    // Root may write to both; a disk that takes no writes is among the real tests.
    expect((await listFolder(p, join(p.home, 'shown'))).writable).toBe(isRoot());
  });

  it('stops when nobody wants it any more', async () => {
    const p = ports();
    await expect(listFolder(p, p.home, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  it('makes one folder, and none where something is or where the one above is missing', async () => {
    const p = ports();
    await makeFolder(p, join(p.home, 'New'));
    expect(fs.statSync(join(p.home, 'New')).isDirectory()).toBe(true);
    await expect(makeFolder(p, join(p.home, 'New'))).rejects.toMatchObject({ code: 'conflict' });
    await expect(makeFolder(p, join(p.home, 'a', 'b'))).rejects.toMatchObject({ code: 'path-missing' });
    await expect(makeFolder(p, 'New')).rejects.toMatchObject({ code: 'usage' });
    await expect(makeFolder(p, '/')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('paths', () => {
  it.each([
    ['/', '/', null],
    ['/home/anna/', '/home/anna', '/home'],
    ['/home/../srv//data', '/srv/data', '/srv'],
    ['/srv', '/srv', '/'],
  ])('of Unix: %s', (given, whole, parent) => {
    expect(wholePath(given, 'linux')).toBe(whole);
    expect(parentOf(whole, 'linux')).toBe(parent);
  });

  it.each([
    ['C:', 'C:\\', '/'],
    ['C:/Users/', 'C:\\Users', 'C:\\'],
    ['\\\\server\\share\\', '\\\\server\\share\\', '/'],
    ['\\\\server\\share\\photos', '\\\\server\\share\\photos', '\\\\server\\share\\'],
    ['/', '/', null],
  ])('of Windows: %s', (given, whole, parent) => {
    expect(wholePath(given, 'win32')).toBe(whole);
    expect(parentOf(whole, 'win32')).toBe(parent);
  });

  it.each(['Users', '\\Users', 'C:Users'])('of Windows that are not whole: %s', (given) => {
    expect(() => wholePath(given, 'win32')).toThrow('not a whole path');
  });

  it('lead on Windows from the drives down', async () => {
    const found = await listFolder(ports({ platform: 'win32', drives: ['C:\\', 'D:\\'] }), '/');
    expect(found.entries.map(({ name, path }) => [name, path])).toEqual([
      ['C:', 'C:\\'],
      ['D:', 'D:\\'],
    ]);
    expect(found).toMatchObject({ path: '/', parent: null, writable: false });
  });
});

describe('questions that hang', () => {
  it('are given up in time, and not asked again meanwhile', async () => {
    const clock = new VirtualClock(0);
    const patience = new Patience(clock);
    const answer = Promise.withResolvers<string>();
    let asked = 0;
    let over: AbortSignal | undefined;
    const question = (signal: AbortSignal) => {
      asked++;
      over = signal;
      return answer.promise;
    };
    const first = patience.ask('drive', { ms: 1000 }, question);
    const refused = expect(first).rejects.toMatchObject({ code: 'timeout', transient: true });
    await clock.advance(1000);
    await refused;
    expect(over?.aborted).toBe(true);
    const second = patience.ask('drive', { ms: 1000 }, question);
    expect(asked).toBe(1);
    answer.resolve('here');
    expect(await second).toBe('here');
    expect(patience.waitsFor('drive')).toBe(false);
    expect(await patience.ask('drive', { ms: 1000 }, async () => 'again')).toBe('again');
    expect(clock.sleepers).toBe(0);
  });

  it('keep others from being asked that can be done without', async () => {
    const clock = new VirtualClock(0);
    const patience = new Patience(clock);
    const never = () => new Promise<never>(() => {});
    const hanging = ['a', 'b'].map((key) => patience.ask(key, { ms: 1000 }, never).catch(() => undefined));
    await clock.advance(1000);
    await Promise.all(hanging);
    const spare = patience.ask('c', { ms: 1000, spare: true }, async () => 'not asked');
    await expect(spare).rejects.toMatchObject({ code: 'timeout' });
    expect(await patience.ask('c', { ms: 1000 }, async () => 'asked')).toBe('asked');
  });

  it('let go who does not want to wait, with the reason', async () => {
    const patience = new Patience(new VirtualClock(0));
    const stop = new AbortController();
    const asked = patience.ask('drive', { ms: 1000, signal: stop.signal }, () => new Promise(() => {}));
    stop.abort(new Error('closed'));
    await expect(asked).rejects.toThrow('closed');
  });
});
