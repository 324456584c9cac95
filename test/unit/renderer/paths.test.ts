import { describe, expect, it } from 'vitest';
import { moved } from '../../../renderer/components/entry-keys.ts';
import { baseName, crumbsOf, isAbsolute, isWithin, joined } from '../../../renderer/components/paths.ts';

describe('paths of the host', () => {
  it('are whole from the root on, on any system', () => {
    expect(['/', '/home', 'C:\\', 'd:/x', '\\\\nas\\share'].filter((path) => !isAbsolute(path))).toEqual([]);
    expect(['', 'home', './x', '~', 'C:', 'file:///x'].filter(isAbsolute)).toEqual([]);
  });

  it('are joined with what their system puts in between', () => {
    expect(joined('/', 'home')).toBe('/home');
    expect(joined('/home', 'ann')).toBe('/home/ann');
    expect(joined('C:\\', 'Users')).toBe('C:\\Users');
    expect(joined('C:\\Users', 'Ann')).toBe('C:\\Users\\Ann');
  });

  it('are taken apart into the folders on the way', () => {
    expect(crumbsOf('/')).toEqual([{ name: '/', path: '/' }]);
    expect(crumbsOf('/home/ann')).toEqual([
      { name: '/', path: '/' },
      { name: 'home', path: '/home' },
      { name: 'ann', path: '/home/ann' },
    ]);
    expect(crumbsOf('C:\\Users').map(({ path }) => path)).toEqual(['C:\\', 'C:\\Users']);
    expect(crumbsOf('\\\\nas\\share\\Ann').map(({ path }) => path)).toEqual([
      '\\\\nas\\share',
      '\\\\nas\\share\\Ann',
    ]);
    expect(baseName('/home/ann/')).toBe('ann');
    expect(baseName('/')).toBe('/');
  });

  it('lie within folders, not beside those whose names begin alike', () => {
    expect(isWithin('/home/ann/x', '/home/ann')).toBe(true);
    expect(isWithin('/home/ann', '/home/ann')).toBe(true);
    expect(isWithin('/home/anna', '/home/ann')).toBe(false);
    expect(isWithin('/home', '/')).toBe(true);
  });
});

describe('the keys of a list of files', () => {
  const entries = ['Archive', 'Bilder', 'Books', 'music'].map((name) => ({ name }));

  it('move within it, and stop at its ends', () => {
    expect(moved('ArrowDown', 0, entries)).toBe(1);
    expect(moved('ArrowDown', 3, entries)).toBe(3);
    expect(moved('ArrowUp', 0, entries)).toBe(0);
    expect(moved('PageDown', 0, entries)).toBe(3);
    expect(moved('End', 0, entries)).toBe(3);
    expect(moved('Home', 2, entries)).toBe(0);
    expect(moved('End', 0, [])).toBe(0);
  });

  it('jump to the next name with a letter, all around', () => {
    expect(moved('b', 0, entries)).toBe(1);
    expect(moved('b', 1, entries)).toBe(2);
    expect(moved('b', 2, entries)).toBe(1);
    expect(moved('M', 0, entries)).toBe(3);
    expect(moved('z', 0, entries)).toBeUndefined();
    expect(moved('Tab', 0, entries)).toBeUndefined();
    expect(moved(' ', 0, entries)).toBeUndefined();
  });
});
