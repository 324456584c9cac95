/** Which Holdfast this is, and whether there is a newer one. */
import { Button, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { UpdateState } from '../../../src/api/shell.ts';
import { Facts, useTell } from '../../components/parts.tsx';
import { useStatus } from '../../data/host.tsx';
import { useUpdateState } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Section } from './setting.tsx';

export function About() {
  const { say } = useSpeech();
  const { data: status } = useStatus();
  const update = useUpdateState();
  return (
    <Section id="about" title={say('settings.about')}>
      {status && (
        <Facts
          facts={[
            [say('settings.about.version'), status.version],
            [say('settings.about.computer'), status.hostname],
            [say('settings.about.licence'), 'MIT'],
          ]}
        />
      )}
      <Text c="dimmed">{say('settings.about.text')}</Text>
      {update && update.state !== 'none' && <Update update={update} />}
    </Section>
  );
}

function Update({ update }: { readonly update: Exclude<UpdateState, { readonly state: 'none' }> }) {
  const { say } = useSpeech();
  const tell = useTell();
  const install = useMutation({
    mutationFn: async () => window.holdfast?.installUpdate(),
    onError: tell.failed,
  });
  return (
    <div className="hf-nothing" role="status">
      <Text>{updateText(say, update)}</Text>
      {update.state === 'ready' && (
        <Button loading={install.isPending} onClick={() => install.mutate()}>
          {say('shell.update.now')}
        </Button>
      )}
    </div>
  );
}

function updateText(
  say: ReturnType<typeof useSpeech>['say'],
  update: Exclude<UpdateState, { readonly state: 'none' }>,
): string {
  switch (update.state) {
    case 'current':
      return say('settings.update.current');
    case 'loading':
      return say('settings.update.loading', { version: update.version });
    case 'ready':
      return say('shell.update', { version: update.version });
    case 'failed':
      return say('settings.update.failed', { why: update.message });
  }
}
