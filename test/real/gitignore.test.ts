/** Lines of a plan decide as git's own .gitignore does. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Rules, type RuleVerdict } from '../../src/api/model/plan.ts';
import { compileRules } from '../../src/rules/rule-set.ts';
import { useTemp } from '../helpers/scope.ts';
import { findProgram } from '../helpers/tools.ts';
import { type DirNode, dirOf, type Literal, writeTree } from '../helpers/tree.ts';

const temp = useTemp();

/** ASCII: `?` is a byte to git, and a character to people. */
const NAMES = [
  'a',
  'b',
  'c',
  'ab',
  'a.b',
  'x.log',
  '#a',
  '!a',
  'a b',
  'a ',
  '[a]',
  'a*',
  '-',
  '.a',
  '\\',
] as const;

function arbFolder(depth: number): fc.Arbitrary<DirNode> {
  const leaf: fc.Arbitrary<Literal> = fc.constant('');
  const child = depth === 0 ? leaf : fc.oneof(leaf, fc.constant(depth - 1).chain(arbFolder));
  const entry = fc.tuple(fc.constantFrom(...NAMES), child);
  return fc.uniqueArray(entry, { maxLength: 6, selector: ([name]) => name }).map((list) => dirOf(list));
}

const PARTS = [
  'a',
  'b',
  'c',
  'a*',
  '*a',
  '?',
  '*',
  '*.log',
  '**',
  '[ab]',
  '[!a]',
  '[^b]',
  '[a-c]*',
  '\\a',
  '\\*',
  'a\\ ',
  'a\\*',
  '\\[a\\]',
  '.a',
  '*.?',
  '#a',
  '!a',
  '\\#a',
  '\\!a',
  'a ',
  'a b',
  '[[:alpha:]]',
  '[]-]',
  '\\\\',
] as const;

const arbLine = fc
  .tuple(
    fc.constantFrom('', '', '!'),
    fc.constantFrom('', '', '/', '**/'),
    fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/', '/*', '/**', ' ', '\\ '),
  )
  .map(([negation, start, parts, end]) => `${negation}${start}${parts.join('/')}${end}`);

function pathsBelow(folder: string, prefix = ''): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name;
    if (path === '.git' || path === '.gitignore') return [];
    return entry.isDirectory() ? [path, ...pathsBelow(folder, `${path}/`)] : [path];
  });
}

/** The line that git names for each path, '' where none. */
function gitSays(folder: string, paths: readonly string[]): Map<string, string> {
  const args = ['-c', 'core.ignoreCase=false', '-c', 'core.excludesFile=', 'check-ignore'];
  const run = spawnSync('git', [...args, '--no-index', '-v', '-n', '-z', '--stdin'], {
    cwd: folder,
    input: paths.map((path) => `${path}\0`).join(''),
    encoding: 'utf8',
  });
  if (run.status !== 0 && run.status !== 1) throw new Error(run.stderr);
  const fields = run.stdout.split('\0');
  const said = new Map<string, string>();
  for (let i = 0; i + 3 < fields.length; i += 4) said.set(fields[i + 3]!, fields[i + 2]!);
  return said;
}

/** As git tells it: what is in because of a folder above has no line of its own. */
function gitsWords({ included, rule, path, matched }: RuleVerdict): string {
  return included && matched !== path ? '' : (rule ?? '');
}

/** git shows a line without the spaces at its end. */
const withoutSpaces = (line: string) => line.replace(/ +$/, '');

it.skipIf(findProgram('git') === undefined)(
  'decides as git does, and names the same line',
  { timeout: 600_000 },
  () => {
    const home = temp.dir('git');
    fc.assert(
      fc.property(arbFolder(3), fc.array(arbLine, { minLength: 1, maxLength: 8 }), (tree, lines) => {
        const at = mkdtempSync(join(home, 'repo-'));
        writeTree(at, tree);
        spawnSync('git', ['init', '-q', at]);
        writeFileSync(join(at, '.gitignore'), `${lines.join('\n')}\n`);
        const paths = pathsBelow(at);
        fc.pre(paths.length > 0);
        const said = gitSays(at, paths);
        expect(said.size).toBe(paths.length);
        const rules = compileRules([{ kind: 'path', path: at }], Rules.parse({ presets: [], lines }), {
          platform: 'linux',
        });
        const mine = paths.map((path) => [path, withoutSpaces(gitsWords(rules.verdict(join(at, path))))]);
        expect(mine).toEqual(paths.map((path) => [path, withoutSpaces(said.get(path)!)]));
      }),
      { numRuns: 400 },
    );
  },
);
