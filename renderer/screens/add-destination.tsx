/** Adds a destination: kind → place, tested → name and password → recovery key. Also as a dialog in the plan's wizard. */
import { Button, Checkbox, CopyButton, Modal, PasswordInput, Radio, Text, TextInput } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { ConnectionTest, Destination } from '../../src/api/model/destination.ts';
import { Page, ThrownNote } from '../components/parts.tsx';
import { isUsable, TestResult } from '../components/test-result.tsx';
import { type Step, Wizard } from '../components/wizard.tsx';
import { useAsk, useDestinations } from '../data/host.tsx';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { isAbsolute } from './plan-wizard/draft.ts';
import { ChooseFolder } from './plan-wizard/what-step.tsx';

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
      closeOnEscape={!added}
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
  const name = useFreeName(say('add.name.default'));
  const [draft, setDraft] = useState<Draft>({ location: '', name, password: '' });
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  const add = useAsk((host, { location, name, password }: Draft) =>
    host.destinations.add({ location: location.trim(), name, ...(password === '' ? {} : { password }) }),
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

/** A name that no destination has, so that the proposal can be taken as it is. */
function useFreeName(wanted: string): string {
  const { data: destinations = [] } = useDestinations();
  const names = new Set(destinations.map(({ name }) => name));
  let name = wanted;
  for (let i = 2; names.has(name); i++) name = `${wanted} ${i}`;
  return name;
}

function stepsOf(say: Say, draft: Draft, onChange: (draft: Draft) => void): readonly Step[] {
  const { test } = draft;
  const placeMissing = !test || !isUsable(test) ? say('add.test.first') : undefined;
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
  const set = (location: string) => {
    setRelative(false);
    test.reset();
    onChange({ ...draft, location, test: undefined });
  };
  const run = () => {
    if (!isAbsolute(draft.location.trim())) return setRelative(true);
    test.mutate(draft.location, { onSuccess: (result) => onChange({ ...draft, test: result }) });
  };
  return (
    <>
      <div className="hf-add">
        <TextInput
          label={say('add.location')}
          placeholder={say('add.location.placeholder')}
          value={draft.location}
          error={relative && say('add.location.relative')}
          onChange={(e) => set(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== 'Enter' || draft.test) return;
            // The first Enter tests, the second goes on.
            e.preventDefault();
            run();
          }}
          autoComplete="off"
          spellCheck={false}
        />
        <Button
          variant="light"
          leftSection={<IconPlugConnected size={17} aria-hidden />}
          loading={test.isPending}
          onClick={run}
        >
          {say('destinations.test')}
        </Button>
        <ChooseFolder onChosen={set} />
      </div>
      <ThrownNote error={test.error} />
      {draft.test && <TestResult test={draft.test} />}
    </>
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
          <div className="hf-key">
            <output aria-label={say('add.key.label')}>{recoveryKey}</output>
            <CopyButton value={recoveryKey}>
              {({ copied, copy }) => (
                <Button variant="default" size="xs" onClick={copy}>
                  {say(copied ? 'common.copied' : 'common.copy')}
                </Button>
              )}
            </CopyButton>
          </div>
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
