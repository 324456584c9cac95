/**
 * Which snapshots a command means: the filters `--host --tag --path`, and ids with restic's `latest`, `latest~1`
 * and `id:/sub/folder`. Here they become values; what answers to them is found by the repository.
 */
import { EngineError } from '../api/errors.ts';
import type { Environment } from './environment.ts';
import { defaultHost } from './environment.ts';
import { list, values } from './options.ts';

/** Tags that a snapshot must have all of. [''] stands for a snapshot without tags. */
export type TagList = readonly string[];

/** A snapshot passes with any of the hosts, any of the tag lists and all of the paths; an empty list asks nothing. */
export interface SnapshotFilter {
  readonly hosts: readonly string[];
  readonly tags: readonly TagList[];
  readonly paths: readonly string[];
}

export interface SnapshotFilterValues {
  readonly host: readonly string[];
  readonly tag: readonly TagList[];
  readonly path: readonly string[];
}

/** Without `shorthand` the letter -H stays free for the command. */
export function snapshotFilterOptions(o: { readonly shorthand?: boolean } = {}) {
  const host = o.shorthand === false ? '--host host' : '-H, --host host';
  return {
    host: list(host, 'only snapshots of this host (can be given several times; "" for any)'),
    tag: values(
      '--tag tag[,tag…]',
      'only snapshots with all of these tags (can be given several times)',
      tagLists,
    ),
    path: list(
      '--path path',
      'only snapshots with this absolute path (can be given several times; all must be there)',
    ),
  };
}

/** The filter that the flags say, with the host of the environment where `--host` is not given. */
export function snapshotFilter(flags: SnapshotFilterValues, env: Environment): SnapshotFilter {
  const fallback = defaultHost(env);
  const hosts = flags.host.length === 0 && fallback !== undefined ? [fallback] : flags.host;
  const any = hosts.length === 1 && hosts[0] === '';
  return { hosts: any ? [] : hosts, tags: flags.tag, paths: flags.path };
}

function tagLists(text: string): readonly TagList[] {
  return [parseTags(text)];
}

/** `a,b` as restic splits it: at commas, blanks around each tag dropped. */
export function parseTags(text: string): TagList {
  return text.split(',').map((tag) => tag.trim());
}

export type SnapshotReference =
  /** `back` snapshots before the newest that the filter passes. */
  | { readonly kind: 'latest'; readonly back: number; readonly subfolder: string }
  /** A whole id or the beginning of one. */
  | { readonly kind: 'id'; readonly prefix: string; readonly subfolder: string };

const REFERENCE = /^(?:latest(?:~(\d+))?|([0-9a-f]{1,64}))(?::(.*))?$/s;

/** `latest`, `latest~2`, `4bba301e`, each with an optional `:/sub/folder`. Error: 'usage'. */
export function parseSnapshotReference(text: string): SnapshotReference {
  const match = REFERENCE.exec(text);
  if (match === null) {
    throw new EngineError('usage', `"${text}" is not a snapshot`, {
      hint: 'Name one by the beginning of its id, or as latest, or latest~1 for the one before. `holdfast snapshots` lists them.',
    });
  }
  const subfolder = match[3] ?? '';
  if (match[2] !== undefined) return { kind: 'id', prefix: match[2], subfolder };
  return { kind: 'latest', back: Number(match[1] ?? 0), subfolder };
}
