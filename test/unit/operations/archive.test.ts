import * as fs from 'node:fs';
import promises from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import type { Id } from '../../../src/format/types.ts';
import { type ArchiveOptions, archive } from '../../../src/operations/archive.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { newRestoreCounters } from '../../../src/restorer/progress.ts';
import { WantedPaths } from '../../../src/runs/wanted-paths.ts';
import { rawByteString, toText } from '../../../src/util/byte-string.ts';
import { readTar, readZip } from '../../helpers/archives.ts';
import {
  idOf,
  link,
  memoryRepository,
  node,
  type SketchFolder,
  saveBlobs,
  saveNodes,
  saveTree,
} from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { generatedBytes } from '../../helpers/tree.ts';

const temp = useTemp();
afterEach(() => vi.restoreAllMocks());

const random = (seed: number, size: number) => Buffer.concat([...generatedBytes({ seed, size })]);
const READERS = { zip: readZip, tar: readTar };
const FORMATS = ['zip', 'tar'] as const;

interface Made {
  readonly path: string;
  readonly folder: string;
  readonly failures: string[];
  readonly options: ArchiveOptions;
}

function options(
  format: 'zip' | 'tar',
  paths: readonly string[] = [],
  more: Partial<ArchiveOptions> = {},
): Made {
  const folder = temp.dir();
  const path = join(folder, `files.${format}`);
  const failures: string[] = [];
  const events = {
    onError: (at: Parameters<typeof toText>[0], e: EngineError) =>
      void failures.push(`${toText(at)}: ${e.code}`),
  };
  const { select } = new WantedPaths(paths);
  const counters = newRestoreCounters();
  return {
    path,
    folder,
    failures,
    options: { path, format, select, counters, events, verify: true, ...more },
  };
}

/** What is in the archive: text of files (the length of long ones), `→ target`, '/' for folders. */
function entriesOf(format: 'zip' | 'tar', path: string): Record<string, string> {
  const entries = READERS[format](fs.readFileSync(path)).map(({ name, kind, content, target }) => {
    if (kind === 'dir') return [name, '/'];
    if (kind === 'symlink' || kind === 'hardlink')
      return [name, `${kind === 'symlink' ? '→' : '='} ${target}`];
    return [name, content.length > 100 ? `${content.length}` : content.toString()];
  });
  return Object.fromEntries(entries);
}

const SKETCH: SketchFolder = {
  home: {
    a: 'aaaa',
    'ü ä': 'umlaut',
    link: link('a'),
    sub: { c: 'c', empty: {}, deep: { d: 'dddd' } },
    big: [random(1, 900_000), random(2, 900_000)],
    none: '',
  },
  other: { e: 'eeeee' },
};

async function sketched(sketch: SketchFolder = SKETCH, backend?: Backend) {
  const repo = await memoryRepository(backend ? { backend } : {});
  return { repo, tree: await saveTree(repo, sketch) };
}

