/**
 * restore: a snapshot, or a part of one → files.
 *
 * include   only what a pattern matches, and the folders that lead there
 * exclude   all but what a pattern matches
 */
import { EngineError } from '../api/errors.ts';
import type { Id } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { findFolder } from '../restorer/find-tree.ts';
import type { RestoreOptions, Select } from '../restorer/options.ts';
import type { RestoreCounters, RestoreReport } from '../restorer/progress.ts';
import { restoreTree } from '../restorer/restorer.ts';
import { type ByteString, rawByteString } from '../util/byte-string.ts';
import { match, type PatternList } from '../util/pattern.ts';

export interface RestorePatterns {
  /** A list of patterns each for `--include`, `--iinclude`, and the files of such patterns. */
  readonly include?: readonly PatternList[];
  readonly exclude?: readonly PatternList[];
  readonly includeXattr?: PatternList;
  readonly excludeXattr?: PatternList;
}

export interface RestoreRequest extends Omit<RestoreOptions, 'select' | 'selectXattr'>, RestorePatterns {
  /** A path in the snapshot whose content becomes the root of what is restored; default: all. */
  readonly subfolder?: ByteString | undefined;
}

/**
 * Restores (a part of) a snapshot into `o.target`. What could not be restored is in the report: then the restore is
 * not complete, and a command ends with exit code 1.
 * Errors: 'usage' for impossible combinations, 'path-missing' for the subfolder, 'damaged' if the way there cannot
 * be read, and those of `restoreTree`.
 */
export async function restore(
  repo: IndexedRepository,
  snapshot: { readonly tree: Id },
  o: RestoreRequest,
): Promise<RestoreReport> {
  refuseContradictions(o);
  const call = o.signal ? { signal: o.signal } : {};
  const tree = await findFolder(repo, snapshot.tree, o.subfolder ?? rawByteString('/'), call);
  const { include, exclude, includeXattr, excludeXattr, subfolder, ...rest } = o;
  return restoreTree(repo, tree, {
    ...rest,
    select: selectionOf({ ...(include ? { include } : {}), ...(exclude ? { exclude } : {}) }),
    selectXattr: xattrSelection(includeXattr, excludeXattr),
  });
}

const hasAny = (lists: readonly PatternList[] = []): boolean => lists.some((l) => l.patterns.length > 0);

/** What no person can have meant. Error: 'usage'. */
function refuseContradictions(o: RestoreRequest): void {
  const included = hasAny(o.include);
  const excluded = hasAny(o.exclude);
  if (included && excluded) throw contradiction('Patterns to include and patterns to exclude', 'were given');
  if (o.includeXattr && o.excludeXattr)
    throw contradiction('Extended attributes to include and to exclude', 'were given');
  if (o.dryRun && o.verify) throw contradiction('A dry run and verification', 'were asked for');
  if (!o.delete || included || excluded || !/^\/+$/.test(o.target)) return;
  throw new EngineError(
    'usage',
    'Deleting at the top of the file system would remove all other files there.',
    {
      hint: 'Say with --include or --exclude what is meant.',
    },
  );
}

function contradiction(what: string, verb: string): EngineError {
  return new EngineError('usage', `${what} ${verb} at once.`, { hint: 'Choose one of the two.' });
}

/** The selection that lists of patterns stand for. An excluded folder is not entered. */
export function selectionOf({ include, exclude }: RestorePatterns): Select | undefined {
  if (exclude && hasAny(exclude)) {
    return (path, isFolder) => {
      const selected = !exclude.some((list) => match(list, path).matched);
      return { selected, children: selected && isFolder };
    };
  }
  if (!include || !hasAny(include)) return undefined;
  return (path, isFolder) => {
    let selected = false;
    let children = false;
    for (const list of include) {
      const found = match(list, path);
      selected ||= found.matched;
      children ||= found.childMayMatch;
    }
    return { selected, children: children && isFolder };
  };
}

function xattrSelection(
  include: PatternList | undefined,
  exclude: PatternList | undefined,
): ((name: ByteString) => boolean) | undefined {
  if (include) return (name) => match(include, name).matched;
  if (exclude) return (name) => !match(exclude, name).matched;
  return undefined;
}

/** The fields of restic's JSON summary, which leaves out what is 0. `seconds` are those since the start. */
export function summaryFields(c: RestoreCounters, seconds: number): Readonly<Record<string, number>> {
  const all = {
    seconds_elapsed: Math.floor(seconds),
    total_files: c.filesTotal,
    files_restored: c.filesRestored,
    files_skipped: c.filesSkipped,
    files_deleted: c.filesDeleted,
    total_bytes: c.bytesTotal,
    bytes_restored: c.bytesRestored,
    bytes_skipped: c.bytesSkipped,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
}
