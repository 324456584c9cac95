/** Screens that are not there yet, and say so; and addresses that lead nowhere. */
import { Button } from '@mantine/core';
import { IconDatabase, IconMapOff, IconRestore } from '@tabler/icons-react';
import { Link } from 'wouter';
import { EmptyState, Page } from '../components/parts.tsx';
import { useSpeech } from '../i18n/speech.tsx';

export function RestoreScreen() {
  const { say } = useSpeech();
  return (
    <Page title={say('restore.title')}>
      <EmptyState icon={IconRestore} title={say('restore.empty')} text={say('restore.empty.text')} />
    </Page>
  );
}

export function DisksScreen() {
  const { say } = useSpeech();
  return (
    <Page title={say('disks.title')}>
      <EmptyState icon={IconDatabase} title={say('disks.empty')} text={say('disks.empty.text')} />
    </Page>
  );
}

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
