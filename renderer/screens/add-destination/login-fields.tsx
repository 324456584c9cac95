/** The fields of logins that are typed, for the wizard and for signing in anew. */
import { SegmentedControl, Text, TextInput } from '@mantine/core';
import { FolderField } from '../../components/folder-field.tsx';
import { SecretField } from '../../components/secret-field.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import type { RestForm } from './rest.ts';
import type { S3Form } from './s3.ts';
import { SFTP_ENTRIES, type SftpForm } from './sftp.ts';

interface Part<Form> {
  readonly form: Form;
  readonly set: (change: Partial<Form>) => void;
}

export function S3Keys({ form, set }: Part<Pick<S3Form, 'accessKeyId' | 'secretAccessKey'>>) {
  const { say } = useSpeech();
  return (
    <div className="hf-two-fields">
      <TextInput
        label={say('s3.access-key')}
        value={form.accessKeyId}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ accessKeyId: e.currentTarget.value })}
      />
      <SecretField
        label={say('s3.secret-key')}
        value={form.secretAccessKey}
        onChange={(secretAccessKey) => set({ secretAccessKey })}
      />
    </div>
  );
}

export function RestLogin({ form, set }: Part<Pick<RestForm, 'username' | 'password'>>) {
  const { say } = useSpeech();
  return (
    <div className="hf-two-fields">
      <TextInput
        label={say('storage.user')}
        value={form.username}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ username: e.currentTarget.value })}
      />
      <SecretField
        label={say('storage.password')}
        value={form.password}
        onChange={(password) => set({ password })}
      />
    </div>
  );
}

export function SftpEntryFields({ form, set }: Part<SftpForm>) {
  const { say } = useSpeech();
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('sftp.entry')}</legend>
      <SegmentedControl
        className="hf-segments"
        aria-label={say('sftp.entry')}
        data={SFTP_ENTRIES.map((value) => ({ value, label: say(`sftp.entry.${value}`) }))}
        value={form.entry}
        onChange={(value) => set({ entry: SFTP_ENTRIES.find((one) => one === value) ?? 'password' })}
      />
      {form.entry === 'password' && (
        <SecretField
          label={say('storage.password')}
          value={form.password}
          onChange={(password) => set({ password })}
        />
      )}
      {form.entry === 'key' && (
        <>
          <FolderField
            label={say('sftp.key-file')}
            description={say('sftp.key-file.text')}
            placeholder="/home/ann/.ssh/id_ed25519"
            what="file"
            value={form.keyFile}
            onChange={(keyFile) => set({ keyFile })}
          />
          <SecretField
            label={`${say('sftp.passphrase')} (${say('common.optional')})`}
            value={form.passphrase}
            onChange={(passphrase) => set({ passphrase })}
          />
        </>
      )}
      {form.entry === 'agent' && (
        <Text size="sm" c="dimmed">
          {say('sftp.entry.agent.text')}
        </Text>
      )}
    </fieldset>
  );
}
