/**
 * Which line of .gitignore syntax decides about a path.
 *
 * The language itself (anchors, `**`, brackets, escapes, "!") is the work of the library `ignore`. Here: the lines
 * that take back in are named as well, which the library does not tell, and its memory of paths stays bounded.
 */
import ignore from 'ignore';
import { EngineError, messageOf } from '../api/errors.ts';
import type { Preset } from '../api/model/plan.ts';

/** A line and where it comes from. */
export interface LineRule {
  /** As it was written. */
  readonly line: string;
  readonly preset: Preset | null;
  /** What it fits is on no disk. */
  readonly pseudo: boolean;
}

export interface SourcedPattern {
  /** The line as it is matched, relative to the source. */
  readonly pattern: string;
  readonly rule: LineRule;
}

export interface LineMatch {
  readonly rule: LineRule;
  readonly excluded: boolean;
}

/** The library remembers every path it is asked about; after so many it starts anew. */
const REMEMBERED = 8192;

interface Options {
  readonly ignoreCase: boolean;
}

export class LineMatcher {
  readonly #rules: readonly LineRule[];
  readonly #options: Options;
  /** Holds the compiled lines and is never asked, so that it remembers no path. */
  readonly #compiled: ignore.Ignore;
  /** Lines that take back in, the last first, each alone. */
  readonly #takesBack: readonly SourcedPattern[];
  #current: ignore.Ignore;
  #asked = 0;

  /** Error: 'usage' for a line that no expression can be made of. */
  constructor(patterns: readonly SourcedPattern[], options: Options) {
    this.#rules = patterns.map((p) => p.rule);
    this.#options = options;
    for (const pattern of patterns) tryOut(pattern, options);
    this.#compiled = ignore(options).add(
      patterns.map(({ pattern }, index) => ({ pattern, mark: String(index) })),
    );
    this.#takesBack = patterns.filter(({ pattern }) => pattern.startsWith('!')).reverse();
    this.#current = this.#fresh();
  }

  #fresh(): ignore.Ignore {
    return ignore(this.#options).add(this.#compiled);
  }

  /**
   * The last line that fits the path; undefined if none does. The path is relative to the source, and a folder's ends
   * with a slash. Nothing above it may be excluded: what is cannot be taken back in further down.
   */
  match(path: string): LineMatch | undefined {
    const { ignored, unignored, rule } = this.#ask(path);
    if (ignored) return { rule: this.#rules[Number(rule?.mark)]!, excluded: true };
    const takenBack = unignored ? this.#whatTakesBack(path) : undefined;
    return takenBack && { rule: takenBack, excluded: false };
  }

  /** The line that leaves the path out, whether a file lies there or a folder; undefined if that makes a difference. */
  matchAnyKind(path: string): LineMatch | undefined {
    const asFile = this.#ask(path);
    if (!asFile.ignored) return undefined;
    const asFolder = this.#ask(`${path}/`);
    if (asFolder.rule?.mark !== asFile.rule?.mark) return undefined;
    return { rule: this.#rules[Number(asFile.rule?.mark)]!, excluded: true };
  }

  #ask(path: string): ignore.TestResult {
    if (++this.#asked % REMEMBERED === 0) this.#current = this.#fresh();
    return this.#current.test(path);
  }

  #whatTakesBack(path: string): LineRule | undefined {
    return this.#takesBack.find(({ pattern }) => ignore(this.#options).add({ pattern }).test(path).unignored)
      ?.rule;
  }
}

/** The library makes its expressions when they are first needed; a line that fails must fail here. */
function tryOut({ pattern, rule }: SourcedPattern, options: Options): void {
  try {
    ignore(options).add({ pattern }).test('a');
  } catch (e) {
    throw new EngineError('usage', `The rule "${rule.line}" can't be understood: ${messageOf(e)}.`, {
      hint: 'Write it in the syntax of .gitignore files, for example *.log or /folder/.',
    });
  }
}
