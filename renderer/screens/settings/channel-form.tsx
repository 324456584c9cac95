/** A channel made or changed, in a dialog. */
import { Button, Checkbox, Modal, NativeSelect, PasswordInput, Radio, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ALERT_KINDS, type AlertKind, type Channel } from '../../../src/api/model/alert.ts';
import { ThrownNote } from '../../components/parts.tsx';
import { useAsk, usePlans } from '../../data/host.tsx';
import { useShell } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import {
  CHANNEL_KINDS,
  type ChannelDraft,
  type ChannelKind,
  draftOf,
  type Field,
  inputOf,
  type MailSecurity,
  missingOf,
  newDraft,
  PORTS,
} from './channel-draft.ts';

export function ChannelDialog(props: {
  /** null: a new one. */
  readonly channel: Channel | null;
  readonly onClose: () => void;
  readonly onSaved: (channel: Channel) => void;
}) {
  const { say } = useSpeech();
  return (
    <Modal
      opened
      size="lg"
      onClose={props.onClose}
      title={props.channel ? say('channel.edit', { name: props.channel.name }) : say('channel.add')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <ChannelForm {...props} />
    </Modal>
  );
}

function ChannelForm(props: {
  readonly channel: Channel | null;
  readonly onClose: () => void;
  readonly onSaved: (channel: Channel) => void;
}) {
  const { channel } = props;
  const { say } = useSpeech();
  const [draft, setDraft] = useState(() =>
    channel ? draftOf(channel) : newDraft('email', say('channel.kind.email')),
  );
  const [tried, setTried] = useState(false);
  const save = useAsk((host, said: ChannelDraft) =>
    channel
      ? host.alerts.updateChannel({ ...inputOf(said), id: channel.id })
      : host.alerts.addChannel(inputOf(said)),
  );
  const missing = missingOf(draft);
  const set = (change: Partial<ChannelDraft>) => setDraft((before) => ({ ...before, ...change }));
  const onSubmit = (e: FormEvent) => {
    e.preventDefault();
    setTried(true);
    if (!missing) save.mutate(draft, { onSuccess: props.onSaved });
  };
  const errorOf = (field: Field): ReactNode => tried && missing?.field === field && say(missing.key);
  return (
    <form className="hf-form" onSubmit={onSubmit} noValidate>
      {!channel && <KindChoice draft={draft} set={set} />}
      <TextInput
        label={say('channel.name')}
        value={draft.name}
        error={errorOf('name')}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <TargetFields draft={draft} set={set} errorOf={errorOf} hasSecret={channel?.hasSecret ?? false} />
      {draft.kind !== 'monitor' && <Events draft={draft} set={set} error={errorOf('on')} />}
      <ThrownNote error={save.error} />
      <div className="hf-step-foot">
        <Button variant="default" onClick={props.onClose}>
          {say('common.cancel')}
        </Button>
        <Button type="submit" loading={save.isPending}>
          {say(channel ? 'channel.save' : 'channel.add')}
        </Button>
      </div>
    </form>
  );
}

interface Part {
  readonly draft: ChannelDraft;
  readonly set: (change: Partial<ChannelDraft>) => void;
}

function KindChoice({ draft, set }: Part) {
  const { say } = useSpeech();
  const shell = useShell();
  // Nobody would see what a browser's host says to the desktop.
  const kinds = CHANNEL_KINDS.filter((kind) => kind !== 'desktop' || shell !== undefined);
  const choose = (kind: ChannelKind) => {
    const named = draft.name !== '' && draft.name !== say(`channel.kind.${draft.kind}`);
    const fresh = newDraft(kind, named ? draft.name : say(`channel.kind.${kind}`));
    set({ kind, name: fresh.name, url: fresh.url });
  };
  return (
    <Radio.Group label={say('channel.kind')} value={draft.kind}>
      <div className="hf-kinds">
        {kinds.map((kind) => (
          <div key={kind} className="hf-choice" data-checked={draft.kind === kind || undefined}>
            <Radio
              value={kind}
              label={say(`channel.kind.${kind}`)}
              description={say(`channel.kind.${kind}.text`)}
              onChange={() => choose(kind)}
            />
          </div>
        ))}
      </div>
    </Radio.Group>
  );
}

interface FieldsPart extends Part {
  readonly errorOf: (field: Field) => ReactNode;
  readonly hasSecret: boolean;
}

function TargetFields(props: FieldsPart) {
  switch (props.draft.kind) {
    case 'desktop':
      return null;
    case 'email':
      return <MailFields {...props} />;
    default:
      return <AddressFields {...props} />;
  }
}

const SECURITIES = ['tls', 'starttls', 'none'] as const satisfies readonly MailSecurity[];

function MailFields({ draft, set, errorOf, hasSecret }: FieldsPart) {
  const { say } = useSpeech();
  // A port that was typed stays; the usual one follows the kind of encryption.
  const secure = (security: MailSecurity) =>
    set({
      security,
      ...(draft.port === String(PORTS[draft.security]) ? { port: String(PORTS[security]) } : {}),
    });
  return (
    <>
      <TextInput
        label={say('channel.to')}
        description={say('channel.to.text')}
        value={draft.to}
        error={errorOf('to')}
        onChange={(e) => set({ to: e.currentTarget.value })}
      />
      <TextInput
        label={say('channel.from')}
        value={draft.from}
        error={errorOf('from')}
        onChange={(e) => set({ from: e.currentTarget.value })}
      />
      <div className="hf-fields">
        <TextInput
          label={say('channel.host')}
          placeholder="smtp.example.org"
          value={draft.host}
          error={errorOf('host')}
          onChange={(e) => set({ host: e.currentTarget.value })}
        />
        <NativeSelect
          label={say('channel.security')}
          data={SECURITIES.map((value) => ({ value, label: say(`channel.security.${value}`) }))}
          value={draft.security}
          onChange={(e) => secure(SECURITIES.find((one) => one === e.currentTarget.value) ?? 'tls')}
        />
        <TextInput
          label={say('channel.port')}
          inputMode="numeric"
          value={draft.port}
          error={errorOf('port')}
          onChange={(e) => set({ port: e.currentTarget.value })}
        />
      </div>
      <div className="hf-fields">
        <TextInput
          label={`${say('channel.user')} (${say('common.optional')})`}
          autoComplete="off"
          value={draft.user}
          onChange={(e) => set({ user: e.currentTarget.value })}
        />
        <Secret draft={draft} set={set} hasSecret={hasSecret} label={say('channel.password')} />
      </div>
    </>
  );
}

function AddressFields({ draft, set, errorOf, hasSecret }: FieldsPart) {
  const { say } = useSpeech();
  const { data: plans = [] } = usePlans();
  return (
    <>
      <TextInput
        label={say('channel.url')}
        description={say(
          `channel.url.${draft.kind === 'ntfy' || draft.kind === 'monitor' ? draft.kind : 'webhook'}`,
        )}
        inputMode="url"
        value={draft.url}
        error={errorOf('url')}
        onChange={(e) => set({ url: e.currentTarget.value })}
      />
      {draft.kind === 'monitor' && (
        <NativeSelect
          label={say('channel.plan')}
          data={[
            { value: '', label: say('activity.all.plan') },
            ...plans.map(({ plan }) => ({ value: plan.id, label: plan.name })),
          ]}
          value={draft.planId}
          onChange={(e) => set({ planId: e.currentTarget.value })}
        />
      )}
      <Secret draft={draft} set={set} hasSecret={hasSecret} label={say('channel.token')} />
    </>
  );
}

/** Write only: what is stored never comes back, so it is kept, replaced or taken away. */
function Secret({
  draft,
  set,
  hasSecret,
  label,
}: Part & { readonly hasSecret: boolean; readonly label: string }) {
  const { say } = useSpeech();
  return (
    <PasswordInput
      label={`${label} (${say('common.optional')})`}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ 'aria-label': say('channel.secret.show') }}
      {...(hasSecret && draft.secret === undefined ? { placeholder: say('channel.secret.kept') } : {})}
      value={draft.secret ?? ''}
      onChange={({ currentTarget: { value } }) =>
        set({ secret: value === '' && hasSecret ? undefined : value })
      }
    />
  );
}

function Events({ draft, set, error }: Part & { readonly error: ReactNode }) {
  const { say } = useSpeech();
  const toggle = (kind: AlertKind, wanted: boolean) =>
    set({ on: ALERT_KINDS.filter((one) => (one === kind ? wanted : draft.on.includes(one))) });
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('channel.on')}</legend>
      <div className="hf-checks">
        {ALERT_KINDS.map((kind) => (
          <Checkbox
            key={kind}
            label={say(`alert.${kind}`)}
            checked={draft.on.includes(kind)}
            onChange={(e) => toggle(kind, e.currentTarget.checked)}
          />
        ))}
      </div>
      {error && (
        <p role="alert" className="hf-missing">
          {error}
        </p>
      )}
    </fieldset>
  );
}
