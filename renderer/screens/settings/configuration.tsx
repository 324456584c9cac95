/** The configuration as a file: saved, and brought in from one. */
import { Alert, Button, FileButton, Modal, PasswordInput, Text, Textarea } from '@mantine/core';
import { IconCircleCheck, IconDownload, IconUpload } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { Settings } from '../../../src/api/model/settings.ts';
import { ThrownNote, useTell } from '../../components/parts.tsx';
import { useAsk, useDestinations } from '../../data/host.tsx';
import { saveText } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import type { ConfigOutline } from './config-names.ts';
import { HistoryDays } from './general.tsx';
import { Section, Setting } from './setting.tsx';

export function Configuration({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const tell = useTell();
  const [yaml, setYaml] = useState<string>();
  const save = useAsk(async (host, name: string) =>
    saveText(name, (await host.config.export()).yaml, 'application/yaml'),
  );
  const onFile = (file: File | null) => {
    file?.text().then(setYaml, tell.failed);
  };
  return (
    <Section id="configuration" title={say('settings.config')}>
      <HistoryDays settings={settings} />
      <Setting label={say('settings.config.export')} text={say('settings.config.export.text')}>
        <Button
          variant="default"
          leftSection={<IconDownload size={17} aria-hidden />}
          loading={save.isPending}
          onClick={() => save.mutate('holdfast.yaml', { onError: tell.failed })}
        >
          {say('settings.config.export.save')}
        </Button>
      </Setting>
      <Setting label={say('settings.config.import')} text={say('settings.config.import.text')}>
        <FileButton accept=".yaml,.yml" onChange={onFile}>
          {(button) => (
            <Button {...button} variant="default" leftSection={<IconUpload size={17} aria-hidden />}>
              {say('settings.config.import.choose')}
            </Button>
          )}
        </FileButton>
      </Setting>
      {yaml !== undefined && <ImportDialog yaml={yaml} onClose={() => setYaml(undefined)} />}
    </Section>
  );
}

function ImportDialog({ yaml, onClose }: { readonly yaml: string; readonly onClose: () => void }) {
  const { say } = useSpeech();
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={say('settings.config.import')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <Import yaml={yaml} onClose={onClose} />
    </Modal>
  );
}

function Import({ yaml, onClose }: { readonly yaml: string; readonly onClose: () => void }) {
  const { say } = useSpeech();
  const [text, setText] = useState(yaml);
  const [passwords, setPasswords] = useState<Readonly<Record<string, string>>>({});
  const outline = useOutline(text);
  const bringIn = useAsk(
    (host, said: { readonly yaml: string; readonly passwords: Record<string, string> }) =>
      host.config.import(said),
  );
  if (bringIn.data) {
    return (
      <div className="hf-form">
        <Alert
          className="hf-note"
          data-tone="good"
          role="status"
          icon={<IconCircleCheck size={20} aria-hidden />}
          title={say('settings.config.imported', { ...bringIn.data })}
        />
        <div className="hf-step-foot">
          <Button onClick={onClose}>{say('common.close')}</Button>
        </div>
      </div>
    );
  }
  const given = Object.fromEntries(Object.entries(passwords).filter(([, password]) => password !== ''));
  return (
    <div className="hf-form">
      <Text>
        {outline ? say('settings.config.outline', counts(outline)) : say('settings.config.unclear')}
      </Text>
      <Textarea
        label={say('settings.config.content')}
        className="hf-code"
        rows={12}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
      <Passwords
        names={outline?.destinations ?? []}
        passwords={passwords}
        onChange={(name, password) => setPasswords((all) => ({ ...all, [name]: password }))}
      />
      <ThrownNote error={bringIn.error} />
      <div className="hf-step-foot">
        <Button variant="default" onClick={onClose}>
          {say('common.cancel')}
        </Button>
        <Button loading={bringIn.isPending} onClick={() => bringIn.mutate({ yaml: text, passwords: given })}>
          {say('settings.config.import.do')}
        </Button>
      </div>
    </div>
  );
}

function counts({ destinations, plans, channels }: ConfigOutline) {
  return { destinations: destinations.length, plans: plans.length, channels: channels.length };
}

/** Read by a part of the page that is loaded when it is first needed. */
function useOutline(text: string): ConfigOutline | null {
  const [outline, setOutline] = useState<ConfigOutline | null>(null);
  useEffect(() => {
    let current = true;
    void import('./config-names.ts').then(({ outlineOf }) => current && setOutline(outlineOf(text)));
    return () => {
      current = false;
    };
  }, [text]);
  return outline;
}

/** Of destinations that are not here yet: where there is a repository already, its password is needed. */
function Passwords(props: {
  readonly names: readonly string[];
  readonly passwords: Readonly<Record<string, string>>;
  readonly onChange: (name: string, password: string) => void;
}) {
  const { say } = useSpeech();
  const { data: known = [] } = useDestinations();
  const fresh = props.names.filter((name) => !known.some((one) => one.name === name));
  if (fresh.length === 0) return null;
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('settings.config.passwords')}</legend>
      <Text size="sm" c="dimmed">
        {say('settings.config.passwords.text')}
      </Text>
      {fresh.map((name) => (
        <PasswordInput
          key={name}
          label={say('settings.config.password', { name })}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': say('channel.secret.show') }}
          value={props.passwords[name] ?? ''}
          onChange={(e) => props.onChange(name, e.currentTarget.value)}
        />
      ))}
    </fieldset>
  );
}
