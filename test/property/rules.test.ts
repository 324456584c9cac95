/** What a real backup stores, what the rule tester says and what the preview counts: always the same. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Preview, Rules, Source } from '../../src/api/model/plan.ts';
import { buildRoots } from '../../src/archiver/roots.ts';
import type { Id } from '../../src/format/types.ts';
import { lstat } from '../../src/fs/stat.ts';
import { backup } from '../../src/operations/backup.ts';
import type { IndexedRepository } from '../../src/repository/repository.ts';
import { preview } from '../../src/rules/preview.ts';
import { compileRules, type RuleSet, verdictOf } from '../../src/rules/rule-set.ts';
import { selectionOf } from '../../src/rules/selection.ts';
import {
  type ByteString,
  fromText,
  isValidUtf8,
  joinPath,
  rawByteString,
  toBytes,
  toText,
} from '../../src/util/byte-string.ts';
import { arbTree } from '../helpers/random-tree.ts';
import { memoryRepository } from '../helpers/repo.ts';
import { removeTree, Temp } from '../helpers/temp.ts';
import { type DirNode, dirOf, type Literal, symlink, writeTree } from '../helpers/tree.ts';

const TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n';
const NAMES = [
  'a',
  'b',
  'c',
  'ab',
  'x.log',
  'y.log',
  '.cache',
  'node_modules',
  'B',
  '#a',
  'a b',
  'é',
] as const;

/** Each starts and stops the threads of a backup. */
const RUNS = 32;

/** Few names, so that rules hit. */
const entryName = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...NAMES).map((name) => Buffer.from(name)) },
  { weight: 1, arbitrary: fc.constantFrom('ff', 'c328').map((hex) => Buffer.from(hex, 'hex')) },
);

function arbFolder(depth: number): fc.Arbitrary<DirNode> {
  const leaf: fc.Arbitrary<Literal> = fc.oneof(
    { weight: 6, arbitrary: fc.nat(40).map((size) => 'x'.repeat(size)) },
    { weight: 1, arbitrary: fc.constant(symlink('a')) },
  );
  const child =
    depth === 0
      ? leaf
      : fc.oneof(
          { weight: 2, arbitrary: leaf },
          { weight: 3, arbitrary: fc.nat(depth - 1).chain(arbFolder) },
        );
  const entries = fc.uniqueArray(fc.tuple(entryName, child), {
    maxLength: 6,
    selector: ([name]) => name.toString('latin1'),
  });
  const marker = fc.constantFrom<readonly (readonly [string, string])[]>(
    [],
    [],
    [],
    [],
    [['.skip', '']],
    [['CACHEDIR.TAG', TAG]],
    [['CACHEDIR.TAG', 'something else']],
  );
  return fc.tuple(entries, marker).map(([list, marks]) => dirOf([...list, ...marks]));
}

