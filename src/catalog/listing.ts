/** A folder's entries as the catalog compares them: few fields, in the order of bytes, each name once. */
import type { Id, Node } from '../format/types.ts';
import type { ByteString } from '../util/byte-string.ts';
import { isKept } from './names.ts';
import { type NodeState, stateOf } from './node-state.ts';
import type { Pace } from './pace.ts';
import { nodesInSlices } from './tree-slices.ts';

export interface Entry {
  readonly name: ByteString;
  readonly state: NodeState;
  /** The listing of a folder. */
  readonly subtree: Id | undefined;
}

/** Errors: 'damaged', the reason of the pace's signal. */
export async function readListing(bytes: Uint8Array, pace: Pace): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const nodes of nodesInSlices(bytes)) {
    for (const node of nodes) if (isKept(node.name)) entries.push(entryOf(node));
    await pace.breathe();
  }
  return isInOrder(entries) ? entries : ordered(entries);
}

function entryOf(node: Node): Entry {
  return {
    name: node.name,
    state: stateOf(node),
    subtree: node.type === 'dir' ? node.subtree : undefined,
  };
}

function isInOrder(entries: readonly Entry[]): boolean {
  return entries.every(({ name }, i) => i === 0 || entries[i - 1]!.name < name);
}

/** No backup program writes such listings. Of entries with one name the first counts, as for all who look for it. */
function ordered(entries: readonly Entry[]): readonly Entry[] {
  const first = new Map<ByteString, Entry>();
  for (const entry of entries) if (!first.has(entry.name)) first.set(entry.name, entry);
  return [...first.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What up to three listings have under one name. */
export type Triple = readonly [Entry | undefined, Entry | undefined, Entry | undefined];

/** Goes through listings side by side, name by name. */
export function* sideBySide(
  lists: readonly [readonly Entry[], readonly Entry[], readonly Entry[]],
): Generator<Triple> {
  const at = [0, 0, 0];
  for (;;) {
    let least: ByteString | undefined;
    for (let i = 0; i < 3; i++) {
      const name = lists[i]![at[i]!]?.name;
      if (name !== undefined && (least === undefined || name < least)) least = name;
    }
    if (least === undefined) return;
    const take = (i: 0 | 1 | 2) => (lists[i][at[i]!]?.name === least ? lists[i][at[i]!++] : undefined);
    yield [take(0), take(1), take(2)];
  }
}
