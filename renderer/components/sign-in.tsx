/**
 * Signing in to a cloud in the person's own browser.
 *
 * begun  the host listens for the browser; the page waits with it
 * paste  for browsers on other computers, which don't find the way back: the address at which they end, or the code
 */
import { Anchor, Button, Collapse, Loader, Text, TextInput } from '@mantine/core';
import { IconCircleCheck, IconExternalLink, IconLogin2 } from '@tabler/icons-react';
import { useEffect, useEffectEvent, useState } from 'react';
import { useAsk, useSignedIn } from '../data/host.tsx';
import { useOpenUrl, useShell } from '../data/shell.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { CopyText } from './copy-text.tsx';
import { ThrownNote } from './parts.tsx';
import { SecretField } from './secret-field.tsx';

/** Where people make a client id. */
const CONSOLES = {
  gdrive: 'https://console.cloud.google.com/apis/credentials',
  dropbox: 'https://www.dropbox.com/developers/apps',
} as const;

export interface SignInProps {
  readonly kind: keyof typeof CONSOLES;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly onClient: (change: { readonly clientId: string } | { readonly clientSecret: string }) => void;
  readonly options: Readonly<Record<string, string>>;
  /** null: signed in, but the service does not say as whom. undefined: not signed in. */
  readonly account: string | null | undefined;
  readonly onSignedIn: (signInId: string, account: string | null) => void;
  readonly onAnew: () => void;
}

export function SignIn(props: SignInProps) {
  const { say } = useSpeech();
  const { kind, clientId, clientSecret, options, account } = props;
  const begin = useAsk((host, _: undefined) =>
    host.destinations.signIn({
      kind,
      options,
      ...(clientId.trim() === '' ? {} : { clientId: clientId.trim() }),
      ...(clientSecret.trim() === '' ? {} : { clientSecret: clientSecret.trim() }),
    }),
  );
  const page = useOpenUrl();
  if (account !== undefined) return <SignedIn account={account} onAnew={props.onAnew} />;
  const start = () =>
    begin.mutate(undefined, {
      // Where it is kept from opening, the link below does.
      onSuccess: ({ url }) => page.mutate(url),
    });
  return (
    <>
      <ClientId {...props} />
      <div className="hf-sign-in">
        <Text size="sm">{say('sign-in.text')}</Text>
        <div>
          <Button
            leftSection={<IconLogin2 size={18} aria-hidden />}
            loading={begin.isPending}
            variant={begin.data ? 'default' : 'filled'}
            onClick={start}
          >
            {say('sign-in.button')}
          </Button>
        </div>
        <ThrownNote error={begin.error ?? page.error} />
        {begin.data && (
          <UnderWay
            key={begin.data.signInId}
            {...begin.data}
            onSignedIn={(who) => props.onSignedIn(begin.data.signInId, who)}
          />
        )}
      </div>
    </>
  );
}

function SignedIn({ account, onAnew }: { readonly account: string | null; readonly onAnew: () => void }) {
  const { say } = useSpeech();
  return (
    <div className="hf-aside hf-signed-in" data-tone="good" role="status">
      <IconCircleCheck size={22} stroke={1.5} aria-hidden />
      <Text size="sm">{account === null ? say('sign-in.done') : say('sign-in.as', { account })}</Text>
      <Button variant="default" size="xs" onClick={onAnew}>
        {say('sign-in.anew')}
      </Button>
    </div>
  );
}

function ClientId({ kind, clientId, clientSecret, onClient }: SignInProps) {
  const { say } = useSpeech();
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('sign-in.client')}</legend>
      <Text size="sm" c="dimmed">
        {say('sign-in.client.text')} {say(`sign-in.client.how.${kind}`)}{' '}
        <OutLink url={CONSOLES[kind]} name={say('sign-in.client.console')} />
      </Text>
      <div className="hf-two-fields">
        <TextInput
          label={say('sign-in.client.id')}
          value={clientId}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => onClient({ clientId: e.currentTarget.value })}
        />
        <SecretField
          label={
            kind === 'dropbox'
              ? `${say('sign-in.client.secret')} (${say('common.optional')})`
              : say('sign-in.client.secret')
          }
          value={clientSecret}
          onChange={(value) => onClient({ clientSecret: value })}
        />
      </div>
    </fieldset>
  );
}

