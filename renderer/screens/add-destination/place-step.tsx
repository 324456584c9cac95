/** Where it is: the form of the kind, and what a test finds there. */
import { Button } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import { useSearchParams } from 'wouter';
import { Advanced } from '../../components/advanced.tsx';
import { FolderField } from '../../components/folder-field.tsx';
import { HostQuestion } from '../../components/host-question.tsx';
import { OptionLines } from '../../components/option-lines.tsx';
import { ThrownNote, WordsNote } from '../../components/parts.tsx';
import { TestResult } from '../../components/test-result.tsx';
import { useAsk, useDestinations, useSuggestions } from '../../data/host.tsx';
import type { MessageKey } from '../../i18n/en.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { attachmentName, diskIcon } from '../disks.tsx';
import { freeName } from '../welcome/draft.ts';
import type { Place } from './built.ts';
import { type Draft, elsewhere, tested } from './draft.ts';
import { parseOptions } from './options.ts';
import { placeOf } from './place.ts';
import { AdvancedFields, StorageFields } from './storage-fields.tsx';

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

/** Tests what stands in the form, or says what is missing in it. */
function useTest({ draft, onChange }: PartProps) {
  const ask = useAsk((host, place: Place) => host.destinations.test(place));
  const [missing, setMissing] = useState<MessageKey>();
  return {
    missing,
    busy: ask.isPending,
    error: ask.error,
    change: (next: Draft) => {
      setMissing(undefined);
      ask.reset();
      onChange(next);
    },
    run: (now = draft) => {
      const place = placeOf(now.kind, now.forms, now.lines);
      if ('missing' in place) return setMissing(place.missing);
      setMissing(undefined);
      ask.mutate(place, { onSuccess: (result) => onChange(tested(now, result)) });
    },
  };
}

type Test = ReturnType<typeof useTest>;

/** `mustExist`: of use is only a place with a repository. */
export function PlaceStep(props: PartProps & { readonly mustExist?: boolean }) {
  const test = useTest(props);
  const { draft } = props;
  return (
    <>
      {draft.kind === 'local' ? (
        <LocalPlace draft={draft} test={test} />
      ) : (
        <StoragePlace draft={draft} kind={draft.kind} test={test} />
      )}
      <ThrownNote error={test.error} />
      <Found draft={draft} test={test} mustExist={props.mustExist === true} />
    </>
  );
}

function Found(props: { readonly draft: Draft; readonly test: Test; readonly mustExist: boolean }) {
  const { say } = useSpeech();
  const { draft, test, mustExist } = props;
  if (!draft.test) return null;
  const { problem } = draft.test;
  if (problem?.code !== 'host-unverified' || draft.kind !== 'sftp') {
    if (mustExist && problem === null && !draft.test.repository) {
      return <WordsNote words={{ title: say('restore.other.none'), hint: say('restore.other.none.text') }} />;
    }
    return <TestResult test={draft.test} mayOnlyRead />;
  }
  const trust = (hostKey: string) => {
    const next = elsewhere(draft, { forms: { ...draft.forms, sftp: { ...draft.forms.sftp, hostKey } } });
    test.change(next);
    test.run(next);
  };
  return <HostQuestion error={problem} busy={test.busy} onTrust={trust} />;
}

function TestButton({ test }: { readonly test: Test }) {
  const { say } = useSpeech();
  return (
    <Button
      variant="light"
      leftSection={<IconPlugConnected size={17} aria-hidden />}
      loading={test.busy}
      onClick={() => test.run()}
    >
      {say('destinations.test')}
    </Button>
  );
}

/** The first Enter tests, the second goes on. */
function firstEnterTests(draft: Draft, test: Test) {
  return (e: KeyboardEvent) => {
    if (e.key !== 'Enter' || draft.test || !(e.target instanceof HTMLInputElement)) return;
    e.preventDefault();
    test.run();
  };
}

function LocalPlace({ draft, test }: { readonly draft: Draft; readonly test: Test }) {
  const { say } = useSpeech();
  const at = (folder: string, name = draft.name) =>
    elsewhere(draft, { forms: { ...draft.forms, local: { folder } }, name });
  const { folder } = draft.forms.local;
  return (
    <>
      <DiskChoices
        chosen={folder}
        onChoose={(path, name) => {
          test.change(at(path, name));
          test.run(at(path, name));
        }}
      />
      <FolderField
        label={say('add.location')}
        placeholder={say('add.location.placeholder')}
        value={folder}
        error={test.missing && say(test.missing)}
        forWriting
        onChange={(path) => test.change(at(path))}
        onKeyDown={firstEnterTests(draft, test)}
      >
        <TestButton test={test} />
      </FolderField>
    </>
  );
}

function StoragePlace(props: {
  readonly draft: Draft;
  readonly kind: Exclude<Draft['kind'], 'local'>;
  readonly test: Test;
}) {
  const { say } = useSpeech();
  const { draft, kind, test } = props;
  const setForms = (forms: Draft['forms']) => test.change(elsewhere(draft, { forms }));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: hears what its fields leave over
    <div className="hf-form" onKeyDown={firstEnterTests(draft, test)}>
      <StorageFields kind={kind} forms={draft.forms} onChange={setForms} lines={draft.lines} />
      <Advanced>
        <AdvancedFields kind={kind} forms={draft.forms} onChange={setForms} />
        <OptionLines
          kind={kind}
          value={draft.lines}
          wrong={parseOptions(draft.lines) === 'wrong'}
          onChange={(lines) => test.change(elsewhere(draft, { lines }))}
        />
      </Advanced>
      <div className="hf-actions">
        <TestButton test={test} />
        {test.missing && (
          <p role="alert" className="hf-missing">
            {say(test.missing)}
          </p>
        )}
      </div>
    </div>
  );
}

/** The disks that are there, to be taken by one click; their free names are as they call themselves. */
function DiskChoices(props: {
  readonly chosen: string;
  readonly onChoose: (location: string, name: string) => void;
}) {
  const { say, format } = useSpeech();
  const { data: destinations = [] } = useDestinations();
  const { data: suggestions } = useSuggestions();
  const [search] = useSearchParams();
  const names = destinations.map(({ name }) => name);
  const taken = new Set(destinations.map(({ location }) => location));
  const free = suggestions?.destinations.filter(({ folder }) => !taken.has(folder)) ?? [];
  const wanted = search.get('disk');
  const sorted = [...free].sort((a, b) => Number(b.disk.path === wanted) - Number(a.disk.path === wanted));
  if (sorted.length === 0) return null;
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('add.disks')}</legend>
      <div className="hf-owns">
        {sorted.map(({ disk, folder }) => {
          const Icon = diskIcon(disk);
          return (
            <button
              key={folder}
              type="button"
              className="hf-choice hf-pick"
              aria-pressed={props.chosen === folder}
              data-checked={props.chosen === folder || undefined}
              onClick={() => props.onChoose(folder, freeName(disk.name, names))}
            >
              <Icon size={24} stroke={1.5} aria-hidden />
              <span>
                <strong>{disk.name}</strong>
                {disk.attachment !== 'unknown' && <span>{say(attachmentName(disk))}</span>}
                <span>
                  {say('unit.free-of', { free: format.bytes(disk.free), total: format.bytes(disk.total) })}
                </span>
              </span>
            </button>
          );
        })}
      </div>
    </fieldset>
  );
}
