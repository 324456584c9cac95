/** The schedule, with the next starts that it means. */
import {
  ActionIcon,
  Button,
  Checkbox,
  Chip,
  Group,
  NativeSelect,
  SegmentedControl,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type Recurrence, WEEKDAYS } from '../../../src/api/model/plan.ts';
import { ThrownNote } from '../../components/parts.tsx';
import { useLink } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { changed, defaultWhen, MOST_TIMES, missingWhen, nextTime, type StepProps } from './draft.ts';

const KINDS = ['manual', 'hourly', 'daily', 'weekly', 'monthly', 'cron'] as const;
const HOURS = [1, 2, 3, 4, 6, 8, 12] as const;

export function WhenStep({ draft, onChange }: StepProps) {
  const { say } = useSpeech();
  const { schedule } = draft.input;
  const set = (change: Partial<typeof schedule>) =>
    onChange(changed(draft, { schedule: { ...schedule, ...change } }));
  return (
    <>
      <SegmentedControl
        className="hf-segments"
        aria-label={say('wizard.when')}
        data={KINDS.map((value) => ({ value, label: say(`wizard.when.${value}`) }))}
        value={schedule.when.kind}
        onChange={(kind) => set({ when: defaultWhen(kind) })}
      />
      <RecurrenceDetails when={schedule.when} onChange={(when) => set({ when })} />
      {schedule.when.kind !== 'manual' && (
        <Switch
          label={say('wizard.when.catch-up')}
          checked={schedule.catchUp}
          onChange={(e) => set({ catchUp: e.currentTarget.checked })}
        />
      )}
      {schedule.when.kind !== 'manual' && (
        <Checkbox
          label={say('wizard.when.on-connect')}
          checked={schedule.onConnect}
          onChange={(e) => set({ onConnect: e.currentTarget.checked })}
        />
      )}
      <Upcoming when={schedule.when} timeZone={schedule.timeZone} />
    </>
  );
}

interface DetailsProps<R extends Recurrence = Recurrence> {
  readonly when: R;
  readonly onChange: (when: Recurrence) => void;
}

/** When exactly something recurs, once the kind is chosen. */
export function RecurrenceDetails({ when, onChange }: DetailsProps) {
  switch (when.kind) {
    case 'manual':
      return null;
    case 'hourly':
      return <Hourly when={when} onChange={onChange} />;
    case 'daily':
      return <Daily when={when} onChange={onChange} />;
    case 'weekly':
      return <Weekly when={when} onChange={onChange} />;
    case 'monthly':
      return <Monthly when={when} onChange={onChange} />;
    case 'cron':
      return <Cron when={when} onChange={onChange} />;
  }
}

type Of<K extends Recurrence['kind']> = DetailsProps<Extract<Recurrence, { kind: K }>>;

function At({ value, onChange }: { readonly value: string; readonly onChange: (at: string) => void }) {
  const { say } = useSpeech();
  return (
    <TextInput
      type="time"
      className="hf-narrow"
      label={say('wizard.when.at')}
      value={value}
      // Half a time is none; the one before stays.
      onChange={(e) => e.currentTarget.value !== '' && onChange(e.currentTarget.value)}
    />
  );
}

/** Once or several times a day. */
function Daily({ when, onChange }: Of<'daily'>) {
  const { say } = useSpeech();
  const set = (at: readonly string[]) => onChange({ ...when, at: [...at] });
  return (
    <div className="hf-times">
      {when.at.map((time, i) => (
        // The times have no names of their own but their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: two of them may be equal while one is being changed.
        <div key={i} className="hf-time">
          <At value={time} onChange={(at) => set(when.at.with(i, at))} />
          {when.at.length > 1 && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={say('common.remove-named', { name: time })}
              onClick={() => set(when.at.filter((_, other) => other !== i))}
            >
              <IconX size={17} aria-hidden />
            </ActionIcon>
          )}
        </div>
      ))}
      {when.at.length < MOST_TIMES && (
        <Button
          variant="light"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => set([...when.at, nextTime(when.at)])}
        >
          {say('wizard.when.another')}
        </Button>
      )}
    </div>
  );
}

function Hourly({ when, onChange }: Of<'hourly'>) {
  const { say } = useSpeech();
  return (
    <NativeSelect
      className="hf-narrow"
      label={say('wizard.when.every')}
      data={HOURS.map((n) => ({ value: String(n), label: say('wizard.when.hours', { count: n }) }))}
      value={String(when.every)}
      onChange={(e) => onChange({ ...when, every: Number(e.currentTarget.value) })}
    />
  );
}

function Weekly({ when, onChange }: Of<'weekly'>) {
  const { say, format } = useSpeech();
  return (
    <>
      <fieldset className="hf-fieldset">
        <legend>{say('wizard.when.days')}</legend>
        <Group gap="xs">
          {WEEKDAYS.map((day, i) => (
            <Chip
              key={day}
              checked={when.days.includes(day)}
              onChange={(on) =>
                onChange({ ...when, days: on ? [...when.days, day] : when.days.filter((one) => one !== day) })
              }
            >
              {format.weekday(i, 'long')}
            </Chip>
          ))}
        </Group>
      </fieldset>
      <At value={when.at} onChange={(at) => onChange({ ...when, at })} />
    </>
  );
}

function Monthly({ when, onChange }: Of<'monthly'>) {
  const { say } = useSpeech();
  const days = Array.from({ length: 31 }, (_, i) => ({ value: String(i + 1), label: String(i + 1) }));
  return (
    <Group align="end">
      <NativeSelect
        className="hf-narrow"
        label={say('wizard.when.day')}
        data={[...days, { value: 'last', label: say('wizard.when.last-day') }]}
        value={String(when.day)}
        onChange={({ currentTarget: { value } }) =>
          onChange({ ...when, day: value === 'last' ? value : Number(value) })
        }
      />
      <At value={when.at} onChange={(at) => onChange({ ...when, at })} />
    </Group>
  );
}

function Cron({ when, onChange }: Of<'cron'>) {
  const { say } = useSpeech();
  return (
    <TextInput
      className="hf-narrow"
      classNames={{ input: 'hf-mono' }}
      label={say('wizard.when.expression')}
      value={when.expression}
      spellCheck={false}
      onChange={(e) => onChange({ ...when, expression: e.currentTarget.value })}
    />
  );
}

function Upcoming({ when, timeZone }: { readonly when: Recurrence; readonly timeZone: string | null }) {
  const { say, format } = useSpeech();
  const link = useLink();
  const upcoming = useQuery({
    queryKey: ['upcoming', when, timeZone],
    queryFn: ({ signal }) => link.client.plans.upcoming({ when, timeZone, count: 3 }, { signal }),
    enabled: when.kind !== 'manual' && missingWhen(when) === undefined,
    staleTime: 0,
    gcTime: 0,
  });
  if (when.kind === 'manual') return <Text c="dimmed">{say('wizard.when.never')}</Text>;
  if (upcoming.error) return <ThrownNote error={upcoming.error} />;
  return (
    <div className="hf-upcoming">
      <Text size="sm" c="dimmed">
        {say('wizard.when.upcoming')}
      </Text>
      <ul>
        {upcoming.data?.map((at) => (
          <li key={at}>{format.exact(at)}</li>
        ))}
      </ul>
    </div>
  );
}
