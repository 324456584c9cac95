/** How much of the network all runs together may use. */
import { NativeSelect, TextInput } from '@mantine/core';
import { useId, useState } from 'react';
import type { Settings } from '../../../src/api/model/settings.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { parseRate, RATE_UNITS, type RateUnit, rateText, unitFor } from './rate.ts';
import { type SavedCount, Section, Setting, useSettingsChange } from './setting.tsx';

export function Limits({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const { change, saved } = useSettingsChange();
  return (
    <Section id="network" title={say('settings.network')} text={say('settings.network.text')}>
      {(['uploadLimit', 'downloadLimit'] as const).map((name) => (
        <Limit
          // Another window may have changed it.
          key={`${name} ${settings[name]}`}
          name={say(`settings.${name}`)}
          limit={settings[name]}
          saved={saved(name)}
          onChange={(limit) => change({ [name]: limit })}
        />
      ))}
    </Section>
  );
}

const isUnit = (text: string): text is RateUnit => Object.hasOwn(RATE_UNITS, text);

/** Saved when the field is left or Enter pressed: a limit that is half typed would be one of a few bytes. */
function Limit(props: {
  readonly name: string;
  readonly limit: number | null;
  readonly saved: SavedCount;
  readonly onChange: (limit: number | null) => void;
}) {
  const { say } = useSpeech();
  const id = useId();
  const [unit, setUnit] = useState(() => unitFor(props.limit));
  const [text, setText] = useState(() => rateText(props.limit, unit));
  const [wrong, setWrong] = useState(false);
  const save = (said: string, inUnit: RateUnit) => {
    // Nobody has changed anything, though the text may be rounded.
    if (said === rateText(props.limit, inUnit)) return setWrong(false);
    const rate = parseRate(said, inUnit);
    setWrong(rate === 'wrong');
    if (rate === 'wrong') return;
    const limit = rate === 'empty' ? null : rate;
    if (limit !== props.limit) props.onChange(limit);
  };
  return (
    <Setting label={<label htmlFor={id}>{props.name}</label>} saved={props.saved}>
      <TextInput
        id={id}
        className="hf-rate"
        inputMode="decimal"
        placeholder={say('settings.limit.none')}
        value={text}
        error={wrong && say('settings.limit.wrong')}
        onChange={(e) => setText(e.currentTarget.value)}
        onBlur={() => save(text, unit)}
        onKeyDown={(e) => e.key === 'Enter' && save(text, unit)}
      />
      <NativeSelect
        aria-label={say('settings.limit.unit', { name: props.name })}
        data={Object.keys(RATE_UNITS)}
        value={unit}
        onChange={({ currentTarget: { value } }) => {
          if (!isUnit(value)) return;
          setUnit(value);
          save(text, value);
        }}
      />
    </Setting>
  );
}
