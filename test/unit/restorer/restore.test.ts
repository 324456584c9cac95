import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import { openRepository } from '../../../src/repository/repository.ts';
import { newRestoreCounters } from '../../../src/restorer/progress.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { parsePatterns } from '../../../src/util/pattern.ts';
import { faulty } from '../../helpers/faulty.ts';
import {
  idOf,
  link,
  memoryRepository,
  node,
  PASSWORD,
  type SketchFolder,
  SOME_TIME_NS,
  saveBlobs,
  saveNodes,
  saveTree,
} from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';
import { repositoryWith, restoreTo, textOf } from './support.ts';

const temp = useTemp();
const blob = (letter: string, size = 1000) => Buffer.alloc(size, letter);

const TREE: SketchFolder = {
  'a.txt': 'hello',
  empty: '',
  big: [blob('x'), blob('y'), blob('x'), blob('z')],
  dir: { 'b.txt': 'world', deep: { c: 'see' }, link: link('../a.txt') },
  dangling: link('/nowhere/at all'),
};

const TEXT = {
  'a.txt': 'hello',
  big: `${'x'.repeat(1000)}${'y'.repeat(1000)}${'x'.repeat(1000)}${'z'.repeat(1000)}`,
  dangling: '→ /nowhere/at all',
  dir: '/',
  'dir/b.txt': 'world',
  'dir/deep': '/',
  'dir/deep/c': 'see',
  'dir/link': '→ ../a.txt',
  empty: '',
};

