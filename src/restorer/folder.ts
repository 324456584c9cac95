/** A folder of the snapshot and its counterpart below the target. */
import type { Node } from '../format/types.ts';
import type { ByteString } from '../util/byte-string.ts';

/**
 * Lives from the moment when the walk comes to it until all that belongs into it is in place; then what has to come
 * last (links, deletions, its own attributes) is done and its parent hears of it. So only the folders under way are
 * in memory.
 */
export class Folder {
  /** On the disk. */
  readonly path: ByteString;
  /** In the snapshot, from '/'. */
  readonly location: ByteString;
  readonly parent: Folder | undefined;
  /** undefined for the root: the target keeps its own attributes. */
  readonly node: Node | undefined;
  readonly selected: boolean;
  /** Symbolic links and special files: made when nothing will be written below this folder any more. */
  readonly later: Node[] = [];
  /** Names that the snapshot has here, selected or not; kept for deletions only. */
  names: Set<ByteString> | undefined;
  /** It was made by this restore, so whatever is looked for in it is not there. */
  fresh = false;
  /** It is known to be a real folder. */
  ready = false;
  /** Why nothing can be put into it. */
  broken: unknown;
  /** Something in it, or in a folder in it, was selected. */
  touched = false;
  /** Its listing was read whole, so what is missing there may be deleted here. */
  complete = false;
  /** Things under way in it; the walk through it is the first. */
  pending = 1;

  constructor(
    place: { readonly path: ByteString; readonly location: ByteString },
    parent: Folder | undefined,
    node: Node | undefined,
    selected: boolean,
  ) {
    this.path = place.path;
    this.location = place.location;
    this.parent = parent;
    this.node = node;
    this.selected = selected;
    if (parent) parent.pending++;
  }

  /** Marks it and all folders above. */
  touch(): void {
    for (let f: Folder | undefined = this; f && !f.touched; f = f.parent) f.touched = true;
  }
}
