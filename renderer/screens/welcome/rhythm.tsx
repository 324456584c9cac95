/** When: one choice; what is kept is said, and can be changed in the plan. */
import { Badge, Radio, Text } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import type { MessageKey } from '../../i18n/en.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { EMPTY, RHYTHMS, type Rhythm } from './draft.ts';

const WORDS: Readonly<Record<Rhythm, readonly [MessageKey, MessageKey]>> = {
  hourly: ['welcome.when.hourly', 'welcome.when.hourly.text'],
  daily: ['welcome.when.daily', 'welcome.when.daily.text'],
  weekly: ['welcome.when.weekly', 'welcome.when.weekly.text'],
  manual: ['welcome.when.manual', 'welcome.when.manual.text'],
};

export function RhythmChoice(props: {
  readonly chosen: Rhythm;
  readonly onChoose: (rhythm: Rhythm) => void;
}) {
  const { say } = useSpeech();
  return (
    <>
      <fieldset className="hf-fieldset">
        <legend className="hf-unseen">{say('wizard.when')}</legend>
        <div className="hf-choices">
          {RHYTHMS.map((rhythm) => {
            const [name, text] = WORDS[rhythm];
            return (
              <div key={rhythm} className="hf-choice" data-checked={props.chosen === rhythm || undefined}>
                <Radio
                  name="rhythm"
                  value={rhythm}
                  checked={props.chosen === rhythm}
                  onChange={() => props.onChoose(rhythm)}
                  label={
                    <>
                      {say(name)}
                      {rhythm === EMPTY.rhythm && (
                        <Badge className="hf-badge" data-tone="good" ml="sm">
                          {say('welcome.when.best')}
                        </Badge>
                      )}
                    </>
                  }
                  description={say(text)}
                />
              </div>
            );
          })}
        </div>
      </fieldset>
      <div className="hf-aside">
        <IconHistory size={22} stroke={1.5} aria-hidden />
        <div>
          <strong>{say('welcome.keep')}</strong>
          <Text size="sm" c="dimmed">
            {say('wizard.keep.balanced.text')}
          </Text>
        </div>
      </div>
    </>
  );
}
