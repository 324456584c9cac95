import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isEngineError } from '../../../src/api/errors.ts';
import { Rules, type RuleVerdict, type Source } from '../../../src/api/model/plan.ts';
import { compileRules, type PathFacts, type RuleOptions } from '../../../src/rules/rule-set.ts';
import { selectionOf } from '../../../src/rules/selection.ts';
import { fromText, rawByteString } from '../../../src/util/byte-string.ts';
import { useTemp } from '../../helpers/scope.ts';
import { fifo, socket, tree, writeTree } from '../../helpers/tree.ts';

const temp = useTemp();

const FILE: PathFacts = { kind: 'file', size: 1 };
const DIR: PathFacts = { kind: 'dir', size: 0 };
const LINUX: RuleOptions = { platform: 'linux' };

const paths = (...list: readonly string[]): Source[] => list.map((path) => ({ kind: 'path', path }));
/** Lines alone, without any preset. */
const lines = (...list: readonly string[]): Rules =>
  Rules.parse({ presets: [], lines: list, excludeCaches: false });
const plain = (more: Partial<Rules>): Rules => ({ ...lines(), ...more });

function ask(
  rules: Rules,
  path: string,
  facts: PathFacts = FILE,
  o = LINUX,
  sources = paths('/src'),
): RuleVerdict {
  return compileRules(sources, rules, o).verdict(path, facts);
}

/** The line that decided, as `+line` or `-line`; `+` and `-` alone where none did. */
function told(
  rules: Rules,
  path: string,
  facts: PathFacts = FILE,
  o = LINUX,
  sources = paths('/src'),
): string {
  const { included, rule } = ask(rules, path, facts, o, sources);
  return `${included ? '+' : '-'}${rule ?? ''}`;
}

describe('sources', () => {
  it('are in, and what lies outside is out', () => {
    const rules = lines('*');
    expect(ask(rules, '/src')).toEqual({
      path: '/src',
      included: true,
      rule: null,
      origin: 'none',
      preset: null,
      matched: null,
    });
    for (const path of ['/', '/other', '/srcs', '/other/src']) {
      expect(ask(lines(), path)).toMatchObject({ included: false, rule: null, origin: 'source' });
    }
  });

  it('may be files, the whole disk, or lie within each other', () => {
    expect(told(lines('*.db'), '/src/a.db', FILE, LINUX, paths('/src/a.db'))).toBe('+');
    expect(told(lines('/etc'), '/etc/x', FILE, LINUX, paths('/'))).toBe('-/etc');
    const nested = paths('/src', '/src/out/in');
    expect(told(lines('out/'), '/src/out/x', FILE, LINUX, nested)).toBe('-out/');
    expect(told(lines('out/'), '/src/out/in/x', FILE, LINUX, nested)).toBe('+');
    expect(told(lines('/x'), '/src/out/in/x', FILE, LINUX, nested)).toBe('-/x');
  });

  it('may be written with dots and slashes', () => {
    const set = compileRules(paths('/src//a/../b/', '/src/b'), lines('/x'), LINUX);
    expect(set.targets).toEqual(['/src/b']);
    expect(set.verdict('/src/b/./x/', DIR)).toMatchObject({ path: '/src/b/x', included: false });
  });

  it('that are commands have no paths', () => {
    const source: Source = { kind: 'command', fileName: 'dump.sql', command: ['dump'] };
    expect(compileRules([source], lines(), LINUX).targets).toEqual([]);
    expect(ask(lines(), '/dump.sql', FILE, LINUX, [source]).origin).toBe('source');
  });

  it('must be whole paths, and so must questions', () => {
    for (const call of [
      () => compileRules(paths('src'), lines(), LINUX),
      () => compileRules(paths('C:\\src'), lines(), LINUX),
      () => ask(lines(), 'src/a'),
    ]) {
      expect(call).toThrow(/is not the whole path/);
    }
  });
});

