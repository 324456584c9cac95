/** How long versions are kept. */
import { NumberInput, Radio } from '@mantine/core';
import type { Retention } from '../../../src/api/model/plan.ts';
import { KEPT } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { changed, defaultRetention, type StepProps } from './draft.ts';

const KINDS = ['balanced', 'recent', 'everything', 'custom'] as const;

export function KeepStep({ draft, onChange }: StepProps) {
  const { say } = useSpeech();
  const { retention } = draft.input;
  const set = (next: Retention) => onChange(changed(draft, { retention: next }));
  return (
    <fieldset className="hf-fieldset">
      <legend className="hf-unseen">{say('wizard.keep')}</legend>
      <div className="hf-choices">
        {KINDS.map((kind) => (
          <div key={kind} className="hf-choice" data-checked={retention.kind === kind || undefined}>
            <Radio
              name="keep"
              value={kind}
              label={say(`wizard.keep.${kind}`)}
              description={say(`wizard.keep.${kind}.text`)}
              checked={retention.kind === kind}
              onChange={() => set(defaultRetention(kind))}
            />
            {retention.kind === kind && <Numbers retention={retention} onChange={set} />}
          </div>
        ))}
      </div>
    </fieldset>
  );
}

function Numbers(props: {
  readonly retention: Retention;
  readonly onChange: (retention: Retention) => void;
}) {
  const { say } = useSpeech();
  const { retention } = props;
  if (retention.kind === 'recent') {
    return (
      <NumberInput
        className="hf-narrow"
        label={say('wizard.keep.days')}
        min={1}
        max={36_500}
        value={retention.days}
        onChange={(days) => props.onChange({ ...retention, days: Math.max(1, Math.trunc(Number(days))) })}
      />
    );
  }
  if (retention.kind !== 'custom') return null;
  const { keep } = retention;
  return (
    <div className="hf-numbers">
      {KEPT.map((name) => (
        <NumberInput
          key={name}
          label={say(`wizard.keep.${name}`)}
          min={0}
          max={10_000}
          value={keep[name]}
          onChange={(count) =>
            props.onChange({
              ...retention,
              keep: { ...keep, [name]: Math.max(0, Math.trunc(Number(count))) },
            })
          }
        />
      ))}
    </div>
  );
}
