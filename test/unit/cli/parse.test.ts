import { describe, expect, it } from 'vitest';
import { argumentBytes, lossless } from '../../../src/cli/arguments.ts';
import * as o from '../../../src/cli/options.ts';
import { findCommandWord, parseFlags } from '../../../src/cli/parse.ts';
import { snapshotFilter, snapshotFilterOptions } from '../../../src/cli/snapshot-flags.ts';
import { suggestions } from '../../../src/cli/suggest.ts';
import { parseReference } from '../../../src/repository/snapshot-filter.ts';

const set = {
  repo: o.text('-r, --repo place', ''),
  verbose: o.count('-v, --verbose', ''),
  json: o.flag('--json', ''),
  quiet: o.flag('-q, --quiet', ''),
  exclude: o.list('-e, --exclude pattern', ''),
  files: o.commaList('--files list', ''),
  depth: o.integer('--depth n', '', 3, 0),
  wait: o.duration('--wait time', ''),
  mode: o.choice('--mode word', '', ['always', 'never']),
};
const parse = (...argv: string[]) => parseFlags(argv, set);

describe('flags', () => {
  it('have their initial values when none is given', () => {
    expect(parse().values).toEqual({
      repo: undefined,
      verbose: 0,
      json: false,
      quiet: false,
      exclude: [],
      files: [],
      depth: 3,
      wait: 0,
      mode: undefined,
    });
  });

  it.each([
    [['--repo', 'a']],
    [['--repo=a']],
    [['-r', 'a']],
    [['-ra']],
    [['-r=a']],
    [['-qra']],
    [['--repo=b', '--repo', 'a']],
  ])('%j says the repository', (argv) => {
    expect(parse(...argv).values.repo).toBe('a');
  });

  it.each([
    [['-v', '-v'], 2],
    [['-vv'], 2],
    [['--verbose=2'], 2],
    [['-v=2'], 2],
    [['--verbose', '--verbose', '-v'], 3],
  ])('%j counts %d', (argv, n) => {
    expect(parse(...argv).values.verbose).toBe(n);
  });

  it('with an implied value leave the next word alone', () => {
    const { values, operands } = parse('--json', 'true', '-v', '2');
    expect([values.json, values.verbose, operands]).toEqual([true, 1, ['true', '2']]);
  });

  it('of truth can be taken back', () => {
    expect(parse('--json', '--json=false').values.json).toBe(false);
    expect(parse('-q=0').values.quiet).toBe(false);
  });

  it('repeat, keep commas unless they split, and take values that look like flags', () => {
    const { values } = parse('-e', 'a,b', '--exclude=', '--exclude', '--json', '--files', 'x,y', '--files=z');
    expect(values.exclude).toEqual(['a,b', '', '--json']);
    expect(values.files).toEqual(['x', 'y', 'z']);
    expect(values.json).toBe(false);
  });

  it('mix with operands, end at --, and a lone dash is an operand', () => {
    const { values, operands, given } = parse('a', '--json', '-', 'b', '--', '-q', '--repo');
    expect(operands).toEqual(['a', '-', 'b', '-q', '--repo']);
    expect(values.quiet).toBe(false);
    expect([...given]).toEqual(['json']);
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['--rep', 'a'], 'unknown flag: --rep'],
    [['-qx'], 'unknown shorthand flag: -x in -qx'],
    [['--repo'], 'flag needs a value: --repo'],
    [['-qr'], 'flag needs a value: -r'],
    [['--depth', 'x'], 'invalid value for --depth: "x" is not a whole number'],
    [['--depth=-1'], 'invalid value for --depth: -1 is below 0'],
    [['--json=maybe'], 'invalid value for --json: "maybe" is neither true nor false'],
    [['--mode', 'some'], 'invalid value for --mode: "some" is none of always, never'],
    [['--wait', '5'], 'invalid value for --wait: "5" is not a length of time'],
  ])('%j is refused', (argv, message) => {
    expect(() => parse(...argv)).toThrow(expect.objectContaining({ code: 'usage', message }));
  });
});

describe('the word that names the command', () => {
  it.each([
    [['ls'], 0],
    [['-r', 'x', 'ls'], 2],
    [['-rx', 'ls'], 1],
    [['--repo=x', '-v', 'ls', 'more'], 2],
    [['-vqr', 'x', 'ls'], 2],
    [['--host=h', 'ls'], 1],
    [['--json', '--', 'ls'], undefined],
    [['-r', 'ls'], undefined],
  ])('of %j is at %s', (argv, index) => {
    expect(findCommandWord(argv, set)?.index).toBe(index);
  });

  it('is guessed from near misses', () => {
    const known = ['snapshots', 'stats', 'restore', 'prune'];
    expect(suggestions('snap', known)).toEqual(['snapshots']);
    expect(suggestions('restroe', known)).toEqual(['restore']);
    expect(suggestions('xyzzy', known)).toEqual([]);
  });
});

describe('which snapshots', () => {
  const filter = (argv: string[], env = {}) =>
    snapshotFilter(parseFlags(argv, snapshotFilterOptions()).values, env);

  it('come from repeated flags; tags of one flag belong together', () => {
    expect(filter(['-H', 'a', '--host=b', '--tag', 'x, y', '--tag', '', '--path', '/p,q'])).toEqual({
      hosts: ['a', 'b'],
      tags: [['x', 'y'], ['']],
      paths: ['/p,q'],
    });
  });

  it('are those of the host in the environment, unless a flag says otherwise', () => {
    expect(filter([], { RESTIC_HOST: 'r' }).hosts).toEqual(['r']);
    expect(filter([], { RESTIC_HOST: 'r', HOLDFAST_HOST: 'h' }).hosts).toEqual(['h']);
    expect(filter(['--host', ''], { RESTIC_HOST: 'r' }).hosts).toEqual([]);
  });

  it.each([
    ['latest', { kind: 'latest', back: 0, subfolder: '' }],
    ['latest~2', { kind: 'latest', back: 2, subfolder: '' }],
    ['latest:/a:b', { kind: 'latest', back: 0, subfolder: '/a:b' }],
    ['4bba301e', { kind: 'id', prefix: '4bba301e', subfolder: '' }],
    ['4b:/x\ny', { kind: 'id', prefix: '4b', subfolder: '/x\ny' }],
  ])('%j is read', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
  });

  it.each(['', 'newest', 'latest~', 'latest~x', 'XYZ', 'latest2'])('%j is refused', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('arguments that are not UTF-8', () => {
  it('keep their bytes', () => {
    const bytes = 'caf\xc3\xa9-\xff\xed\xa0\x80\xf0\x9f';
    const seen = Buffer.from(bytes, 'latin1').toString('utf8');
    const [first, second] = lossless(['plain', seen], `node\0main\0plain\0${bytes}\0`);
    expect(first).toBe('plain');
    expect(second).toContain('café-');
    expect(argumentBytes(second ?? '')).toBe(bytes);
  });

  it('stay as they are when the system tells other words', () => {
    expect(lossless(['\uFFFD'], 'renamed\0')).toEqual(['\uFFFD']);
  });

  it('and those that are give their UTF-8', () => {
    expect(argumentBytes('é😀')).toBe(Buffer.from('é😀').toString('latin1'));
  });
});
