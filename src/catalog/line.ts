/**
 * A line as a row of positions: which versions a span covers, and what is left of the spans when versions are missing.
 * Spans are normal when each is as long as it can be, and those that reach an end of the line say so with OPEN.
 */
import { type NodeState, sameState } from './node-state.ts';

/** The line's oldest version as a span's `first`, its newest as a span's `last`; whichever these are. */
export const OPEN = 0;

export interface Span extends NodeState {
  /** Numbers of versions. */
  readonly first: number;
  readonly last: number;
}

export interface LineVersion {
  readonly seq: number;
  /** Whether people see it: it is there, and was taken in. */
  readonly visible: boolean;
}

/** A span by positions, both ends included. */
export interface Range<S extends NodeState = NodeState> {
  readonly from: number;
  readonly to: number;
  readonly state: S;
}

export class Line<V extends LineVersion = LineVersion> {
  /** Oldest first. */
  readonly versions: readonly V[];
  readonly #positions = new Map<number, number>();
  /** How many visible ones there are before each position. */
  readonly #visibleBefore: number[] = [0];
  /** Positions of visible ones. */
  readonly #visible: number[] = [];

  constructor(versions: readonly V[]) {
    this.versions = versions;
    versions.forEach(({ seq, visible }, i) => {
      this.#positions.set(seq, i);
      if (visible) this.#visible.push(i);
      this.#visibleBefore.push(this.#visible.length);
    });
  }

  get newestVisible(): V | undefined {
    const at = this.#visible.at(-1);
    return at === undefined ? undefined : this.versions[at];
  }

  /** The span's ends; undefined for one of versions that are not in the line. */
  rangeOf(span: Span): Range<Span> | undefined {
    const from = span.first === OPEN ? 0 : this.#positions.get(span.first);
    const to = span.last === OPEN ? this.versions.length - 1 : this.#positions.get(span.last);
    return from === undefined || to === undefined || from > to ? undefined : { from, to, state: span };
  }

  /** Whether a span covers both versions. */
  leads(span: Span, older: number, newer: number): boolean {
    const range = this.rangeOf(span);
    const [from, to] = [this.#positions.get(older), this.#positions.get(newer)];
    return (
      range !== undefined && from !== undefined && to !== undefined && range.from <= from && range.to >= to
    );
  }

  /** How many visible versions there are from one position to another. */
  visibleWithin(from: number, to: number): number {
    return from > to ? 0 : this.#visibleBefore[to + 1]! - this.#visibleBefore[from]!;
  }

  /** The visible versions at the ends of a range that has some. */
  visibleEnds({ from, to }: Range): readonly [V, V] {
    const first = this.#visible[this.#visibleBefore[from]!]!;
    const last = this.#visible[this.#visibleBefore[to + 1]! - 1]!;
    return [this.versions[first]!, this.versions[last]!];
  }

  /** The states that people see, oldest first: without those that no visible version has, and equal ones in a row as one. */
  seen(spans: readonly Span[]): Range[] {
    const ranges = spans.map((span) => this.rangeOf(span)).filter((range) => range !== undefined);
    const visible = ranges.filter(({ from, to }) => this.visibleWithin(from, to) > 0);
    return joined(visible, (before, after) => this.visibleWithin(before + 1, after - 1) === 0);
  }

  /** The same spans in a line without that version, normal. */
  without(spans: readonly Span[], seq: number): Span[] {
    const rest = this.versions.filter((version) => version.seq !== seq);
    const gone = this.#positions.get(seq) ?? this.versions.length;
    const moved = (position: number) => (position > gone ? position - 1 : position);
    const ranges = spans
      .map((span) => this.rangeOf(span))
      .filter((range) => range !== undefined)
      .map(({ from, to, state }) => ({ from: moved(from), to: to >= gone ? to - 1 : to, state }))
      .filter(({ from, to }) => from <= to);
    return joined(ranges, (before, after) => before + 1 === after).map(({ from, to, state }) => ({
      ...state,
      first: from === 0 ? OPEN : rest[from]!.seq,
      last: to === rest.length - 1 ? OPEN : rest[to]!.seq,
    }));
  }
}

/** By position, those that touch and are in the same state as one. */
function joined<S extends NodeState>(
  ranges: readonly Range<S>[],
  touch: (before: number, after: number) => boolean,
): Range<S>[] {
  const result: Range<S>[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last && touch(last.to, range.from) && sameState(last.state, range.state)) {
      result[result.length - 1] = { ...last, to: range.to };
    } else result.push(range);
  }
  return result;
}
