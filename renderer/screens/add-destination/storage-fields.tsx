/** The form of each kind of storage that is no folder. */
import { NativeSelect, TextInput } from '@mantine/core';
import { SignIn } from '../../components/sign-in.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { type CloudForm, type CloudKind, cloudChanged } from './cloud.ts';
import { RestLogin, S3Keys, SftpEntryFields } from './login-fields.tsx';
import { parseOptions } from './options.ts';
import { type Forms, isCloud, type StorageKind } from './place.ts';
import { BUCKET_LOOKUPS, endpointOf, REGION_EXAMPLES, S3_PROVIDERS, type S3Form } from './s3.ts';
import { type SftpForm, sftpChanged } from './sftp.ts';

export interface StorageFieldsProps {
  readonly kind: Exclude<StorageKind, 'local'>;
  readonly forms: Forms;
  readonly onChange: (forms: Forms) => void;
  /** Further options, as lines. */
  readonly lines: string;
}

export function StorageFields({ kind, forms, onChange, lines }: StorageFieldsProps) {
  if (isCloud(kind)) {
    return (
      <CloudFields
        kind={kind}
        form={forms[kind]}
        lines={lines}
        set={(change) => onChange({ ...forms, [kind]: cloudChanged(forms[kind], change) })}
      />
    );
  }
  switch (kind) {
    case 's3':
      return (
        <S3Fields form={forms.s3} set={(change) => onChange({ ...forms, s3: { ...forms.s3, ...change } })} />
      );
    case 'sftp':
      return (
        <SftpFields
          form={forms.sftp}
          set={(change) => onChange({ ...forms, sftp: sftpChanged(forms.sftp, change) })}
        />
      );
    default:
      return <RestFields {...{ forms, onChange }} />;
  }
}

interface Part<Form> {
  readonly form: Form;
  readonly set: (change: Partial<Form>) => void;
}

function S3Fields({ form, set }: Part<S3Form>) {
  const { say } = useSpeech();
  return (
    <>
      <NativeSelect
        label={say('s3.provider')}
        data={S3_PROVIDERS.map((value) => ({ value, label: say(`s3.provider.${value}`) }))}
        value={form.provider}
        onChange={(e) =>
          set({ provider: S3_PROVIDERS.find((one) => one === e.currentTarget.value) ?? 'own' })
        }
      />
      <S3Server form={form} set={set} />
      <div className="hf-two-fields">
        <TextInput
          label={say('s3.bucket')}
          value={form.bucket}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => set({ bucket: e.currentTarget.value })}
        />
        <TextInput
          label={`${say('s3.folder')} (${say('common.optional')})`}
          value={form.folder}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => set({ folder: e.currentTarget.value })}
        />
      </div>
      <S3Keys form={form} set={set} />
    </>
  );
}

/** Which server: its address by hand, or what the provider makes one of. */
function S3Server({ form, set }: Part<S3Form>) {
  const { say } = useSpeech();
  const { provider } = form;
  const address = provider === 'own' ? '' : endpointOf(form);
  const region = (
    <TextInput
      label={provider === 'own' ? `${say('s3.region')} (${say('common.optional')})` : say('s3.region')}
      placeholder={REGION_EXAMPLES[provider]}
      {...(address === '' ? {} : { description: say('s3.endpoint.is', { address }) })}
      value={form.region}
      autoComplete="off"
      spellCheck={false}
      onChange={(e) => set({ region: e.currentTarget.value })}
    />
  );
  if (provider === 'cloudflare') {
    return (
      <TextInput
        label={say('s3.account')}
        description={address === '' ? say('s3.account.text') : say('s3.endpoint.is', { address })}
        value={form.account}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ account: e.currentTarget.value })}
      />
    );
  }
  if (provider !== 'own') return region;
  return (
    <div className="hf-two-fields">
      <TextInput
        label={say('s3.endpoint')}
        placeholder="https://minio.example.org:9000"
        value={form.endpoint}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ endpoint: e.currentTarget.value })}
      />
      {region}
    </div>
  );
}

