/**
 * Which files and folders a backup is asked for: named one by one, and in lists.
 *
 * --files-from            lines with patterns, blanks trimmed, `#` begins a comment
 * --files-from-verbatim   a path a line, exactly as it stands
 * --files-from-raw        paths that each end with a NUL
 *
 * Paths stay as they were given, relative ones too: the layout of the snapshot depends on it (roots.ts).
 * Source of the behaviour: restic's `collectTargets` in `cmd/restic/cmd_backup.go`.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import { readDirectory } from '../fs/directory.ts';
import { showPath } from '../fs/errors.ts';
import { lstat, stat } from '../fs/stat.ts';
import { type ByteString, fromBytes, joinPath, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath, compileComponent } from '../util/pattern.ts';
import { linesOf, meaningfulLines, readListFile } from './list-file.ts';

export interface TargetOptions {
  /** The paths that the person named. */
  readonly paths?: readonly ByteString[];
  /** Files with lists; '-' stands for standard input. */
  readonly filesFrom?: readonly string[];
  readonly filesFromVerbatim?: readonly string[];
  readonly filesFromRaw?: readonly string[];
  /** All of standard input, if one of the lists is '-'. */
  readonly stdin?: Uint8Array;
  /** An absolute path, what relative ones start from. */
  readonly cwd: ByteString;
}

export interface MissingTarget {
  readonly path: ByteString;
  /** Tells why in a sentence; 'not-found' if nothing is there. */
  readonly error: EngineError;
}

export interface CollectedTargets {
  /** What exists, each once, lists before named paths. */
  readonly targets: readonly ByteString[];
  readonly missing: readonly MissingTarget[];
  /** Patterns of `--files-from` that no file answers to. */
  readonly unmatched: readonly string[];
}

/**
 * Errors: 'usage' if nothing was asked for or a list is malformed; 'source-missing' if nothing of it can be looked at.
 */
export function collectTargets(o: TargetOptions): CollectedTargets {
  const lists = new Lists(o.stdin);
  const unmatched: string[] = [];
  const wanted = [
    ...eachList(o.filesFrom, '--files-from', lists, (data) => expandLines(data, o.cwd, unmatched)),
    ...eachList(o.filesFromVerbatim, '--files-from-verbatim', lists, (data) =>
      linesOf(data).filter((line) => line !== ''),
    ),
    ...eachList(o.filesFromRaw, '--files-from-raw', lists, rawNames),
    ...(o.paths ?? []),
  ];
  if (wanted.length === 0) throw nothingWanted(unmatched);
  const { targets, missing } = lookAt(withoutRepeats(wanted), o.cwd);
  if (targets.length === 0) throw nothingThere(missing);
  return { targets, missing, unmatched };
}

/** The targets as they stand in a snapshot: absolute, without `.` and `..`. */
export function snapshotPaths(targets: readonly ByteString[], cwd: ByteString): string[] {
  return targets.map((target) => toText(absolutePath(target, cwd)));
}

/** The path from the top, without `.` and `..`. */
export function absolutePath(path: ByteString, cwd: ByteString): ByteString {
  return path.startsWith('/') ? cleanPath(path) : cleanPath(joinPath(cwd, path));
}

/** Where lists come from. Standard input can be read once only. */
class Lists {
  #stdin: Uint8Array | undefined;
  #used = false;

  constructor(stdin: Uint8Array | undefined) {
    this.#stdin = stdin;
  }

