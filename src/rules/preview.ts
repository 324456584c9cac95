/**
 * What a plan would back up and what not, counted before it is saved.
 *
 * It walks as the archiver does, from the same roots and with the same decisions, and counts what a backup counts:
 * files with content. What is left out is walked too, for its size, but within bounds: what is too large, lies on
 * another file system or on none is counted as far as that went, and a sentence says so.
 */
import { EngineError, isEngineError } from '../api/errors.ts';
import type { Preview, Rules, Source } from '../api/model/plan.ts';
import type { RootNode } from '../archiver/archiver.ts';
import { buildRoots } from '../archiver/roots.ts';
import { readDirectory } from '../fs/directory.ts';
import { type FileStat, lstat } from '../fs/stat.ts';
import { type ByteString, joinPath, rawByteString } from '../util/byte-string.ts';
import type { Clock } from '../util/clock.ts';
import { compileRules, type Decision, type RuleOptions, type RuleSet, verdictOf } from './rule-set.ts';

export interface PreviewLimits {
  /** Entries that are looked at within one excluded item. */
  readonly entriesPerItem: number;
  /** Entries that are looked at within all that is excluded. */
  readonly entries: number;
  /** Milliseconds spent before nothing more of what is excluded is measured. */
  readonly ms: number;
}

export interface PreviewOptions extends RuleOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits?: Partial<PreviewLimits>;
}

const LIMITS: PreviewLimits = { entriesPerItem: 100_000, entries: 1_000_000, ms: 60_000 };
/** Milliseconds between two of what is yielded. */
const INTERVAL = 250;
/** Entries between two turns for others on this thread. */
const TURN = 64;
const ITEMS = 200;
const PROBLEMS = 100;

/**
 * Yields a few times a second and a last time with `done`. What commands print counts as nothing. Errors: those of
 * `compileRules`, the signal's reason. What can't be read is told in `problems`.
 */
export async function* preview(
  sources: readonly Source[],
  rules: Rules,
  o: PreviewOptions,
): AsyncGenerator<Preview, void, undefined> {
  o.signal?.throwIfAborted();
  const walk = new PreviewWalk(compileRules(sources, rules, o), o);
  let shown = o.clock.now();
  for (let steps = 1; walk.step(); steps++) {
    o.signal?.throwIfAborted();
    if (steps % TURN !== 0) continue;
    await new Promise(setImmediate);
    o.signal?.throwIfAborted();
    const now = o.clock.now();
    // A clock that was set back must not keep everything silent until it has caught up.
    if (now >= shown && now - shown < INTERVAL) continue;
    shown = now;
    yield walk.snapshot(false);
  }
  yield walk.snapshot(true);
}

/** Something that is left out, as far as it has been measured. */
interface Left {
  readonly path: ByteString;
  readonly decision: Decision;
  readonly dev: FileStat['dev'] | undefined;
  bytes: number;
  entries: number;
  /** Not measured to its end. */
  unread: boolean;
}

/** What is still to be looked at: a path, or the end of an excluded item all of whose entries have been. */
type Pending =
  | { readonly kind: 'path'; readonly path: ByteString; readonly target: boolean }
  | { readonly kind: 'within'; readonly path: ByteString; readonly left: Left }
  | { readonly kind: 'end'; readonly left: Left };

class PreviewWalk {
  readonly #rules: RuleSet;
  readonly #limits: PreviewLimits;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #start: number;
  readonly #pending: Pending[] = [];
  readonly #largest = new Largest(ITEMS);
  readonly #problems: string[] = [];
  #moreProblems = 0;
  #files = 0;
  #bytes = 0;
  #excluded = 0;
  #excludedBytes = 0;
  #entriesLeft: number;
  /** Excluded items that were not measured to their end. */
  #unread = 0;

  constructor(rules: RuleSet, o: PreviewOptions) {
    this.#rules = rules;
    this.#limits = { ...LIMITS, ...o.limits };
    this.#clock = o.clock;
    this.#start = o.clock.now();
    this.#entriesLeft = this.#limits.entries;
    this.#begin();
  }

