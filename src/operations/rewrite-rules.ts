/** Which files of a snapshot stay when it is rewritten: what `--exclude` or `--include` say about their paths. */

import { EngineError } from '../api/errors.ts';
import { createSelector, expandVariables } from '../archiver/exclude.ts';
import { meaningfulLines, readListFile } from '../archiver/list-file.ts';
import type { TreeRules } from '../repository/tree-rewriter.ts';
import { type ByteString, fromText } from '../util/byte-string.ts';
import { match, type PatternList, parsePatternBytes } from '../util/pattern.ts';

export interface RewritePatterns {
  readonly exclude: readonly string[];
  readonly iexclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly iexcludeFile: readonly string[];
  readonly include: readonly string[];
  readonly iinclude: readonly string[];
  readonly includeFile: readonly string[];
  readonly iincludeFile: readonly string[];
  /** Fills `$NAME` in pattern files. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface FileRules {
  readonly files: TreeRules;
  /** Nothing that matches: the snapshot stays as it is. */
  readonly keepIfEmpty: boolean;
}

/**
 * undefined where no pattern is given. `onDecided` hears of every path that is left out, or taken in.
 * Error: 'usage' for patterns of both kinds, bad ones, and files that can't be read.
 */
export function rewriteRules(
  p: RewritePatterns,
  onDecided: (path: ByteString, kept: boolean) => void = () => {},
): FileRules | undefined {
  const excludes = [...p.exclude, ...p.iexclude, ...p.excludeFile, ...p.iexcludeFile].length > 0;
  const includes = [...p.include, ...p.iinclude, ...p.includeFile, ...p.iincludeFile].length > 0;
  if (excludes && includes) {
    throw new EngineError('usage', 'Files can be excluded or included, not both at once.');
  }
  if (excludes) return { files: excluding(p, onDecided), keepIfEmpty: false };
  return includes ? { files: including(p, onDecided), keepIfEmpty: true } : undefined;
}

type OnDecided = (path: ByteString, kept: boolean) => void;

function excluding(p: RewritePatterns, onDecided: OnDecided): TreeRules {
  const { exclude, iexclude, excludeFile, iexcludeFile, env } = p;
  const selector = createSelector({ exclude, iexclude, excludeFile, iexcludeFile, env });
  return {
    node(node, path) {
      if (selector.byName(path) === undefined) return node;
      onDecided(path, false);
      return undefined;
    },
  };
}

/** A folder is gone through while something below it may match, and stays empty only if it matches itself. */
function including(p: RewritePatterns, onDecided: OnDecided): TreeRules {
  const lists = [
    patternsOf(p.include, p.includeFile, '--include-file', p.env, false),
    patternsOf(p.iinclude, p.iincludeFile, '--iinclude-file', p.env, true),
  ];
  const matched = (path: ByteString) => lists.some((list) => match(list, path).matched);
  const mayMatch = (path: ByteString) =>
    lists.map((list) => match(list, path)).some((m) => m.matched || m.childMayMatch);
  return {
    node(node, path) {
      if (!(node.type === 'dir' ? mayMatch(path) : matched(path))) return undefined;
      if (node.type !== 'dir') onDecided(path, true);
      return node;
    },
    keepEmpty: matched,
  };
}

function patternsOf(
  texts: readonly string[],
  files: readonly string[],
  flag: string,
  env: RewritePatterns['env'],
  insensitive: boolean,
): PatternList {
  const inFiles = files.flatMap((file) => meaningfulLines(readListFile(file, flag)));
  const patterns = [...texts.map(fromText), ...inFiles.map((line) => expandVariables(line, env))];
  return parsePatternBytes(patterns, { insensitive });
}
