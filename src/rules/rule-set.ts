/**
 * What of a plan's sources is backed up, and by which rule not.
 *
 * source     a folder or file that the person named; it is in whatever the rules say
 * line       a rule in .gitignore syntax, of a preset or of the person; relative to the nearest source above a path
 * condition  a rule about the file itself: its size, a marker beside it, the file system it lies on
 * decision   in or out, and why; the same for the backup (selection.ts), the rule tester and the preview (preview.ts)
 *
 * Lines decide as git does: the last that fits wins, "!" takes back in, but never below a folder that is out.
 * Conditions only leave out, and no line takes back in what they leave out. A path is looked at from its source
 * downwards; the first folder that is out settles all that is in it.
 */
import { posix } from 'node:path';
import { EngineError, isEngineError } from '../api/errors.ts';
import { PRESETS, type Preset, type Rules, type RuleVerdict, type Source } from '../api/model/plan.ts';
import { createSelector, type Selector } from '../archiver/exclude.ts';
import { showPath } from '../fs/errors.ts';
import { type FileStat, lstat } from '../fs/stat.ts';
import { type ByteString, fromText, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';
import { LineMatcher, type SourcedPattern } from './line-matcher.ts';
import { presetLines } from './presets.ts';

/** What is known of a file. Without its device, nothing is said about file systems. */
export interface PathFacts {
  readonly kind: FileStat['kind'];
  /** Bytes. */
  readonly size: number;
  readonly dev?: FileStat['dev'];
}

export interface Decision {
  readonly included: boolean;
  readonly rule: string | null;
  readonly origin: RuleVerdict['origin'];
  readonly preset: Preset | null;
  /** The path or the folder above it that the rule fits. */
  readonly matched: ByteString | null;
  /** What it leaves out lies on no disk or on another one: nobody shall measure it. */
  readonly elsewhere: boolean;
}

export interface RuleOptions {
  /** Whose presets, and whether case matters; this machine's unless said. */
  readonly platform?: NodeJS.Platform;
  /** Absolute paths that are always left out: the program's own cache, repositories that lie within a source. */
  readonly ownFolders?: readonly ByteString[];
  /** A marker that could not be read: its folder is backed up. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Remembers folders it has looked at, so it serves one run or one question; changes on the disk ask for a new one.
 */
export interface RuleSet {
  /** The files and folders among the sources: absolute, cleaned, each once. */
  readonly targets: readonly ByteString[];
  /**
   * For any absolute path. Without facts the file is looked at; where nothing is, a slash at the end makes it a folder.
   * Error: 'usage' for a path that is not absolute.
   */
  verdict(path: string, facts?: PathFacts): RuleVerdict;
  /** The same for a clean absolute path of the engine. */
  decide(path: ByteString, facts: PathFacts): Decision;
  /** That the path is out whatever lies there; undefined if that is not sure yet. */
  decideByName(path: ByteString): Decision | undefined;
}

const NONE: Decision = {
  included: true,
  rule: null,
  origin: 'none',
  preset: null,
  matched: null,
  elsewhere: false,
};
const OUTSIDE: Decision = { ...NONE, included: false, origin: 'source' };

/**
 * Errors: 'usage' for a source that is no absolute path, a rule that can't be understood or a marker that names no
 * file. A marker `name:text` fits files that begin with that text, as with --exclude-if-present.
 */
export function compileRules(sources: readonly Source[], rules: Rules, o: RuleOptions = {}): RuleSet {
  return new Compiled(sources, rules, o);
}

/** As a person would read it in a log: which rule leaves something out. */
export function describeDecision(d: Pick<Decision, 'rule' | 'origin' | 'preset'>): string {
  if (d.origin === 'preset') return `${d.preset}: ${d.rule}`;
  return d.rule ?? (d.origin === 'source' ? 'outside of the sources' : 'no rule');
}

/** A decision as the contract has it. */
export function verdictOf(path: ByteString, d: Decision): RuleVerdict {
  const { included, rule, origin, preset, matched } = d;
  return { path: toText(path), included, rule, origin, preset, matched: matched && toText(matched) };
}

/** A folder on the way, and the source above it. */
interface Folder {
  readonly decision: Decision;
  readonly base?: Base;
}

/** A source as it stands in the paths below it (on some systems in another case than it was named in). */
interface Base {
  readonly path: ByteString;
  readonly matcher: LineMatcher;
}

interface Condition {
  readonly origin: RuleVerdict['origin'];
  readonly rule: string;
  readonly selector: Selector;
}

/** How many folders are remembered. */
const REMEMBERED = 4096;

class Compiled implements RuleSet {
  readonly targets: readonly ByteString[];
  readonly #platform: NodeJS.Platform;
  readonly #matchers = new Map<string, LineMatcher>();
  readonly #own: Selector;
  readonly #conditions: readonly Condition[];
  readonly #folders = new Map<ByteString, Folder>();

  constructor(sources: readonly Source[], rules: Rules, o: RuleOptions) {
    this.#platform = o.platform ?? process.platform;
    const paths = sources.flatMap((source) => (source.kind === 'path' ? [this.#absolute(source.path)] : []));
    this.targets = [...new Set(paths)];
    const lines = linesOf(rules, this.#platform);
    const options = { ignoreCase: caseless(this.#platform) };
    for (const target of this.targets) {
      this.#matchers.set(
        this.#key(target),
        new LineMatcher(patternsFor(target, lines, this.#platform), options),
      );
    }
    this.#own = createSelector({ ownFolders: o.ownFolders ?? [] });
    this.#conditions = conditionsOf(rules, this.targets, o);
  }

  verdict(path: string, facts?: PathFacts): RuleVerdict {
    const clean = this.#absolute(path);
    const known = facts ?? look(clean) ?? { kind: /[/\\]$/.test(path) ? 'dir' : 'file', size: 0 };
    const decision = this.decide(clean, known);
    // A socket is nothing that could be brought back.
    return verdictOf(
      clean,
      decision.included && known.kind === 'socket' ? { ...NONE, included: false } : decision,
    );
  }

  decide(path: ByteString, facts: PathFacts): Decision {
    if (this.#matchers.has(this.#key(path))) return NONE;
    const above = this.#folder(parentOf(path));
    const decision = this.#below(above, path, facts);
    if (facts.kind === 'dir') this.#remember(path, { ...above, decision });
    return decision;
  }

  decideByName(path: ByteString): Decision | undefined {
    if (this.#matchers.has(this.#key(path))) return undefined;
    const { decision, base } = this.#folder(parentOf(path));
    if (!decision.included || base === undefined) return decision;
    const own = this.#ownFolder(path);
    if (own) return own;
    const match = base.matcher.matchAnyKind(this.#relative(base, path));
    return match && decisionOf(path, match);
  }

  #below({ decision, base }: Folder, path: ByteString, facts: PathFacts): Decision {
    if (!decision.included || base === undefined) return decision;
    const own = this.#ownFolder(path);
    if (own) return own;
    const relative = this.#relative(base, path);
    const match = base.matcher.match(facts.kind === 'dir' ? `${relative}/` : relative);
    if (match?.excluded) return decisionOf(path, match);
    return this.#byConditions(path, facts) ?? (match ? decisionOf(path, match) : decision);
  }

  #ownFolder(path: ByteString): Decision | undefined {
    const rule = this.#own.byName(path);
    return rule === undefined ? undefined : { ...NONE, included: false, rule, matched: path };
  }

  #byConditions(path: ByteString, facts: PathFacts): Decision | undefined {
    for (const { origin, rule, selector } of this.#conditions) {
      if (origin === 'file-system' && facts.dev === undefined) continue;
      if (selector.byStat(path, { dev: 0, ...facts }) === undefined) continue;
      const marked = origin === 'marker' || origin === 'cache-tag';
      const matched = marked ? parentOf(path) : path;
      return { ...NONE, included: false, rule, origin, matched, elsewhere: origin === 'file-system' };
    }
    return undefined;
  }

  #folder(path: ByteString): Folder {
    const known = this.#folders.get(path);
    if (known) return known;
    const folder = this.#lookAtFolder(path);
    this.#remember(path, folder);
    return folder;
  }

  #lookAtFolder(path: ByteString): Folder {
    const facts = look(path);
    const folder = this.#placeOf(path, facts);
    // Links are kept as links, so what lies behind one belongs to no source.
    const behind = folder.decision.included && facts !== undefined && facts.kind !== 'dir';
    return behind ? { decision: { ...OUTSIDE, matched: path } } : folder;
  }

  #placeOf(path: ByteString, facts: FileStat | undefined): Folder {
    const matcher = this.#matchers.get(this.#key(path));
    if (matcher) return { decision: NONE, base: { path, matcher } };
    const parent = parentOf(path);
    if (parent === path) return { decision: OUTSIDE };
    const above = this.#folder(parent);
    return { ...above, decision: this.#below(above, path, facts ?? { kind: 'dir', size: 0 }) };
  }

  #remember(path: ByteString, folder: Folder): void {
    if (this.#folders.size >= REMEMBERED) this.#folders.clear();
    this.#folders.set(path, folder);
  }

  #relative(base: Base, path: ByteString): string {
    const text = toText(rawByteString(path.slice(base.path === '/' ? 1 : base.path.length + 1)));
    return composed(text, this.#platform);
  }

  /** The same for all spellings of a path that the platform takes for one. */
  #key(path: ByteString): string {
    return caseless(this.#platform) ? composed(toText(path), this.#platform).toLowerCase() : path;
  }

  #absolute(path: string): ByteString {
    const windows = this.#platform === 'win32';
    const slashed = windows ? path.replaceAll('\\', '/') : path;
    const clean = cleanPath(fromText(slashed));
    if (clean.startsWith('/') || (windows && /^[a-z]:(\/|$)/i.test(clean))) return clean;
    throw new EngineError('usage', `${showPath(fromText(path))} is not the whole path of a file or folder.`, {
      hint: 'Write it from the top of the disk on, for example /home/me/Documents.',
    });
  }
}

function caseless(platform: NodeJS.Platform): boolean {
  return platform === 'win32' || platform === 'darwin';
}

/** macOS takes a letter and its accent for the same as both in one. */
function composed(text: string, platform: NodeJS.Platform): string {
  return platform === 'darwin' ? text.normalize('NFC') : text;
}

function parentOf(path: ByteString): ByteString {
  return rawByteString(posix.dirname(path));
}

/** undefined where nothing is or nothing may be looked at. */
function look(path: ByteString): FileStat | undefined {
  try {
    return lstat(path);
  } catch (e) {
    if (isEngineError(e)) return undefined;
    throw e;
  }
}

function decisionOf(
  path: ByteString,
  { rule, excluded }: NonNullable<ReturnType<LineMatcher['match']>>,
): Decision {
  return {
    included: !excluded,
    rule: rule.line,
    origin: rule.preset === null ? 'line' : 'preset',
    preset: rule.preset,
    matched: path,
    elsewhere: excluded && rule.pseudo,
  };
}

// ---- lines

interface Line extends SourcedPattern {
  readonly fromRoot: boolean;
}

/** All lines in the order in which later ones win: presets in the contract's order, then the person's. */
function linesOf(rules: Rules, platform: NodeJS.Platform): Line[] {
  const presets = PRESETS.filter((preset) => rules.presets.includes(preset)).flatMap((preset) =>
    presetLines(preset, platform).map(({ line, from, pseudo }) => ({
      pattern: line,
      rule: { line, preset, pseudo },
      fromRoot: from === 'root',
    })),
  );
  const own = rules.lines
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => ({
      pattern: composed(line, platform),
      rule: { line, preset: null, pseudo: false },
      fromRoot: false,
    }));
  return [...presets, ...own];
}

function patternsFor(
  target: ByteString,
  lines: readonly Line[],
  platform: NodeJS.Platform,
): SourcedPattern[] {
  const text = toText(target);
  const source = platform === 'win32' ? text.replace(/^[a-z]:/i, '') : text;
  return lines.flatMap((line) => {
    const pattern = line.fromRoot ? belowSource(line.pattern, source, caseless(platform)) : line.pattern;
    return pattern === undefined ? [] : [{ pattern, rule: line.rule }];
  });
}

/**
 * `/var/cache/*` as seen from /var is `/cache/*`. Nothing of it if the source lies elsewhere or within, or is that very
 * folder: who names it wants what is in it.
 */
function belowSource(pattern: string, source: string, ignoreCase: boolean): string | undefined {
  const base = source === '/' ? '' : source;
  const start = pattern.slice(0, base.length + 1);
  const same = ignoreCase ? start.toLowerCase() === `${base}/`.toLowerCase() : start === `${base}/`;
  const rest = pattern.slice(base.length);
  return same && rest !== '/*' ? rest : undefined;
}

// ---- conditions

/** One engine part each, in the engine's order, so that a decision knows which it was. */
function conditionsOf(rules: Rules, targets: readonly ByteString[], o: RuleOptions): Condition[] {
  const warn = o.onWarning ? { onWarning: o.onWarning } : {};
  const size = rules.excludeLargerThan;
  const there = targets.filter((target) => look(target) !== undefined);
  return [
    ...(rules.oneFileSystem
      ? [condition('file-system', 'on another file system', { oneFileSystem: true, targets: there })]
      : []),
    ...(size === null ? [] : [condition('size', `larger than ${size} bytes`, { excludeLargerThan: size })]),
    ...rules.excludeIfPresent.map((name) => condition('marker', name, { excludeIfPresent: [name], ...warn })),
    ...(rules.excludeCaches
      ? [condition('cache-tag', 'CACHEDIR.TAG', { excludeCaches: true, ...warn })]
      : []),
  ];
}

function condition(
  origin: Condition['origin'],
  rule: string,
  options: Parameters<typeof createSelector>[0],
): Condition {
  return { origin, rule, selector: createSelector(options) };
}
