/** Asks for the password of a destination that is known, after it was changed elsewhere. */
import { Button, Group, Modal, PasswordInput, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { isEngineError } from '../../src/api/errors.ts';
import type { Destination } from '../../src/api/model/destination.ts';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { ThrownNote, useTell, WordsNote } from './parts.tsx';

export function PasswordDialog({
  destination: { id, name },
  onClose,
}: {
  readonly destination: Pick<Destination, 'id' | 'name'>;
  readonly onClose: () => void;
}) {
  const { say } = useSpeech();
  const tell = useTell();
  const [password, setPassword] = useState('');
  const enter = useAsk((host, given: string) => host.destinations.setPassword({ id, password: given }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enter.mutate(password, {
      onSuccess: () => {
        tell.done(say('password.done', { name }));
        onClose();
      },
    });
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={say('password.title', { name })}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <form onSubmit={submit} className="hf-form">
        <Text>{say('password.text')}</Text>
        <PasswordInput
          data-autofocus
          label={say('password.label')}
          value={password}
          autoComplete="off"
          visibilityToggleButtonProps={{ 'aria-label': say('password.show') }}
          onChange={(e) => {
            enter.reset();
            setPassword(e.currentTarget.value);
          }}
        />
        <Failure error={enter.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {say('common.cancel')}
          </Button>
          <Button type="submit" loading={enter.isPending} disabled={password === ''}>
            {say('password.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

/** A wrong password happens to everybody, so it is said with what may help. */
function Failure({ error }: { readonly error: unknown }) {
  const { say } = useSpeech();
  if (!isEngineError(error, 'wrong-password')) return <ThrownNote error={error} />;
  return <WordsNote words={{ title: say('password.wrong'), hint: say('password.wrong.text') }} />;
}
