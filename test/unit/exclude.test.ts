import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError, isEngineError } from '../../src/api/errors.ts';
import type { Selection } from '../../src/archiver/archiver.ts';
import {
  createSelector,
  type ExcludeDisk,
  type ExcludeOptions,
  expandVariables,
} from '../../src/archiver/exclude.ts';
import { type FileStat, lstat } from '../../src/fs/stat.ts';
import { fromText, rawByteString } from '../../src/util/byte-string.ts';
import { Temp } from '../helpers/temp.ts';

const temp = new Temp();
let dir = '';
beforeEach(() => {
  dir = temp.dir();
});
afterEach(() => temp.clear());

function byName(o: ExcludeOptions, path: string): string | undefined {
  return createSelector(o).byName(fromText(path));
}

function byStat(o: ExcludeOptions, path: string): string | undefined {
  const selector = createSelector(o) satisfies Selection;
  return selector.byStat(fromText(path), lstat(fromText(path)));
}

function file(name: string, content: string | Uint8Array = ''): string {
  mkdirSync(`${dir}/${name}`.replace(/[^/]*$/, ''), { recursive: true });
  writeFileSync(`${dir}/${name}`, content);
  return `${dir}/${name}`;
}

function failure(o: ExcludeOptions): EngineError {
  try {
    createSelector(o);
  } catch (e) {
    if (isEngineError(e)) return e;
    throw e;
  }
  throw new Error('no error');
}

describe('exclude by name', () => {
  it('tells which rule it was', () => {
    const exclude = ['*.tmp', '!keep.tmp'];
    expect(byName({ exclude }, '/home/a.tmp')).toBe('--exclude *.tmp');
    expect(byName({ exclude }, '/home/keep.tmp')).toBeUndefined();
    expect(byName({ exclude, iexclude: ['A.*'] }, '/home/a.tmp')).toBe('--iexclude A.*');
    expect(byName({}, '/home/a.tmp')).toBeUndefined();
  });

  it('reads pattern files after the patterns of the command line', () => {
    const rules = file('rules', `\ufeff# comment\n\n  *.log \n!$KEEP/*.log\n\${ROOT}/x\r\n$$*\n`);
    const o: ExcludeOptions = {
      exclude: ['*.tmp'],
      excludeFile: [rules],
      env: { KEEP: '/keep', ROOT: '/r' },
    };
    expect(byName(o, '/a.tmp')).toBe('--exclude *.tmp');
    expect(byName(o, '/a.log')).toBe(`--exclude-file ${rules}: *.log`);
    expect(byName(o, '/keep/a.log')).toBeUndefined();
    expect(byName(o, '/r/x')).toBe(`--exclude-file ${rules}: /r/x`);
    expect(byName(o, '/$cash')).toBe(`--exclude-file ${rules}: $*`);
    expect(byName({ iexcludeFile: [rules] }, '/x/A.LOG')).toBe(`--iexclude-file ${rules}: *.log`);
  });

  it('keeps bytes of pattern files that are no text', () => {
    const rules = file('rules', Buffer.from('\xff*\n/\xe0\n', 'latin1'));
    const { byName: select } = createSelector({ excludeFile: [rules] });
    expect(select(rawByteString('/a/\xffb'))).toBeDefined();
    expect(select(rawByteString('/\xe0'))).toBeDefined();
    expect(select(rawByteString('/\xfe'))).toBeUndefined();
  });

  it('leaves own folders out with all they hold', () => {
    const ownFolders = [fromText('/cache/holdfast/')];
    expect(byName({ ownFolders }, '/cache/holdfast')).toBe("Holdfast's own folder");
    expect(byName({ ownFolders }, '/cache/holdfast/x/y')).toBe("Holdfast's own folder");
    expect(byName({ ownFolders }, '/cache/holdfast2')).toBeUndefined();
  });

  it('names the place of a bad pattern', () => {
    const rules = file('rules', 'fine\n[bad\n');
    expect(failure({ exclude: ['[a'] })).toMatchObject({
      code: 'usage',
      message: '--exclude "[a" is not a valid pattern.',
    });
    expect(failure({ iexcludeFile: [rules] }).message).toBe(
      `--iexclude-file ${rules}: "[bad" is not a valid pattern.`,
    );
    expect(failure({ excludeFile: ['/nowhere'] }).message).toContain('/nowhere');
  });
});

describe('variables in pattern files', () => {
  it.each([
    ['$HOME/x', '/home/é/x'],
    [`\${HOME}x`, '/home/éx'],
    ['$HOMEx$$', '$'],
    ['$$HOME', '$HOME'],
    ['a$', 'a$'],
    ['a$/b', 'a$/b'],
    ['$1x', 'x'],
    [`\${}a\${`, 'a'],
    [`\${A_1}$A_1.`, 'vv.'],
    [`\${$}`, '$'],
  ])('%s', (line, expected) => {
    const env = { HOME: '/home/é', A_1: 'v' };
    expect(expandVariables(fromText(line), env)).toBe(fromText(expected));
  });
});

