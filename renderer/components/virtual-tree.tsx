/**
 * A tree of any size in a box that scrolls, of which only the rows in sight are there.
 *
 * sheet   what shows the rows: it stays in the box's sight while the box scrolls, so that what was drawn last is seen until the new
 *         rows are drawn; nothing is ever blank
 * scale   how far the rows move when the box scrolls by a pixel: more than 1 where they are taller than browsers let a box be
 * active  the row that the keyboard is at. The focus itself stays at the box, whose `aria-activedescendant` names the row
 *
 * All rows have one height, so nothing is measured and nothing is kept per row (a virtualizer for lists keeps an object for each).
 */
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { actionOf, type Tree, Typed } from './tree-keys.ts';

interface VirtualTreeProps extends Tree {
  readonly label: string;
  /** The rows in sight, both inclusive. */
  readonly onRange: (first: number, last: number) => void;
}

/** In rem. */
const ROW = 2.125;
/** Browsers cut a box's content off at 17 (Firefox) or 33 (Chromium) million pixels. */
const TALLEST = 16_000_000;
/** Drawn beyond what is in sight. */
const MORE = 3;

export function VirtualTree(props: VirtualTreeProps) {
  const { count, active, onRange } = props;
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const view = useView(box, count, active);
  const { first, last } = view;
  useEffect(() => onRange(first, last), [onRange, first, last]);
  const typed = useRef(new Typed());
  const onKeyDown = (e: KeyboardEvent) => {
    const action = actionOf(e, props, view.page, typed.current);
    if (!action) return;
    e.preventDefault();
    action();
  };
  return (
    <div
      ref={box}
      role="tree"
      aria-label={props.label}
      aria-multiselectable
      aria-activedescendant={count > 0 ? `${id}-${active}` : undefined}
      className="hf-tree"
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={view.onScroll}
    >
      <div role="none" style={{ height: view.contentHeight }}>
        <div role="none" className="hf-tree-sheet" style={{ height: view.height }}>
          {view.rows.map((row) => (
            <Row
              key={row}
              id={`${id}-${row}`}
              row={row}
              top={row * view.rowHeight - view.top}
              height={view.rowHeight}
              tree={props}
              onReached={() => box.current?.focus()}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

function Row(props: {
  readonly id: string;
  readonly row: number;
  readonly top: number;
  readonly height: number;
  readonly tree: VirtualTreeProps;
  readonly onReached: () => void;
}) {
  const { row, tree } = props;
  const { level, position, siblings, name, expanded, checked, content } = tree.item(row);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the tree has the focus and hears the keys
    <div
      id={props.id}
      role="treeitem"
      aria-label={name}
      aria-level={level}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={expanded}
      aria-checked={checked}
      data-active={row === tree.active || undefined}
      className="hf-tree-row"
      style={{
        transform: `translateY(${props.top}px)`,
        height: props.height,
        paddingInlineStart: `${0.35 + (level - 1) * 1.25}rem`,
      }}
      onClick={(e) => {
        tree.onActive(row);
        props.onReached();
        const part = e.target instanceof Element ? e.target.closest('[data-part]') : null;
        const which = part?.getAttribute('data-part');
        if (which === 'expand' && expanded !== undefined) tree.onExpand(row, !expanded);
        if (which === 'check' && checked !== undefined) tree.onCheck(row);
      }}
      onDoubleClick={(e) => {
        const onPart = e.target instanceof Element && e.target.closest('[data-part]') !== null;
        if (!onPart && expanded !== undefined) tree.onExpand(row, !expanded);
      }}
    >
      <span data-part="expand" className="hf-tree-expand" data-open={expanded} aria-hidden>
        {expanded !== undefined && <Chevron />}
      </span>
      <span data-part="check" className="hf-tree-check" aria-hidden>
        {checked !== undefined && <Tick checked={checked} />}
      </span>
      {content}
    </div>
  );
}

const STROKE = {
  fill: 'none',
  stroke: 'currentColor',
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const;

function Chevron() {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" strokeWidth="1.8" aria-hidden {...STROKE}>
      <path d="M6 4l4 4-4 4" />
    </svg>
  );
}

/** What a checkbox looks like, for where the row itself is the control. */
function Tick({ checked }: { readonly checked: boolean | 'mixed' }) {
  return (
    <span className="hf-tick" data-checked={checked}>
      <svg viewBox="0 0 16 16" width="12" height="12" strokeWidth="2.4" aria-hidden {...STROKE}>
        {checked === true && <path d="M3.5 8.5l3 3 6-7" />}
        {checked === 'mixed' && <path d="M4 8h8" />}
      </svg>
    </span>
  );
}

const rootFontSize = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;

/** What is in sight. `top`, `height` and `rowHeight` are pixels of rows. */
function useView(box: { readonly current: HTMLDivElement | null }, count: number, active: number) {
  const [rowHeight] = useState(() => Math.round(ROW * rootFontSize()));
  const [scrolled, setScrolled] = useState(0);
  const height = useHeight(box);
  const total = count * rowHeight;
  const contentHeight = Math.min(total, TALLEST);
  const scale = total > contentHeight ? (total - height) / (contentHeight - height) : 1;
  const top = Math.max(0, Math.min(scrolled * scale, total - height));
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  const first = Math.max(0, Math.floor(top / rowHeight) - MORE);
  const last = Math.min(count - 1, Math.ceil((top + height) / rowHeight) + MORE);
  const at = useRef(top);
  useLayoutEffect(() => {
    at.current = top;
  });
  const scrollTo = (wanted: number) => {
    const element = box.current;
    if (!element) return;
    element.scrollTop = wanted / scale;
    setScrolled(element.scrollTop);
  };
  // Another number of rows is another scale: what was in sight stays in sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the scale changes
  useLayoutEffect(() => {
    if (scale !== 1) scrollTo(at.current);
  }, [scale]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the active row, or the room for it, changes
  useLayoutEffect(() => {
    const rowTop = active * rowHeight;
    if (height === 0 || active >= count) return;
    const far = rowTop < at.current - height || rowTop > at.current + 2 * height;
    if (far) scrollTo(rowTop - height / 2);
    else if (rowTop < at.current) scrollTo(rowTop);
    else if (rowTop + rowHeight > at.current + height) scrollTo(rowTop + rowHeight - height);
  }, [active, height, count > active]);
  const rows = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  // Its id must be there, wherever it is.
  if (active < count && (active < first || active > last)) rows.push(active);
  // Drawn within the frame of the scrolling.
  const onScroll = () => flushSync(() => setScrolled(box.current?.scrollTop ?? 0));
  return { rowHeight, contentHeight, height, top, page, first, last, rows, onScroll };
}

function useHeight(box: { readonly current: HTMLDivElement | null }): number {
  const [height, setHeight] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setHeight(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return height;
}
