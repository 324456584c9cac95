/** Any other repository of Holdfast or restic, wherever it lies, opened to get files back from it. Nothing is written there. */
import { Modal, PasswordInput, Text } from '@mantine/core';
import { useState } from 'react';
import { isEngineError } from '../../../src/api/errors.ts';
import type { Destination } from '../../../src/api/model/destination.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { useCovered } from '../../components/layers.ts';
import { ThrownNote, WordsNote } from '../../components/parts.tsx';
import { baseName } from '../../components/paths.ts';
import { type Step, Wizard } from '../../components/wizard.tsx';
import { useAsk, useDestinations } from '../../data/host.tsx';
import type { MessageKey } from '../../i18n/en.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { additionOf, type Draft, elsewhere, mayGoOn, NEW_DRAFT, nameOf } from '../add-destination/draft.ts';
import { KindStep } from '../add-destination/kind-step.tsx';
import { placeOf } from '../add-destination/place.ts';
import { PlaceStep } from '../add-destination/place-step.tsx';

interface Props {
  readonly onAdded: (destination: Destination) => void;
  readonly onClose: () => void;
}

export function OtherRepository(props: Props) {
  const { say } = useSpeech();
  const covered = useCovered();
  return (
    <Modal
      opened
      onClose={props.onClose}
      closeOnEscape={!covered}
      closeOnClickOutside={false}
      size="xl"
      title={say('restore.other.title')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <Ask {...props} />
    </Modal>
  );
}

function Ask({ onAdded, onClose }: Props) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useDestinations();
  const [draft, setDraft] = useState(NEW_DRAFT);
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  // Only to be read, none is made where none is. Errors: 'repository-missing', 'wrong-password', what reaching it fails with.
  const open = useAsk((host, addition: NonNullable<ReturnType<typeof additionOf>>) =>
    host.destinations.add(addition),
  );
  const known = knownAt(draft, destinations);
  const names = new Set(destinations.map(({ name }) => name));
  const change = (next: Draft) => {
    open.reset();
    setTried(false);
    setDraft(next);
  };
  const finish = () => {
    if (known) return onAdded(known);
    const usual = say(`destinations.kind.${draft.kind}`).replace(/ \(.*/, '');
    const { folder } = draft.forms.local;
    const wanted = draft.kind === 'local' ? baseName(folder.trim()) : nameOf(draft, usual);
    const addition = additionOf({ ...draft, readOnly: true }, freeName(wanted, names));
    if (addition) open.mutate(addition, { onSuccess: ({ destination }) => onAdded(destination) });
  };
  const missing = missingIn(draft, known);
  const steps: readonly Step[] = [
    {
      name: say('add.kind'),
      title: say('restore.other.kind'),
      text: say('restore.other.text'),
      content: <KindStep chosen={draft.kind} onChoose={(kind) => change(elsewhere(draft, { kind }))} />,
    },
    {
      name: say('add.place'),
      title: say('add.place.title'),
      missing: missing && say(missing),
      content: (
        <>
          <Place draft={draft} known={known} onChange={change} />
          <Failure error={open.error} />
        </>
      ),
    },
  ];
  return (
    <Wizard
      label={say('restore.other.title')}
      steps={steps}
      at={at}
      onGo={(step) => {
        setTried(false);
        setAt(step);
      }}
      onCancel={onClose}
      showMissing={tried}
      onMissing={() => setTried(true)}
      finish={{ name: say('restore.other.open'), busy: open.isPending, onFinish: finish }}
    />
  );
}

/** A folder is tried by opening it; what is reached by a login is tested first, so that it is known what is wrong. */
function Place(props: {
  readonly draft: Draft;
  readonly known: Destination | undefined;
  readonly onChange: (draft: Draft) => void;
}) {
  const { say } = useSpeech();
  const { draft, known, onChange } = props;
  return (
    <>
      {draft.kind === 'local' ? (
        <FolderField
          label={say('restore.other.location')}
          placeholder={say('add.location.placeholder')}
          value={draft.forms.local.folder}
          onChange={(folder) =>
            onChange({ ...draft, forms: { ...draft.forms, local: { folder } }, test: undefined })
          }
        />
      ) : (
        <PlaceStep draft={draft} onChange={onChange} mustExist />
      )}
      {known && <Text size="sm">{say('restore.other.known', { name: known.name })}</Text>}
      {!known && (draft.kind === 'local' || draft.test?.repository === true) && (
        <PasswordInput
          label={say('add.password')}
          description={say('restore.other.password.text')}
          value={draft.password}
          autoComplete="off"
          onChange={(e) => onChange({ ...draft, password: e.currentTarget.value })}
        />
      )}
    </>
  );
}

/** The destination that is this very place already. */
function knownAt(draft: Draft, destinations: readonly Destination[]): Destination | undefined {
  const place = placeOf(draft.kind, draft.forms, draft.lines);
  return 'missing' in place ? undefined : destinations.find(({ location }) => location === place.location);
}

/** Why it can't be opened yet; undefined: it can be tried. */
function missingIn(draft: Draft, known: Destination | undefined): MessageKey | undefined {
  if (known) return undefined;
  const place = placeOf(draft.kind, draft.forms, draft.lines);
  if ('missing' in place) return place.missing;
  if (draft.kind !== 'local') {
    if (!mayGoOn(draft)) return 'add.test.first';
    if (draft.test?.repository !== true) return 'restore.other.none';
  }
  return draft.password === '' ? 'add.password.missing' : undefined;
}

/** A wrong password happens to everybody, so it is said with what may help. */
function Failure({ error }: { readonly error: unknown }) {
  const { say } = useSpeech();
  if (!isEngineError(error, 'wrong-password')) return <ThrownNote error={error} />;
  return <WordsNote words={{ title: say('restore.other.wrong'), hint: say('restore.other.wrong.text') }} />;
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  const base = wanted.slice(0, 100);
  let name = base;
  for (let i = 2; names.has(name); i++) name = `${base} ${i}`;
  return name;
}
