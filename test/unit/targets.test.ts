import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import {
  type CollectedTargets,
  collectTargets,
  expandGlob,
  snapshotPaths,
  type TargetOptions,
} from '../../src/archiver/targets.ts';
import { fromText, rawByteString } from '../../src/util/byte-string.ts';
import { Temp } from '../helpers/temp.ts';

const text = (s: string) => Buffer.from(s);
const temp = new Temp();
let dir = '';

beforeEach(() => {
  dir = temp.dir();
  for (const folder of ['docs/deep', 'docs/other', 'empty', 'with space']) {
    mkdirSync(`${dir}/${folder}`, { recursive: true });
  }
  for (const file of [
    'a.txt',
    'b.txt',
    '.hidden',
    '#odd',
    'docs/c.txt',
    'docs/deep/d.txt',
    'docs/other/e.md',
  ]) {
    writeFileSync(`${dir}/${file}`, file);
  }
  symlinkSync('docs', `${dir}/link`);
});
afterEach(() => temp.clear());

function collect(o: Omit<TargetOptions, 'cwd'>): CollectedTargets {
  return collectTargets({ ...o, cwd: fromText(dir) });
}

function list(content: string | Uint8Array): string {
  const path = `${temp.dir()}/list`;
  writeFileSync(path, content);
  return path;
}

function codeAndMessage(run: () => unknown): string {
  try {
    run();
  } catch (e) {
    if (isEngineError(e)) return `${e.code}: ${e.message}`;
    throw e;
  }
  return 'no error';
}

describe('targets', () => {
  it('keep relative paths and report missing ones', () => {
    const found = collect({ paths: ['docs', './a.txt', 'gone', 'a.txt/x', `${dir}/b.txt`].map(fromText) });
    expect(found.targets).toEqual(['docs', './a.txt', `${dir}/b.txt`]);
    expect(found.missing.map((m) => [m.path, m.error.code])).toEqual([
      ['gone', 'not-found'],
      ['a.txt/x', 'not-found'],
    ]);
    expect(snapshotPaths(found.targets, fromText(dir))).toEqual([
      `${dir}/docs`,
      `${dir}/a.txt`,
      `${dir}/b.txt`,
    ]);
  });

  it('drop repeats, however they are spelled', () => {
    const paths = ['docs', './docs/', 'docs/../docs', 'a.txt', 'docs'].map(fromText);
    expect(collect({ paths }).targets).toEqual(['docs', 'a.txt']);
  });

  it('expand the patterns of --files-from, without comments and blanks', () => {
    const filesFrom = [list('# a comment\n\n  *.txt \r\n\tdocs/*/*.txt\u00a0\nnone*\nwith space\n')];
    const found = collect({ filesFrom, paths: [fromText('empty')] });
    expect(found.targets).toEqual(['a.txt', 'b.txt', 'docs/deep/d.txt', 'with space', 'empty']);
    expect(found.unmatched).toEqual(['none*']);
  });

  it('take the lines of --files-from-verbatim as they are', () => {
    const found = collect({ filesFromVerbatim: [list('#odd\n\na.txt \n*.txt\na.txt')] });
    expect(found.targets).toEqual(['#odd', 'a.txt']);
    expect(found.missing.map((m) => m.path)).toEqual(['a.txt ', '*.txt']);
  });

  it('take the bytes of --files-from-raw as they are', () => {
    const odd = Buffer.from('\xff\n', 'latin1');
    writeFileSync(Buffer.concat([text(`${dir}/`), odd]), '');
    const found = collect({ filesFromRaw: [list(Buffer.concat([text('a.txt\0'), odd, text('\0')]))] });
    expect(found.targets).toEqual(['a.txt', rawByteString('\xff\n')]);
  });

  it.each([
    ['a.txt', 'the last name does not end with a NUL'],
    ['a.txt\0\0', 'an empty name'],
  ])('refuse the raw list %j', (content, message) => {
    const refused = codeAndMessage(() => collect({ filesFromRaw: [list(content)] }));
    expect(refused).toMatch(/^usage: /);
    expect(refused).toContain(message);
  });

  it.each([
    ['UTF-8 with a mark', Buffer.from('\ufeffa.txt\n')],
    ['UTF-16LE', Buffer.from('\ufeffa.txt\n', 'utf16le')],
    ['UTF-16BE', Buffer.from('\ufeffa.txt\n', 'utf16le').swap16()],
  ])('read lists in %s', (_, content) => {
    expect(collect({ filesFromVerbatim: [list(content)] }).targets).toEqual(['a.txt']);
  });

  it('read standard input once', () => {
    const stdin = text('a.txt\n');
    expect(collect({ filesFrom: ['-'], stdin }).targets).toEqual(['a.txt']);
    expect(codeAndMessage(() => collect({ filesFrom: ['-', '-'], stdin }))).toContain('one list only');
    expect(codeAndMessage(() => collect({ filesFrom: ['-'] }))).toContain('nothing comes');
  });

  it.each([
    ['nothing at all', {}, 'usage: There is nothing to back up.'],
    ['only missing ones', { paths: [fromText('gone')] }, 'source-missing: There is nothing'],
    [
      'a list that is not there',
      { filesFrom: ['/nowhere/list'] },
      'usage: --files-from: the file /nowhere/list',
    ],
  ] as const)('refuse %s', (_, o, message) => {
    expect(codeAndMessage(() => collect(o))).toContain(message);
  });

  it('name a bad pattern of a list', () => {
    expect(codeAndMessage(() => collect({ filesFrom: [list('docs/[a\n')] }))).toContain('"docs/[a"');
  });

  it('name the pattern that no file answers to', () => {
    expect(codeAndMessage(() => collect({ filesFrom: [list('none*\n')] }))).toContain('"none*"');
  });
});

describe('expandGlob', () => {
  it.each([
    ['*', ['#odd', '.hidden', 'a.txt', 'b.txt', 'docs', 'empty', 'link', 'with space']],
    ['[ab].txt', ['a.txt', 'b.txt']],
    ['link/*.txt', ['link/c.txt']],
    ['*/c.txt', ['docs/c.txt', 'link/c.txt']],
    ['./docs/d*', ['docs/deep']],
    ['\\a.txt', ['a.txt']],
    ['docs/', ['docs/']],
    ['a.txt/', []],
    ['docs*/', []],
    ['a.txt/*', []],
  ])('%s', (pattern, expected) => {
    expect(expandGlob(fromText(pattern), fromText(dir))).toEqual(expected);
  });

  it('goes from the top for absolute patterns', () => {
    expect(expandGlob(fromText(`${dir}/docs/*/e.md`), fromText('/'))).toEqual([`${dir}/docs/other/e.md`]);
  });
});
