import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import { fromText, rawByteString } from '../../src/util/byte-string.ts';
import { match, parsePatternBytes, parsePatterns } from '../../src/util/pattern.ts';

interface Group {
  readonly patterns: readonly string[];
  readonly insensitive?: boolean;
  readonly invalid?: boolean;
  /** One digit a path: 1 for a match, 2 where a child may match, 3 for both. */
  readonly cases?: string;
}

interface Golden {
  readonly paths: readonly string[];
  readonly groups: readonly Group[];
}

/** What restic's own filter answers. */
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/patterns.json', import.meta.url), 'utf8'));

function answers(group: Group): string {
  const list = parsePatterns(group.patterns, { insensitive: group.insensitive === true });
  return golden.paths
    .map((path) => match(list, fromText(path)))
    .map((r) => String((r.matched ? 1 : 0) + (r.childMayMatch ? 2 : 0)))
    .join('');
}

function usageError(pattern: string): unknown {
  try {
    return parsePatterns([pattern]);
  } catch (e) {
    return e;
  }
}

describe('patterns', () => {
  const valid = golden.groups.filter((g) => g.invalid !== true);

  it(`answer as restic for ${valid.length} lists × ${golden.paths.length} paths`, () => {
    const wrong = valid.filter((g) => answers(g) !== g.cases).map((g) => g.patterns);
    expect(wrong).toEqual([]);
    expect(valid.length).toBeGreaterThan(600);
  });

  it.each(golden.groups.filter((g) => g.invalid).map((g) => g.patterns[0] ?? ''))('refuse %j', (pattern) => {
    const error = usageError(pattern);
    expect(isEngineError(error, 'usage') && error.message).toContain(pattern);
  });

  it('refuse a fault behind a part that restic never gets to', () => {
    expect(isEngineError(usageError('[a]*['), 'usage')).toBe(true);
  });

  it('name the rule that decided', () => {
    const list = parsePatterns(['*.tmp', '', '!keep.tmp', 'keep.*', '!/home/**']);
    expect(match(list, fromText('/x/a.tmp'))).toMatchObject({ matched: true, pattern: '*.tmp', index: 0 });
    expect(match(list, fromText('/x/keep.tmp'))).toMatchObject({
      matched: true,
      pattern: 'keep.*',
      index: 3,
    });
    expect(match(list, fromText('/home/a.tmp'))).toMatchObject({ matched: false, pattern: '!/home/**' });
    expect(match(list, fromText('/x/other'))).not.toHaveProperty('pattern');
  });

  it('match bytes that are no text', () => {
    const list = parsePatternBytes([rawByteString('/\xff*'), rawByteString('?')]);
    expect(match(list, rawByteString('/\xffabc')).matched).toBe(true);
    expect(match(list, rawByteString('/\xfe')).pattern).toBe('?');
    expect(match(list, rawByteString('/\xfe\xfe')).matched).toBe(false);
    expect(match(list, rawByteString('/\xc3\xa9')).pattern).toBe('?');
  });

  it.each([
    ['İ', 'i'],
    ['ΌΔΟΣ', 'όδοσ'],
    ['STRASSE*', 'Strasse 1'],
  ])('compare %s without case', (pattern, path) => {
    expect(match(parsePatterns([pattern], { insensitive: true }), fromText(path)).matched).toBe(true);
    expect(match(parsePatterns([pattern]), fromText(path)).matched).toBe(false);
  });

  it('refuse an empty path', () => {
    expect(() => match(parsePatterns(['a']), fromText(''))).toThrow('empty path');
  });
});