describe('a restore into a new folder', () => {
  it.each([1, 2] as const)('brings back all files, folders and links (version %i)', async (version) => {
    const repo = await memoryRepository({ version });
    const tree = await saveTree(repo, TREE);
    const target = join(temp.dir(), 'made', 'on the way');
    const { report, failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(textOf(target)).toEqual(TEXT);
    expect(report.counters).toMatchObject({
      filesTotal: 9,
      filesRestored: 9,
      filesSkipped: 0,
      bytesTotal: 4013,
      bytesRestored: 4013,
      bytesWritten: 4013,
      totalsKnown: true,
    });
  });

  it('sets modes and times of files, folders and links, folders last', async () => {
    const { repo, tree } = await repositoryWith({
      dir: {
        node: { type: 'dir', mode: 0o555 },
        entries: { f: { node: { type: 'file', mode: 0o4640 }, blobs: [blob('f')] } },
      },
      l: link('dir'),
    });
    const target = temp.dir();
    await restoreTo(repo, tree, target);
    const at = (name: string) => fs.lstatSync(join(target, name), { bigint: true });
    expect(at('dir').mode & 0o7777n).toBe(0o555n);
    expect(at('dir/f').mode & 0o7777n).toBe(0o4640n);
    for (const name of ['dir', 'dir/f', 'l']) expect(at(name).mtimeNs, name).toBe(SOME_TIME_NS);
  });

  it('makes hard links of files with one inode, and none where the contents differ', async () => {
    const same = { type: 'file', links: 3, inode: 7, deviceId: 1 } as const;
    const { repo, tree } = await repositoryWith({
      a: { node: same, blobs: [blob('s')] },
      d: { b: { node: same, blobs: [blob('s')] } },
      other: { node: same, blobs: [blob('o')] },
    });
    const target = temp.dir();
    const { report } = await restoreTo(repo, tree, target);
    const ino = (name: string) => fs.lstatSync(join(target, name)).ino;
    expect(ino('a')).toBe(ino('d/b'));
    expect(ino('other')).not.toBe(ino('a'));
    expect(fs.readFileSync(join(target, 'other'), 'utf8')).toBe('o'.repeat(1000));
    expect(report.counters.bytesWritten).toBe(2000);
  });

  it('restores a subfolder as the root', async () => {
    const { repo, tree } = await repositoryWith(TREE);
    const target = temp.dir();
    await restoreTo(repo, tree, target, { subfolder: fromText('/dir/deep/') });
    expect(textOf(target)).toEqual({ c: 'see' });
    const missing = restoreTo(repo, tree, target, { subfolder: fromText('dir/none') });
    await expect(missing).rejects.toMatchObject({ code: 'path-missing' });
    const file = restoreTo(repo, tree, target, { subfolder: fromText('a.txt') });
    await expect(file).rejects.toMatchObject({ code: 'path-missing' });
  });

  it('restores what is included, with the folders above, or leaves out what is excluded', async () => {
    const { repo, tree } = await repositoryWith(TREE);
    const included = temp.dir();
    await restoreTo(repo, tree, included, {
      include: [parsePatterns(['/dir/deep/c', '*.TXT'], { insensitive: true })],
    });
    expect(textOf(included)).toEqual({
      'a.txt': 'hello',
      dir: '/',
      'dir/b.txt': 'world',
      'dir/deep': '/',
      'dir/deep/c': 'see',
    });
    expect(fs.lstatSync(join(included, 'dir'), { bigint: true }).mtimeNs).toBe(SOME_TIME_NS);
    const excluded = temp.dir();
    await restoreTo(repo, tree, excluded, { exclude: [parsePatterns(['deep', 'big'])] });
    expect(Object.keys(textOf(excluded))).toEqual([
      'a.txt',
      'dangling',
      'dir',
      'dir/b.txt',
      'dir/link',
      'empty',
    ]);
  });

  it('writes nothing in a dry run, and tells what it would do', async () => {
    const { repo, tree } = await repositoryWith(TREE);
    const target = join(temp.dir(), 'not made');
    const { report, items } = await restoreTo(repo, tree, target, { dryRun: true });
    expect(fs.existsSync(target)).toBe(false);
    expect(report.counters).toMatchObject({
      filesTotal: 9,
      filesRestored: 9,
      bytesTotal: 4013,
      bytesWritten: 0,
    });
    expect(items).toContain('restored /dir/deep/c');
  });

  it('verifies what it wrote, and names a file that changed meanwhile', async () => {
    const { repo, tree } = await repositoryWith({ ok: 'fine', swapped: 'original' });
    const good = await restoreTo(repo, tree, temp.dir(), { verify: true });
    expect(good.report.counters.filesVerified).toBe(2);
    const target = temp.dir();
    const failures: string[] = [];
    const { restoreTree } = await import('../../../src/restorer/restorer.ts');
    await restoreTree(repo, tree, {
      target: fromText(target),
      verify: true,
      threads: 1,
      events: {
        onItem: (_, path) => path === '/swapped' && fs.writeFileSync(join(target, 'swapped'), 'Original'),
        onError: (path, e) => failures.push(`${path}: ${e.code}`),
      },
    });
    expect(failures).toEqual(['/swapped: damaged']);
  });

  it('leaves holes with sparse, and the same bytes', async () => {
    const zeros = Buffer.alloc(1 << 20);
    const mixed = Buffer.concat([Buffer.alloc(300_000), Buffer.from('data'), Buffer.alloc(700_000)]);
    const sketch = { many: [zeros, blob('m'), zeros, mixed], one: [mixed], all: [zeros, zeros] };
    const { repo, tree } = await repositoryWith(sketch);
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target, { sparse: true });
    expect(failures).toEqual([]);
    for (const [name, blobs] of Object.entries(sketch)) {
      expect(fs.readFileSync(join(target, name)).equals(Buffer.concat(blobs)), name).toBe(true);
      expect(fs.lstatSync(join(target, name)).blocks * 512, name).toBeLessThan(64 * 1024);
    }
  });

  it('writes a blob that is wanted a thousand times everywhere', async () => {
    const files = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`f${i}`, 'the same']));
    const { repo, tree } = await repositoryWith({
      ...files,
      large: Array.from({ length: 500 }, () => blob('r', 100)),
    });
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(fs.readFileSync(join(target, 'f699'), 'utf8')).toBe('the same');
    expect(fs.readFileSync(join(target, 'large'), 'utf8')).toBe('r'.repeat(50_000));
  });

  it('keeps few files open however many are under way', async () => {
    const shared = blob('s', 50);
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_, i) => [`f${i}`, [blob('a', i + 1), shared]]),
    );
    const { repo, tree } = await repositoryWith(files);
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    for (let i = 0; i < 400; i++) expect(fs.statSync(join(target, `f${i}`)).size).toBe(i + 51);
    const open = fs.readdirSync('/proc/self/fd').map((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    expect(open.filter((path) => path.startsWith(target))).toEqual([]);
  });
});

