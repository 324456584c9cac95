/** What a person chose of a version: paths as screens show them. */
import { EngineError } from '../api/errors.ts';
import type { Select } from '../restorer/options.ts';
import { type ByteString, fromText, rawByteString, toText } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';

/** Stands in a path for a byte that is no UTF-8. */
const MARK = '\ufffd';

/**
 * Chooses some paths and all that is below them; remembers which of them it has met. Names that are no UTF-8 answer to what is
 * shown of them.
 */
export class WantedPaths {
  readonly #wanted = new Set<ByteString>();
  /** The folders above. */
  readonly #leading = new Set<string>(['/']);
  readonly #seen = new Set<ByteString>();
  readonly #marked: boolean;

  /** None: everything. */
  constructor(paths: readonly string[]) {
    this.#marked = paths.some((path) => path.includes(MARK));
    for (const text of paths.length === 0 ? ['/'] : paths) {
      const path = cleanPath(rawByteString(`/${fromText(text)}`));
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

  /** A path or a folder above it. */
  #isWanted(path: ByteString): boolean {
    if (this.#wanted.has(rawByteString('/'))) return true;
    for (let part = path; part.length > 1; part = rawByteString(part.slice(0, part.lastIndexOf('/')))) {
      if (!this.#wanted.has(part)) continue;
      this.#seen.add(part);
      return true;
    }
    return false;
  }

  /**
   * To be called after the walk. Returns the paths that were not met, as errors for a report.
   * Error: 'path-missing' where none was.
   */
  unseen(): readonly { readonly path: string; readonly error: EngineError }[] {
    const unseen = [...this.#wanted].filter((path) => path !== '/' && !this.#seen.has(path));
    const missing = unseen.map((path) => ({ path: toText(path), error: notThere(toText(path)) }));
    if (missing.length > 0 && missing.length === this.#wanted.size) throw missing[0]!.error;
    return missing;
  }
}

function notThere(path: string): EngineError {
  return new EngineError('path-missing', `${path} is not in this version.`);
}
