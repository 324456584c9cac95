/** Addresses that lead nowhere. */
import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from 'wouter';
import { EmptyState, Page } from '../components/parts.tsx';
import { useSpeech } from '../i18n/speech.tsx';

export function MissingScreen() {
  const { say } = useSpeech();
  const home = (
    <Button component={Link} href="/">
      {say('missing.home')}
    </Button>
  );
  return (
    <Page title={say('missing.title')} heading={null}>
      <EmptyState icon={IconMapOff} title={say('missing.title')} text="" action={home} />
    </Page>
  );
}
