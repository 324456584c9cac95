/** Choose where: to the original places, another folder, or one file; and what happens to what lies there. */
import { Radio, SegmentedControl, Switch, TextInput } from '@mantine/core';
import type { KeyboardEvent, ReactNode } from 'react';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { type ArchiveFormat, changeDraft, type StepContext, type TargetKind, withFormat } from './draft.ts';

const TARGETS = ['original', 'folder', 'archive'] as const satisfies readonly TargetKind[];
const CONFLICTS = [
  'keep-both',
  'overwrite',
  'skip',
] as const satisfies readonly RestoreRequest['conflicts'][];

export function WhereStep(context: StepContext) {
  const { say } = useSpeech();
  const { where } = context;
  return (
    <>
      <Radio.Group
        aria-label={say('restore.where.title')}
        value={where.target}
        onChange={(value) => changeDraft({ target: TARGETS.find((kind) => kind === value) ?? null })}
      >
        <div className="hf-choices">
          {TARGETS.map((kind) => (
            <Choice
              key={kind}
              value={kind}
              chosen={where.target}
              label={say(`restore.where.${kind}`)}
              text={say(`restore.where.${kind}.text`)}
            >
              {kind === 'folder' && <OtherFolder {...context} />}
              {kind === 'archive' && <Archive {...context} />}
            </Choice>
          ))}
        </div>
      </Radio.Group>
      {where.target !== 'archive' && <Conflicts {...context} />}
      <Switch
        label={say('restore.verify')}
        description={say('restore.verify.text')}
        checked={where.verify}
        onChange={(e) => changeDraft({ verify: e.currentTarget.checked })}
      />
    </>
  );
}

function Choice(props: {
  readonly value: string;
  readonly chosen: string;
  readonly label: string;
  readonly text: string;
  readonly children?: ReactNode;
}) {
  const isChosen = props.value === props.chosen;
  return (
    <div className="hf-choice" data-checked={isChosen || undefined}>
      <Radio value={props.value} label={props.label} description={props.text} />
      {isChosen && props.children && <div className="hf-choice-fields">{props.children}</div>}
    </div>
  );
}

/** Enter in a field ends with the field; it does not send the wizard on. */
function stay(e: KeyboardEvent<HTMLInputElement>): void {
  if (e.key === 'Enter') e.preventDefault();
}

function OtherFolder({ draft, where }: StepContext) {
  const { say } = useSpeech();
  return (
    <FolderField
      label={say('add.location')}
      description={say('restore.where.folder.field')}
      value={draft.folder ?? where.folder}
      forWriting
      onChange={(folder) => changeDraft({ folder })}
      onKeyDown={stay}
    />
  );
}

function Archive({ draft, where }: StepContext) {
  const { say } = useSpeech();
  const setFormat = (value: string) => {
    const format: ArchiveFormat = value === 'tar' ? 'tar' : 'zip';
    const archiveName = draft.archiveName === null ? null : withFormat(draft.archiveName, format);
    changeDraft({ format, archiveName });
  };
  return (
    <>
      <SegmentedControl
        aria-label={say('restore.where.format')}
        className="hf-start"
        value={where.format}
        onChange={setFormat}
        data={[
          { value: 'zip', label: '.zip' },
          { value: 'tar', label: '.tar' },
        ]}
      />
      <TextInput
        label={say('restore.where.name')}
        value={draft.archiveName ?? where.archiveName}
        onChange={(e) => changeDraft({ archiveName: e.currentTarget.value })}
        onKeyDown={stay}
        autoComplete="off"
        spellCheck={false}
      />
      <FolderField
        label={say('restore.where.archive-folder')}
        value={draft.archiveFolder ?? where.archiveFolder}
        forWriting
        onChange={(archiveFolder) => changeDraft({ archiveFolder })}
        onKeyDown={stay}
      />
    </>
  );
}

function Conflicts({ where }: StepContext) {
  const { say } = useSpeech();
  return (
    <Radio.Group
      label={say('restore.conflicts')}
      classNames={{ label: 'hf-group-label' }}
      value={where.conflicts}
      onChange={(value) => changeDraft({ conflicts: CONFLICTS.find((one) => one === value) ?? 'keep-both' })}
    >
      <div className="hf-conflicts">
        {CONFLICTS.map((kind) => (
          <Choice
            key={kind}
            value={kind}
            chosen={where.conflicts}
            label={say(`restore.conflicts.${kind}`)}
            text={say(`restore.conflicts.${kind}.text`)}
          />
        ))}
      </div>
    </Radio.Group>
  );
}
