/** What opens the backups, and where it is kept. */
import { Skeleton, Text } from '@mantine/core';
import { useNamedDestinations } from '../../components/named.ts';
import { ToneBadge } from '../../components/parts.tsx';
import { usePartOfList } from '../../components/parts-of-list.tsx';
import { KitButtons } from '../../components/recovery-key.tsx';
import { useShell } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Section } from './setting.tsx';

export function Security() {
  const { say } = useSpeech();
  const shell = useShell();
  const { data: destinations } = useNamedDestinations();
  const { shown, find, more } = usePartOfList(destinations ?? [], { step: 20, nameOf: ({ name }) => name });
  return (
    <Section id="security" title={say('settings.security')}>
      <Text>{say('settings.security.encryption')}</Text>
      <Text>{say(shell ? 'settings.security.secrets-shell' : 'settings.security.secrets')}</Text>
      <h3 className="hf-subhead">{say('settings.security.keys')}</h3>
      <Text c="dimmed">{say('settings.security.keys.text')}</Text>
      {!destinations && <Skeleton height={60} />}
      {find}
      <ul className="hf-rows">
        {shown.map(({ id, name, location, hasRecoveryKey }) => (
          <li key={id}>
            <div>
              <div className="hf-inline">
                <strong>{name}</strong>
                <ToneBadge tone={hasRecoveryKey ? 'good' : 'plain'}>
                  {say(hasRecoveryKey ? 'settings.security.has-key' : 'settings.security.no-key')}
                </ToneBadge>
              </div>
              <div className="hf-dim hf-clip">{location}</div>
            </div>
            <KitButtons destinationId={id} name={name} />
          </li>
        ))}
      </ul>
      {more}
    </Section>
  );
}
