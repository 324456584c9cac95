/** Adds a destination: kind → place, tested → name and password → recovery key. Also as a dialog in the plan's wizard. */
import { Button, Checkbox, Modal, PasswordInput, Radio, Text, TextInput } from '@mantine/core';
import { IconInfoCircle, IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { ConnectionTest, Destination } from '../../src/api/model/destination.ts';
import { isOnlyReadable, isUsable } from '../components/connection.ts';
import { FolderField } from '../components/folder-field.tsx';
import { useCovered } from '../components/layers.ts';
import { Page, ThrownNote } from '../components/parts.tsx';
import { isAbsolute } from '../components/paths.ts';
import { KeyBox, KitButtons } from '../components/recovery-key.tsx';
import { TestResult } from '../components/test-result.tsx';
import { type Step, Wizard } from '../components/wizard.tsx';
import { useAsk, useDestinations, useSuggestions } from '../data/host.tsx';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { attachmentName, diskIcon } from './disks.tsx';
import { freeName } from './welcome/draft.ts';

export function AddDestinationScreen() {
  const { say } = useSpeech();
  const [, go] = useLocation();
  return (
    <Page title={say('add.title')}>
      <AddDestination onAdded={() => go('/destinations')} onCancel={() => go('/destinations')} />
    </Page>
  );
}

interface Draft {
  readonly location: string;
  readonly name: string;
  readonly password: string;
  /** Only for getting files back. */
  readonly readOnly: boolean;
  /** Of this very location; undefined: not tested. */
  readonly test?: ConnectionTest | undefined;
}

interface Added {
  readonly destination: Destination;
  readonly recoveryKey: string | null;
  readonly restoredPlans: number;
}

interface AddProps {
  readonly onAdded: (destination: Destination) => void;
  readonly onCancel: () => void;
  readonly inDialog?: boolean;
}

export function AddDestination({ onAdded, onCancel, inDialog }: AddProps) {
  const { say } = useSpeech();
  const [added, setAdded] = useState<Added>();
  const covered = useCovered();
  const content = added ? (
    <RecoveryKey added={added} onDone={() => onAdded(added.destination)} />
  ) : (
    <Ask onAdded={setAdded} onCancel={onCancel} />
  );
  if (!inDialog) return content;
  return (
    <Modal
      opened
      // The key is shown only once: the dialog must not be lost by a click beside it.
      onClose={() => (added ? onAdded(added.destination) : onCancel())}
      closeOnClickOutside={false}
      closeOnEscape={!added && !covered}
      size="xl"
      title={say('add.title')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      {content}
    </Modal>
  );
}

function Ask(props: { readonly onAdded: (added: Added) => void; readonly onCancel: () => void }) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useDestinations();
  const name = freeName(
    say('add.name.default'),
    destinations.map((one) => one.name),
  );
  const [draft, setDraft] = useState<Draft>({ location: '', name, password: '', readOnly: false });
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  const add = useAsk((host, { location, name, password, readOnly }: Draft) =>
    host.destinations.add({
      location: location.trim(),
      name,
      readOnly,
      ...(password === '' ? {} : { password }),
    }),
  );
  return (
    <>
      <ThrownNote error={add.error} />
      <Wizard
        label={say('add.title')}
        steps={stepsOf(say, draft, setDraft)}
        at={at}
        onGo={(step) => {
          setTried(false);
          setAt(step);
        }}
        onCancel={props.onCancel}
        showMissing={tried}
        onMissing={() => setTried(true)}
        finish={{
          name: say('add.save'),
          busy: add.isPending,
          onFinish: () => add.mutate(draft, { onSuccess: props.onAdded }),
        }}
      />
    </>
  );
}

function stepsOf(say: Say, draft: Draft, onChange: (draft: Draft) => void): readonly Step[] {
  const { test } = draft;
  const placeMissing = !test || !(isUsable(test) || isOnlyReadable(test)) ? say('add.test.first') : undefined;
  return [
    { name: say('add.kind'), title: say('add.kind.title'), content: <Kind /> },
    {
      name: say('add.place'),
      title: say('add.place.title'),
      text: say('add.place.text'),
      missing: placeMissing,
      content: <Place draft={draft} onChange={onChange} />,
    },
    {
      name: say('add.protect'),
      title: say('add.protect.title'),
      missing: missingProtection(say, draft),
      content: <Protection draft={draft} onChange={onChange} />,
    },
  ];
}

function missingProtection(say: Say, { name, password, test }: Draft): string | undefined {
  if (name.trim() === '') return say('add.name.empty');
  return test?.repository && password === '' ? say('add.password.missing') : undefined;
}

/** The kinds that this host can use. */
function Kind() {
  const { say } = useSpeech();
  return (
    <>
      <div className="hf-choice" data-checked>
        <Radio
          name="kind"
          value="local"
          checked
          readOnly
          label={say('destinations.kind.local')}
          description={say('add.kind.local.text')}
        />
      </div>
      <div className="hf-aside">
        <IconInfoCircle size={22} stroke={1.5} aria-hidden />
        <Text size="sm">{say('add.kind.others')}</Text>
      </div>
    </>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

function Place({ draft, onChange }: PartProps) {
  const { say } = useSpeech();
  const test = useAsk((host, location: string) => host.destinations.test({ location: location.trim() }));
  const [relative, setRelative] = useState(false);
  const set = (location: string, name = draft.name) => {
    setRelative(false);
    test.reset();
    onChange({ ...draft, location, name, password: '', readOnly: false, test: undefined });
  };
  const run = (location = draft.location, name = draft.name) => {
    if (!isAbsolute(location.trim())) return setRelative(true);
    test.mutate(location, {
      onSuccess: (result) => {
        const readOnly = !isUsable(result) && isOnlyReadable(result);
        onChange({ ...draft, location, name, password: '', readOnly, test: result });
      },
    });
  };
  return (
    <>
      <DiskChoices
        chosen={draft.location}
        onChoose={(location, name) => {
          set(location, name);
          run(location, name);
        }}
      />
      <FolderField
        label={say('add.location')}
        placeholder={say('add.location.placeholder')}
        value={draft.location}
        error={relative && say('add.location.relative')}
        forWriting
        onChange={set}
        onKeyDown={(e) => {
          if (e.key !== 'Enter' || draft.test) return;
          // The first Enter tests, the second goes on.
          e.preventDefault();
          run();
        }}
      >
        <Button
          variant="light"
          leftSection={<IconPlugConnected size={17} aria-hidden />}
          loading={test.isPending}
          onClick={() => run()}
        >
          {say('destinations.test')}
        </Button>
      </FolderField>
      <ThrownNote error={test.error} />
      {draft.test && <TestResult test={draft.test} mayOnlyRead />}
    </>
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

function Protection({ draft, onChange }: PartProps) {
  const { say } = useSpeech();
  const existing = draft.test?.repository === true;
  return (
    <>
      <TextInput
        label={say('add.name')}
        value={draft.name}
        maxLength={120}
        onChange={(e) => onChange({ ...draft, name: e.currentTarget.value })}
      />
      <PasswordInput
        label={existing ? say('add.password') : `${say('add.password')} (${say('common.optional')})`}
        description={say(existing ? 'add.password.existing.text' : 'add.password.new.text')}
        value={draft.password}
        autoComplete={existing ? 'off' : 'new-password'}
        onChange={(e) => onChange({ ...draft, password: e.currentTarget.value })}
      />
      {draft.test && existing && (
        <Checkbox
          label={say('destinations.read-only')}
          description={say(isUsable(draft.test) ? 'destinations.read-only.text' : 'add.read-only.must')}
          checked={draft.readOnly}
          disabled={!isUsable(draft.test)}
          onChange={(e) => onChange({ ...draft, readOnly: e.currentTarget.checked })}
        />
      )}
    </>
  );
}

/** What opens the backups when everything else is gone; it is not shown again unasked. */
function RecoveryKey({ added, onDone }: { readonly added: Added; readonly onDone: () => void }) {
  const { say } = useSpeech();
  const [stored, setStored] = useState(false);
  const { recoveryKey, destination, restoredPlans } = added;
  return (
    <section className="hf-panel hf-step" aria-labelledby="added">
      <h2 id="added">{say('add.done.title', { name: destination.name })}</h2>
      {restoredPlans > 0 && <Text>{say('add.restored', { count: restoredPlans })}</Text>}
      <Text>{say(recoveryKey === null ? 'add.key.known' : 'add.key.text')}</Text>
      {recoveryKey !== null && (
        <>
          <KeyBox words={recoveryKey} />
          <KitButtons
            destinationId={destination.id}
            name={destination.name}
            prominent={false}
            onKept={() => setStored(true)}
          />
          <Checkbox
            label={say('add.key.stored')}
            checked={stored}
            onChange={(e) => setStored(e.currentTarget.checked)}
          />
        </>
      )}
      <div className="hf-step-foot">
        <Button disabled={recoveryKey !== null && !stored} onClick={onDone}>
          {say('add.finish')}
        </Button>
      </div>
    </section>
  );
}
