import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteString, rawByteString } from '../../src/util/byte-string.ts';
import { match, parsePatternBytes } from '../../src/util/pattern.ts';

/** Any bytes that can be a name: no slash, no NUL. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[/\0]/g, 'x'))
  .filter((s) => s !== '.' && s !== '..');
const absolutePath = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => `/${names.join('/')}`);

/** Few letters, so that patterns and paths often meet. */
const plainName = fc.stringMatching(/^[ab]{1,3}$/);
const plainPath = fc.array(plainName, { minLength: 1, maxLength: 6 }).map((names) => `/${names.join('/')}`);
const component = fc.stringMatching(/^[ab*?]{1,4}$/).filter((s) => s !== '**');
const pattern = fc
  .tuple(
    fc.boolean(),
    fc.array(component, { maxLength: 2 }),
    fc.boolean(),
    fc.array(component, { maxLength: 2 }),
  )
  .filter(([, before, , after]) => before.length + after.length > 0)
  .map(([rooted, before, wild, after]) => ({ rooted, before, wild, after }));

function textOf(p: { rooted: boolean; before: string[]; wild: boolean; after: string[] }): string {
  return (p.rooted ? '/' : '') + [...p.before, ...(p.wild ? ['**'] : []), ...p.after].join('/');
}

/** The same rule as one regular expression over the whole path. */
function oracle(p: { rooted: boolean; before: string[]; wild: boolean; after: string[] }): RegExp {
  const one = (c: string) => `/${c.replaceAll('*', '[^/]*').replaceAll('?', '[^/]')}`;
  const middle = p.wild ? '(?:/[^/]+)*' : '';
  const body = p.before.map(one).join('') + middle + p.after.map(one).join('');
  return new RegExp(`${p.rooted ? '^' : ''}${body}(?:/|$)`);
}

function matches(patterns: readonly string[], path: string): boolean {
  return match(parsePatternBytes(patterns.map(rawByteString)), rawByteString(path)).matched;
}

function escaped(text: string): ByteString {
  return rawByteString(text.replace(/[\\[\]*?]/g, '\\$&'));
}

describe('patterns', () => {
  it('agree with a regular expression', () => {
    fc.assert(
      fc.property(pattern, plainPath, (p, path) => {
        expect(matches([textOf(p)], path)).toBe(oracle(p).test(path));
      }),
      { numRuns: 3000 },
    );
  });

  it('match any path literally when escaped, and all below it, but not its neighbours', () => {
    fc.assert(
      fc.property(absolutePath, name, (path, below) => {
        const rule = escaped(path);
        expect(matches([rule], path)).toBe(true);
        expect(matches([rule], `${path}/${below}`)).toBe(true);
        expect(matches([rule], `${path}x`)).toBe(false);
        expect(matches([rule], `/y${path}`)).toBe(`/y${path}`.startsWith(`${path}/`));
      }),
      { numRuns: 1000 },
    );
  });

  it('let the last matching rule decide', () => {
    const rule = fc.tuple(fc.boolean(), pattern);
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), plainPath, (rules, path) => {
        const texts = rules.map(([negated, p]) => (negated ? '!' : '') + textOf(p));
        const last = rules.findLast(([, p]) => oracle(p).test(path));
        expect(matches(texts, path)).toBe(last !== undefined && !last[0]);
      }),
      { numRuns: 2000 },
    );
  });

  it('never rule out a folder below which something matches', () => {
    fc.assert(
      fc.property(pattern, plainPath, (p, path) => {
        const list = parsePatternBytes([rawByteString(textOf(p))]);
        fc.pre(match(list, rawByteString(path)).matched);
        const names = path.slice(1).split('/');
        for (let depth = 1; depth < names.length; depth++) {
          const folder = rawByteString(`/${names.slice(0, depth).join('/')}`);
          expect(match(list, folder).childMayMatch).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
