/** Which runs are shown. The choice is part of the address, so that going back and links from elsewhere find it. */
import { Button, NativeSelect } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useSearchParams } from 'wouter';
import { RunKind, RunState } from '../../../src/api/model/run.ts';
import { useNamedDestinations } from '../../components/named.ts';
import { usePlans } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { FILTERS, type Filter, type FilterName } from './query.ts';

export function useFilter() {
  const [search, setSearch] = useSearchParams();
  const of = (name: FilterName) => search.get(name) ?? '';
  const filter: Filter = {
    kind: of('kind'),
    state: of('state'),
    plan: of('plan'),
    destination: of('destination'),
  };
  const change = (next: Partial<Filter>) =>
    setSearch(
      Object.entries({ ...filter, ...next }).filter(([, value]) => value !== ''),
      { replace: true },
    );
  return { filter, filtered: FILTERS.some((name) => filter[name] !== ''), change };
}

export function Filters(props: {
  readonly filter: Filter;
  readonly filtered: boolean;
  readonly onChange: (change: Partial<Filter>) => void;
}) {
  const { say } = useSpeech();
  const { data: plans = [] } = usePlans();
  const { data: destinations = [] } = useNamedDestinations();
  const choices: Readonly<Record<FilterName, readonly (readonly [string, string])[]>> = {
    kind: RunKind.options.map((kind) => [kind, say(`run.${kind}`)]),
    state: RunState.options.map((state) => [state, say(`run.state.${state}`)]),
    plan: plans.map(({ plan }) => [plan.id, plan.name]),
    destination: destinations.map(({ id, name }) => [id, name]),
  };
  return (
    <search className="hf-filters" aria-label={say('activity.filter')}>
      {FILTERS.map((name) => (
        <NativeSelect
          key={name}
          label={say(`activity.filter.${name}`)}
          data={[
            { value: '', label: say(`activity.all.${name}`) },
            ...choices[name].map(([value, label]) => ({ value, label })),
          ]}
          value={props.filter[name]}
          onChange={(e) => props.onChange({ [name]: e.currentTarget.value })}
        />
      ))}
      {props.filtered && (
        <Button
          variant="subtle"
          className="hf-filters-clear"
          leftSection={<IconX size={16} aria-hidden />}
          onClick={() => props.onChange({ kind: '', state: '', plan: '', destination: '' })}
        >
          {say('activity.filter.clear')}
        </Button>
      )}
    </search>
  );
}
