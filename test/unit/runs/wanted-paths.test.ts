import { describe, expect, it } from 'vitest';
import type { Id } from '../../../src/format/types.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { walkSelected } from '../../../src/restorer/selected-walk.ts';
import { WantedPaths } from '../../../src/runs/wanted-paths.ts';
import { fromText, rawByteString, toText } from '../../../src/util/byte-string.ts';
import { idOf, memoryRepository, node, saveNodes, saveTree } from '../../helpers/repo.ts';

const asked = (paths: readonly string[], location: string, isFolder = false, exclude?: readonly string[]) =>
  new WantedPaths(paths, exclude).select(fromText(location), isFolder);

describe('paths that a person chose', () => {
  it('are everything where none is named', () => {
    for (const paths of [[], ['/'], ['']]) {
      expect(asked(paths, '/a/b')).toEqual({ selected: true, children: false });
      expect(new WantedPaths(paths).unseen()).toEqual([]);
    }
  });

  it('take what is below them, and lead to them', () => {
    const paths = ['/a/b', 'c/', '/d/../e'];
    expect(asked(paths, '/a', true)).toEqual({ selected: false, children: true });
    expect(asked(paths, '/a')).toEqual({ selected: false, children: false });
    expect(asked(paths, '/a/b', true)).toEqual({ selected: true, children: true });
    expect(asked(paths, '/a/b/c/d')).toMatchObject({ selected: true });
    expect(asked(paths, '/a/bc', true)).toEqual({ selected: false, children: false });
    expect(asked(paths, '/c/x')).toMatchObject({ selected: true });
    expect(asked(paths, '/e')).toMatchObject({ selected: true });
    expect(asked(paths, '/d', true)).toEqual({ selected: false, children: false });
  });

  it('leave out what is left out of them, with all below it', () => {
    const exclude = ['/a/b', 'a/c/', '/elsewhere'];
    for (const paths of [['/a'], ['/'], []]) {
      expect(asked(paths, '/a', true, exclude)).toEqual({ selected: true, children: true });
      expect(asked(paths, '/a/b', true, exclude)).toEqual({ selected: false, children: false });
      expect(asked(paths, '/a/b/x', false, exclude)).toMatchObject({ selected: false });
      expect(asked(paths, '/a/c', false, exclude)).toMatchObject({ selected: false });
      expect(asked(paths, '/a/bc', false, exclude)).toMatchObject({ selected: true });
    }
  });

  it('hold again below what is left out', () => {
    const paths = ['/a', '/a/b/c/d'];
    expect(asked(paths, '/a/b', true, ['/a/b'])).toEqual({ selected: false, children: true });
    expect(asked(paths, '/a/b/c', true, ['/a/b'])).toEqual({ selected: false, children: true });
    expect(asked(paths, '/a/b/c/d', true, ['/a/b'])).toEqual({ selected: true, children: true });
    expect(asked(paths, '/a/b/c/e', false, ['/a/b'])).toMatchObject({ selected: false });
    expect(asked([], '/x', false, ['/'])).toMatchObject({ selected: false });
  });

  it('that are left out, too, are not missing', () => {
    const wanted = new WantedPaths(['/a', '/b'], ['/a', '/none']);
    expect(wanted.select(fromText('/a'), true)).toEqual({ selected: false, children: false });
    expect(wanted.select(fromText('/b'), true)).toMatchObject({ selected: true });
    expect(wanted.unseen()).toEqual([]);
  });

  it('are named where they were not met, and refused where none was', () => {
    const wanted = new WantedPaths(['/a', '/a/b', '/ü']);
    expect(() => wanted.unseen()).toThrow('/a is not in this version');
    wanted.select(fromText('/a/b'), false);
    expect(wanted.unseen().map(({ path, error }) => [path, error.code])).toEqual([
      ['/a', 'path-missing'],
      ['/ü', 'path-missing'],
    ]);
  });

  it('find names that are no UTF-8 by what is shown of them', () => {
    const wanted = new WantedPaths(['/caf\ufffd', '/ok']);
    expect(wanted.select(rawByteString('/caf\xe9'), true)).toEqual({ selected: true, children: true });
    expect(wanted.select(rawByteString('/caf\xe9/\xff'), false)).toMatchObject({ selected: true });
    expect(wanted.select(fromText('/ok'), false)).toMatchObject({ selected: true });
    expect(wanted.select(fromText('/café'), false)).toMatchObject({ selected: false });
    expect(wanted.unseen()).toEqual([]);
    const without = new WantedPaths([], ['/caf\ufffd']);
    expect(without.select(rawByteString('/caf\xe9/x'), false)).toMatchObject({ selected: false });
    expect(without.select(rawByteString('/\xff'), false)).toMatchObject({ selected: true });
  });
});

describe('the walk through them', () => {
  async function walked(paths: readonly string[], repo: IndexedRepository, tree: Id) {
    const seen: string[] = [];
    const failed: string[] = [];
    for await (const folder of walkSelected(repo, tree, new WantedPaths(paths).select)) {
      const names = folder.others.map(({ name }) => toText(name)).join();
      seen.push(
        `${folder.selected ? '' : '('}${toText(folder.location)}${folder.selected ? '' : ')'} ${names}`.trim(),
      );
      for (const { path, error } of folder.failures) failed.push(`${toText(path)}: ${error.code}`);
    }
    return { seen, failed };
  }

  it('gives each folder before what is in it, and nothing that was not chosen', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, { a: { b: { c: 'c' }, x: 'x' }, d: { e: 'e' }, f: 'f', g: 'g' });
    expect((await walked([], repo, tree)).seen).toEqual(['(/) f,g', '/a x', '/a/b c', '/d e']);
    expect((await walked(['/a/b', '/g'], repo, tree)).seen).toEqual(['(/) g', '(/a)', '/a/b c']);
    expect((await walked(['/nothing'], repo, tree)).seen).toEqual(['(/)']);
  });

  it('goes on past damage, and past a chain of folders without an end', async () => {
    const repo = await memoryRepository();
    let deep = await saveNodes(repo, []);
    for (let i = 0; i < 30; i++)
      deep = await saveNodes(repo, [node('n'.repeat(200), 'dir', { subtree: deep })]);
    const tree = await saveNodes(repo, [
      node('bare', 'dir'),
      node('deep', 'dir', { subtree: deep }),
      node('file', 'file'),
      node('lost', 'dir', { subtree: idOf('lost') }),
      node('..', 'file'),
    ]);
    const { seen, failed } = await walked([], repo, tree);
    expect(seen[0]).toBe('(/) file');
    expect(failed.filter((line) => !line.startsWith('/deep'))).toEqual([
      '/..: damaged',
      '/bare: damaged',
      '/lost: damaged',
    ]);
    expect(failed.find((line) => line.startsWith('/deep'))).toMatch(/: unsupported$/);
    expect((await walked([], repo, idOf('no tree'))).failed).toEqual(['/: damaged']);
  });
});
