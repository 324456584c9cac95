/** All versions in a row, from the oldest to the newest. */
import { ActionIcon, Slider, Tooltip } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import type { Version } from '../../../src/api/model/destination.ts';
import { useSpeech } from '../../i18n/speech.tsx';

export function VersionSlider(props: {
  /** Newest first; at least two. */
  readonly versions: readonly Version[];
  readonly chosen: Version;
  readonly onChoose: (version: Version) => void;
}) {
  const { say, format } = useSpeech();
  const oldestFirst = props.versions.toReversed();
  const last = oldestFirst.length - 1;
  const at = Math.max(
    0,
    oldestFirst.findIndex(({ id }) => id === props.chosen.id),
  );
  const choose = (i: number) => {
    const version = oldestFirst[i];
    if (version) props.onChoose(version);
  };
  const exact = (i: number) => format.exact(oldestFirst[i]?.at ?? 0);
  return (
    <div className="hf-slider">
      <Turn
        name={say('restore.slider.older')}
        icon="left"
        disabled={at === 0}
        onTurn={() => choose(at - 1)}
      />
      <div className="hf-slider-track">
        <Slider
          min={0}
          max={last}
          step={1}
          value={at}
          onChange={choose}
          label={exact}
          thumbLabel={say('restore.slider')}
          thumbValueText={exact}
          size="md"
        />
        <div className="hf-slider-ends">
          <span>{format.date(oldestFirst[0]?.at ?? 0)}</span>
          <span>{say('restore.slider.position', { nr: at + 1, count: last + 1 })}</span>
          <span>{format.date(oldestFirst[last]?.at ?? 0)}</span>
        </div>
      </div>
      <Turn
        name={say('restore.slider.newer')}
        icon="right"
        disabled={at === last}
        onTurn={() => choose(at + 1)}
      />
    </div>
  );
}

function Turn(props: {
  readonly name: string;
  readonly icon: 'left' | 'right';
  readonly disabled: boolean;
  readonly onTurn: () => void;
}) {
  const Icon = props.icon === 'left' ? IconChevronLeft : IconChevronRight;
  return (
    <Tooltip label={props.name}>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={props.name}
        disabled={props.disabled}
        onClick={props.onTurn}
      >
        <Icon size={18} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
