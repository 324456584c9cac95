/** Which snapshots a command means: the flags `--host --tag --path` as a filter for the repository's. */
import { parseTagList, type SnapshotFilter, type TagList } from '../repository/snapshot-filter.ts';
import type { Environment } from './environment.ts';
import { defaultHost } from './environment.ts';
import { list, values } from './options.ts';

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
  return [parseTagList(text)];
}
