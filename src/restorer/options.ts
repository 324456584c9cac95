/** What can be asked of a restore. */
import type { CallOptions } from '../backend/backend.ts';
import type { ByteString } from '../util/byte-string.ts';
import type { RestoreCounters, RestoreEvents } from './progress.ts';

/**
 * What happens to a file that is there already. always: it becomes as in the snapshot; if-changed: the same, but a
 * file with the right size and time is taken to be right; if-newer: only if the snapshot's is newer; never; beside: what
 * is there stays as it is, and where it differs the snapshot's gets a name of its own (see beside.ts).
 */
export type Overwrite = 'always' | 'if-changed' | 'if-newer' | 'never' | 'beside';

/** Those of the command line. */
export const OVERWRITES: readonly Overwrite[] = ['always', 'if-changed', 'if-newer', 'never'];

/** number: the recorded ids; name: the ids that the recorded names have here; keep: whoever restores. */
export type Ownership = 'number' | 'name' | 'keep';

/** Whether a path of the snapshot (from '/') is to be restored, and whether anything in that folder may be. */
export type Select = (
  path: ByteString,
  isFolder: boolean,
) => { readonly selected: boolean; readonly children: boolean };

export interface RestoreOptions extends CallOptions {
  /** The folder that becomes the root of the tree: an absolute path. Made if absent; may be a link to a folder. */
  readonly target: ByteString;
  readonly select?: Select | undefined;
  readonly overwrite?: Overwrite | undefined;
  /** What is added to names by the rule 'beside', such as `restored 2026-01-31`; 'restored' unless told. */
  readonly besideLabel?: string | undefined;
  /** Remove from restored folders what the snapshot has not, as far as it is selected. */
  readonly delete?: boolean | undefined;
  /** Write nothing; tell what would happen. */
  readonly dryRun?: boolean | undefined;
  /** Read restored files again and compare them with the snapshot. */
  readonly verify?: boolean | undefined;
  /** Leave holes where files have zeros. */
  readonly sparse?: boolean | undefined;
  readonly ownership?: Ownership | undefined;
  /** Which extended attributes are restored; default: all. */
  readonly selectXattr?: ((name: ByteString) => boolean) | undefined;
  readonly threads?: number | undefined;
  readonly events?: RestoreEvents | undefined;
  readonly counters?: RestoreCounters | undefined;
}