describe('a restore into a folder that has files', () => {
  it('rewrites only the blobs that differ, in place, and cuts what is too long', async () => {
    const { repo, tree } = await repositoryWith({ f: [blob('a'), blob('b'), blob('c')] });
    const target = temp.dir();
    const path = join(target, 'f');
    fs.writeFileSync(path, Buffer.concat([blob('a'), blob('?'), blob('c'), blob('tail')]));
    const { ino } = fs.statSync(path);
    const { report, items } = await restoreTo(repo, tree, target);
    expect(textOf(target)).toEqual({ f: 'a'.repeat(1000) + 'b'.repeat(1000) + 'c'.repeat(1000) });
    expect(fs.statSync(path).ino).toBe(ino);
    expect(report.counters).toMatchObject({ bytesWritten: 1000, bytesRestored: 3000, bytesTotal: 3000 });
    expect(items).toEqual(['updated /f']);
  });

  it('only cuts a file that is merely too long, and empties one that should be empty', async () => {
    const { repo, tree } = await repositoryWith({ f: [blob('a')], e: '' });
    const target = temp.dir();
    fs.writeFileSync(join(target, 'f'), Buffer.concat([blob('a'), blob('tail')]));
    fs.writeFileSync(join(target, 'e'), 'not empty');
    const { report } = await restoreTo(repo, tree, target);
    expect(textOf(target)).toEqual({ e: '', f: 'a'.repeat(1000) });
    expect(report.counters.bytesWritten).toBe(0);
  });

  it('leaves content that is right and sets the attributes', async () => {
    const { repo, tree } = await repositoryWith({ f: [blob('a'), blob('b')] });
    const target = temp.dir();
    fs.writeFileSync(join(target, 'f'), Buffer.concat([blob('a'), blob('b')]), { mode: 0o600 });
    const { report, items } = await restoreTo(repo, tree, target);
    expect(report.counters).toMatchObject({ filesSkipped: 1, bytesSkipped: 2000, bytesWritten: 0 });
    expect(items).toEqual(['unchanged /f']);
    expect(fs.statSync(join(target, 'f')).mode & 0o777).toBe(0o644);
    expect(fs.statSync(join(target, 'f'), { bigint: true }).mtimeNs).toBe(SOME_TIME_NS);
  });

  const changed = Buffer.from('HELLO');
  const seconds = Number(SOME_TIME_NS / 1_000_000_000n);
  it.each([
    ['always', 0, 'hello'],
    ['if-changed', 0, 'hello'],
    ['if-newer', -10, 'hello'],
    ['if-newer', 10, 'HELLO'],
    ['never', -10, 'HELLO'],
  ] as const)('with --overwrite %s and a file %i seconds newer', async (overwrite, newer, content) => {
    const { repo, tree } = await repositoryWith({ f: 'hello', l: link('new') });
    const target = temp.dir();
    fs.writeFileSync(join(target, 'f'), changed);
    fs.symlinkSync('old', join(target, 'l'));
    for (const name of ['f', 'l']) fs.lutimesSync(join(target, name), seconds + newer, seconds + newer);
    const { report } = await restoreTo(repo, tree, target, { overwrite });
    const kept = content === 'HELLO';
    expect(textOf(target)).toEqual({ f: content, l: kept ? '→ old' : '→ new' });
    expect(report.counters.filesSkipped).toBe(kept ? 2 : 0);
  });

  it('trusts size and time with if-changed, and nothing with always', async () => {
    const { repo, tree } = await repositoryWith({ f: 'hello' });
    const target = temp.dir();
    await restoreTo(repo, tree, target);
    const path = join(target, 'f');
    const { atimeNs, mtimeNs } = fs.statSync(path, { bigint: true });
    const { setTimes } = await import('../../helpers/libc.ts');
    fs.writeFileSync(path, changed);
    setTimes(fromText(path), atimeNs, mtimeNs);
    await restoreTo(repo, tree, target, { overwrite: 'if-changed' });
    expect(fs.readFileSync(path, 'utf8')).toBe('HELLO');
    await restoreTo(repo, tree, target, { overwrite: 'always' });
    expect(fs.readFileSync(path, 'utf8')).toBe('hello');
  });

  it('replaces links, pipes and empty folders that stand where a file belongs, and never writes through them', async () => {
    const { repo, tree } = await repositoryWith({ link: 'a', folder: 'b', hard: 'c', full: 'd' });
    const outside = join(temp.dir(), 'outside');
    fs.writeFileSync(outside, 'untouched');
    const target = temp.dir();
    fs.symlinkSync(outside, join(target, 'link'));
    fs.mkdirSync(join(target, 'folder'));
    fs.linkSync(outside, join(target, 'hard'));
    fs.mkdirSync(join(target, 'full'));
    fs.writeFileSync(join(target, 'full', 'x'), '');
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual(['/full: conflict']);
    expect(textOf(target)).toEqual({ folder: 'b', full: '/', 'full/x': '', hard: 'c', link: 'a' });
    expect(fs.readFileSync(outside, 'utf8')).toBe('untouched');
  });

  it('replaces a link to a folder by a real one, unless the rule protects it', async () => {
    const { repo, tree } = await repositoryWith({ dir: { f: 'inside' } });
    const outside = temp.dir();
    const target = temp.dir();
    fs.symlinkSync(outside, join(target, 'dir'));
    const kept = await restoreTo(repo, tree, target, { overwrite: 'never' });
    expect(kept.failures).toEqual(['/dir: conflict']);
    await restoreTo(repo, tree, target);
    expect(fs.readdirSync(outside)).toEqual([]);
    expect(textOf(target)).toEqual({ dir: '/', 'dir/f': 'inside' });
  });

  it('does not make further names of a file that the rule protects', async () => {
    const same = { type: 'file', links: 2, inode: 7, deviceId: 1 } as const;
    const { repo, tree } = await repositoryWith({
      a: { node: same, blobs: [blob('n')] },
      b: { node: same, blobs: [blob('n')] },
    });
    const target = temp.dir();
    fs.writeFileSync(join(target, 'a'), 'mine');
    await restoreTo(repo, tree, target, { overwrite: 'never' });
    expect(textOf(target)).toEqual({ a: 'mine', b: 'n'.repeat(1000) });
  });

  it('is the same a second time: nothing is written', async () => {
    const { repo, tree } = await repositoryWith(TREE);
    const target = temp.dir();
    await restoreTo(repo, tree, target);
    const { report } = await restoreTo(repo, tree, target);
    expect(report.counters).toMatchObject({ bytesWritten: 0, filesSkipped: 5 });
    expect(textOf(target)).toEqual(TEXT);
  });
});

