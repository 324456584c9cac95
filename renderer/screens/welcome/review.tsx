/** All that was said, in one look, before anything is made. */
import { Text } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { Facts } from '../../components/parts.tsx';
import { recurrenceText, retentionText } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { defaultRetention, defaultWhen } from '../plan-wizard/draft.ts';
import type { Counted } from '../plan-wizard/preview.ts';
import type { Caution, Rhythm } from './draft.ts';
import { Cautions } from './places.tsx';

export function Review(props: {
  readonly sources: readonly string[];
  readonly counted: Counted;
  /** Name and path of where it goes. */
  readonly place: string;
  readonly rhythm: Rhythm;
  /** A repository is made, so there will be a key to keep. */
  readonly makesKey: boolean;
  readonly cautions: readonly Caution[];
}) {
  const speech = useSpeech();
  const { say, format } = speech;
  const { preview } = props.counted;
  const size = preview
    ? say('wizard.preview.of', {
        files: say('unit.files', { count: preview.files }),
        bytes: format.bytes(preview.bytes),
      })
    : say('wizard.preview.counting');
  const sources = (
    <ul className="hf-plain">
      {props.sources.map((path) => (
        <li key={path} className="hf-path">
          {path}
        </li>
      ))}
    </ul>
  );
  return (
    <>
      <div className="hf-summary">
        <Facts
          facts={[
            [say('wizard.what'), sources],
            [say('wizard.preview'), size],
            [say('wizard.where'), <span key="where">{props.place}</span>],
            [say('wizard.when'), recurrenceText(speech, defaultWhen(props.rhythm))],
            [say('wizard.keep'), retentionText(speech, defaultRetention('balanced'))],
          ]}
        />
      </div>
      <Cautions cautions={props.cautions} />
      <div className="hf-aside">
        <IconKey size={22} stroke={1.5} aria-hidden />
        <Text size="sm">{say(props.makesKey ? 'welcome.review.key' : 'welcome.review.no-key')}</Text>
      </div>
    </>
  );
}