const PARTS = [
  'a',
  'b',
  'c',
  'a*',
  '?',
  '*',
  '*.log',
  '**',
  '[ab]',
  'é',
  '.skip',
  'B',
  '\\#a',
  'a b',
] as const;
const arbLine = fc
  .tuple(
    fc.constantFrom('', '', '!'),
    fc.constantFrom('', '', '/', '**/'),
    fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/', '/*'),
  )
  .map(([negation, start, parts, end]) => `${negation}${start}${parts.join('/')}${end}`);

const arbRules: fc.Arbitrary<Rules> = fc.record({
  presets: fc.subarray(['caches', 'temporary-files', 'node-modules', 'system'] as const),
  lines: fc.array(arbLine, { maxLength: 6 }),
  excludeLargerThan: fc.option(fc.constantFrom(0, 10, 30)),
  excludeIfPresent: fc.subarray(['.skip', 'x.log']),
  excludeCaches: fc.boolean(),
  oneFileSystem: fc.boolean(),
});

interface Found {
  readonly path: ByteString;
  readonly kind: string;
  readonly size: number;
}

/** All that lies below. */
function onDisk(folder: ByteString): Found[] {
  return readdirSync(toBytes(folder), { encoding: 'latin1' }).flatMap((name) => {
    const path = joinPath(folder, rawByteString(name));
    const { kind, size } = lstat(path);
    return [{ path, kind, size }, ...(kind === 'dir' ? onDisk(path) : [])];
  });
}

async function stored(repo: IndexedRepository, tree: Id, folder: ByteString): Promise<Found[]> {
  const { nodes } = await repo.loadTree(tree);
  const found: Found[] = [];
  for (const node of nodes) {
    const path = joinPath(folder, node.name);
    found.push({ path, kind: node.type, size: node.type === 'file' ? Number(node.size) : 0 });
    if (node.subtree) found.push(...(await stored(repo, node.subtree, path)));
  }
  return found;
}

async function backedUp(
  rules: RuleSet,
): Promise<{ found: Found[]; files: number; bytes: number; errors: number }> {
  const repo = await memoryRepository();
  const { snapshot, summary, errors } = await backup(repo, {
    source: { roots: buildRoots(rules.targets, rawByteString('/')) },
    selection: selectionOf(rules),
    paths: rules.targets.map(toText),
    hostname: 'h',
    username: 'u',
    uid: 0,
    gid: 0,
    programVersion: 'test',
    threads: 1,
  });
  const found = await stored(repo, snapshot.tree, rawByteString('/'));
  return { found, files: summary.total_files_processed, bytes: summary.total_bytes_processed, errors };
}

async function previewed(sources: readonly Source[], rules: Rules): Promise<Preview> {
  let last: Preview | undefined;
  for await (last of preview(sources, rules, { clock: { now: () => 0 } }));
  return last!;
}

const isBelow = (path: ByteString, folder: ByteString) => path.startsWith(`${folder}/`);
const bytesOf = (list: readonly Found[]) => list.reduce((sum, f) => sum + f.size, 0);
const pathsOf = (list: readonly Found[]) => list.map((f) => toText(f.path)).sort();

/** Compares the three for the tree at `at`, with `picks` naming further sources within it. */
async function compare(at: string, rules: Rules, picks: readonly number[]): Promise<void> {
  const disk = onDisk(fromText(at));
  const candidates = disk.filter((f) => (f.kind === 'dir' || f.kind === 'file') && isValidUtf8(f.path));
  const further = picks.flatMap((pick) => candidates[pick % (candidates.length || 1)]?.path ?? []);
  const sources: Source[] = [at, ...further.map(toText)].map((path) => ({ kind: 'path', path }));
  const { found, files, bytes, errors } = await backedUp(compileRules(sources, rules));
  expect(errors).toBe(0);

  const tester = compileRules(sources, rules);
  const { targets } = tester;
  // A folder on the way to a source is stored for the source's sake, whatever the rules say of it.
  const leads = (path: ByteString) => targets.some((target) => isBelow(target, path));
  const below = found.filter((f) => isBelow(f.path, fromText(at)) && !leads(f.path));
  const wanted = disk.filter(
    (f) => !leads(f.path) && f.kind !== 'socket' && tester.decide(f.path, lstat(f.path)).included,
  );
  expect(pathsOf(below)).toEqual(pathsOf(wanted));
  for (const { path, kind } of disk) {
    if (!isValidUtf8(path) || kind === 'socket') continue;
    expect(tester.verdict(toText(path))).toEqual(verdictOf(path, tester.decide(path, lstat(path))));
  }

  const fileList = wanted.filter((f) => f.kind === 'file');
  expect([files, bytes]).toEqual([fileList.length, bytesOf(fileList)]);
  const shown = await previewed(sources, rules);
  const all = disk.filter((f) => f.kind === 'file');
  expect(shown).toMatchObject({
    done: true,
    files,
    bytes,
    excluded: all.length - files,
    excludedBytes: bytesOf(all) - bytes,
    problems: [],
  });
  for (const { bytes: size, ...item } of shown.excludedItems) {
    expect(size).toBeGreaterThanOrEqual(0);
    if (!item.path.includes('\ufffd')) expect(compileRules(sources, rules).verdict(item.path)).toEqual(item);
  }
  if (shown.excludedItems.length < 200) {
    expect(shown.excludedItems.reduce((sum, item) => sum + item.bytes, 0)).toBe(shown.excludedBytes);
  }
}

async function inFolder(tree: DirNode, test: (at: string) => Promise<void>): Promise<void> {
  using temp = new Temp();
  const at = join(temp.dir('rules'), 'src');
  writeTree(at, tree);
  try {
    await test(at);
  } finally {
    removeTree(at);
  }
}

describe('backup, rule tester and preview agree', () => {
  it('on trees and rules made to meet', { timeout: 120_000 }, async () => {
    const arbPicks = fc.array(fc.nat(1000), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(arbFolder(3), arbRules, arbPicks, async (tree, rules, picks) => {
        await inFolder(tree, (at) => compare(at, rules, picks));
      }),
      { numRuns: RUNS },
    );
  });

  it('on trees with everything unpleasant in them', { timeout: 120_000 }, async () => {
    const hostile = arbTree({ bigFiles: false, privileged: false, width: 6, depth: 3 });
    await fc.assert(
      fc.asyncProperty(hostile, arbRules, async (tree, rules) => {
        await inFolder(tree, (at) => compare(at, rules, []));
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

describe('a decision', () => {
  it('does not depend on what was asked before, nor on the order', async () => {
    await fc.assert(
      fc.asyncProperty(arbFolder(3), arbRules, async (tree, rules) => {
        await inFolder(tree, async (at) => {
          const sources: Source[] = [{ kind: 'path', path: at }];
          const one = compileRules(sources, rules);
          for (const { path } of onDisk(fromText(at)).reverse()) {
            const fresh = compileRules(sources, rules).decide(path, lstat(path));
            const byName = one.decideByName(path);
            expect(one.decide(path, lstat(path))).toEqual(fresh);
            if (byName) expect(verdictOf(path, byName)).toEqual(verdictOf(path, fresh));
          }
        });
      }),
      { numRuns: RUNS },
    );
  });
});
