/**
 * Folders of a snapshot as an archive.
 *
 * entry    a node with its path in the archive, which has no slash at its beginning
 * sink     takes the bytes of the archive in order; a promise asks to wait
 */
import type { Node } from '../../format/types.ts';
import type { ByteString } from '../../util/byte-string.ts';

export interface ArchiveEntry {
  /** Names joined by slashes. */
  readonly path: ByteString;
  readonly node: Node;
  /** Bytes of the content; 0 for anything but files. */
  readonly size: number;
  /** An earlier entry that is the same file. */
  readonly linkTo: ByteString | undefined;
  /** The content; not asked for where there is none. */
  readonly content: () => AsyncIterable<Uint8Array>;
}

export type Sink = (bytes: Uint8Array) => void | Promise<void>;

/** A format of archives. Entries are to be added one after the other, then `end` once. */
export interface ArchiveWriter {
  /**
   * Errors: those of the sink and of the content; 'damaged' if the content has another size than was said. After one, further entries
   * may be added where the sink is taken back to where this one began; nothing is written to it any more by then.
   */
  add(entry: ArchiveEntry): Promise<void>;
  end(): Promise<void>;
}
