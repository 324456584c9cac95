/** How much of a destination's storage is taken. */
import { Progress, Text } from '@mantine/core';
import type { Destination } from '../../src/api/model/destination.ts';
import { useSpeech } from '../i18n/speech.tsx';

export function SpaceBar({ destination }: { readonly destination: Destination }) {
  const { say, format } = useSpeech();
  const { space } = destination;
  if (!space || space.total === 0) return <Text size="sm">{say('destinations.space-unknown')}</Text>;
  const text = say('unit.free-of', { free: format.bytes(space.free), total: format.bytes(space.total) });
  return (
    <div className="hf-space">
      <Progress.Root size="sm" className="hf-space-bar">
        <Progress.Section
          value={((space.total - space.free) / space.total) * 100}
          data-tone={space.free < destination.warnBelowBytes ? 'bad' : 'plain'}
          aria-label={`${say('destinations.space')}: ${destination.name}`}
          aria-valuetext={text}
        />
      </Progress.Root>
      <span>{text}</span>
    </div>
  );
}
