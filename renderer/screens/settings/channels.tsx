/** Ways to tell somebody: which there are, whether they work. */
import { ActionIcon, Button, Skeleton, Switch, Text } from '@mantine/core';
import {
  IconBellRinging,
  IconDeviceDesktop,
  IconHeartbeat,
  IconMail,
  IconPencil,
  IconPlus,
  IconTrash,
  IconWebhook,
  type TablerIcon,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Channel, Target } from '../../../src/api/model/alert.ts';
import type { Settings } from '../../../src/api/model/settings.ts';
import { Confirm, Moment, ToneBadge, useTell } from '../../components/parts.tsx';
import { keys } from '../../data/cache.ts';
import { useAsk, useChannels } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { AlertList } from './alert-list.tsx';
import { placeOf } from './channel-draft.ts';
import { ChannelDialog } from './channel-form.tsx';
import { AlertAfter } from './general.tsx';
import { Section } from './setting.tsx';

const ICONS: Readonly<Record<Target['kind'], TablerIcon>> = {
  desktop: IconDeviceDesktop,
  email: IconMail,
  webhook: IconWebhook,
  ntfy: IconBellRinging,
  monitor: IconHeartbeat,
};

export function Notifications({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const [editing, setEditing] = useState<Channel | 'new'>();
  const { data: channels } = useChannels();
  const refresh = useRefresh();
  return (
    <Section
      id="notifications"
      title={say('settings.notifications')}
      text={say('settings.notifications.text')}
      actions={
        <Button
          variant="light"
          leftSection={<IconPlus size={17} aria-hidden />}
          onClick={() => setEditing('new')}
        >
          {say('channel.add')}
        </Button>
      }
    >
      {!channels && <Skeleton height={70} />}
      {channels?.length === 0 && <Text c="dimmed">{say('channel.empty')}</Text>}
      {channels && channels.length > 0 && (
        <ul className="hf-rows hf-channels" aria-label={say('channel.list')}>
          {channels.map((channel) => (
            <ChannelRow key={channel.id} channel={channel} onEdit={() => setEditing(channel)} />
          ))}
        </ul>
      )}
      <AlertAfter settings={settings} />
      <AlertList />
      {editing && (
        <ChannelDialog
          channel={editing === 'new' ? null : editing}
          onClose={() => setEditing(undefined)}
          onSaved={() => {
            setEditing(undefined);
            refresh();
          }}
        />
      )}
    </Section>
  );
}

function useRefresh(): () => void {
  const cache = useQueryClient();
  return () => void cache.invalidateQueries({ queryKey: keys.channels });
}

function ChannelRow({ channel, onEdit }: { readonly channel: Channel; readonly onEdit: () => void }) {
  const { say } = useSpeech();
  const { name, target } = channel;
  const Icon = ICONS[target.kind];
  const place = placeOf(target);
  return (
    <li aria-label={name}>
      <div className="hf-channel">
        <span className="hf-card-icon">
          <Icon size={22} stroke={1.6} aria-hidden />
        </span>
        <div>
          <strong>{name}</strong>
          <div className="hf-dim hf-clip">
            {say(`channel.kind.${target.kind}`)}
            {place !== '' && ` · ${place}`}
          </div>
          <LastResult channel={channel} />
        </div>
      </div>
      <ChannelActions channel={channel} onEdit={onEdit} />
    </li>
  );
}

function LastResult({ channel: { lastResult } }: { readonly channel: Channel }) {
  const { say } = useSpeech();
  if (!lastResult) return <div className="hf-dim">{say('channel.untried')}</div>;
  return (
    <div className="hf-channel-result">
      <ToneBadge tone={lastResult.ok ? 'good' : 'bad'}>
        {say(lastResult.ok ? 'channel.worked' : 'channel.failed')}
      </ToneBadge>
      <span className="hf-dim">
        <Moment at={lastResult.at} /> · {lastResult.message}
      </span>
    </div>
  );
}

function ChannelActions({ channel, onEdit }: { readonly channel: Channel; readonly onEdit: () => void }) {
  const { say } = useSpeech();
  const tell = useTell();
  const refresh = useRefresh();
  const [removing, setRemoving] = useState(false);
  const { id, name } = channel;
  const test = useAsk((host, channelId: string) => host.alerts.testChannel({ id: channelId }));
  const enable = useAsk((host, enabled: boolean) => host.alerts.updateChannel({ ...channel, enabled }));
  const remove = useAsk((host, channelId: string) => host.alerts.removeChannel({ id: channelId }));
  return (
    <div className="hf-actions">
      <Switch
        aria-label={say('channel.enabled', { name })}
        checked={enable.isPending ? enable.variables : channel.enabled}
        onChange={(e) => enable.mutate(e.currentTarget.checked, { onSuccess: refresh, onError: tell.failed })}
      />
      <Button
        variant="default"
        size="xs"
        aria-label={say('channel.test-named', { name })}
        loading={test.isPending}
        onClick={() =>
          test.mutate(id, {
            onSuccess: ({ ok, message }) => {
              refresh();
              if (ok) tell.done(message);
            },
            onError: tell.failed,
          })
        }
      >
        {say('channel.test')}
      </Button>
      <ActionIcon variant="subtle" size="lg" aria-label={say('channel.edit', { name })} onClick={onEdit}>
        <IconPencil size={18} aria-hidden />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        size="lg"
        aria-label={say('common.remove-named', { name })}
        onClick={() => setRemoving(true)}
      >
        <IconTrash size={18} aria-hidden />
      </ActionIcon>
      {removing && (
        <Confirm
          title={say('channel.remove', { name })}
          text={say('channel.remove.text')}
          yes={say('common.remove')}
          busy={remove.isPending}
          onNo={() => setRemoving(false)}
          onYes={() => remove.mutate(id, { onSuccess: refresh, onError: tell.failed })}
        />
      )}
    </div>
  );
}
