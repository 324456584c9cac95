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
async function* list(folder: string) {
  yield (TREE[folder] ?? []).map(entryOf);
}
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
  it('are none for everything', async () => {
    expect(await pathsOf(toggled(NOTHING, ROOT), list)).toEqual([]);
  });

  it('name what is beside of what is left out', async () => {
    expect(await pathsOf(choose('/a', '/a/x/2.txt'), list)).toEqual(['/a/x/3.txt', '/a/y', '/a/1.txt']);
  });

  it('stand for exactly the files that are chosen', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...all), { maxLength: 12 }), async (clicks) => {
        const selection = choose(...clicks);
        const chooser = new Chooser(selection);
        const wanted = files.filter((path) => chooser.isOn(path));
        const paths = await pathsOf(selection, list);
        const everything = paths.length === 0 && chooser.isOn('/');
        const meant = files.filter(
          (one) => everything || paths.some((path) => one === path || one.startsWith(`${path}/`)),
        );
        expect(meant).toEqual(wanted);
      }),
    );
  });

  it('are not asked for where there are too many', async () => {
    const many = Array.from({ length: MOST_PATHS + 2 }, (_, i) => file(`/big/${i}`));
    const selection = toggled(toggled(NOTHING, dir('/big')), file('/big/0'));
    const pages = async function* () {
      yield many;
    };
    await expect(pathsOf(selection, pages)).rejects.toThrow(TooManyPaths);
  });
});
