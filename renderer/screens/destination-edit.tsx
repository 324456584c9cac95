/** What can be changed of a destination: its name, when to warn, limits, and how it looks after itself. */
import {
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useId, useState } from 'react';
import type { Destination } from '../../src/api/model/destination.ts';
import type { Recurrence } from '../../src/api/model/plan.ts';
import { LimitFields } from '../components/limit-fields.tsx';
import { OptionLines } from '../components/option-lines.tsx';
import { ThrownNote, useTell } from '../components/parts.tsx';
import { useAsk, useDestinations } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { optionLines, parseOptions } from './add-destination/options.ts';
import { defaultWhen, missingWhen } from './plan-wizard/draft.ts';
import { RecurrenceDetails } from './plan-wizard/when-step.tsx';
import { parseRate, rateText } from './settings/rate.ts';

const GIB = 1024 ** 3;
const KINDS = ['manual', 'daily', 'weekly', 'monthly'] as const;

/** As it stands in the form. */
interface Draft {
  readonly name: string;
  /** GiB. */
  readonly warnBelow: number;
  /** MiB/s as text; empty: no limit. */
  readonly upload: string;
  readonly download: string;
  readonly cleanUp: Recurrence;
  readonly check: Recurrence;
  readonly checkPercent: number;
  readonly ejectWhenDone: boolean;
  /** Options of the storage, one a line. */
  readonly lines: string;
}

function draftOf(d: Destination): Draft {
  return {
    name: d.name,
    warnBelow: Math.round((d.warnBelowBytes / GIB) * 10) / 10,
    upload: rateText(d.uploadLimit, 'MiB/s'),
    download: rateText(d.downloadLimit, 'MiB/s'),
    cleanUp: d.maintenance.cleanUp,
    check: d.maintenance.check,
    checkPercent: d.maintenance.checkPercent,
    ejectWhenDone: d.ejectWhenDone,
    lines: optionLines(d.options),
  };
}

/** What is wrong with the form; undefined: nothing. */
function faultOf(draft: Draft): 'name' | 'rate' | 'days' | 'options' | undefined {
  if (draft.name.trim() === '') return 'name';
  if ([draft.upload, draft.download].some((text) => parseRate(text, 'MiB/s') === 'wrong')) return 'rate';
  if (parseOptions(draft.lines) === 'wrong') return 'options';
  return missingWhen(draft.cleanUp) || missingWhen(draft.check) ? 'days' : undefined;
}

/** Bytes per second; null: no limit. What nobody changed stays exact, though the text is rounded. */
function limitOf(text: string, before: number | null): number | null {
  if (text === rateText(before, 'MiB/s')) return before;
  const rate = parseRate(text, 'MiB/s');
  return typeof rate === 'number' ? rate : null;
}

/** `known`: what the host calls it, which stays where nobody has changed what is shown instead. */
function changeOf(d: Destination, draft: Draft, known: string) {
  const { cleanUp, check, checkPercent, ejectWhenDone } = draft;
  const options = parseOptions(draft.lines);
  const warnBelowBytes =
    draft.warnBelow === draftOf(d).warnBelow ? d.warnBelowBytes : Math.round(draft.warnBelow * GIB);
  return {
    id: d.id,
    name: draft.name === d.name ? known : draft.name.trim(),
    readOnly: d.readOnly,
    options: options === 'wrong' ? d.options : options,
    ejectWhenDone,
    warnBelowBytes,
    uploadLimit: limitOf(draft.upload, d.uploadLimit),
    downloadLimit: limitOf(draft.download, d.downloadLimit),
    maintenance: { cleanUp, check, checkPercent },
  };
}

