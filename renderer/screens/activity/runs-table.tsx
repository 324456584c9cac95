/**
 * A table of thousands of runs that scrolls with the page: only the rows in sight are there, and further ones are asked for
 * before the end comes into sight. The arrow keys go from run to run.
 */
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Run } from '../../../src/api/model/run.ts';
import { percentOf } from '../../components/live-run.tsx';
import { Moment, RunStateBadge } from '../../components/parts.tsx';
import { amountOf, secondsOf } from '../../components/run-facts.ts';
import { HeadRow } from '../../components/virtual-list.tsx';
import { runSubject } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';

const ROW_HEIGHT = 66;
/** So many rows before the end the next ones are asked for. */
const AHEAD = 25;
const PAGE_OF_ROWS = 10;

export function RunsTable(props: {
  readonly runs: readonly Run[];
  readonly hasMore: boolean;
  readonly onMore: () => void;
}) {
  const { runs, hasMore, onMore } = props;
  const { say } = useSpeech();
  const top = useRef<HTMLDivElement>(null);
  const rows = useWindowVirtualizer({
    count: runs.length,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
    scrollMargin: useOffset(top),
    getItemKey: (i) => runs[i]?.id ?? i,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= runs.length - AHEAD) onMore();
  }, [hasMore, last, runs.length, onMore]);
  const onKeyDown = useArrows(runs.length, (i) => rows.scrollToIndex(i));
  const columns = ['what', 'state', 'when', 'took', 'data'] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element can't leave out rows
    <div
      role="table"
      aria-label={say('activity.table')}
      aria-rowcount={hasMore ? -1 : runs.length + 1}
      className="hf-panel hf-runs"
    >
      <HeadRow columns={columns.map((name) => say(`activity.${name}`))} />
      {/* biome-ignore lint/a11y/useSemanticElements: as above; the links in it take the focus */}
      <div
        ref={top}
        role="rowgroup"
        className="hf-virtual-rows"
        style={{ height: rows.getTotalSize() }}
        onKeyDown={onKeyDown}
      >
        {items.map((item) => {
          const run = runs[item.index];
          return (
            // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: as above
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              data-index={item.index}
              ref={rows.measureElement}
              className="hf-virtual-row"
              style={{ transform: `translateY(${item.start - rows.options.scrollMargin}px)` }}
            >
              {run && <RunCells run={run} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Where it begins on the page; what is above it may grow and shrink. */
function useOffset(element: { readonly current: HTMLElement | null }): number {
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      const box = element.current?.getBoundingClientRect();
      if (box) setOffset(Math.round(box.top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    const page = element.current?.closest('.hf-page');
    if (page) observer.observe(page);
    return () => observer.disconnect();
  }, [element]);
  return offset;
}

/** Moves the focus between the links of the rows, also to rows that are not there yet. */
function useArrows(count: number, show: (index: number) => void) {
  const wanted = useRef<{ readonly index: number; readonly group: HTMLElement }>(undefined);
  // After each drawing: the row may have come with it.
  useEffect(() => {
    const { index, group } = wanted.current ?? {};
    const link = group?.querySelector<HTMLElement>(`[data-index="${index}"] a`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });
  return (e: KeyboardEvent<HTMLElement>) => {
    const from = Number((e.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index);
    const to = targetOf(e.key, from, count);
    if (Number.isNaN(from) || to === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    const index = Math.max(0, Math.min(count - 1, to));
    wanted.current = { index, group: e.currentTarget };
    show(index);
    e.currentTarget.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus({ preventScroll: true });
  };
}

function targetOf(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return from + 1;
    case 'ArrowUp':
      return from - 1;
    case 'PageDown':
      return from + PAGE_OF_ROWS;
    case 'PageUp':
      return from - PAGE_OF_ROWS;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

function RunCells({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const seconds = secondsOf(run);
  const percent = percentOf(run);
  const cell = { role: 'cell' } as const;
  return (
    <>
      <div {...cell}>
        <Link href={`/activity/${run.id}`} className="hf-row-link hf-stretched">
          {say(`run.${run.task.kind}`)}
        </Link>
        <div className="hf-dim hf-clip">{runSubject(say, run)}</div>
      </div>
      <div {...cell}>
        <RunStateBadge state={run.state} />
        {percent !== undefined && <span className="hf-percent-small"> {Math.floor(percent)} %</span>}
      </div>
      <div {...cell} className="hf-raised">
        <Moment at={run.startedAt ?? run.queuedAt} />
      </div>
      <div {...cell}>{seconds === null ? '' : format.duration(seconds)}</div>
      <div {...cell}>{amountOf(say, format, run)}</div>
    </>
  );
}
