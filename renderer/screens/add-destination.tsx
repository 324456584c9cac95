/** Adds a destination: kind → place, tested → name and password → recovery key. Also as a dialog in the plan's wizard. */
import { Button, Checkbox, Modal, PasswordInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Destination } from '../../src/api/model/destination.ts';
import { isUsable } from '../components/connection.ts';
import { useCovered } from '../components/layers.ts';
import { LimitFields } from '../components/limit-fields.tsx';
import { Page, ThrownNote } from '../components/parts.tsx';
import { KeyBox, KitButtons } from '../components/recovery-key.tsx';
import { type Step, Wizard } from '../components/wizard.tsx';
import { useAsk, useDestinations } from '../data/host.tsx';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';
import {
  additionOf,
  type Draft,
  elsewhere,
  mayGoOn,
  missingProtection,
  NEW_DRAFT,
  nameOf,
} from './add-destination/draft.ts';
import { KindStep } from './add-destination/kind-step.tsx';
import { STORAGE_KINDS, type StorageKind } from './add-destination/place.ts';
import { PlaceStep } from './add-destination/place-step.tsx';
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

interface Added {
  readonly destination: Destination;
  readonly recoveryKey: string | null;
  readonly restoredPlans: number;
}

interface AddProps {
  readonly onAdded: (destination: Destination) => void;
  readonly onCancel: () => void;
  readonly inDialog?: boolean;
  /** Not a folder: who asks has offered that already. */
  readonly away?: boolean;
}

const AWAY = STORAGE_KINDS.filter((kind) => kind !== 'local');

export function AddDestination({ onAdded, onCancel, inDialog, away }: AddProps) {
  const { say } = useSpeech();
  const [added, setAdded] = useState<Added>();
  const covered = useCovered();
  const content = added ? (
    <RecoveryKey added={added} onDone={() => onAdded(added.destination)} />
  ) : (
    <Ask onAdded={setAdded} onCancel={onCancel} kinds={away ? AWAY : STORAGE_KINDS} />
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

function Ask(props: {
  readonly kinds: readonly StorageKind[];
  readonly onAdded: (added: Added) => void;
  readonly onCancel: () => void;
}) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useDestinations();
  const [draft, setDraft] = useState({ ...NEW_DRAFT, kind: props.kinds[0] ?? NEW_DRAFT.kind });
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  const usual =
    draft.kind === 'local'
      ? say('add.name.default')
      : say(`destinations.kind.${draft.kind}`).replace(/ \(.*/, '');
  const taken = destinations.map((one) => one.name);
  const name = draft.name ?? freeName(nameOf(draft, usual), taken);
  const add = useAsk((host, addition: NonNullable<ReturnType<typeof additionOf>>) =>
    host.destinations.add(addition),
  );
  const finish = () => {
    const addition = additionOf(draft, name);
    if (addition) add.mutate(addition, { onSuccess: props.onAdded });
  };
  return (
    <>
      <ThrownNote error={add.error} />
      <Wizard
        label={say('add.title')}
        steps={stepsOf(say, { draft, name, kinds: props.kinds, onChange: setDraft })}
        at={at}
        onGo={(step) => {
          setTried(false);
          setAt(step);
        }}
        onCancel={props.onCancel}
        showMissing={tried}
        onMissing={() => setTried(true)}
        finish={{ name: say('add.save'), busy: add.isPending, onFinish: finish }}
      />
    </>
  );
}

interface StepsOptions {
  readonly draft: Draft;
  readonly name: string;
  readonly kinds: readonly StorageKind[];
  readonly onChange: (draft: Draft) => void;
}

function stepsOf(say: Say, { draft, name, kinds, onChange }: StepsOptions): readonly Step[] {
  const unprotected = missingProtection(draft, name);
  return [
    {
      name: say('add.kind'),
      title: say('add.kind.title'),
      content: (
        <KindStep
          kinds={kinds}
          chosen={draft.kind}
          onChoose={(kind) => onChange(elsewhere(draft, { kind, name: undefined }))}
        />
      ),
    },
    {
      name: say('add.place'),
      title: say('add.place.title'),
      text: say(draft.kind === 'local' ? 'add.place.text' : `add.place.text.${draft.kind}`),
      missing: mayGoOn(draft) ? undefined : say('add.test.first'),
      content: <PlaceStep draft={draft} onChange={onChange} />,
    },
    {
      name: say('add.protect'),
      title: say('add.protect.title'),
      missing: unprotected && say(unprotected),
      content: <Protection draft={draft} name={name} onChange={onChange} />,
    },
  ];
}

function Protection(props: {
  readonly draft: Draft;
  readonly name: string;
  readonly onChange: (draft: Draft) => void;
}) {
  const { say } = useSpeech();
  const { draft, onChange } = props;
  const existing = draft.test?.repository === true;
  return (
    <>
      <TextInput
        label={say('add.name')}
        value={props.name}
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
      {draft.kind !== 'local' && (
        <fieldset className="hf-fieldset">
          <legend>{say('add.limits')}</legend>
          <LimitFields
            upload={draft.upload}
            download={draft.download}
            onChange={(change) => onChange({ ...draft, ...change })}
          />
        </fieldset>
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