describe('lines', () => {
  it.each([
    [['*.log'], '/src/a/b.log', '-*.log'],
    [['/a.log'], '/src/b/a.log', '+'],
    [['/a.log'], '/src/a.log', '-/a.log'],
    [['b/c'], '/src/a/b/c', '+'],
    [['**/b/c'], '/src/a/b/c', '-**/b/c'],
    [['a/**/c'], '/src/a/x/y/c', '-a/**/c'],
    [['a/**'], '/src/a/x', '-a/**'],
    [['dir/'], '/src/dir', '+'],
    [['dir/'], '/src/dir/x', '-dir/'],
    [['*.log', '!b.log'], '/src/b.log', '+!b.log'],
    [['!b.log', '*.log'], '/src/b.log', '-*.log'],
    [['*', '!a*', '!ab'], '/src/ab', '+!ab'],
    [['dir/', '!dir/x'], '/src/dir/x', '-dir/'],
    [['dir/*', '!dir/x'], '/src/dir/x', '+!dir/x'],
    [['dir/*', '!dir/x'], '/src/dir/x/y', '+!dir/x'],
    [['# comment', '', '   '], '/src/# comment', '+'],
    [['\\#x'], '/src/#x', '-\\#x'],
    [['\\!x'], '/src/!x', '-\\!x'],
    [['x\\ '], '/src/x ', '-x\\ '],
    [['x  '], '/src/x', '-x  '],
    [['a[0-9].txt'], '/src/a5.txt', '-a[0-9].txt'],
    [['[broken'], '/src/[broken', '+'],
    [['one\ntwo\r\nthree'], '/src/two', '-two'],
    [['*.LOG'], '/src/a.log', '+'],
  ] as const)('%j, %s: %s', (list, path, expected) => {
    expect(told(lines(...list), path)).toBe(expected);
  });

  it('name the folder above that they fit', () => {
    expect(ask(lines('out/'), '/src/out/a/b')).toMatchObject({ matched: '/src/out', origin: 'line' });
    expect(ask(lines('a/*', '!a/b'), '/src/a/b/c')).toMatchObject({ included: true, matched: '/src/a/b' });
  });

  it('of folders fit folders only', () => {
    expect(told(lines('dir/'), '/src/dir', DIR)).toBe('-dir/');
    expect(told(lines('dir/'), '/src/dir', { kind: 'symlink', size: 3 })).toBe('+');
  });

  it('win over presets', () => {
    const rules = Rules.parse({ presets: ['trash', 'caches'], lines: ['!.cache/', '.cache/x'] });
    expect(told(rules, '/src/.cache/y')).toBe('+!.cache/');
    expect(told(rules, '/src/.cache/x')).toBe('-.cache/x');
    expect(ask(rules, '/src/.Trash-1000/x')).toMatchObject({
      included: false,
      origin: 'preset',
      preset: 'trash',
      rule: '.Trash-[0-9]*/',
      matched: '/src/.Trash-1000',
    });
  });

  it('that are enormous fail in a sentence or work, but never crash', () => {
    for (const line of [
      '*'.repeat(4096),
      '[a-'.repeat(1300),
      '**/'.repeat(1300),
      '('.repeat(4096),
      'a'.repeat(4096),
    ]) {
      try {
        expect(typeof ask(lines(line), '/src/a/b').included).toBe('boolean');
      } catch (e) {
        expect(isEngineError(e, 'usage')).toBe(true);
      }
    }
  });
});

describe('platforms', () => {
  const WINDOWS: RuleOptions = { platform: 'win32' };
  const MAC: RuleOptions = { platform: 'darwin' };

  it('differ in case', () => {
    expect(told(lines('*.LOG'), '/src/a.log', FILE, MAC)).toBe('-*.LOG');
    expect(told(lines('/x'), '/SRC/X', FILE, MAC)).toBe('-/x');
    expect(told(lines('/x'), '/SRC/X', FILE, LINUX)).toBe('-');
  });

  it('of Windows have drives and backslashes', () => {
    const source = paths('C:\\Users\\me');
    expect(told(lines('*.log'), 'c:\\users\\ME\\a.Log', FILE, WINDOWS, source)).toBe('-*.log');
    expect(told(lines('*.log'), 'D:\\Users\\me\\a.log', FILE, WINDOWS, source)).toBe('-');
    const system = plain({ presets: ['system', 'temporary-files'] });
    expect(told(system, 'C:\\PageFile.sys', FILE, WINDOWS, paths('C:\\'))).toBe('-/pagefile.sys');
    expect(told(system, 'C:\\Users\\me\\pagefile.sys', FILE, WINDOWS, paths('C:\\'))).toBe('+');
    expect(told(system, 'c:\\windows\\temp\\x', FILE, WINDOWS, paths('c:\\windows'))).toBe(
      '-/Windows/Temp/*',
    );
  });

  it('of macOS take accents in either form', () => {
    expect(told(lines('/é'), '/src/e\u0301', FILE, MAC)).toBe('-/é');
  });
});

