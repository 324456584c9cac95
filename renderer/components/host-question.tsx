/** Whether a server is the right one: a question at the first meeting, a warning where its key differs from the known one. */
import { Alert, Button, Checkbox, Text } from '@mantine/core';
import { IconAlertTriangle, IconShieldQuestion } from '@tabler/icons-react';
import { useState } from 'react';
import type { WireError } from '../../src/api/errors.ts';
import { useSpeech } from '../i18n/speech.tsx';

export interface HostQuestionProps {
  /** Of the code 'host-unverified'. */
  readonly error: WireError;
  readonly busy: boolean;
  readonly onTrust: (fingerprint: string) => void;
}

export function HostQuestion({ error, busy, onTrust }: HostQuestionProps) {
  const { say } = useSpeech();
  const [sure, setSure] = useState(false);
  const { fingerprint, changed } = factsOf(error);
  return (
    <Alert
      className="hf-note"
      data-tone={changed ? 'bad' : 'fair'}
      role={changed ? 'alert' : 'status'}
      icon={
        changed ? <IconAlertTriangle size={20} aria-hidden /> : <IconShieldQuestion size={20} aria-hidden />
      }
      title={say(changed ? 'host-key.changed' : 'host-key.title')}
    >
      <div className="hf-host-key">
        <Text size="sm">{say(changed ? 'host-key.changed.text' : 'host-key.text')}</Text>
        {fingerprint === '' ? (
          <Text size="sm">{error.message}</Text>
        ) : (
          <div>
            <Text size="sm" c="dimmed">
              {say('host-key.fingerprint')}
            </Text>
            <output className="hf-path">{fingerprint}</output>
          </div>
        )}
        {changed && fingerprint !== '' && (
          <Checkbox
            label={say('host-key.changed.sure')}
            checked={sure}
            onChange={(e) => setSure(e.currentTarget.checked)}
          />
        )}
        {fingerprint !== '' && (!changed || sure) && (
          <div>
            <Button
              {...(changed ? { className: 'hf-danger' } : {})}
              loading={busy}
              onClick={() => onTrust(fingerprint)}
            >
              {say(changed ? 'host-key.changed.yes' : 'host-key.yes')}
            </Button>
          </div>
        )}
      </div>
    </Alert>
  );
}

function factsOf({ context }: WireError): { readonly fingerprint: string; readonly changed: boolean } {
  const { fingerprint, changed } = context ?? {};
  return { fingerprint: typeof fingerprint === 'string' ? fingerprint : '', changed: changed === true };
}
