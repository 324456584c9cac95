/** Any other repository of Holdfast or restic, opened to get files back from it. Nothing is written there. */
import { Button, Group, Modal, PasswordInput, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { isEngineError } from '../../../src/api/errors.ts';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { Client } from '../../../src/transport/client.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { useCovered } from '../../components/layers.ts';
import { ThrownNote, WordsNote } from '../../components/parts.tsx';
import { baseName } from '../../components/paths.ts';
import { useAsk, useDestinations } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

interface Entered {
  readonly location: string;
  readonly password: string;
  readonly names: ReadonlySet<string>;
}

export function OtherRepository(props: {
  readonly onAdded: (destination: Destination) => void;
  readonly onClose: () => void;
}) {
  const { say } = useSpeech();
  const covered = useCovered();
  return (
    <Modal
      opened
      onClose={props.onClose}
      closeOnEscape={!covered}
      closeOnClickOutside={false}
      size="lg"
      title={say('restore.other.title')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <Form {...props} />
    </Modal>
  );
}

function Form(props: { readonly onAdded: (destination: Destination) => void; readonly onClose: () => void }) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useDestinations();
  const [location, setLocation] = useState('');
  const [password, setPassword] = useState('');
  const open = useAsk(openRepository);
  const known = destinations.find((one) => one.location === location.trim());
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    // React's events rise through the dialog to the wizard's form.
    e.stopPropagation();
    if (known) return props.onAdded(known);
    const names = new Set(destinations.map(({ name }) => name));
    open.mutate({ location: location.trim(), password, names }, { onSuccess: props.onAdded });
  };
  return (
    <form onSubmit={onSubmit} className="hf-form">
      <Text c="dimmed">{say('restore.other.text')}</Text>
      <FolderField
        label={say('restore.other.location')}
        placeholder={say('add.location.placeholder')}
        value={location}
        onChange={(path) => {
          open.reset();
          setLocation(path);
        }}
      />
      {known ? (
        <Text size="sm">{say('restore.other.known', { name: known.name })}</Text>
      ) : (
        <PasswordInput
          label={say('add.password')}
          description={say('restore.other.password.text')}
          value={password}
          autoComplete="off"
          onChange={(e) => setPassword(e.currentTarget.value)}
        />
      )}
      <Failure error={open.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          {say('common.cancel')}
        </Button>
        <Button
          type="submit"
          loading={open.isPending}
          disabled={location.trim() === '' || (!known && password === '')}
        >
          {say('restore.other.open')}
        </Button>
      </Group>
    </form>
  );
}

/** A wrong password happens to everybody, so it is said with what may help. */
function Failure({ error }: { readonly error: unknown }) {
  const { say } = useSpeech();
  if (!isEngineError(error, 'wrong-password')) return <ThrownNote error={error} />;
  return <WordsNote words={{ title: say('restore.other.wrong'), hint: say('restore.other.wrong.text') }} />;
}

/** Only to be read, none is made where none is. Errors: 'repository-missing', 'wrong-password', what reaching it fails with. */
async function openRepository(host: Client, { location, password, names }: Entered): Promise<Destination> {
  const name = freeName(baseName(location), names);
  const { destination } = await host.destinations.add({ name, location, password, readOnly: true });
  return destination;
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  const base = wanted.slice(0, 100);
  let name = base;
  for (let i = 2; names.has(name); i++) name = `${base} ${i}`;
  return name;
}