  #begin(): void {
    try {
      for (const path of targetsOf(buildRoots(this.#rules.targets, rawByteString('/')))) {
        this.#pending.push({ kind: 'path', path, target: this.#rules.targets.includes(path) });
      }
    } catch (e) {
      this.#problem(e);
    }
  }

  /** Looks at one more entry; false when there is none. */
  step(): boolean {
    const next = this.#pending.pop();
    switch (next?.kind) {
      case undefined:
        return false;
      case 'path':
        this.#look(next.path, next.target);
        break;
      case 'within':
        this.#measure(next.path, next.left);
        break;
      case 'end':
        if (next.left.unread) this.#unread++;
        this.#largest.add(next.left);
    }
    return true;
  }

  #look(path: ByteString, target: boolean): void {
    const byName = target ? undefined : this.#rules.decideByName(path);
    const stat = this.#stat(path, target, byName !== undefined);
    if (byName !== undefined) return this.#leaveOut(path, byName, stat);
    if (!stat) return;
    const decision = this.#rules.decide(path, stat);
    if (!decision.included) return this.#leaveOut(path, decision, stat);
    if (stat.kind === 'dir') {
      for (const child of this.#children(path))
        this.#pending.push({ kind: 'path', path: child, target: false });
    } else if (stat.kind === 'file') {
      this.#files++;
      this.#bytes += stat.size;
    }
  }

  /** What went away since its folder was listed is no problem, unless a person has named it. */
  #stat(path: ByteString, target: boolean, quiet: boolean): FileStat | undefined {
    try {
      return lstat(path);
    } catch (e) {
      if (!quiet && (target || !isEngineError(e, 'not-found'))) this.#problem(e);
      return undefined;
    }
  }

  #children(folder: ByteString): ByteString[] {
    try {
      return entriesOf(folder);
    } catch (e) {
      this.#problem(e);
      return [];
    }
  }

  #leaveOut(path: ByteString, decision: Decision, stat: FileStat | undefined): void {
    const unread = decision.origin === 'file-system';
    const left: Left = { path, decision, dev: stat?.dev, bytes: 0, entries: 0, unread };
    this.#pending.push({ kind: 'end', left });
    if (stat && !decision.elsewhere) this.#add(path, stat, left);
  }

  #measure(path: ByteString, left: Left): void {
    if (this.#exhausted(left)) {
      left.unread = true;
      return;
    }
    left.entries++;
    this.#entriesLeft--;
    const stat = this.#stat(path, false, true);
    if (stat) this.#add(path, stat, left);
  }

  #add(path: ByteString, stat: FileStat, left: Left): void {
    if (stat.kind === 'dir') return this.#enter(path, stat, left);
    if (stat.kind !== 'file') return;
    this.#excluded++;
    this.#excludedBytes += stat.size;
    left.bytes += stat.size;
  }

  #enter(folder: ByteString, stat: FileStat, left: Left): void {
    const entries = stat.dev !== left.dev || this.#exhausted(left) ? undefined : entriesIfReadable(folder);
    if (entries === undefined) left.unread = true;
    else for (const path of entries) this.#pending.push({ kind: 'within', path, left });
  }

  #exhausted(left: Left): boolean {
    if (this.#entriesLeft <= 0 || left.entries >= this.#limits.entriesPerItem) return true;
    return this.#clock.now() - this.#start > this.#limits.ms;
  }

  #problem(e: unknown): void {
    if (!(e instanceof EngineError)) throw e;
    if (this.#problems.length < PROBLEMS) this.#problems.push(e.message);
    else this.#moreProblems++;
  }

  snapshot(done: boolean): Preview {
    return {
      done,
      files: this.#files,
      bytes: this.#bytes,
      excluded: this.#excluded,
      excludedBytes: this.#excludedBytes,
      excludedItems: this.#largest
        .sorted()
        .map(({ path, decision, bytes }) => ({ ...verdictOf(path, decision), bytes })),
      problems: [...this.#problems, ...this.#summary()],
    };
  }

  #summary(): string[] {
    return [
      ...(this.#moreProblems === 0 ? [] : [`There are ${this.#moreProblems} more such problems.`]),
      ...(this.#unread === 0
        ? []
        : ['Some of what is left out was not measured to its end, so it holds more than is shown here.']),
    ];
  }
}

function entriesOf(folder: ByteString): ByteString[] {
  return readDirectory(folder).map((name) => joinPath(folder, name));
}

/** undefined if the folder can't be read. */
function entriesIfReadable(folder: ByteString): ByteString[] | undefined {
  try {
    return entriesOf(folder);
  } catch (e) {
    if (isEngineError(e)) return undefined;
    throw e;
  }
}

function* targetsOf(root: RootNode): Iterable<ByteString> {
  if (root.path !== undefined) yield root.path;
  for (const child of root.children.values()) yield* targetsOf(child);
}

/** The largest of any number, in bounded memory. */
class Largest {
  readonly #count: number;
  #items: Left[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  add(item: Left): void {
    this.#items.push(item);
    if (this.#items.length >= 2 * this.#count) this.#items = this.sorted();
  }

  sorted(): Left[] {
    const bySize = (a: Left, b: Left) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
    return [...this.#items].sort(bySize).slice(0, this.#count);
  }
}
