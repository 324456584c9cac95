import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Chooser,
  MOST_PATHS,
  NOTHING,
  only,
  parentOf,
  pathsOf,
  ROOT,
  type Selectable,
  type Selection,
  sumOf,
  TooManyPaths,
  toggled,
} from '../../../renderer/screens/restore/selection.ts';
import { WantedPaths } from '../../../src/runs/wanted-paths.ts';
import { fromText } from '../../../src/util/byte-string.ts';

const file = (path: string, bytes = 1): Selectable => ({ path, kind: 'file', bytes });
const dir = (path: string): Selectable => ({ path, kind: 'dir', bytes: null });

/** Folders with what is in them; a path that is none is a file. */
const TREE: Readonly<Record<string, readonly string[]>> = {
  '/': ['/a', '/b', '/c.txt'],
  '/a': ['/a/x', '/a/y', '/a/1.txt'],
  '/a/x': ['/a/x/2.txt', '/a/x/3.txt'],
  '/a/y': ['/a/y/4.txt'],
  '/b': ['/b/5.txt'],
};
const entryOf = (path: string) => (path in TREE ? dir(path) : file(path));
const all = ['/', ...Object.values(TREE).flat()];
const files = all.filter((path) => !(path in TREE));
const choose = (...paths: string[]) =>
  paths.reduce<Selection>((selection, path) => toggled(selection, entryOf(path)), NOTHING);
const state = (selection: Selection, path: string) => new Chooser(selection).stateOf(path);

describe('what is chosen', () => {
  it('goes down to all that is below, and up as a mixture', () => {
    const selection = choose('/a/x');
    expect(state(selection, '/a/x/2.txt')).toBe('on');
    expect(state(selection, '/a')).toBe('mixed');
    expect(state(selection, '/')).toBe('mixed');
    expect(state(selection, '/a/y')).toBe('off');
  });

  it('lets go of a part of a chosen folder', () => {
    const selection = choose('/a', '/a/x/2.txt');
    expect(state(selection, '/a')).toBe('mixed');
    expect(state(selection, '/a/x/2.txt')).toBe('off');
    expect(state(selection, '/a/x/3.txt')).toBe('on');
  });

  it('is whole again when the part is chosen again', () => {
    expect(choose('/a', '/a/x/2.txt', '/a/x/2.txt')).toEqual(choose('/a'));
  });

  it('of a mixture becomes all', () => {
    expect(choose('/a/x', '/a')).toEqual(choose('/a'));
    expect(choose('/a/x', '/a', '/a')).toEqual(NOTHING);
  });

  it('is not mistaken by names that begin alike', () => {
    expect(state(toggled(choose('/a'), dir('/ab')), '/a')).toBe('on');
    expect(toggled(choose('/a'), dir('/ab')).size).toBe(2);
  });

  it('is only one, where it is the only one', () => {
    expect([...only(file('/c.txt', 7))]).toEqual([['/c.txt', { on: true, kind: 'file', bytes: 7 }]]);
  });

  it('never says what holds anyway', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 12 }), (paths) => {
        const selection = choose(...paths);
        for (const [path, { on }] of selection) {
          const above = parentOf(path);
          const rest = new Map([...selection].filter(([one]) => one !== path));
          expect(above !== null && new Chooser(rest).isOn(above)).toBe(!on);
        }
      }),
    );
  });
});

describe('the sum', () => {
  it('counts files and folders apart, and what is left out', () => {
    const selection = toggled(choose('/a', '/a/x/2.txt', '/b/5.txt'), file('/c.txt', 41));
    expect(sumOf(selection)).toEqual({ files: 2, folders: 1, bytes: 42, without: 1, everything: false });
    expect(sumOf(toggled(NOTHING, ROOT))).toMatchObject({ everything: true, files: 0, folders: 0 });
  });
});

describe('the paths of a restore', () => {
  it('are none for everything', () => {
    expect(pathsOf(toggled(NOTHING, ROOT))).toEqual({ paths: [], exclude: [] });
    expect(pathsOf(choose('/', '/a'))).toEqual({ paths: [], exclude: ['/a'] });
  });

  it('name the folder, and what is left out of it', () => {
    expect(pathsOf(choose('/a', '/a/x/2.txt'))).toEqual({ paths: ['/a'], exclude: ['/a/x/2.txt'] });
  });

  it('name the whole version where a part of what is left out is chosen again', () => {
    expect(pathsOf(choose('/', '/a', '/a/x'))).toEqual({ paths: ['/', '/a/x'], exclude: ['/a'] });
  });

  it('make the host restore exactly the files that are chosen', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 12 }), (clicks) => {
        const selection = choose(...clicks);
        fc.pre(selection.size > 0); // nothing chosen: no step leads to a restore
        const chooser = new Chooser(selection);
        const { paths, exclude } = pathsOf(selection);
        const wanted = new WantedPaths(paths, exclude);
        expect(walked(wanted, '/').sort()).toEqual(files.filter((path) => chooser.isOn(path)).sort());
        expect(wanted.unseen()).toEqual([]);
      }),
    );
  });

  it('are not asked for where there are too many', () => {
    const without = (count: number) => {
      const off = { on: false, kind: 'file', bytes: 1 } as const;
      const files = Array.from({ length: count }, (_, i) => [`/big/${i}`, off] as const);
      return new Map([...toggled(NOTHING, dir('/big')), ...files]);
    };
    expect(pathsOf(without(MOST_PATHS)).exclude).toHaveLength(MOST_PATHS);
    expect(() => pathsOf(without(MOST_PATHS + 1))).toThrow(TooManyPaths);
  });
});

/** The files that a walk comes to which enters only the folders that it may. */
function walked(wanted: WantedPaths, folder: string): string[] {
  return (TREE[folder] ?? []).flatMap((path) => {
    const isFolder = path in TREE;
    const { selected, children } = wanted.select(fromText(path), isFolder);
    if (isFolder) return children ? walked(wanted, path) : [];
    return selected ? [path] : [];
  });
}