describe.each(FORMATS)('a %s', (format) => {
  const latin = (text: string) => Buffer.from(text).toString('latin1');

  it('holds all of a version', async () => {
    const { repo, tree } = await sketched();
    const made = options(format);
    const report = await archive(repo, tree, made.options);
    expect(entriesOf(format, made.path)).toEqual({
      'home/': '/',
      'home/a': 'aaaa',
      [latin('home/ü ä')]: 'umlaut',
      'home/link': '→ a',
      'home/big': '1800000',
      'home/none': '',
      'home/sub/': '/',
      'home/sub/c': 'c',
      'home/sub/deep/': '/',
      'home/sub/deep/d': 'dddd',
      'home/sub/empty/': '/',
      'other/': '/',
      'other/e': 'eeeee',
    });
    const big = READERS[format](fs.readFileSync(made.path)).find(({ name }) => name === 'home/big')!;
    expect(big.content.equals(Buffer.concat([random(1, 900_000), random(2, 900_000)]))).toBe(true);
    expect(big).toMatchObject({
      mode: 0o644,
      mtime: format === 'zip' ? 1_600_000_000 : Number('1600000000.123456789'),
    });
    expect(report.bytes).toBe(fs.statSync(made.path).size);
    expect(fs.readdirSync(made.folder)).toEqual([`files.${format}`]);
    expect(fs.statSync(made.path).mode & 0o777).toBe(0o600);
    expect(made.options.counters).toMatchObject({
      filesTotal: 13,
      foldersTotal: 5,
      filesRestored: 13,
      foldersRestored: 5,
      filesVerified: 8,
      bytesTotal: 1_800_020,
      bytesRestored: 1_800_020,
      bytesWritten: 1_800_020,
      totalsKnown: true,
    });
  });

  it('holds what was chosen, below the folders in which it lies', async () => {
    const { repo, tree } = await sketched();
    const made = options(format, ['/home/sub/deep', '/home/a']);
    await archive(repo, tree, made.options);
    const entries = {
      'home/': '/',
      'home/a': 'aaaa',
      'home/sub/': '/',
      'home/sub/deep/': '/',
      'home/sub/deep/d': 'dddd',
    };
    expect(entriesOf(format, made.path)).toEqual(entries);
    expect(made.options.counters).toMatchObject({ filesRestored: 3, foldersRestored: 1 });
  });

  it('leaves out what is damaged, and has everything else whole', async () => {
    const backend = createMemory();
    const repo = await memoryRepository({ backend });
    const good = random(3, 700_000);
    const bad = random(4, 700_000);
    const [first, second] = await saveBlobs(repo, [good, bad]);
    const [small] = await saveBlobs(repo, [random(5, 50)]);
    const [fine] = await saveBlobs(repo, [Buffer.from('fine')]);
    const file = (name: string, content: Id[], size: number) => node(name, 'file', { content, size });
    const below = await saveNodes(repo, [file('x', [fine!], 4)]);
    const tree = await saveNodes(repo, [
      file('a-first', [first!, second!], 1_400_000),
      file('b-fine', [fine!], 4),
      file('c-middle', [first!, first!, second!, first!], 2_800_000),
      file('d-small', [small!], 50),
      file('e-lost', [fine!, idOf('lost')], 8),
      file('f-large', [first!, first!], 1_400_000),
      node('g-damaged', 'dir', { subtree: idOf('no tree') }),
      node('h-good', 'dir', { subtree: below }),
      node('i-empty', 'dir'),
      file('../up', [fine!], 4),
    ]);
    await harm(backend, repo, [second!, small!]);
    const made = options(format);
    const report = await archive(repo, tree, made.options);
    expect(entriesOf(format, made.path)).toEqual({
      'b-fine': 'fine',
      'f-large': '1400000',
      'g-damaged/': '/',
      'h-good/': '/',
      'h-good/x': 'fine',
      'i-empty/': '/',
    });
    expect(made.failures.toSorted()).toEqual([
      '/../up: damaged',
      '/a-first: damaged',
      '/c-middle: damaged',
      '/d-small: damaged',
      '/e-lost: damaged',
      '/g-damaged: damaged',
      '/i-empty: damaged',
    ]);
    expect(report.errors).toBe(7);
    expect(made.options.counters).toMatchObject({
      filesRestored: 6,
      bytesRestored: 1_400_008,
      bytesWritten: 1_400_008,
    });
  });

  it('is not made where nothing can be read', async () => {
    const repo = await memoryRepository();
    const tree = await saveNodes(repo, [node('lost', 'file', { content: [idOf('lost')], size: 4 })]);
    const made = options(format);
    await expect(archive(repo, tree, made.options)).rejects.toMatchObject({ code: 'damaged' });
    const gone = options(format);
    await expect(archive(repo, idOf('no tree'), gone.options)).rejects.toMatchObject({ code: 'damaged' });
    expect([...fs.readdirSync(made.folder), ...fs.readdirSync(gone.folder)]).toEqual([]);
  });

  it('of an empty version is empty', async () => {
    const { repo, tree } = await sketched({});
    const made = options(format);
    await archive(repo, tree, made.options);
    expect(entriesOf(format, made.path)).toEqual({});
  });

  it('keeps names that are no UTF-8, and long ones', async () => {
    const repo = await memoryRepository();
    const [content] = await saveBlobs(repo, [Buffer.from('x')]);
    const names = ['caf\xe9', 'new\nline', '-rf', `${'n'.repeat(200)}`].map(rawByteString);
    const nodes = names.map((name) => ({ ...node('', 'file', { content: [content!], size: 1 }), name }));
    const made = options(format);
    await archive(repo, await saveNodes(repo, nodes), made.options);
    expect(Object.keys(entriesOf(format, made.path))).toEqual(names);
  });

  it('goes away when it is cancelled', async () => {
    const { repo, tree } = await sketched();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onItem = () => controller.abort(reason);
    const made = options(format, [], { signal: controller.signal, events: { onItem } });
    await expect(archive(repo, tree, made.options)).rejects.toBe(reason);
    expect(fs.readdirSync(made.folder)).toEqual([]);
    const late = options(format, [], { signal: AbortSignal.abort(reason) });
    await expect(archive(repo, tree, late.options)).rejects.toBe(reason);
    expect(fs.readdirSync(late.folder)).toEqual([]);
  });

  it('goes away when the disk is full, early or late', async () => {
    const { repo, tree } = await sketched();
    for (const room of [0, 1_000_000]) {
      const made = options(format);
      limitDisk(room);
      await expect(archive(repo, tree, made.options)).rejects.toMatchObject({
        code: 'no-space',
        message: expect.stringContaining(made.path),
      });
      vi.restoreAllMocks();
      expect(fs.readdirSync(made.folder)).toEqual([]);
      expect(made.failures).toEqual([]);
    }
  });
});

