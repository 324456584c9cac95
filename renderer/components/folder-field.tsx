/** A path of the host's computer: typed, or chosen in the system's own dialog or, in a browser, in Holdfast's. */
import { Button, TextInput } from '@mantine/core';
import { IconFolderSearch } from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { useSpeech } from '../i18n/speech.tsx';
import { FolderPicker } from './folder-picker.tsx';
import { useTell } from './parts.tsx';
import { isAbsolute } from './paths.ts';

export interface FolderFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (path: string) => void;
  readonly what?: 'folder' | 'file';
  /** Something will be written into the folder, so one that can't be written to is marked. */
  readonly forWriting?: boolean;
  readonly description?: ReactNode;
  readonly placeholder?: string;
  readonly error?: ReactNode;
  /** A path was chosen, not typed; in place of `onChange`. */
  readonly onChosen?: (path: string) => void;
  readonly onKeyDown?: (e: KeyboardEvent<HTMLInputElement>) => void;
  /** Next to the button that chooses. */
  readonly children?: ReactNode;
}

/** A text field for a path with a button "Choose folder…" (or "Choose file…"). */
export function FolderField(props: FolderFieldProps) {
  const { what = 'folder', value, onChange } = props;
  return (
    <TextInput
      label={props.label}
      description={props.description}
      placeholder={props.placeholder}
      error={props.error}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
      onKeyDown={props.onKeyDown}
      autoComplete="off"
      spellCheck={false}
      inputContainer={(input) => (
        <div className="hf-folder-field">
          {input}
          {props.children}
          <ChoosePath
            title={props.label}
            what={what}
            startAt={value.trim()}
            forWriting={props.forWriting === true}
            onChosen={props.onChosen ?? onChange}
          />
        </div>
      )}
    />
  );
}

/** The button alone. */
export function ChoosePath(props: {
  readonly title: string;
  readonly what: 'folder' | 'file';
  readonly startAt?: string;
  readonly forWriting?: boolean;
  readonly name?: string;
  readonly onChosen: (path: string) => void;
}) {
  const { say } = useSpeech();
  const tell = useTell();
  const [picking, setPicking] = useState(false);
  const { what, title, onChosen } = props;
  const startAt = props.startAt !== undefined && isAbsolute(props.startAt) ? props.startAt : undefined;
  const choose = async () => {
    const shell = window.holdfast;
    if (!shell) return setPicking(true);
    try {
      const [path] = await shell.choose({ what, title, ...(startAt === undefined ? {} : { startAt }) });
      if (path !== undefined) onChosen(path);
    } catch (e) {
      tell.failed(e);
    }
  };
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconFolderSearch size={17} aria-hidden />}
        onClick={() => void choose()}
      >
        {props.name ?? say(what === 'folder' ? 'common.choose-folder' : 'picker.choose-file')}
      </Button>
      {picking && (
        <FolderPicker
          title={title}
          what={what}
          startAt={startAt ?? null}
          forWriting={props.forWriting === true}
          onChosen={(path) => {
            setPicking(false);
            onChosen(path);
          }}
          onClose={() => setPicking(false)}
        />
      )}
    </>
  );
}