function SftpFields({ form, set }: Part<SftpForm>) {
  const { say } = useSpeech();
  return (
    <>
      <div className="hf-fields">
        <TextInput
          label={say('sftp.host')}
          placeholder="nas.example.org"
          value={form.host}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => set({ host: e.currentTarget.value })}
        />
        <TextInput
          label={say('channel.port')}
          placeholder="22"
          inputMode="numeric"
          value={form.port}
          onChange={(e) => set({ port: e.currentTarget.value })}
        />
        <TextInput
          label={say('sftp.user')}
          value={form.user}
          autoComplete="off"
          spellCheck={false}
          onChange={(e) => set({ user: e.currentTarget.value })}
        />
      </div>
      <TextInput
        label={say('sftp.folder')}
        description={say('sftp.folder.text')}
        placeholder="/volume1/backup/holdfast"
        value={form.folder}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ folder: e.currentTarget.value })}
      />
      <SftpEntryFields form={form} set={set} />
    </>
  );
}

function RestFields({ forms, onChange }: Pick<StorageFieldsProps, 'forms' | 'onChange'>) {
  const { say } = useSpeech();
  const set = (change: Partial<Forms['rest']>) => onChange({ ...forms, rest: { ...forms.rest, ...change } });
  return (
    <>
      <TextInput
        label={say('rest.address')}
        description={say('rest.address.text')}
        placeholder="https://backup.example.org:8000/ann/"
        value={forms.rest.address}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ address: e.currentTarget.value })}
      />
      <RestLogin form={forms.rest} set={set} />
    </>
  );
}

function CloudFields(props: Part<CloudForm> & { readonly kind: CloudKind; readonly lines: string }) {
  const { kind, form, set } = props;
  const { say } = useSpeech();
  const options = parseOptions(props.lines);
  return (
    <>
      <SignIn
        kind={kind}
        clientId={form.clientId}
        clientSecret={form.clientSecret}
        onClient={set}
        options={options === 'wrong' ? {} : options}
        account={form.signInId === undefined ? undefined : (form.account ?? null)}
        onSignedIn={(signInId, account) => set({ signInId, account })}
        onAnew={() => set({ signInId: undefined, account: undefined })}
      />
      <TextInput
        label={say('cloud.folder')}
        description={say('cloud.folder.text')}
        value={form.folder}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ folder: e.currentTarget.value })}
      />
    </>
  );
}

/** What few people need. */
export function AdvancedFields({ kind, forms, onChange }: Omit<StorageFieldsProps, 'lines'>) {
  const { say } = useSpeech();
  if (kind === 's3') {
    const set = (change: Partial<S3Form>) => onChange({ ...forms, s3: { ...forms.s3, ...change } });
    return <S3Advanced form={forms.s3} set={set} />;
  }
  if (kind !== 'gdrive') return null;
  return (
    <TextInput
      label={say('cloud.shared-drive')}
      description={say('cloud.shared-drive.text')}
      value={forms.gdrive.sharedDrive}
      autoComplete="off"
      spellCheck={false}
      onChange={(e) =>
        onChange({ ...forms, gdrive: { ...forms.gdrive, sharedDrive: e.currentTarget.value } })
      }
    />
  );
}

function S3Advanced({ form, set }: Part<S3Form>) {
  const { say } = useSpeech();
  return (
    <>
      <TextInput
        label={say('s3.class')}
        description={say('s3.class.text')}
        value={form.storageClass}
        autoComplete="off"
        spellCheck={false}
        onChange={(e) => set({ storageClass: e.currentTarget.value })}
      />
      <NativeSelect
        label={say('s3.lookup')}
        data={BUCKET_LOOKUPS.map((value) => ({ value, label: say(`s3.lookup.${value}`) }))}
        value={form.lookup}
        onChange={(e) =>
          set({ lookup: BUCKET_LOOKUPS.find((one) => one === e.currentTarget.value) ?? 'auto' })
        }
      />
    </>
  );
}
