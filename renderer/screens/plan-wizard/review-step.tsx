/** All that was said, in one look, and the plan's name. */
import { Switch, TextInput } from '@mantine/core';
import { useNamedDestinations } from '../../components/named.ts';
import { Facts } from '../../components/parts.tsx';
import { isWithin } from '../../components/paths.ts';
import { recurrenceText, retentionText } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { sourceText } from '../plans.tsx';
import { Cautions } from '../welcome/places.tsx';
import { changed, type StepProps } from './draft.ts';
import { usePreview } from './preview.ts';

export function ReviewStep({ draft, onChange, isNew }: StepProps & { readonly isNew: boolean }) {
  const speech = useSpeech();
  const { say, format } = speech;
  const { input } = draft;
  const { data: destinations = [] } = useNamedDestinations();
  const { preview } = usePreview(input.sources, input.rules);
  const within = destinations.some(
    ({ id, location }) =>
      input.destinations.includes(id) &&
      input.sources.some((source) => source.kind === 'path' && isWithin(location, source.path)),
  );
  const named = destinations.filter(({ id }) => input.destinations.includes(id)).map(({ name }) => name);
  const size = preview
    ? say('wizard.preview.of', {
        files: say('unit.files', { count: preview.files }),
        bytes: format.bytes(preview.bytes),
      })
    : say('wizard.preview.counting');
  return (
    <>
      <TextInput
        label={say('wizard.name')}
        value={input.name}
        maxLength={120}
        onChange={(e) => onChange(changed(draft, { name: e.currentTarget.value }))}
      />
      <div className="hf-summary">
        <Facts
          facts={[
            [
              say('wizard.what'),
              <Sources key="what" texts={input.sources.map((one) => sourceText(say, one))} />,
            ],
            [say('wizard.preview'), size],
            [say('wizard.where'), format.list(named)],
            [say('wizard.when'), recurrenceText(speech, input.schedule.when)],
            [say('wizard.keep'), retentionText(speech, input.retention)],
          ]}
        />
      </div>
      {within && <Cautions cautions={['welcome.caution.within']} />}
      {isNew && (
        <Switch
          label={say('wizard.run-first')}
          checked={draft.runFirst}
          onChange={(e) => onChange({ ...draft, runFirst: e.currentTarget.checked })}
        />
      )}
    </>
  );
}

function Sources({ texts }: { readonly texts: readonly string[] }) {
  return (
    <ul className="hf-plain">
      {texts.map((text) => (
        <li key={text} className="hf-path">
          {text}
        </li>
      ))}
    </ul>
  );
}
