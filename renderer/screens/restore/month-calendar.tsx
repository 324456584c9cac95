/** The days of a month, those with versions marked: a grid that arrow keys move in. */
import { ActionIcon } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { Version } from '../../../src/api/model/destination.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import {
  type DayKey,
  dayAfter,
  dayKey,
  type Month,
  monthAfter,
  monthNumber,
  monthOf,
  noonOf,
  weeksOfMonth,
} from './months.ts';

const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6] as const;

export interface CalendarProps {
  readonly days: ReadonlyMap<DayKey, readonly Version[]>;
  /** The first and the last day that can be looked at. */
  readonly from: number;
  readonly to: number;
  readonly chosen: DayKey;
  readonly onChoose: (day: DayKey) => void;
}

export function MonthCalendar(props: CalendarProps) {
  const { from, to, chosen } = props;
  const { say, format } = useSpeech();
  const id = useId();
  const [day, setDay] = useState(chosen);
  // What is chosen elsewhere is shown here.
  const [before, setBefore] = useState(chosen);
  if (before !== chosen) {
    setBefore(chosen);
    setDay(chosen);
  }
  const month = monthOf(noonOf(day));
  const turn = (months: number) => setDay(within(props, dayAfter(day, { months })));
  const isLast = (by: number) => {
    const next = monthNumber(monthAfter(month, by));
    return next < monthNumber(monthOf(from)) || next > monthNumber(monthOf(to));
  };
  return (
    <div className="hf-month">
      <div className="hf-month-head">
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={say('restore.calendar.before')}
          disabled={isLast(-1)}
          onClick={() => turn(-1)}
        >
          <IconChevronLeft size={18} aria-hidden />
        </ActionIcon>
        <h3 id={id} aria-live="polite">
          {format.monthYear(noonOf(day))}
        </h3>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={say('restore.calendar.after')}
          disabled={isLast(1)}
          onClick={() => turn(1)}
        >
          <IconChevronRight size={18} aria-hidden />
        </ActionIcon>
      </div>
      <Days {...props} label={id} month={month} day={day} onDay={setDay} />
    </div>
  );
}

function within({ from, to }: CalendarProps, day: DayKey): DayKey {
  if (noonOf(day) < noonOf(dayKey(from))) return dayKey(from);
  return noonOf(day) > noonOf(dayKey(to)) ? dayKey(to) : day;
}

interface DaysProps extends CalendarProps {
  readonly label: string;
  readonly month: Month;
  /** That the keyboard is at. */
  readonly day: DayKey;
  readonly onDay: (day: DayKey) => void;
}

function Days(props: DaysProps) {
  const { month, day, onDay } = props;
  const { format } = useSpeech();
  const grid = useRef<HTMLTableElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    grid.current?.querySelector<HTMLElement>(`[data-day="${day}"]`)?.focus();
  }, [day]);
  const onKeyDown = (e: KeyboardEvent) => {
    const next = dayByKey(e.key, day);
    if (next === undefined) return;
    e.preventDefault();
    moved.current = true;
    onDay(within(props, next));
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the pattern of the ARIA authoring practices
    <table ref={grid} role="grid" aria-labelledby={props.label} onKeyDown={onKeyDown}>
      <thead>
        <tr>
          {WEEKDAYS.map((weekday) => (
            <th key={weekday} scope="col" abbr={format.weekday(weekday, 'long')}>
              {format.weekday(weekday, 'short')}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeksOfMonth(month).map((week) => (
          <tr key={week[0]}>
            {week.map((key) => (
              <Day key={key} {...props} day={key} isCurrent={key === day} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function dayByKey(key: string, day: DayKey): DayKey | undefined {
  const weekday = (new Date(noonOf(day)).getDay() + 6) % 7;
  switch (key) {
    case 'ArrowLeft':
      return dayAfter(day, { days: -1 });
    case 'ArrowRight':
      return dayAfter(day, { days: 1 });
    case 'ArrowUp':
      return dayAfter(day, { days: -7 });
    case 'ArrowDown':
      return dayAfter(day, { days: 7 });
    case 'Home':
      return dayAfter(day, { days: -weekday });
    case 'End':
      return dayAfter(day, { days: 6 - weekday });
    case 'PageUp':
      return dayAfter(day, { months: -1 });
    case 'PageDown':
      return dayAfter(day, { months: 1 });
    default:
      return undefined;
  }
}

function Day(props: Omit<DaysProps, 'label'> & { readonly isCurrent: boolean }) {
  const { day, month, days, chosen, isCurrent } = props;
  const { say, format } = useSpeech();
  const at = noonOf(day);
  const count = days.get(day)?.length ?? 0;
  const outside = monthNumber(monthOf(at)) !== monthNumber(month);
  const label = say('restore.calendar.day', {
    date: format.date(at),
    what: say('restore.calendar.versions', { count }),
  });
  return (
    // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/noNoninteractiveElementToInteractiveRole: of a grid; the button in it has the focus
    <td role="gridcell" aria-selected={day === chosen}>
      <button
        type="button"
        data-day={day}
        data-outside={outside || undefined}
        data-versions={count > 0 || undefined}
        aria-label={label}
        aria-disabled={count === 0}
        tabIndex={isCurrent ? 0 : -1}
        onClick={() => count > 0 && props.onChoose(day)}
      >
        {new Date(at).getDate()}
      </button>
    </td>
  );
}
