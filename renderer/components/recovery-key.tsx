/** The recovery key of a repository that was just made, and the page to keep it on. */
import { Button, CopyButton } from '@mantine/core';
import { IconDownload, IconPrinter } from '@tabler/icons-react';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { useTell } from './parts.tsx';
import { printPage } from './print-page.ts';

export function KeyBox(props: { readonly words: string; readonly onCopied?: () => void }) {
  const { say } = useSpeech();
  return (
    <div className="hf-key">
      <output aria-label={say('add.key.label')}>{props.words}</output>
      <CopyButton value={props.words}>
        {({ copied, copy }) => (
          <Button
            variant="default"
            size="xs"
            onClick={() => {
              copy();
              props.onCopied?.();
            }}
          >
            {say(copied ? 'common.copied' : 'common.copy')}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}

/** Prints or saves the recovery kit, which holds the key. `onKept`: it was handed over to a printer or a file. */
export function KitButtons(props: {
  readonly destinationId: string;
  readonly name: string;
  /** As the thing to do next. */
  readonly prominent?: boolean;
  readonly onKept?: () => void;
}) {
  const { say } = useSpeech();
  const tell = useTell();
  const kit = useAsk((host, id: string) => host.destinations.recoveryKit({ id }));
  const make = (use: (html: string) => Promise<boolean>) =>
    kit.mutate(props.destinationId, {
      onSuccess: ({ html }) => {
        use(html).then((kept) => kept && props.onKept?.(), tell.failed);
      },
      onError: tell.failed,
    });
  return (
    <div className="hf-actions">
      <Button
        variant={props.prominent ? 'filled' : 'light'}
        leftSection={<IconPrinter size={17} aria-hidden />}
        aria-label={say('recovery.print-named', { name: props.name })}
        loading={kit.isPending}
        onClick={() =>
          make(async (html) => {
            printPage(html);
            return true;
          })
        }
      >
        {say('recovery.print')}
      </Button>
      <Button
        variant="default"
        leftSection={<IconDownload size={17} aria-hidden />}
        aria-label={say('recovery.save-named', { name: props.name })}
        disabled={kit.isPending}
        onClick={() => make((html) => savePage(say('recovery.kit'), props.name, html))}
      >
        {say('welcome.kit.save')}
      </Button>
    </div>
  );
}

/** By the shell's dialog, or as a browser keeps files; false: the person changed their mind. */
async function savePage(title: string, name: string, html: string): Promise<boolean> {
  const fileName = `holdfast-${fileSafe(name)}.html`;
  if (window.holdfast) return (await window.holdfast.save({ title, name: fileName, text: html })) !== null;
  const url = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
  return true;
}

/** What every system takes as a file's name. */
function fileSafe(name: string): string {
  return (
    name
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 60) || 'kit'
  );
}
