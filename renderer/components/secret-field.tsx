/** A field for a secret of a login; browsers are not to keep it, nor to fill in one of theirs. */
import { PasswordInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSpeech } from '../i18n/speech.tsx';

export function SecretField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly description?: ReactNode;
  readonly autoFocus?: boolean;
}) {
  const { say } = useSpeech();
  return (
    <PasswordInput
      label={props.label}
      description={props.description}
      value={props.value}
      autoComplete="off"
      spellCheck={false}
      {...(props.autoFocus ? { 'data-autofocus': true } : {})}
      visibilityToggleButtonProps={{ 'aria-label': say('password.show') }}
      onChange={(e) => props.onChange(e.currentTarget.value)}
    />
  );
}
