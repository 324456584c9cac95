/** The disks of a destination, of which any one may be plugged in. */
import { ActionIcon, Button, Group, Modal, Text } from '@mantine/core';
import { IconDatabase, IconPlayerEject, IconPlus, IconX } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { Destination, KnownDisk } from '../../src/api/model/destination.ts';
import { useAsk } from '../data/host.tsx';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { FolderField } from './folder-field.tsx';
import { Confirm, ThrownNote, ToneBadge, useNow, useTell } from './parts.tsx';
import { isAbsolute } from './paths.ts';

interface SetProps {
  readonly destination: Destination;
}

export function DiskSet({ destination }: SetProps) {
  const { say } = useSpeech();
  const { disks } = destination;
  if (disks.length === 0) return null;
  return (
    <section className="hf-disk-set" aria-label={say('destinations.disks')}>
      <ul className="hf-sources">
        {disks.map((disk) => (
          <DiskOfSet key={disk.uuid} destination={destination} disk={disk} />
        ))}
      </ul>
      <div className="hf-actions">
        {disks.some(({ mountPoint }) => mountPoint !== null) && <Eject destination={destination} />}
        {!destination.readOnly && <AddDisk destination={destination} />}
      </div>
    </section>
  );
}

const labelOf = (say: Say, { label }: KnownDisk): string => label || say('destinations.disk.no-name');

function DiskOfSet({ destination, disk }: SetProps & { readonly disk: KnownDisk }) {
  const { say, format } = useSpeech();
  const [removing, setRemoving] = useState(false);
  const now = useNow();
  const name = labelOf(say, disk);
  const here = disk.mountPoint !== null;
  return (
    <li>
      <IconDatabase size={20} stroke={1.6} aria-hidden />
      <span>
        <strong>{name}</strong>
        <Text size="sm" c="dimmed">
          {format.bytes(disk.capacity)}
          {!here && disk.lastSeenAt !== null && (
            <> · {say('destinations.disk.seen', { when: format.relative(disk.lastSeenAt, now) })}</>
          )}
        </Text>
      </span>
      <ToneBadge tone={here ? 'good' : 'plain'}>
        {say(here ? 'destinations.disk.here' : 'destinations.disk.away')}
      </ToneBadge>
      {destination.disks.length > 1 && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={say('common.remove-named', { name })}
          onClick={() => setRemoving(true)}
        >
          <IconX size={17} aria-hidden />
        </ActionIcon>
      )}
      {removing && <RemoveDisk {...{ destination, disk }} onClose={() => setRemoving(false)} />}
    </li>
  );
}

function RemoveDisk(props: SetProps & { readonly disk: KnownDisk; readonly onClose: () => void }) {
  const { say } = useSpeech();
  const tell = useTell();
  const { destination, disk, onClose } = props;
  const name = labelOf(say, disk);
  const remove = useAsk((host, uuid: string) => host.destinations.removeDisk({ id: destination.id, uuid }));
  return (
    <Confirm
      title={say('destinations.disk.remove.title', { name })}
      text={say('destinations.disk.remove.text')}
      yes={say('common.remove')}
      busy={remove.isPending}
      onNo={onClose}
      onYes={() =>
        remove.mutate(disk.uuid, {
          onSuccess: () => tell.done(say('destinations.disk.removed', { name })),
          onError: tell.failed,
          onSettled: onClose,
        })
      }
    />
  );
}

function Eject({ destination: { id, name } }: SetProps) {
  const { say } = useSpeech();
  const tell = useTell();
  const eject = useAsk((host, _: undefined) => host.destinations.eject({ id }));
  return (
    <Button
      variant="default"
      size="xs"
      leftSection={<IconPlayerEject size={16} aria-hidden />}
      aria-label={say('destinations.eject-named', { name })}
      loading={eject.isPending}
      onClick={() =>
        eject.mutate(undefined, {
          onSuccess: () => tell.done(say('destinations.ejected')),
          onError: tell.failed,
        })
      }
    >
      {say('destinations.eject')}
    </Button>
  );
}

function AddDisk({ destination }: SetProps) {
  const { say } = useSpeech();
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={() => setAdding(true)}
      >
        {say('destinations.disk.add')}
      </Button>
      {adding && <AddDiskDialog destination={destination} onClose={() => setAdding(false)} />}
    </>
  );
}

function AddDiskDialog({ destination: { id, name }, onClose }: SetProps & { readonly onClose: () => void }) {
  const { say } = useSpeech();
  const tell = useTell();
  const [path, setPath] = useState('');
  const [relative, setRelative] = useState(false);
  const add = useAsk((host, at: string) => host.destinations.addDisk({ id, path: at }));
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (!isAbsolute(path.trim())) return setRelative(true);
    add.mutate(path.trim(), {
      onSuccess: () => {
        tell.done(say('destinations.disk.add.done', { name }));
        onClose();
      },
    });
  };
  return (
    <Modal
      opened
      size="lg"
      onClose={onClose}
      title={say('destinations.disk.add')}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <form onSubmit={submit} className="hf-form">
        <Text>{say('destinations.disk.add.text')}</Text>
        <FolderField
          label={say('destinations.disk.add.folder')}
          placeholder={say('add.location.placeholder')}
          value={path}
          error={relative && say('add.location.relative')}
          forWriting
          onChange={(value) => {
            add.reset();
            setRelative(false);
            setPath(value);
          }}
        />
        <ThrownNote error={add.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {say('common.cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={path.trim() === ''}>
            {say('common.add')}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
