/** Asks for the login of a destination anew: by the browser, or by what is typed. Also whether its server is the right one. */
import { Button, Group, Modal, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { isEngineError, type WireError } from '../../src/api/errors.ts';
import type { Destination, Login } from '../../src/api/model/destination.ts';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import {
  type CloudForm,
  type CloudKind,
  clientOption,
  cloudChanged,
  NO_CLOUD,
} from '../screens/add-destination/cloud.ts';
import { RestLogin, S3Keys } from '../screens/add-destination/login-fields.tsx';
import { isCloud } from '../screens/add-destination/place.ts';
import { HostQuestion } from './host-question.tsx';
import { ThrownNote, useTell } from './parts.tsx';
import { SecretField } from './secret-field.tsx';
import { SignIn } from './sign-in.tsx';

interface DialogProps {
  readonly destination: Destination;
  readonly onClose: () => void;
}

/** Whether a kind of storage is signed in to at all. */
export const hasLogin = ({ kind }: Pick<Destination, 'kind'>): boolean =>
  isCloud(kind) || ['s3', 'sftp', 'rest'].includes(kind);

export function LoginDialog({ destination, onClose }: DialogProps) {
  const { say } = useSpeech();
  const { name, kind } = destination;
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={say('login.title', { name })}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      {isCloud(kind) ? (
        <CloudLogin destination={destination} kind={kind} onClose={onClose} />
      ) : (
        <TypedLogin destination={destination} onClose={onClose} />
      )}
    </Modal>
  );
}

function useEnter({ destination: { id, name }, onClose }: DialogProps) {
  const { say } = useSpeech();
  const tell = useTell();
  const enter = useAsk((host, entry: { readonly login: Login } | { readonly signInId: string }) =>
    host.destinations.setLogin({ id, ...entry }),
  );
  const onSuccess = () => {
    tell.done(say('login.done', { name }));
    onClose();
  };
  return {
    ...enter,
    start: (entry: Parameters<typeof enter.mutate>[0]) => enter.mutate(entry, { onSuccess }),
  };
}

function CloudLogin(props: DialogProps & { readonly kind: CloudKind }) {
  const { say } = useSpeech();
  const enter = useEnter(props);
  const [form, setForm] = useState<CloudForm>({
    ...NO_CLOUD,
    clientId: props.destination.options[clientOption(props.kind)] ?? '',
  });
  const set = (change: Partial<CloudForm>) => {
    enter.reset();
    setForm((before) => cloudChanged(before, change));
  };
  return (
    <div className="hf-form">
      <Text>{say('login.text')}</Text>
      <SignIn
        kind={props.kind}
        clientId={form.clientId}
        clientSecret={form.clientSecret}
        onClient={set}
        options={props.destination.options}
        account={form.signInId === undefined ? undefined : (form.account ?? null)}
        onSignedIn={(signInId, account) => {
          set({ signInId, account });
          enter.start({ signInId });
        }}
        onAnew={() => set({ signInId: undefined, account: undefined })}
      />
      <ThrownNote error={enter.error} />
    </div>
  );
}

/** What is typed of each kind; fields that are left empty stay as they were. */
interface Typed {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly username: string;
  readonly password: string;
  readonly passphrase: string;
}

const NOTHING: Typed = { accessKeyId: '', secretAccessKey: '', username: '', password: '', passphrase: '' };

function TypedLogin(props: DialogProps) {
  const { say } = useSpeech();
  const enter = useEnter(props);
  const { destination } = props;
  const [typed, setTyped] = useState(NOTHING);
  const login = filled(typed);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    enter.start({ login });
  };
  const question = questionOf(destination, enter.error);
  return (
    <form onSubmit={submit} className="hf-form">
      <Text>{say('login.text')}</Text>
      {!question && <Text c="dimmed">{say('login.empty')}</Text>}
      {question ? (
        <HostQuestion
          key={String(question.context?.fingerprint)}
          error={question}
          busy={enter.isPending}
          onTrust={(hostKey) => enter.start({ login: { ...login, hostKey } })}
        />
      ) : (
        <ThrownNote error={enter.error} />
      )}
      <Fields destination={destination} typed={typed} set={(change) => setTyped({ ...typed, ...change })} />
      <Group justify="flex-end">
        <Button variant="default" onClick={props.onClose}>
          {say('common.cancel')}
        </Button>
        <Button type="submit" loading={enter.isPending} disabled={Object.keys(login).length === 0}>
          {say('login.use')}
        </Button>
      </Group>
    </form>
  );
}

/** What the last try met; before the first, what the destination has met. */
function questionOf({ problem }: Destination, error: unknown): WireError | undefined {
  if (isEngineError(error, 'host-unverified')) return error.toWire();
  return !error && problem?.code === 'host-unverified' ? problem : undefined;
}

function filled(typed: Typed): Login {
  return Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));
}

function Fields(props: {
  readonly destination: Destination;
  readonly typed: Typed;
  readonly set: (change: Partial<Typed>) => void;
}) {
  const { say } = useSpeech();
  const { destination, typed, set } = props;
  switch (destination.kind) {
    case 's3':
      return <S3Keys form={typed} set={set} />;
    case 'rest':
      return <RestLogin form={typed} set={set} />;
    default:
      return destination.options['sftp.identity-file'] === undefined ? (
        <SecretField
          label={say('storage.password')}
          value={typed.password}
          onChange={(password) => set({ password })}
        />
      ) : (
        <SecretField
          label={say('sftp.passphrase')}
          value={typed.passphrase}
          onChange={(passphrase) => set({ passphrase })}
        />
      );
  }
}
