/** Names for what is restored beside a file that is there and differs: `letter (restored 2026-01-31).odt`. */
import { lstatIfExists } from '../fs/stat.ts';
import { type ByteString, fromText, rawByteString } from '../util/byte-string.ts';

/** Of a file name, on all common file systems. */
const MOST_NAME_BYTES = 255;

export class BesideNames {
  readonly #label: string;
  /** Given out, and perhaps not made yet. */
  readonly #given = new Set<ByteString>();

  constructor(label: string) {
    this.#label = label;
  }

  /** A path in the same folder at which nothing is. Errors: those of looking there. */
  nameFor(path: ByteString): ByteString {
    for (let nr = 1; ; nr++) {
      const label = nr === 1 ? this.#label : `${this.#label} ${nr}`;
      const beside = withLabel(path, fromText(` (${label})`));
      if (this.#given.has(beside) || lstatIfExists(beside)) continue;
      this.#given.add(beside);
      return beside;
    }
  }
}

/** Before the extension, so that the file still opens; a name that would be too long loses bytes of its stem. */
function withLabel(path: ByteString, label: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const dot = name.lastIndexOf('.');
  // A dot at the beginning hides a file; what follows a far dot is no extension.
  const hasExtension = dot > 0 && name.length - dot <= 16;
  const extension = hasExtension ? name.slice(dot) : '';
  const stem = hasExtension ? name.slice(0, dot) : name;
  const room = MOST_NAME_BYTES - label.length - extension.length;
  return rawByteString(`${path.slice(0, slash + 1)}${whole(stem.slice(0, room), stem)}${label}${extension}`);
}

/** Without the beginning of a UTF-8 character that was cut. */
function whole(cut: string, from: string): string {
  if (cut.length === from.length) return cut;
  let end = cut.length;
  while (end > 0 && isContinuation(from.charCodeAt(end))) end--;
  return cut.slice(0, end);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
