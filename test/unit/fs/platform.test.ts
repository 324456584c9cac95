import { describe, expect, it } from 'vitest';
import { cacheDirectory, capabilities, dataDirectory, identity } from '../../../src/fs/platform.ts';
import { linux } from './scratch.ts';

describe('directories', () => {
  const on = (platform: NodeJS.Platform, home: string, env: Record<string, string> = {}) => {
    const s = { platform, home, env };
    return [dataDirectory(s), cacheDirectory(s)];
  };

  it('follow the custom of each platform', () => {
    expect(on('linux', '/home/a')).toEqual(['/home/a/.local/share/holdfast', '/home/a/.cache/holdfast']);
    expect(on('darwin', '/Users/a')).toEqual([
      '/Users/a/Library/Application Support/Holdfast',
      '/Users/a/Library/Caches/Holdfast',
    ]);
    expect(on('win32', 'C:\\Users\\a')).toEqual([
      'C:\\Users\\a\\AppData\\Local\\Holdfast',
      'C:\\Users\\a\\AppData\\Local\\Holdfast\\Cache',
    ]);
    expect(on('win32', 'C:\\Users\\a', { LOCALAPPDATA: 'D:\\L' })[0]).toBe('D:\\L\\Holdfast');
  });

  it('obey XDG variables, if absolute, and our own before all', () => {
    const xdg = { XDG_DATA_HOME: '/d', XDG_CACHE_HOME: 'relative' };
    expect(on('linux', '/home/a', xdg)).toEqual(['/d/holdfast', '/home/a/.cache/holdfast']);
    const own = { ...xdg, HOLDFAST_DATA_DIR: '/own/data', HOLDFAST_CACHE_DIR: '/own/cache' };
    if (linux) expect(on('linux', '/home/a', own)).toEqual(['/own/data', '/own/cache']);
  });
});

describe('this machine', () => {
  it('is described', () => {
    const me = identity();
    expect(me.hostname).not.toBe('');
    expect(me.uid).toBe(process.getuid?.());
    expect(me.gid).toBe(process.getgid?.());
  });

  it.runIf(linux && (process.arch === 'x64' || process.arch === 'arm64'))('can do all on Linux', () => {
    expect(Object.entries(capabilities()).filter(([, able]) => !able)).toEqual([]);
  });
});