describe('--delete', () => {
  const prepare = () => {
    const target = temp.dir();
    fs.mkdirSync(join(target, 'dir/extra/deep'), { recursive: true });
    fs.writeFileSync(join(target, 'dir/extra/deep/f'), '');
    fs.writeFileSync(join(target, 'extra'), '');
    fs.symlinkSync('/', join(target, 'dir/rootlink'));
    return target;
  };
  const sketch = { dir: { keep: 'k' }, f: 'f' };

  it('removes what the snapshot has not, links as links', async () => {
    const { repo, tree } = await repositoryWith(sketch);
    const target = prepare();
    const { report, items } = await restoreTo(repo, tree, target, { delete: true });
    expect(textOf(target)).toEqual({ dir: '/', 'dir/keep': 'k', f: 'f' });
    expect(report.counters.filesDeleted).toBe(5);
    expect(items.filter((i) => i.startsWith('deleted'))).toEqual([
      'deleted /dir/extra',
      'deleted /dir/extra/deep',
      'deleted /dir/extra/deep/f',
      'deleted /dir/rootlink',
      'deleted /extra',
    ]);
    expect(fs.lstatSync(join(target, 'dir'), { bigint: true }).mtimeNs).toBe(SOME_TIME_NS);
  });

  it('only tells in a dry run', async () => {
    const { repo, tree } = await repositoryWith(sketch);
    const target = prepare();
    const { report } = await restoreTo(repo, tree, target, { delete: true, dryRun: true });
    expect(report.counters.filesDeleted).toBe(5);
    expect(fs.existsSync(join(target, 'dir/extra/deep/f'))).toBe(true);
  });

  it('only removes what the patterns select, in folders where something is restored', async () => {
    const { repo, tree } = await repositoryWith(sketch);
    const target = prepare();
    await restoreTo(repo, tree, target, { delete: true, include: [parsePatterns(['/dir'])] });
    expect(Object.keys(textOf(target))).toEqual(['dir', 'dir/keep', 'extra']);
  });

  it('removes nothing where a listing could not be read', async () => {
    const repo = await memoryRepository();
    const content = await saveBlobs(repo, [blob('f')]);
    const tree = await saveNodes(repo, [
      node('dir', 'dir', { subtree: idOf('no such tree') }),
      node('f', 'file', { content }),
    ]);
    const target = prepare();
    const { failures } = await restoreTo(repo, tree, target, { delete: true });
    expect(failures).toEqual(['/dir: damaged']);
    expect(fs.existsSync(join(target, 'dir/extra/deep/f'))).toBe(true);
    expect(fs.existsSync(join(target, 'extra'))).toBe(false);
  });

  it('refuses to empty the file system, and contradictions', async () => {
    const { repo, tree } = await repositoryWith({});
    await expect(restoreTo(repo, tree, '/', { delete: true, dryRun: true })).rejects.toMatchObject({
      code: 'usage',
    });
    const both = { include: [parsePatterns(['a'])], exclude: [parsePatterns(['b'])] };
    await expect(restoreTo(repo, tree, temp.dir(), both)).rejects.toMatchObject({ code: 'usage' });
    await expect(restoreTo(repo, tree, temp.dir(), { dryRun: true, verify: true })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});

describe('faults', () => {
  it('names each file that lacks a blob and restores all others', async () => {
    const repo = await memoryRepository();
    const [good] = await saveBlobs(repo, [blob('g')]);
    const lost = idOf('lost');
    const tree = await saveNodes(repo, [
      node('a', 'file', { content: [good!], size: 1000 }),
      node('b', 'file', { content: [lost] }),
      node('c', 'file', { content: [good!, lost] }),
      node('d', 'file', { content: [good!, good!], size: 2000 }),
    ]);
    const target = temp.dir();
    fs.writeFileSync(join(target, 'b'), 'an older version');
    const { failures, report } = await restoreTo(repo, tree, target);
    expect(failures).toEqual(['/b: damaged', '/c: damaged']);
    expect(report.errors).toBe(2);
    expect(textOf(target)).toEqual({ a: 'g'.repeat(1000), b: 'an older version', d: 'g'.repeat(2000) });
  });

  /** A storage whose packs all have a flipped bit in their first blob's bytes for the first `times` loads. */
  async function damagedRepository(times: number) {
    const memory = createMemory();
    const repo = await memoryRepository({ backend: memory });
    const tree = await saveTree(repo, { one: [blob('1')], two: [blob('2'), blob('3')] });
    const wrap = faulty([{ kind: 'flipped-bit', operation: 'load', type: 'pack', bit: 200, skip: 1, times }]);
    const opened = await openRepository(wrap(memory), { password: PASSWORD });
    return { repo: await opened.loadIndex(), tree };
  }

  it('reads a blob again that did not arrive whole', async () => {
    const { repo, tree } = await damagedRepository(1);
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(fs.readFileSync(join(target, 'one'), 'utf8')).toBe('1'.repeat(1000));
  });

  it('names the files of a damaged blob, and gives them no time to be taken for whole', async () => {
    const { repo, tree } = await damagedRepository(100);
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures.length).toBeGreaterThan(0);
    for (const name of fs.readdirSync(target)) {
      const failed = failures.some((f) => f.startsWith(`/${name}:`));
      const { mtimeNs } = fs.statSync(join(target, name), { bigint: true });
      expect(mtimeNs === SOME_TIME_NS, name).toBe(!failed);
    }
  });

  it('takes a further copy from another pack', async () => {
    const memory = createMemory();
    const repo = await memoryRepository({ backend: memory });
    const tree = await saveTree(repo, { f: [blob('f')], g: [blob('f'), blob('g')] });
    const first = repo.index.get(
      'data',
      repo.index.copies('data', (await repo.loadTree(tree)).nodes[0]!.content![0]!)[0]!.id,
    )!;
    const writer = repo.writer();
    const { sealBlob } = await import('../../../src/workers/blob-codec.ts');
    const copy = sealBlob(repo.repository.sealer, 'data', first.id, blob('f'), repo.repository.codec);
    await writer.add(copy, 1000, true);
    await writer.flush();
    const handle = { type: 'pack', name: first.pack } as const;
    const bytes = Buffer.from(await memory.load(handle));
    bytes.writeUInt8(bytes.readUInt8(first.offset + 20) ^ 1, first.offset + 20);
    await memory.save(handle, [bytes]);
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual([]);
    expect(textOf(target)).toEqual({ f: 'f'.repeat(1000), g: 'f'.repeat(1000) + 'g'.repeat(1000) });
  });

  it('survives a pack that is gone, and stops when the storage does not answer', async () => {
    const memory = createMemory();
    const repo = await memoryRepository({ backend: memory });
    const tree = await saveTree(repo, { f: [blob('f')], d: { e: '' } });
    const pack = repo.index.copies('data', (await repo.loadTree(tree)).nodes[1]!.content![0]!)[0]!.pack;
    const error = () => new EngineError('unreachable', 'The storage does not answer.');
    const wrap = faulty([{ kind: 'error', operation: 'load', type: 'pack', name: pack, error, times: 99 }]);
    const opened = await openRepository(wrap(memory), { password: PASSWORD });
    const silent = restoreTo(await opened.loadIndex(), tree, temp.dir());
    await expect(silent).rejects.toMatchObject({ code: 'unreachable' });
    await memory.remove({ type: 'pack', name: pack });
    const target = temp.dir();
    const { failures } = await restoreTo(repo, tree, target);
    expect(failures).toEqual(['/f: damaged']);
    expect(textOf(target)).toEqual({ d: '/', 'd/e': '' });
  });

  it('stops when asked, with the reason given, and leaves no file that claims to be whole', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`f${i}`, [blob('p', 2000), blob('q', i + 1)]]),
    );
    const { repo, tree } = await repositoryWith(files);
    const target = temp.dir();
    const controller = new AbortController();
    const reason = new Error('the person said stop');
    const counters = newRestoreCounters();
    const { restoreTree } = await import('../../../src/restorer/restorer.ts');
    const stopped = restoreTree(repo, tree, {
      target: fromText(target),
      threads: 1,
      counters,
      signal: controller.signal,
      events: { onItem: () => controller.abort(reason) },
    });
    await expect(stopped).rejects.toBe(reason);
    for (const name of fs.readdirSync(target)) {
      const { mtimeNs, size } = fs.statSync(join(target, name), { bigint: true });
      if (mtimeNs === SOME_TIME_NS) expect(size).toBe(2000n + BigInt(name.slice(1)) + 1n);
    }
    expect(counters.filesRestored).toBeLessThan(300);
  });

  it('refuses a target that is a file', async () => {
    const { repo, tree } = await repositoryWith({});
    const file = join(temp.dir(), 'f');
    fs.writeFileSync(file, '');
    await expect(restoreTo(repo, tree, file)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('accepts a target that is a link to a folder', async () => {
    const { repo, tree } = await repositoryWith({ f: 'f' });
    const real = temp.dir();
    const target = join(temp.dir(), 'link');
    fs.symlinkSync(real, target);
    fs.writeFileSync(join(real, 'extra'), '');
    await restoreTo(repo, tree, target, { delete: true });
    expect(textOf(real)).toEqual({ f: 'f' });
  });
});
