/** Where: the best place is chosen already; of each it is said how good it is. */
import { Badge, Button, Loader, PasswordInput, Radio, Text } from '@mantine/core';
import { IconAlertTriangle, IconCloud } from '@tabler/icons-react';
import { useState } from 'react';
import type { Destination } from '../../../src/api/model/destination.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { ThrownNote, WordsNote } from '../../components/parts.tsx';
import { RoomBar } from '../../components/space-bar.tsx';
import { TestResult } from '../../components/test-result.tsx';
import { errorWords } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { AddDestination } from '../add-destination.tsx';
import { attachmentName } from '../disks.tsx';
import type { Caution, PlaceOption, PlaceState } from './draft.ts';

export interface PlacesProps {
  readonly options: readonly PlaceOption[];
  readonly chosen: PlaceOption;
  readonly otherPath: string;
  readonly state: PlaceState & { readonly error: unknown };
  readonly cautions: readonly Caution[];
  readonly onChoose: (key: string) => void;
  readonly onOtherPath: (path: string) => void;
  readonly onPassword: (password: string) => void;
  /** It has been added, and is among the options as soon as they are known anew. */
  readonly onAdded: (destination: Destination) => void;
}

export function Places(props: PlacesProps) {
  const { say } = useSpeech();
  const { options, chosen } = props;
  const best = options.find(({ kind }) => kind === 'disk');
  return (
    <fieldset className="hf-fieldset">
      <legend className="hf-unseen">{say('wizard.where')}</legend>
      <div className="hf-choices">
        {options.map((option) => (
          <div key={option.key} className="hf-choice" data-checked={option === chosen || undefined}>
            <Radio
              name="place"
              value={option.key}
              checked={option === chosen}
              onChange={() => props.onChoose(option.key)}
              label={<OptionName option={option} isBest={option === best} />}
              description={<OptionText option={option} />}
            />
            {option === chosen ? <Chosen {...props} /> : null}
          </div>
        ))}
      </div>
      {!options.some(isElsewhere) && (
        <Text size="sm" c="dimmed" role="status">
          {say('welcome.where.none')}
        </Text>
      )}
      <SomewhereElse onAdded={props.onAdded} />
    </fieldset>
  );
}

/** A server or a cloud is added as any other destination is; then the way goes on from here. */
function SomewhereElse({ onAdded }: Pick<PlacesProps, 'onAdded'>) {
  const { say } = useSpeech();
  const [adding, setAdding] = useState(false);
  return (
    <div>
      <Button
        variant="light"
        leftSection={<IconCloud size={17} aria-hidden />}
        onClick={() => setAdding(true)}
      >
        {say('welcome.where.away')}
      </Button>
      {adding && (
        <AddDestination
          inDialog
          away
          onAdded={(destination) => {
            setAdding(false);
            onAdded(destination);
          }}
          onCancel={() => setAdding(false)}
        />
      )}
    </div>
  );
}

/** Not on this computer's own disk, as far as anybody knows. */
function isElsewhere(option: PlaceOption): boolean {
  return option.kind === 'disk' || (option.kind === 'known' && !option.destination.embedded);
}

function OptionName({ option, isBest }: { readonly option: PlaceOption; readonly isBest: boolean }) {
  const { say } = useSpeech();
  switch (option.kind) {
    case 'known':
      return option.destination.embedded ? say('welcome.where.embedded') : option.destination.name;
    case 'disk':
      return (
        <>
          {option.disk.name}
          {isBest && (
            <Badge className="hf-badge" data-tone="good" ml="sm">
              {say('welcome.where.best')}
            </Badge>
          )}
        </>
      );
    case 'other':
      return say('welcome.where.other');
  }
}

function OptionText({ option }: { readonly option: PlaceOption }) {
  const { say } = useSpeech();
  switch (option.kind) {
    case 'known':
      return option.destination.embedded ? say('welcome.where.embedded.text') : option.destination.location;
    case 'disk':
      return option.disk.attachment === 'unknown'
        ? option.folder
        : `${say(attachmentName(option.disk))} · ${option.folder}`;
    case 'other':
      return say('welcome.where.other.text');
  }
}

/** More about the one that is chosen. */
function Chosen(props: PlacesProps) {
  const { say } = useSpeech();
  const { chosen, state } = props;
  const room = roomOf(chosen);
  return (
    <div className="hf-choice-more">
      {chosen.kind === 'other' && (
        <FolderField
          label={say('add.location')}
          placeholder={say('add.location.placeholder')}
          value={props.otherPath}
          onChange={props.onOtherPath}
          forWriting
        />
      )}
      {room && <RoomBar name={room.name} space={room} isLow={false} />}
      <Tested {...props} />
      {state.test?.repository === true && (
        <PasswordInput
          label={say('add.password')}
          description={say('add.password.existing.text')}
          value={state.password}
          autoComplete="off"
          onChange={(e) => props.onPassword(e.currentTarget.value)}
        />
      )}
      {/* What the computer's own disk does not protect from is said above. */}
      <Cautions cautions={props.cautions.filter((one) => one !== 'welcome.caution.embedded')} />
    </div>
  );
}

function roomOf(option: PlaceOption) {
  if (option.kind === 'disk') return option.disk;
  if (option.kind === 'other' || !option.destination.space) return undefined;
  return { name: option.destination.name, ...option.destination.space };
}

function Tested({ chosen, state }: Pick<PlacesProps, 'chosen' | 'state'>) {
  const speech = useSpeech();
  if (chosen.kind === 'known') {
    const { problem } = chosen.destination;
    return problem ? <WordsNote words={errorWords(speech, problem)} /> : null;
  }
  if (state.error) return <ThrownNote error={state.error} />;
  if (state.isTesting && state.location !== '') {
    return (
      <Text size="sm" c="dimmed" role="status" className="hf-testing">
        <Loader size={14} aria-hidden /> {speech.say('welcome.where.testing')}
      </Text>
    );
  }
  if (state.opening?.problem) return <WordsNote words={errorWords(speech, state.opening.problem)} />;
  // That a suggested disk can be used needs no words.
  const isPlain = chosen.kind === 'disk' && state.test?.problem === null && state.test.writable;
  return state.test && !(isPlain && !state.test.repository) ? <TestResult test={state.test} /> : null;
}

export function Cautions({ cautions }: { readonly cautions: readonly Caution[] }) {
  const { say } = useSpeech();
  if (cautions.length === 0) return null;
  return (
    <ul className="hf-cautions">
      {cautions.map((caution) => (
        <li key={caution}>
          <IconAlertTriangle size={18} aria-hidden />
          <span>{say(caution)}</span>
        </li>
      ))}
    </ul>
  );
}
