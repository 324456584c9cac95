/** The last weeks at a glance: a square for each day, coloured by the worst that happened on it. */
import { Tooltip, VisuallyHidden } from '@mantine/core';
import type { Run } from '../../src/api/model/run.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { type CalendarDay, type DayTone, weeksOf } from './calendar-days.ts';

const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6] as const;
const LEGEND = ['good', 'fair', 'bad'] as const satisfies readonly DayTone[];

export function Calendar(props: {
  readonly runs: readonly Run[];
  readonly now: number;
  readonly weeks: number;
}) {
  const { say, format } = useSpeech();
  const weeks = weeksOf(props.runs, props.now, props.weeks);
  return (
    <>
      <table className="hf-calendar">
        <caption>
          <VisuallyHidden>{say('home.calendar')}</VisuallyHidden>
        </caption>
        <thead>
          <tr>
            <td />
            {weeks.map((week, i) => (
              <th key={week[0]?.at} scope="col">
                {startsMonth(week, weeks[i - 1]) ? format.month(week[0]?.at ?? 0) : <WeekName week={week} />}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {WEEKDAYS.map((weekday) => (
            <tr key={weekday}>
              <th scope="row">{format.weekday(weekday, 'short')}</th>
              {weeks.map((week) => (
                <Day key={week[0]?.at} day={week[weekday]} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="hf-legend">
        {LEGEND.map((tone) => (
          <li key={tone}>
            <span className="hf-day" data-tone={tone} />
            {say(`home.calendar.legend.${tone}`)}
          </li>
        ))}
      </ul>
    </>
  );
}

type Week = readonly CalendarDay[];

function startsMonth(week: Week, before: Week | undefined): boolean {
  const month = (one: Week) => new Date(one[0]?.at ?? 0).getMonth();
  return before === undefined || month(week) !== month(before);
}

function WeekName({ week }: { readonly week: Week }) {
  const { format } = useSpeech();
  return <VisuallyHidden>{format.date(week[0]?.at ?? 0)}</VisuallyHidden>;
}

function Day({ day }: { readonly day: CalendarDay | undefined }) {
  const { say, format } = useSpeech();
  if (!day || day.tone === 'future') return <td />;
  const what =
    day.tone === 'nothing'
      ? say('home.calendar.nothing')
      : say(`home.calendar.${day.tone}`, { count: day.count });
  const label = say('home.calendar.day', { date: format.date(day.at), what });
  return (
    <td>
      <Tooltip label={label}>
        <span className="hf-day" data-tone={day.tone} />
      </Tooltip>
      <VisuallyHidden>{what}</VisuallyHidden>
    </td>
  );
}
