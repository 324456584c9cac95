/** How much of a destination's storage is taken. */
import { Progress, Text } from '@mantine/core';
import type { Destination, Space } from '../../src/api/model/destination.ts';
import { useSpeech } from '../i18n/speech.tsx';

export function SpaceBar({ destination }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const { space, name, warnBelowBytes, kind, lastSeenAt } = destination;
  if (!space || space.total === 0) {
    // Many services never say.
    const untold = kind !== 'local' && lastSeenAt !== null;
    const text = say(untold ? 'destinations.space-untold' : 'destinations.space-unknown');
    return (
      <Text size="sm" c="dimmed">
        {text}
      </Text>
    );
  }
  return <RoomBar name={name} space={space} isLow={space.free < warnBelowBytes} />;
}

/** How much of some storage is taken. */
export function RoomBar(props: {
  readonly name: string;
  readonly space: Pick<Space, 'free' | 'total'>;
  readonly isLow: boolean;
}) {
  const { say, format } = useSpeech();
  const { space } = props;
  const text = say('unit.free-of', { free: format.bytes(space.free), total: format.bytes(space.total) });
  return (
    <div className="hf-space">
      <Progress.Root size="sm" className="hf-space-bar">
        <Progress.Section
          value={percentUsed(space)}
          data-tone={props.isLow ? 'bad' : 'plain'}
          aria-label={`${say('destinations.space')}: ${props.name}`}
          aria-valuetext={text}
        />
      </Progress.Root>
      <span>{text}</span>
    </div>
  );
}

/** In tenths: as a tiny number it would be written in a way that no screen reader knows. */
function percentUsed({ free, total }: Pick<Space, 'free' | 'total'>): number {
  return Math.round(((total - free) / total) * 1000) / 10;
}
