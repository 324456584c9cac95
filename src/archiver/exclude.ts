/**
 * What a backup leaves out, and by which rule.
 *
 * by name    decided from the path alone, before anybody looks at the file: the patterns
 * by stat    decided after a look at it: size, file system, tag files beside it
 * tag file   a file whose presence (and, if asked for, whose beginning) excludes the folder it lies in
 * rule       the flag and its value that decided, as a person would write them
 *
 * Source of the behaviour: restic's `internal/archiver/exclude.go` and `internal/filter/exclude.go`.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { posix } from 'node:path';
import { EngineError, isEngineError } from '../api/errors.ts';
import { showPath, translateFsError } from '../fs/errors.ts';
import { nodePath } from '../fs/path.ts';
import { type FileStat, lstat } from '../fs/stat.ts';
import { type ByteString, fromText, joinPath, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath, match, type PatternList, parsePatternBytes } from '../util/pattern.ts';
import { meaningfulLines, readListFile } from './list-file.ts';

/** The looks at the disk that rules need; the real one unless a test brings its own. */
export interface ExcludeDisk {
  /** Throws 'not-found' where nothing is. */
  lstat(path: ByteString): Pick<FileStat, 'kind' | 'size' | 'dev'>;
  /** At most `length` bytes from the beginning of a file, links followed. */
  readStart(path: ByteString, length: number): Uint8Array;
}

export interface ExcludeOptions {
  readonly exclude?: readonly string[];
  readonly iexclude?: readonly string[];
  /** Files with patterns. */
  readonly excludeFile?: readonly string[];
  readonly iexcludeFile?: readonly string[];
  /** `name` or `name:beginning of its content`. */
  readonly excludeIfPresent?: readonly string[];
  readonly excludeCaches?: boolean;
  /** Bytes; files of more are left out. */
  readonly excludeLargerThan?: number;
  /** Stay on the file systems of `targets`. */
  readonly oneFileSystem?: boolean;
  /** Does nothing on systems without files that are only in the cloud; 'unsupported' on those that have them. */
  readonly excludeCloudFiles?: boolean;
  /** Absolute paths. Needed for `oneFileSystem`. */
  readonly targets?: readonly ByteString[];
  /** Absolute paths that are always left out with all they hold: the program's own cache. */
  readonly ownFolders?: readonly ByteString[];
  /** Fills `$NAME` and `${NAME}` in pattern files. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly disk?: ExcludeDisk;
  /** A tag file that could not be read or has a wrong beginning: its folder is backed up. */
  readonly onWarning?: (message: string) => void;
}

/** Both answers are the rule that leaves the path out, or undefined. Paths are absolute. */
export interface Selector {
  byName(path: ByteString): string | undefined;
  byStat(path: ByteString, stat: Pick<FileStat, 'kind' | 'size' | 'dev'>): string | undefined;
}

type NameRule = Selector['byName'];
type StatRule = Selector['byStat'];

/**
 * Combines all rules; the first that rejects a path is told. Reads the pattern files and, for `oneFileSystem`, looks
 * at the targets. Errors: 'usage' for a bad pattern, tag or file; whatever the disk says about a target.
 */
export function createSelector(o: ExcludeOptions): Selector {
  if (o.excludeCloudFiles) refuseCloudFiles(process.platform);
  const names = nameRules(o);
  const stats = statRules(o);
  return {
    byName: (path) => firstRule(names, (rule) => rule(path)),
    byStat: (path, stat) => firstRule(stats, (rule) => rule(path, stat)),
  };
}

function refuseCloudFiles(platform: NodeJS.Platform): void {
  if (platform !== 'win32' && platform !== 'darwin') return;
  throw new EngineError('unsupported', '--exclude-cloud-files does not work on this system yet.', {
    hint: 'Leave the flag away and exclude the folder of the cloud service with --exclude.',
  });
}

