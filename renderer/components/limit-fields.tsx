/** Limits of a destination's bandwidth, as texts in MiB/s; empty: none. */
import { TextInput } from '@mantine/core';
import { useSpeech } from '../i18n/speech.tsx';
import { parseRate } from '../screens/settings/rate.ts';

const LIMITS = [
  ['upload', 'destination-edit.upload'],
  ['download', 'destination-edit.download'],
] as const;

export interface Limits {
  readonly upload: string;
  readonly download: string;
}

export function LimitFields(props: Limits & { readonly onChange: (change: Partial<Limits>) => void }) {
  const { say } = useSpeech();
  return (
    <div className="hf-two-fields">
      {LIMITS.map(([name, label]) => (
        <TextInput
          key={name}
          inputMode="decimal"
          label={say(label)}
          placeholder={say('settings.limit.none')}
          value={props[name]}
          error={parseRate(props[name], 'MiB/s') === 'wrong' && say('settings.limit.wrong')}
          onChange={(e) => props.onChange({ [name]: e.currentTarget.value })}
        />
      ))}
    </div>
  );
}