/** The shell's window opens no others: there the system's browser is asked for. */
function OutLink({ url, name }: { readonly url: string; readonly name: string }) {
  const shell = useShell();
  const page = useOpenUrl();
  const icon = <IconExternalLink size={14} aria-hidden />;
  if (shell)
    return (
      <>
        <Anchor
          component="button"
          type="button"
          size="sm"
          underline="always"
          className="hf-out"
          onClick={() => page.mutate(url)}
        >
          {name}
          {icon}
        </Anchor>
        <ThrownNote error={page.error} />
      </>
    );
  return (
    <Anchor
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      size="sm"
      underline="always"
      className="hf-out"
    >
      {name}
      {icon}
    </Anchor>
  );
}

function UnderWay(props: {
  readonly signInId: string;
  readonly url: string;
  readonly onSignedIn: (account: string | null) => void;
}) {
  const { say } = useSpeech();
  const [elsewhere, setElsewhere] = useState(endsWithCode(props.url));
  const back = useSignedIn(props.signInId);
  const arrived = useEffectEvent(props.onSignedIn);
  const account = back.data?.account;
  const waiting = endsWithCode(props.url) ? 'sign-in.code' : 'sign-in.waiting';
  useEffect(() => {
    if (account !== undefined) arrived(account);
  }, [account]);
  return (
    <>
      <div className="hf-testing" role="status">
        {back.isPending && (
          <>
            <Loader size="xs" aria-hidden />
            <Text size="sm">{say(waiting)}</Text>
          </>
        )}
      </div>
      <div className="hf-actions">
        <OutLink url={props.url} name={say('sign-in.open')} />
        <CopyText text={props.url} name={say('sign-in.copy')} />
        <Button variant="subtle" size="xs" aria-expanded={elsewhere} onClick={() => setElsewhere(!elsewhere)}>
          {say('sign-in.elsewhere')}
        </Button>
      </div>
      <Collapse expanded={elsewhere}>
        <Paste signInId={props.signInId} onSignedIn={props.onSignedIn} />
      </Collapse>
      <ThrownNote error={back.error} />
    </>
  );
}

/** Whether the service is told of no address to send the browser back to, and shows a code instead. */
const endsWithCode = (url: string): boolean => !new URL(url).searchParams.has('redirect_uri');

function Paste(props: { readonly signInId: string; readonly onSignedIn: (account: string | null) => void }) {
  const { say } = useSpeech();
  const [pasted, setPasted] = useState('');
  const use = useAsk((host, text: string) =>
    host.destinations.signedIn({ signInId: props.signInId, pasted: text }),
  );
  const run = () => use.mutate(pasted.trim(), { onSuccess: ({ account }) => props.onSignedIn(account) });
  return (
    <div className="hf-form">
      <TextInput
        label={say('sign-in.pasted')}
        description={say('sign-in.pasted.text')}
        value={pasted}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => {
          use.reset();
          setPasted(e.currentTarget.value);
        }}
        onKeyDown={(e) => {
          if (e.key !== 'Enter') return;
          e.preventDefault();
          e.stopPropagation();
          if (pasted.trim() !== '') run();
        }}
        inputContainer={(input) => (
          <div className="hf-folder-field">
            {input}
            <Button variant="default" loading={use.isPending} disabled={pasted.trim() === ''} onClick={run}>
              {say('sign-in.paste')}
            </Button>
          </div>
        )}
      />
      <ThrownNote error={use.error} />
    </div>
  );
}