function firstRule<R>(rules: readonly R[], ask: (rule: R) => string | undefined): string | undefined {
  for (const rule of rules) {
    const answer = ask(rule);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

// ---- by name

function nameRules(o: ExcludeOptions): NameRule[] {
  return [
    ...(o.ownFolders ?? []).map(ownFolderRule),
    ...patternRules(collectPatterns('--iexclude', o.iexclude, o.iexcludeFile, o.env), true),
    ...patternRules(collectPatterns('--exclude', o.exclude, o.excludeFile, o.env), false),
  ];
}

function ownFolderRule(folder: ByteString): NameRule {
  const clean = cleanPath(folder);
  const below = clean === '/' ? '/' : `${clean}/`;
  return (path) => (path === clean || path.startsWith(below) ? "Holdfast's own folder" : undefined);
}

interface SourcedPattern {
  readonly pattern: ByteString;
  /** What stands before the pattern in the rule's name. */
  readonly source: string;
}

/** restic's order: the patterns of the command line, then those of the files. It matters for negation. */
function collectPatterns(
  flag: string,
  texts: readonly string[] = [],
  files: readonly string[] = [],
  env: ExcludeOptions['env'] = {},
): SourcedPattern[] {
  const direct = texts.map((text) => ({ pattern: fromText(text), source: flag }));
  return [...direct, ...files.flatMap((file) => patternsInFile(file, `${flag}-file`, env))];
}

function patternsInFile(
  file: string,
  flag: string,
  env: NonNullable<ExcludeOptions['env']>,
): SourcedPattern[] {
  const lines = meaningfulLines(readListFile(file, flag));
  return lines.map((line) => ({ pattern: expandVariables(line, env), source: `${flag} ${file}:` }));
}

const VARIABLE = /\$(?:\{([^}]*)\}|\{|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g;

/**
 * `$NAME` and `${NAME}` as Go's `os.Expand` reads them: an unknown name gives nothing, `$$` one dollar, and a dollar
 * before anything else stays.
 */
export function expandVariables(
  line: ByteString,
  env: Readonly<Record<string, string | undefined>>,
): ByteString {
  const expanded = line.replace(VARIABLE, (_, braced?: string, special?: string, plain?: string) => {
    const name = braced ?? special ?? plain ?? '';
    return name === '$' ? '$' : fromText(env[toText(rawByteString(name))] ?? '');
  });
  return rawByteString(expanded);
}

function patternRules(patterns: readonly SourcedPattern[], insensitive: boolean): NameRule[] {
  if (patterns.length === 0) return [];
  const list = parseSourced(patterns, insensitive);
  return [
    (path) => {
      const { matched, pattern, index } = match(list, path);
      return matched ? `${patterns[index ?? 0]?.source} ${pattern}` : undefined;
    },
  ];
}

/** Tells in which flag or file a bad pattern stands. */
function parseSourced(patterns: readonly SourcedPattern[], insensitive: boolean): PatternList {
  for (const { pattern, source } of patterns) {
    try {
      parsePatternBytes([pattern]);
    } catch (e) {
      if (!isEngineError(e)) throw e;
      const { hint, context } = e;
      const details = { ...(hint === undefined ? {} : { hint }), context };
      throw new EngineError(e.code, `${source} ${e.message}`, details, { cause: e });
    }
  }
  const bytes = patterns.map((p) => p.pattern);
  return parsePatternBytes(bytes, { insensitive });
}

// ---- by stat

function statRules(o: ExcludeOptions): StatRule[] {
  const disk = o.disk ?? REAL_DISK;
  const tags = [...(o.excludeIfPresent ?? []).map(parseTag), ...(o.excludeCaches ? [CACHE_TAG] : [])];
  return [
    ...(o.oneFileSystem ? [deviceRule(o.targets ?? [], disk)] : []),
    ...(o.excludeLargerThan === undefined ? [] : [sizeRule(o.excludeLargerThan)]),
    ...tags.map((tag) => tagRule(tag, disk, o.onWarning)),
  ];
}

function sizeRule(limit: number): StatRule {
  const rule = `--exclude-larger-than ${limit}`;
  return (_, stat) => (stat.kind !== 'dir' && stat.size > limit ? rule : undefined);
}

type Device = FileStat['dev'];

/**
 * Accepts what lies on the file system of the target above it. A folder on which another file system is mounted is
 * kept, empty: it is what a restored system mounts on.
 */
function deviceRule(targets: readonly ByteString[], disk: ExcludeDisk): StatRule {
  const devices = new Map<ByteString, Device>();
  for (const target of targets) devices.set(cleanPath(target), disk.lstat(target).dev);
  const rule = '--one-file-system';
  return (path, stat) => {
    if (isAllowed(devices, path, stat.dev)) return undefined;
    return stat.kind === 'dir' && isMountPoint(devices, path, disk) ? undefined : rule;
  };
}

/** Compares with the nearest target at or above the path. Nothing else than what lies below targets is walked. */
function isAllowed(devices: ReadonlyMap<ByteString, Device>, path: ByteString, device: Device): boolean {
  for (let dir = path; ; dir = parentOf(dir)) {
    const allowed = devices.get(dir);
    if (allowed !== undefined) return allowed === device;
    if (dir === parentOf(dir)) return false;
  }
}

function isMountPoint(
  devices: ReadonlyMap<ByteString, Device>,
  path: ByteString,
  disk: ExcludeDisk,
): boolean {
  const parent = parentOf(path);
  try {
    return isAllowed(devices, parent, disk.lstat(parent).dev);
  } catch (e) {
    // A parent that can't be looked at decides nothing in favour of its content.
    if (isEngineError(e)) return false;
    throw e;
  }
}

function parentOf(path: ByteString): ByteString {
  return rawByteString(posix.dirname(path));
}

interface Tag {
  readonly name: ByteString;
  /** What the file must begin with; '' accepts any. */
  readonly header: ByteString;
  readonly rule: string;
}

/** https://bford.info/cachedir/ */
const CACHE_TAG: Tag = {
  name: rawByteString('CACHEDIR.TAG'),
  header: rawByteString('Signature: 8a477f597d28d172789f06886806bc55'),
  rule: '--exclude-caches',
};

function parseTag(spec: string): Tag {
  const colon = spec.indexOf(':');
  const name = colon < 0 ? spec : spec.slice(0, colon);
  if (name === '') {
    throw new EngineError('usage', `--exclude-if-present "${spec}" names no file.`, {
      hint: 'Write the name of a file, such as .nobackup, or name:text for one that begins with that text.',
    });
  }
  const header = colon < 0 ? '' : spec.slice(colon + 1);
  return { name: fromText(name), header: fromText(header), rule: `--exclude-if-present ${spec}` };
}

/** How many folders are remembered. A walk asks for the entries of one folder between visits to its subfolders. */
const REMEMBERED = 4096;

/** Rejects everything in a tagged folder but the tag file itself. The folder stays. */
function tagRule(tag: Tag, disk: ExcludeDisk, warn: ExcludeOptions['onWarning']): StatRule {
  const known = new Map<ByteString, boolean>();
  return (path) => {
    if (posix.basename(path) === tag.name) return undefined;
    const folder = parentOf(path);
    let tagged = known.get(folder);
    if (tagged === undefined) {
      if (known.size >= REMEMBERED) known.clear();
      tagged = isTagged(folder, tag, disk, warn);
      known.set(folder, tagged);
    }
    return tagged ? tag.rule : undefined;
  };
}

function isTagged(
  folder: ByteString,
  tag: Tag,
  disk: ExcludeDisk,
  warn: ExcludeOptions['onWarning'],
): boolean {
  const path = joinPath(folder, tag.name);
  try {
    disk.lstat(path);
    if (tag.header === '') return true;
    const start = disk.readStart(path, tag.header.length);
    if (Buffer.from(tag.header, 'latin1').equals(start)) return true;
    const fault = start.length < tag.header.length ? 'is too short' : 'begins with something else';
    warn?.(`${showPath(path)} ${fault}, so that ${showPath(folder)} is not left out.`);
  } catch (e) {
    if (!isEngineError(e)) throw e;
    if (e.code !== 'not-found') warn?.(`${e.message} ${showPath(folder)} is not left out.`);
  }
  return false;
}

const REAL_DISK: ExcludeDisk = { lstat, readStart };

function readStart(path: ByteString, length: number): Uint8Array {
  try {
    // O_NONBLOCK: a pipe with the name of a tag would otherwise wait for a writer.
    const fd = openSync(nodePath(path), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      return readUpTo(fd, length);
    } finally {
      closeSync(fd);
    }
  } catch (e) {
    throw translateFsError(e, path, 'read');
  }
}

function readUpTo(fd: number, length: number): Uint8Array {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, buffer, filled, length - filled, null);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
