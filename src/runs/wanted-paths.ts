/** What a person chose of a version: paths as screens show them. */
import { EngineError } from '../api/errors.ts';
import type { Select } from '../restorer/options.ts';
import { type ByteString, fromText, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';

/** Stands in a path for a byte that is no UTF-8. */
const MARK = '\ufffd';
const ROOT = rawByteString('/');

/**
 * Chooses some paths and all that is below them, but for what is left out; remembers which of them it has met. Of several that
 * are above a path the nearest says whether it is chosen; one that is both chosen and left out is left out. Names that are no UTF-8
 * answer to what is shown of them.
 */
export class WantedPaths {
  readonly #wanted = new Set<ByteString>();
  readonly #excluded: ReadonlySet<ByteString>;
  /** The folders above. */
  readonly #leading = new Set<string>(['/']);
  readonly #seen = new Set<ByteString>();
  readonly #marked: boolean;

  /** No paths: everything. That one of `exclude` is not in the version is no error. */
  constructor(paths: readonly string[], exclude: readonly string[] = []) {
    this.#marked = [...paths, ...exclude].some((path) => path.includes(MARK));
    this.#excluded = new Set(exclude.map(insideVersion));
    for (const path of (paths.length === 0 ? ['/'] : paths).map(insideVersion)) {
      this.#wanted.add(path);
      for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
        this.#leading.add(path.slice(0, end));
      }
    }
  }

  readonly select: Select = (location, isFolder) => {
    const path = this.#marked ? fromText(toText(location)) : location;
    const selected = this.#isWanted(path);
    return { selected, children: isFolder && (selected || this.#leading.has(path)) };
  };

  /** What the nearest says of a path: it itself or a folder above it. */
  #isWanted(path: ByteString): boolean {
    if (this.#wanted.has(path)) this.#seen.add(path);
    for (let part = path; part.length > 1; part = rawByteString(part.slice(0, part.lastIndexOf('/')))) {
      if (this.#excluded.has(part)) return false;
      if (this.#wanted.has(part)) return true;
    }
    return this.#wanted.has(ROOT) && !this.#excluded.has(ROOT);
  }

  /**
   * To be called after the walk. Returns the paths that were not met, as errors for a report.
   * Error: 'path-missing' where none was.
   */
  unseen(): readonly { readonly path: string; readonly error: EngineError }[] {
    const unseen = [...this.#wanted].filter((path) => path !== ROOT && !this.#seen.has(path));
    const missing = unseen.map((path) => ({ path: toText(path), error: notThere(toText(path)) }));
    if (missing.length > 0 && missing.length === this.#wanted.size) throw missing[0]!.error;
    return missing;
  }
}

function insideVersion(text: string): ByteString {
  return cleanPath(rawByteString(`/${fromText(text)}`));
}

function notThere(path: string): EngineError {
  return new EngineError('path-missing', `${path} is not in this version.`);
}