describe('exclude by tag file', () => {
  it('drops the content of a tagged folder, but neither folder nor tag', () => {
    const tag = file('box/.skip');
    const other = file('box/other');
    const below = file('box/sub/deep');
    const o = { excludeIfPresent: ['.skip'] };
    expect(byStat(o, other)).toBe('--exclude-if-present .skip');
    expect(byStat(o, `${dir}/box/sub`)).toBe('--exclude-if-present .skip');
    expect(byStat(o, tag)).toBeUndefined();
    expect(byStat(o, `${dir}/box`)).toBeUndefined();
    expect(byStat(o, below)).toBeUndefined();
  });

  it('compares the beginning if one is asked for', () => {
    const other = file('box/other');
    const warnings: string[] = [];
    const o = { excludeIfPresent: ['.skip:yes: it'], onWarning: (m: string) => warnings.push(m) };
    file('box/.skip', 'yes: it is');
    expect(byStat(o, other)).toBe('--exclude-if-present .skip:yes: it');
    file('box/.skip', 'no: it is not');
    expect(byStat(o, other)).toBeUndefined();
    file('box/.skip', 'yes');
    expect(byStat(o, other)).toBeUndefined();
    expect(warnings[0]).toContain('begins with something else');
    expect(warnings[1]).toContain('is too short');
  });

  it('knows caches by the signature in their tag', () => {
    const other = file('cache/other');
    file('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n# more');
    expect(byStat({ excludeCaches: true }, other)).toBe('--exclude-caches');
    file('cache/CACHEDIR.TAG', 'Signature: 0a477f597d28d172789f06886806bc55');
    expect(byStat({ excludeCaches: true }, other)).toBeUndefined();
  });

  it('follows a tag that is a link, and warns of one that leads nowhere', () => {
    const other = file('box/other');
    symlinkSync('target', `${dir}/box/.skip`);
    expect(byStat({ excludeIfPresent: ['.skip'] }, other)).toBeDefined();
    const warnings: string[] = [];
    const o = { excludeIfPresent: ['.skip:x'], onWarning: (m: string) => warnings.push(m) };
    expect(byStat(o, other)).toBeUndefined();
    file('box/target', 'xyz');
    expect(byStat(o, other)).toBeDefined();
  });

  it('looks once a folder', () => {
    let looks = 0;
    const disk: ExcludeDisk = {
      lstat: (path) => {
        looks++;
        return lstat(path);
      },
      readStart: () => new Uint8Array(),
    };
    file('box/.skip');
    const { byStat: select } = createSelector({ excludeIfPresent: ['.skip'], disk });
    for (let i = 0; i < 10; i++) select(fromText(`${dir}/box/${i}`), lstat(fromText(dir)));
    expect(looks).toBe(1);
  });

  it.each(['', ':x'])('refuses the tag %j', (spec) => {
    expect(failure({ excludeIfPresent: [spec] }).code).toBe('usage');
  });
});

describe('exclude by size', () => {
  it('compares files, not folders', () => {
    const o = { excludeLargerThan: 3 };
    expect(byStat(o, file('three', '123'))).toBeUndefined();
    expect(byStat(o, file('four', '1234'))).toBe('--exclude-larger-than 3');
    expect(byStat(o, dir)).toBeUndefined();
  });
});

describe('one file system', () => {
  /** Device 1, but 2 from /data/mnt on and 3 from /data/mnt/inner on; another target lies on 2. */
  const disk: ExcludeDisk = {
    lstat: (path) => {
      if (path.includes('gone')) throw new EngineError('not-found', 'gone');
      const dev = path.startsWith('/data/mnt/inner') ? 3 : path.startsWith('/data/mnt') ? 2 : 1;
      return { kind: 'dir', size: 0, dev };
    },
    readStart: () => new Uint8Array(),
  };

  function select(path: string, kind: FileStat['kind'], targets = ['/data']): string | undefined {
    const o = { oneFileSystem: true, targets: targets.map(fromText), disk };
    const at = fromText(path);
    return createSelector(o).byStat(at, { ...disk.lstat(at), kind });
  }

  it.each([
    ['/data/file', 'file', undefined],
    ['/data/dir', 'dir', undefined],
    ['/data/mnt', 'dir', undefined],
    ['/data/mnt', 'file', '--one-file-system'],
    ['/data/mnt/file', 'file', '--one-file-system'],
    ['/data/mnt/dir', 'dir', '--one-file-system'],
    ['/data/mnt/inner', 'dir', '--one-file-system'],
  ] as const)('%s (%s)', (path, kind, rule) => {
    expect(select(path, kind)).toBe(rule);
  });

  it('takes the nearest target for the measure', () => {
    const targets = ['/data', '/data/mnt/box'];
    expect(select('/data/mnt/box/file', 'file', targets)).toBeUndefined();
    expect(select('/data/mnt/file', 'file', targets)).toBe('--one-file-system');
    expect(select('/file', 'file', ['/'])).toBeUndefined();
  });

  it('tells when a target is not there', () => {
    expect(failure({ oneFileSystem: true, targets: [fromText('/gone')], disk }).code).toBe('not-found');
  });
});

describe('cloud files', () => {
  it.runIf(process.platform === 'linux')('are not known here', () => {
    expect(byStat({ excludeCloudFiles: true }, file('a'))).toBeUndefined();
  });
});
