/** What is known of the file that is looked at: what is in it, how today's differs, and how it was in other versions. */
import { Tabs, Text, Title } from '@mantine/core';
import { IconFileSearch } from '@tabler/icons-react';
import type { Ref } from 'react';
import type { Version, VersionEntry } from '../../../src/api/model/destination.ts';
import type { FileInVersion } from '../../../src/api/model/look.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Differs } from './differs.tsx';
import type { Go } from './draft.ts';
import { History } from './history.tsx';
import { Preview } from './preview.tsx';
import { parentOf } from './selection.ts';

interface FilePanelProps {
  readonly ref: Ref<HTMLElement>;
  /** Escape: back to the tree, from where Enter led here. */
  readonly onLeave: () => void;
  readonly file: FileInVersion | undefined;
  readonly entry: VersionEntry | undefined;
  readonly version: Version;
  readonly go: Go;
}

export function FilePanel({ ref, onLeave, file, entry, version, go }: FilePanelProps) {
  const { say } = useSpeech();
  return (
    <section
      ref={ref}
      className="hf-file"
      aria-label={say('restore.file')}
      tabIndex={-1}
      onKeyDown={(e) => e.key === 'Escape' && onLeave()}
    >
      {file && entry ? (
        <>
          <Head entry={entry} />
          {entry.kind === 'file' ? (
            <Parts file={file} version={version} go={go} />
          ) : (
            <Text size="sm" c="dimmed">
              {say(entry.kind === 'dir' ? 'restore.file.is-folder' : 'restore.preview.not-a-file')}
            </Text>
          )}
        </>
      ) : (
        <div className="hf-file-nothing">
          <IconFileSearch size={34} stroke={1.3} aria-hidden />
          <Text size="sm" c="dimmed">
            {say('restore.file.nothing')}
          </Text>
        </div>
      )}
    </section>
  );
}

function Head({ entry }: { readonly entry: VersionEntry }) {
  const { say, format } = useSpeech();
  const facts = [
    say(`restore.kind.${entry.kind}`),
    ...(entry.bytes === null ? [] : [format.bytes(entry.bytes)]),
    ...(entry.modifiedAt === null ? [] : [format.short(entry.modifiedAt)]),
  ];
  return (
    <div>
      <Title order={3} className="hf-path">
        {entry.name}
      </Title>
      <Text size="sm" c="dimmed">
        {facts.join(' · ')}
      </Text>
      <Text size="xs" c="dimmed" className="hf-path">
        {parentOf(entry.path)}
      </Text>
    </div>
  );
}

function Parts(props: { readonly file: FileInVersion; readonly version: Version; readonly go: Go }) {
  const { say } = useSpeech();
  const { file } = props;
  return (
    <Tabs defaultValue="preview" keepMounted={false} className="hf-file-tabs">
      <Tabs.List>
        <Tabs.Tab value="preview">{say('restore.preview')}</Tabs.Tab>
        <Tabs.Tab value="today">{say('restore.today')}</Tabs.Tab>
        <Tabs.Tab value="history">{say('restore.history')}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="preview">
        <Preview file={file} />
      </Tabs.Panel>
      <Tabs.Panel value="today">
        <Differs file={file} />
      </Tabs.Panel>
      <Tabs.Panel value="history">
        <History {...props} />
      </Tabs.Panel>
    </Tabs>
  );
}
