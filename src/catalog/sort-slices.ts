import type { Pace } from './pace.ts';

/** Sorted at once by the engine; longer lists are merged from such runs. */
const RUN = 512;
/** Merge steps between two looks at the clock. */
const STEPS = 1024;

/**
 * A stable merge sort in slices. What is nearly in order already, as the names of a tree are, takes few comparisons.
 * `compare` is called with elements of `list`, which is not changed.
 */
export async function sortInSlices(
  list: Uint32Array,
  compare: (a: number, b: number) => number,
  pace: Pace,
): Promise<Uint32Array> {
  let from = Uint32Array.from(list);
  for (let at = 0; at < from.length; at += RUN) {
    from.subarray(at, at + RUN).sort(compare);
    await pace.breathe();
  }
  let to = new Uint32Array(from.length);
  for (let width = RUN; width < from.length; width *= 2) {
    for (let at = 0; at < from.length; at += 2 * width) await merge(from, to, at, width, compare, pace);
    [from, to] = [to, from];
  }
  return from;
}

async function merge(
  from: Uint32Array,
  to: Uint32Array,
  start: number,
  width: number,
  compare: (a: number, b: number) => number,
  pace: Pace,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(start + 2 * width, from.length);
  if (middle === end || compare(from[middle - 1]!, from[middle]!) <= 0) {
    to.set(from.subarray(start, end), start);
    return;
  }
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takeLeft = right >= end || (left < middle && compare(from[left]!, from[right]!) <= 0);
    to[at] = takeLeft ? from[left++]! : from[right++]!;
    if (at % STEPS === 0) await pace.breathe();
  }
}