describe('bytes that are not UTF-8', () => {
  it('are matched by wildcards and disturb nothing', () => {
    const set = compileRules(paths('/src'), lines('*.log', '!keep*'), LINUX);
    const decide = (path: string) => set.decide(rawByteString(path), FILE).included;
    expect(decide('/src/\xff.log')).toBe(false);
    expect(decide('/src/\xff/\xc3\x28')).toBe(true);
    expect(decide('/src/keep\x80.log')).toBe(true);
    expect(set.verdict('/src/\ufffd.log', FILE).included).toBe(false);
  });
});

describe('conditions', () => {
  it('leave out by size, but no folder', () => {
    const rules = plain({ excludeLargerThan: 10 });
    expect(ask(rules, '/src/a', { kind: 'file', size: 11 })).toMatchObject({
      included: false,
      origin: 'size',
      rule: 'larger than 10 bytes',
      matched: '/src/a',
    });
    expect(told(rules, '/src/a', { kind: 'file', size: 10 })).toBe('+');
    expect(told(rules, '/src/a', { kind: 'dir', size: 4096 })).toBe('+');
  });

  it('look at the disk where no facts are given', () => {
    const at = temp.dir();
    writeTree(at, tree({ big: 'x'.repeat(20), out: { x: '' }, real: {} }));
    const set = compileRules(paths(at), plain({ excludeLargerThan: 10, lines: ['out/'] }));
    expect(set.verdict(join(at, 'big')).origin).toBe('size');
    expect(set.verdict(join(at, 'out'))).toMatchObject({ rule: 'out/', included: false });
    expect(set.verdict(join(at, 'gone')).included).toBe(true);
    const gone = compileRules(paths(at), lines('gone/'));
    expect(gone.verdict(join(at, 'gone')).included).toBe(true);
    expect(gone.verdict(join(at, 'gone/')).included).toBe(false);
    expect(gone.verdict(join(at, 'gone/x/y'))).toMatchObject({ included: false, matched: join(at, 'gone') });
  });

  it('leave out what is in marked folders, but the marker', () => {
    const at = temp.dir();
    const tag = 'Signature: 8a477f597d28d172789f06886806bc55\n';
    writeTree(
      at,
      tree({ a: { '.skip': '', sub: { deep: '' } }, c: { 'CACHEDIR.TAG': tag, x: '' }, d: { x: '' } }),
    );
    const set = compileRules(
      paths(at),
      plain({ excludeIfPresent: ['.skip', '.other'], excludeCaches: true }),
    );
    const a = join(at, 'a');
    expect(set.verdict(a).included).toBe(true);
    expect(set.verdict(join(a, '.skip')).included).toBe(true);
    const out = { included: false, origin: 'marker', rule: '.skip', matched: a };
    expect(set.verdict(join(a, 'sub'))).toMatchObject(out);
    expect(set.verdict(join(a, 'sub/deep'))).toMatchObject(out);
    expect(set.verdict(join(a, 'thought/up'))).toMatchObject(out);
    expect(set.verdict(join(at, 'c/x'))).toMatchObject({ origin: 'cache-tag', rule: 'CACHEDIR.TAG' });
    expect(set.verdict(join(at, 'c/CACHEDIR.TAG')).included).toBe(true);
    expect(set.verdict(join(at, 'd/x')).included).toBe(true);
  });

  it('are not named where a line decides already', () => {
    const rules = plain({ excludeLargerThan: 10, lines: ['a'] });
    expect(told(rules, '/src/a', { kind: 'file', size: 11 })).toBe('-a');
  });

  it('are not undone by a line', () => {
    expect(told(plain({ excludeLargerThan: 10, lines: ['!a'] }), '/src/a', { kind: 'file', size: 11 })).toBe(
      '-larger than 10 bytes',
    );
  });

  it('keep to one file system, if the facts tell which it is', () => {
    const at = temp.dir();
    writeTree(at, tree({ a: '' }));
    const set = compileRules(paths(at), plain({ oneFileSystem: true }));
    const elsewhere = { kind: 'file', size: 1, dev: 987_654 } as const;
    expect(set.verdict(join(at, 'a')).included).toBe(true);
    expect(set.verdict(join(at, 'a'), elsewhere)).toMatchObject({ included: false, origin: 'file-system' });
    expect(set.verdict(join(at, 'a'), FILE).included).toBe(true);
    // A source that is gone has no file system, and the question must be answered all the same.
    expect(told(plain({ oneFileSystem: true }), '/nowhere/a', FILE, LINUX, paths('/nowhere'))).toBe('+');
  });

  it('leave own folders out', () => {
    const set = compileRules(paths('/src'), lines('!*'), { ownFolders: [fromText('/src/repo')] });
    expect(set.verdict('/src/repo/x', FILE)).toMatchObject({ included: false, matched: '/src/repo' });
    expect(set.decideByName(fromText('/src/repo'))).toMatchObject({ included: false });
    expect(set.verdict('/src/repos', FILE).included).toBe(true);
  });
});