export function EditDestination(props: { readonly destination: Destination; readonly onClose: () => void }) {
  const { destination, onClose } = props;
  const { say } = useSpeech();
  const tell = useTell();
  const [draft, setDraft] = useState(() => draftOf(destination));
  const known = useDestinations().data?.find(({ id }) => id === destination.id)?.name ?? destination.name;
  const save = useAsk((host, input: ReturnType<typeof changeOf>) => host.destinations.update(input));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const fault = faultOf(draft);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (fault !== undefined) return;
    save.mutate(changeOf(destination, draft, known), {
      onSuccess: ({ name }) => {
        tell.done(say('destination-edit.done', { name }));
        onClose();
      },
    });
  };
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={say('destination-edit.title', { name: destination.name })}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <form onSubmit={submit} className="hf-form">
        <Fields draft={draft} set={set} fault={fault} />
        {destination.disks.length > 0 && (
          <Checkbox
            label={say('destination-edit.eject')}
            description={say('destination-edit.eject.text')}
            checked={draft.ejectWhenDone}
            onChange={(e) => set({ ejectWhenDone: e.currentTarget.checked })}
          />
        )}
        {!destination.readOnly && <Maintenance draft={draft} set={set} />}
        {destination.kind !== 'local' && (
          <OptionLines
            kind={destination.kind}
            value={draft.lines}
            wrong={fault === 'options'}
            onChange={(lines) => set({ lines })}
          />
        )}
        {fault === 'days' && <Text c="red">{say('wizard.when.no-days')}</Text>}
        <ThrownNote error={save.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {say('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={fault !== undefined}>
            {say('destination-edit.save')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

interface PartProps {
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
}

function Fields({ draft, set, fault }: PartProps & { readonly fault: ReturnType<typeof faultOf> }) {
  const { say } = useSpeech();
  return (
    <>
      <TextInput
        data-autofocus
        label={say('destination-edit.name')}
        value={draft.name}
        maxLength={120}
        error={fault === 'name' && say('destination-edit.no-name')}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <NumberInput
        label={say('destination-edit.warn-below')}
        value={draft.warnBelow}
        min={0}
        max={1_000_000}
        decimalScale={1}
        clampBehavior="strict"
        onChange={(value) => set({ warnBelow: Number(value) || 0 })}
      />
      <LimitFields upload={draft.upload} download={draft.download} onChange={set} />
    </>
  );
}

function Maintenance({ draft, set }: PartProps) {
  const { say } = useSpeech();
  return (
    <>
      <RecurrenceField
        label={say('destination-edit.check')}
        text={say('destination-edit.check.text')}
        when={draft.check}
        onChange={(check) => set({ check })}
      />
      <NumberInput
        label={say('destination-edit.percent')}
        value={draft.checkPercent}
        min={0}
        max={100}
        allowDecimal={false}
        clampBehavior="strict"
        onChange={(value) => set({ checkPercent: Number(value) || 0 })}
      />
      <RecurrenceField
        label={say('destination-edit.clean-up')}
        text={say('destination-edit.clean-up.text')}
        when={draft.cleanUp}
        onChange={(cleanUp) => set({ cleanUp })}
      />
    </>
  );
}

/** One that was given by other means, as a cron expression, say, is offered as it is. */
function RecurrenceField(props: {
  readonly label: string;
  readonly text: string;
  readonly when: Recurrence;
  readonly onChange: (when: Recurrence) => void;
}) {
  const { say } = useSpeech();
  const id = useId();
  const { when } = props;
  const kinds = KINDS.some((kind) => kind === when.kind) ? KINDS : [...KINDS, when.kind];
  return (
    <fieldset className="hf-fieldset" aria-describedby={id}>
      <legend>{props.label}</legend>
      <Text id={id} size="sm" c="dimmed">
        {props.text}
      </Text>
      <SegmentedControl
        className="hf-segments"
        aria-label={props.label}
        data={kinds.map((value) => ({ value, label: say(`wizard.when.${value}`) }))}
        value={when.kind}
        onChange={(kind) => props.onChange(defaultWhen(kind))}
      />
      <RecurrenceDetails when={when} onChange={props.onChange} />
    </fieldset>
  );
}
