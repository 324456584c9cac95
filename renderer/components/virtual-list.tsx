/**
 * Lists of any length in a box of their own that scrolls: only the rows in sight are there. The rows are those of a table to
 * screen readers, which are told how many there are.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';

/** So close to the end of the box, in pixels, somebody is at its end. */
const AT_END = 40;

export function VirtualList(props: {
  readonly label: string;
  readonly count: number;
  /** Height of a row that has not been measured, in pixels. */
  readonly rowHeight: number;
  /** Names of the columns; none: they need no names to be seen. */
  readonly columns: readonly string[];
  readonly className?: string;
  /** The cells of a row, each with the role `cell`. */
  readonly row: (index: number) => ReactNode;
  /** What distinguishes a row to style sheets. */
  readonly level?: (index: number) => string | undefined;
  /** The rows in sight, both inclusive. */
  readonly onRange?: (first: number, last: number) => void;
  /** Stays at the end while rows are added, unless the person has scrolled away from it. */
  readonly follow?: boolean;
}) {
  const { count, rowHeight, onRange } = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => onRange?.(first, last), [onRange, first, last]);
  const onScroll = useFollow(box, count, rows.getTotalSize(), props.follow === true);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element can't leave out rows
    <div
      ref={box}
      role="table"
      aria-label={props.label}
      aria-rowcount={count + (props.columns.length > 0 ? 1 : 0)}
      className={`hf-virtual ${props.className ?? ''}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      onScroll={onScroll}
    >
      {props.columns.length > 0 && <HeadRow columns={props.columns} />}
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="rowgroup" className="hf-virtual-rows" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => (
          // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above; rows are not controls
          <div
            key={item.key}
            role="row"
            aria-rowindex={item.index + (props.columns.length > 0 ? 2 : 1)}
            data-index={item.index}
            data-level={props.level?.(item.index)}
            ref={rows.measureElement}
            className="hf-virtual-row"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            {props.row(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}

export function HeadRow({ columns }: { readonly columns: readonly string[] }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: parts of a table that is none of elements
    <div role="rowgroup" className="hf-virtual-head">
      {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above */}
      <div role="row" aria-rowindex={1} className="hf-virtual-row">
        {columns.map((name) => (
          // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above
          <div key={name} role="columnheader">
            {name}
          </div>
        ))}
      </div>
    </div>
  );
}

/** Keeps the end in sight while it grows. Returns what is to hear of scrolling. */
function useFollow(
  box: { readonly current: HTMLDivElement | null },
  count: number,
  height: number,
  follow: boolean,
): () => void {
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is added or measured moves the end
  useEffect(() => {
    const element = box.current;
    if (follow && atEnd.current && element) element.scrollTop = element.scrollHeight;
  }, [box, count, height, follow]);
  return () => {
    const element = box.current;
    if (element) {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < AT_END;
    }
  };
}
