/** Options of a storage, one a line. */
import { Textarea } from '@mantine/core';
import { useSpeech } from '../i18n/speech.tsx';

const EXAMPLES: Readonly<Record<string, string>> = {
  s3: 's3.connections=8',
  sftp: 'sftp.connections=4',
  rest: 'rest.connections=4',
  gdrive: 'gdrive.connections=4',
  dropbox: 'dropbox.connections=4',
};

export function OptionLines(props: {
  readonly kind: string;
  readonly value: string;
  readonly wrong: boolean;
  readonly onChange: (lines: string) => void;
}) {
  const { say } = useSpeech();
  return (
    <Textarea
      label={say('storage.options')}
      description={say('storage.options.text', {
        example: EXAMPLES[props.kind] ?? `${props.kind}.name=value`,
      })}
      error={props.wrong && say('storage.options.wrong')}
      value={props.value}
      rows={3}
      spellCheck={false}
      onChange={(e) => props.onChange(e.currentTarget.value)}
    />
  );
}
