/** The destinations; one can be added without leaving the plan. */
import { Button, Checkbox, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { Destination } from '../../../src/api/model/destination.ts';
import { useNamedDestinations } from '../../components/named.ts';
import { SpaceBar } from '../../components/space-bar.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { AddDestination } from '../add-destination.tsx';
import { changed, type StepProps } from './draft.ts';

export function WhereStep({ draft, onChange }: StepProps) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useNamedDestinations();
  const [adding, setAdding] = useState(false);
  const chosen = draft.input.destinations;
  const set = (ids: readonly string[]) => onChange(changed(draft, { destinations: [...ids] }));
  return (
    <>
      <div className="hf-choices">
        {destinations
          .filter(({ readOnly }) => !readOnly)
          .map((destination) => (
            <Choice
              key={destination.id}
              destination={destination}
              checked={chosen.includes(destination.id)}
              onChange={(on) =>
                set(on ? [...chosen, destination.id] : chosen.filter((id) => id !== destination.id))
              }
            />
          ))}
      </div>
      <div>
        <Button
          variant="light"
          leftSection={<IconPlus size={17} aria-hidden />}
          onClick={() => setAdding(true)}
        >
          {say('wizard.where.add')}
        </Button>
      </div>
      {adding && (
        <AddDestination
          onAdded={(destination) => {
            set([...chosen, destination.id]);
            setAdding(false);
          }}
          onCancel={() => setAdding(false)}
          inDialog
        />
      )}
    </>
  );
}

function Choice(props: {
  readonly destination: Destination;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const { say } = useSpeech();
  const { destination } = props;
  return (
    <div className="hf-choice" data-checked={props.checked || undefined}>
      <Checkbox
        label={destination.name}
        checked={props.checked}
        onChange={(e) => props.onChange(e.currentTarget.checked)}
      />
      <div className="hf-choice-more">
        <Text size="sm" c="dimmed" className="hf-path">
          {destination.embedded ? say('wizard.where.own-disk') : destination.location}
        </Text>
        <SpaceBar destination={destination} />
      </div>
    </div>
  );
}