describe('the place of an archive', () => {
  it('is never taken from another file', async () => {
    const { repo, tree } = await sketched({ a: 'a' });
    const made = options('zip');
    fs.writeFileSync(made.path, 'mine');
    await expect(archive(repo, tree, made.options)).rejects.toMatchObject({ code: 'conflict' });
    const meanwhile = options('zip', [], { onAdded: () => fs.writeFileSync(meanwhile.path, 'mine') });
    await expect(archive(repo, tree, meanwhile.options)).rejects.toMatchObject({ code: 'conflict' });
    const dangling = options('zip');
    fs.symlinkSync('nowhere', dangling.path);
    await expect(archive(repo, tree, dangling.options)).rejects.toMatchObject({ code: 'conflict' });
    for (const { path, folder } of [made, meanwhile]) {
      expect(fs.readFileSync(path, 'utf8')).toBe('mine');
      expect(fs.readdirSync(folder)).toEqual(['files.zip']);
    }
  });

  it('must be in a folder', async () => {
    const { repo, tree } = await sketched({ a: 'a' });
    const made = options('zip');
    const path = join(made.folder, 'none', 'x.zip');
    await expect(archive(repo, tree, { ...made.options, path })).rejects.toMatchObject({ code: 'not-found' });
    fs.writeFileSync(join(made.folder, 'none'), 'a file');
    await expect(archive(repo, tree, { ...made.options, path })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is begun anew after a process that was killed, but follows no link', async () => {
    const { repo, tree } = await sketched({ a: 'a' });
    const made = options('zip');
    fs.writeFileSync(`${made.path}.partial`, 'x'.repeat(100_000));
    await archive(repo, tree, made.options);
    expect(entriesOf('zip', made.path)).toEqual({ a: 'a' });
    expect(fs.readdirSync(made.folder)).toEqual(['files.zip']);
    const trap = options('zip');
    fs.symlinkSync(made.path, `${trap.path}.partial`);
    await expect(archive(repo, tree, trap.options)).rejects.toMatchObject({ code: 'conflict' });
    expect(entriesOf('zip', made.path)).toEqual({ a: 'a' });
  });

  it('is not shared by two at once', async () => {
    const { repo, tree } = await sketched({ a: 'a' });
    const made = options('zip');
    const both = await Promise.allSettled([
      archive(repo, tree, made.options),
      archive(repo, tree, { ...made.options, counters: newRestoreCounters() }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(entriesOf('zip', made.path)).toEqual({ a: 'a' });
  });

  it('is not given to what another program has put under the partial name', async () => {
    const { repo, tree } = await sketched({ a: 'a' });
    const made = options('zip', [], {
      onAdded: () => {
        fs.rmSync(`${made.path}.partial`);
        fs.writeFileSync(`${made.path}.partial`, 'another');
      },
    });
    await expect(archive(repo, tree, made.options)).rejects.toMatchObject({ code: 'conflict' });
    expect(fs.existsSync(made.path)).toBe(false);
  });

  it('is not given to what does not read back', async () => {
    const { repo, tree } = await sketched();
    const harm = (change: (path: string) => void) =>
      options('tar', [], { onVerify: () => change(`${harmed.path}.partial`) });
    let harmed = harm((path) => fs.truncateSync(path, 1000));
    await expect(archive(repo, tree, harmed.options)).rejects.toMatchObject({ code: 'io' });
    expect(fs.readdirSync(harmed.folder)).toEqual([]);
    harmed = harm((path) => {
      const bytes = fs.readFileSync(path);
      bytes[100_000]! ^= 1;
      fs.writeFileSync(path, bytes);
    });
    await expect(archive(repo, tree, harmed.options)).rejects.toMatchObject({ code: 'io' });
    expect(fs.readdirSync(harmed.folder)).toEqual([]);
  });

  it('stays empty when the whole is refused in the end', async () => {
    const { repo, tree } = await sketched();
    const refusal = new EngineError('path-missing', 'not there');
    const made = options('tar', ['/nothing'], {
      onAdded: () => {
        throw refusal;
      },
    });
    await expect(archive(repo, tree, made.options)).rejects.toBe(refusal);
    expect(fs.readdirSync(made.folder)).toEqual([]);
  });
});

describe('kinds of files', () => {
  const named = (inode: number): SketchFolder[string] => ({
    node: { type: 'file', links: 2, inode },
    blobs: [Buffer.from('four')],
  });
  const sketch = {
    d: { a: named(1) },
    e: { b: named(1) },
    f: { c: named(2) },
    pipe: { node: { type: 'fifo' as const } },
    s: { node: { type: 'socket' as const } },
  };

  it('are kept by tar, links of one file as such', async () => {
    const { repo, tree } = await sketched(sketch);
    const made = options('tar', ['/d/a', '/e/b', '/f/c', '/pipe', '/s']);
    await archive(repo, tree, made.options);
    const entries = {
      'd/': '/',
      'd/a': 'four',
      'e/': '/',
      'e/b': '= d/a',
      'f/': '/',
      'f/c': 'four',
      pipe: '',
    };
    expect(entriesOf('tar', made.path)).toEqual(entries);
    expect(made.failures).toEqual([]);
    expect(made.options.counters).toMatchObject({
      bytesTotal: 8,
      bytesRestored: 8,
      filesTotal: 4,
      filesRestored: 4,
    });
  });

  it('are told where zip has no place for them', async () => {
    const { repo, tree } = await sketched(sketch);
    const made = options('zip');
    await archive(repo, tree, made.options);
    expect(made.failures).toEqual(['/pipe: unsupported']);
    expect(entriesOf('zip', made.path)).toMatchObject({ 'd/a': 'four', 'e/b': 'four', 'f/c': 'four' });
    expect(made.options.counters).toMatchObject({ bytesTotal: 12, bytesRestored: 12 });
  });
});

/** Turns a bit of each of these blobs, in all packs that hold one. */
async function harm(backend: Backend, repo: IndexedRepository, ids: readonly Id[]): Promise<void> {
  for (const id of ids) {
    const { pack, offset } = repo.index.get('data', id)!;
    const handle = { type: 'pack', name: pack } as const;
    const bytes = Buffer.from(await backend.load(handle));
    bytes[offset + 20]! ^= 1;
    await backend.remove(handle);
    await backend.save(handle, [bytes]);
  }
}

/** From now on a file takes no more than so many bytes. */
function limitDisk(room: number): void {
  const { open } = promises;
  vi.spyOn(promises, 'open').mockImplementation(async (...args: Parameters<typeof open>) => {
    const file = await open(...args);
    const write = file.write.bind(file) as (...given: unknown[]) => unknown;
    let left = room;
    const limited = (bytes: Uint8Array, offset: number, length: number, at: number) => {
      left -= length;
      if (left < 0)
        throw Object.assign(new Error('ENOSPC: no space left'), {
          code: 'ENOSPC',
          errno: -28,
          syscall: 'write',
        });
      return write(bytes, offset, length, at);
    };
    return Object.assign(file, { write: limited });
  });
}
