/** What a storage tells of itself, as badges whose hints say what it means. */
import { Tooltip } from '@mantine/core';
import type { StorageFacts } from '../../src/api/model/destination.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { ToneBadge } from './parts.tsx';

export function FactBadges({ facts }: { readonly facts: StorageFacts | null }) {
  const { say } = useSpeech();
  if (!facts) return null;
  const { appendOnly, versioning, objectLock } = facts;
  return (
    <>
      {appendOnly && (
        <Hinted text={say('destinations.append-only.text')}>{say('destinations.append-only')}</Hinted>
      )}
      {versioning === 'on' && (
        <Hinted text={say('destinations.versioning.text')}>{say('destinations.versioning')}</Hinted>
      )}
      {objectLock && (
        <Hinted text={say(`destinations.object-lock.${objectLock.mode ?? 'single'}`)}>
          {objectLock.days === null
            ? say('destinations.object-lock')
            : say('destinations.object-lock.days', { days: objectLock.days })}
        </Hinted>
      )}
    </>
  );
}

function Hinted({ text, children }: { readonly text: string; readonly children: string }) {
  return (
    <Tooltip label={text} multiline w={320}>
      <span>
        <ToneBadge tone="plain">{children}</ToneBadge>
      </span>
    </Tooltip>
  );
}
