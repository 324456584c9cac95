/** A button that copies a text, and says that it has. */
import { Button, CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useSpeech } from '../i18n/speech.tsx';

export function CopyText(props: {
  readonly text: string;
  /** What is copied, for whoever hears the button without its surroundings. */
  readonly label?: string;
  /** Instead of "Copy". */
  readonly name?: string;
}) {
  const { say } = useSpeech();
  return (
    <CopyButton value={props.text}>
      {({ copied, copy }) => (
        <Button
          variant="default"
          size="xs"
          leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          {...(props.label === undefined || copied ? {} : { 'aria-label': props.label })}
          onClick={copy}
        >
          {copied ? say('common.copied') : (props.name ?? say('common.copy'))}
        </Button>
      )}
    </CopyButton>
  );
}