describe('what is no file', () => {
  it('lies behind a link: it belongs to no source', () => {
    const at = temp.dir();
    mkdirSync(join(at, 'real'));
    writeFileSync(join(at, 'real/x'), '');
    symlinkSync('real', join(at, 'link'));
    const set = compileRules(paths(at), lines());
    expect(set.verdict(join(at, 'link')).included).toBe(true);
    expect(set.verdict(join(at, 'link/x'))).toMatchObject({
      included: false,
      origin: 'source',
      matched: join(at, 'link'),
    });
    const excluded = compileRules(paths(at), lines('real/', 'link'));
    expect(excluded.verdict(join(at, 'link/x'))).toMatchObject({ rule: 'link', matched: join(at, 'link') });
    symlinkSync('.', join(at, 'real/loop'));
    expect(excluded.verdict(join(at, 'real/loop/x'))).toMatchObject({
      rule: 'real/',
      matched: join(at, 'real'),
    });
    const linked = compileRules(paths(join(at, 'link')), lines());
    expect(linked.verdict(join(at, 'link')).included).toBe(true);
    expect(linked.verdict(join(at, 'link/x')).included).toBe(false);
  });

  it('a pipe is kept, a socket is not', () => {
    const at = temp.dir();
    writeTree(at, tree({ pipe: fifo(), sock: socket() }));
    const set = compileRules(paths(at), lines());
    expect(set.verdict(join(at, 'pipe')).included).toBe(true);
    expect(set.verdict(join(at, 'sock'))).toMatchObject({ included: false, origin: 'none' });
  });
});

describe('selection', () => {
  it('answers by name where the kind makes no difference', () => {
    const rules = Rules.parse({ lines: ['*.log', 'dir/', '*.bak', '!*.bak/'] });
    const { byName, byStat } = selectionOf(compileRules(paths('/src'), rules, LINUX));
    const stat = (path: string, facts: PathFacts) => byStat(fromText(path), { ...BLANK, ...facts });
    expect(byName(fromText('/src/a.log'))).toBe('*.log');
    expect(byName(fromText('/src/dir'))).toBeUndefined();
    expect(byName(fromText('/src/a.bak'))).toBeUndefined();
    expect(stat('/src/dir', DIR)).toBe('dir/');
    expect(stat('/src/dir', FILE)).toBeUndefined();
    expect(stat('/src/a.bak', FILE)).toBe('*.bak');
    expect(stat('/src/a.bak', DIR)).toBeUndefined();
    expect(stat('/src/.cache', DIR)).toBe('caches: .cache/');
    expect(byName(fromText('/src'))).toBeUndefined();
    expect(byName(fromText('/elsewhere'))).toBe('outside of the sources');
  });
});

const BLANK = {
  kind: 'file',
  mode: 0,
  mtimeSec: 0,
  mtimeNs: 0,
  atimeSec: 0,
  atimeNs: 0,
  ctimeSec: 0,
  ctimeNs: 0,
  uid: 0,
  gid: 0,
  ino: 0,
  dev: 0,
  rdev: 0,
  nlink: 1,
  size: 0,
} as const;

describe('memory', () => {
  it('goes on being right when it has forgotten', () => {
    const set = compileRules(paths('/src'), lines('x*', '!x1*', 'x11'), LINUX);
    for (let i = 0; i < 20_000; i++) {
      const path = rawByteString(`/src/d${i}/x${i}`);
      const kept = String(i).startsWith('1') && i !== 11;
      expect(set.decide(path, FILE).included).toBe(kept);
    }
  });
});
