/** Choose files: the version's tree with what is chosen in it, and beside it whatever is known of the one that is looked at. */
import { Checkbox, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { VersionEntry } from '../../../src/api/model/destination.ts';
import { Moment } from '../../components/parts.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { changeDraft, type Go, type StepContext } from './draft.ts';
import { FilePanel } from './file-panel.tsx';
import { FileTree } from './file-tree.tsx';
import { SearchPanel } from './search-panel.tsx';
import { Chooser, ROOT, toggled } from './selection.ts';
import { selectionText } from './texts.ts';

/** Whoever runs through the tree with the arrow keys does not have every file looked into. */
const PAUSE = 200;

export function FilesStep({ destination, version, draft, go }: StepContext & { readonly go: Go }) {
  const { say } = useSpeech();
  const [active, setActive] = useState<VersionEntry>();
  const [shown] = useDebouncedValue(active, PAUSE);
  const panel = useRef<HTMLElement>(null);
  const both = useRef<HTMLDivElement>(null);
  // What was pressed is gone then; what it led to is here.
  const goAndLook: Go = (to) => {
    go(to);
    panel.current?.focus();
  };
  return (
    <>
      <Text className="hf-of-version">
        {say('restore.files.of', { destination: destination.name, computer: version.hostname })}{' '}
        <Moment at={version.at} />
      </Text>
      <SearchPanel destinationId={destination.id} version={version} go={goAndLook} />
      <div ref={both} className="hf-files">
        <div className="hf-files-tree">
          <Everything context={{ version, draft }} />
          <FileTree
            key={version.id}
            destinationId={destination.id}
            versionId={version.id}
            selection={draft.selection}
            reveal={draft.reveal}
            onActive={setActive}
            onEnter={() => panel.current?.focus()}
          />
          <Chosen context={{ version, draft }} />
        </div>
        <FilePanel
          ref={panel}
          onLeave={() => both.current?.querySelector<HTMLElement>('[role=tree]')?.focus()}
          file={shown && { destinationId: destination.id, versionId: version.id, path: shown.path }}
          entry={shown}
          version={version}
          go={goAndLook}
        />
      </div>
    </>
  );
}

type Context = Pick<StepContext, 'version' | 'draft'>;

function Everything({ context: { draft } }: { readonly context: Context }) {
  const { say } = useSpeech();
  const state = new Chooser(draft.selection).stateOf('/');
  return (
    <Checkbox
      label={say('restore.files.all')}
      checked={state === 'on'}
      indeterminate={state === 'mixed'}
      onChange={() => changeDraft({ selection: toggled(draft.selection, ROOT) })}
    />
  );
}

function Chosen({ context: { draft, version } }: { readonly context: Context }) {
  const speech = useSpeech();
  return (
    <p role="status" className="hf-chosen">
      {selectionText(speech, draft.selection, version)}
    </p>
  );
}