  read(path: string, flag: string): Uint8Array {
    if (path !== '-') return readListFile(path, flag);
    if (this.#used) throw new EngineError('usage', `${flag} -: standard input can serve one list only.`);
    if (this.#stdin === undefined) {
      throw new EngineError('usage', `${flag} -: nothing comes from standard input.`);
    }
    this.#used = true;
    return this.#stdin;
  }
}

function eachList(
  files: readonly string[] = [],
  flag: string,
  lists: Lists,
  parse: (data: Uint8Array) => readonly ByteString[],
): ByteString[] {
  return files.flatMap((file) => parse(lists.read(file, flag)));
}

function expandLines(data: Uint8Array, cwd: ByteString, unmatched: string[]): ByteString[] {
  return meaningfulLines(data).flatMap((line) => {
    const paths = expandGlob(line, cwd);
    if (paths.length === 0) unmatched.push(toText(line));
    return paths;
  });
}

function rawNames(data: Uint8Array): ByteString[] {
  const names = fromBytes(data).split('\0').map(rawByteString);
  if (names.pop() !== '') {
    throw new EngineError('usage', '--files-from-raw: the last name does not end with a NUL.', {
      hint: 'Such lists come from `find … -print0` and its like; use --files-from-verbatim for lines.',
    });
  }
  if (names.includes(rawByteString(''))) {
    throw new EngineError('usage', '--files-from-raw: there is an empty name in the list.');
  }
  return names;
}

function withoutRepeats(paths: readonly ByteString[]): ByteString[] {
  const seen = new Set<ByteString>();
  return paths.filter((path) => {
    const clean = cleanPath(path);
    return !seen.has(clean) && seen.add(clean);
  });
}

function lookAt(paths: readonly ByteString[], cwd: ByteString): Omit<CollectedTargets, 'unmatched'> {
  const targets: ByteString[] = [];
  const missing: MissingTarget[] = [];
  for (const path of paths) {
    try {
      lstat(absolutePath(path, cwd));
      targets.push(path);
    } catch (error) {
      if (!isEngineError(error)) throw error;
      missing.push({ path, error });
    }
  }
  return { targets, missing };
}

function nothingWanted(unmatched: readonly string[]): EngineError {
  const [pattern] = unmatched;
  if (pattern !== undefined) {
    return new EngineError('usage', `There is nothing to back up: no file answers to "${pattern}".`);
  }
  return new EngineError('usage', 'There is nothing to back up.', {
    hint: 'Name the files and folders to back up.',
  });
}

function nothingThere(missing: readonly MissingTarget[]): EngineError {
  const paths = missing.map((m) => showPath(m.path)).join(', ');
  return new EngineError(
    'source-missing',
    `There is nothing to back up: ${paths} can't be found or accessed.`,
    {
      hint: 'Is the disk plugged in and mounted?',
    },
  );
}

// ---- patterns of --files-from, as Go's `filepath.Glob`

const WILD = /[\\[*?]/;

/**
 * The existing paths that a pattern stands for, in the order of names. Folders that can't be read have none.
 * Error: 'usage' for a malformed pattern.
 */
export function expandGlob(pattern: ByteString, cwd: ByteString): ByteString[] {
  for (const component of pattern.split('/')) compileComponent(component, toText(pattern));
  if (!WILD.test(pattern)) return exists(absoluteKeepingSlash(pattern, cwd)) ? [pattern] : [];
  const slash = pattern.lastIndexOf('/');
  const folder = rawByteString(slash < 0 ? '.' : slash === 0 ? '/' : pattern.slice(0, slash));
  const matches = compileComponent(pattern.slice(slash + 1), toText(pattern));
  const folders = WILD.test(folder) ? expandGlob(folder, cwd) : [folder];
  return folders.flatMap((dir) =>
    namesIn(absolutePath(dir, cwd))
      .filter(matches)
      .map((name) => cleanPath(joinPath(dir, name))),
  );
}

/** A slash at the end asks for a folder, so it must not get lost. */
function absoluteKeepingSlash(path: ByteString, cwd: ByteString): ByteString {
  const absolute = absolutePath(path, cwd);
  return path.endsWith('/') && absolute !== '/' ? joinPath(absolute, rawByteString('')) : absolute;
}

function exists(path: ByteString): boolean {
  return quietly(() => lstat(path)) !== undefined;
}

function namesIn(dir: ByteString): readonly ByteString[] {
  return quietly(() => (stat(dir).kind === 'dir' ? readFollowing(dir) : [])) ?? [];
}

/** The names in a folder or in the folder that a link leads to. */
export function readFollowing(dir: ByteString): readonly ByteString[] {
  // The dot makes the system follow a link in the last place.
  return readDirectory(joinPath(dir, rawByteString('.')));
}

function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (e) {
    if (isEngineError(e)) return undefined;
    throw e;
  }
}
