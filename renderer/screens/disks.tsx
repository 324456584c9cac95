/** What is known of the computer's disks, and what Holdfast does with each. */
import { Button, Skeleton, Text, Title } from '@mantine/core';
import {
  IconDatabase,
  IconDeviceSdCard,
  IconInfoCircle,
  IconNetwork,
  IconPlus,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ReactNode, useId } from 'react';
import { Link } from 'wouter';
import type { Disk } from '../../src/api/model/computer.ts';
import { useNamedDestinations } from '../components/named.ts';
import { EmptyState, Facts, Page, ThrownNote, ToneBadge } from '../components/parts.tsx';
import { RoomBar } from '../components/space-bar.tsx';
import { useDisks, usePlans } from '../data/host.tsx';
import type { MessageKey } from '../i18n/en.ts';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';

const ATTACHMENTS: Readonly<Record<Disk['attachment'], readonly [MessageKey, TablerIcon]>> = {
  internal: ['disks.attachment.internal', IconDatabase],
  removable: ['disks.attachment.removable', IconDeviceSdCard],
  network: ['disks.attachment.network', IconNetwork],
  unknown: ['disks.attachment.unknown', IconDatabase],
};

export const attachmentName = (disk: Disk): MessageKey => ATTACHMENTS[disk.attachment][0];
export const diskIcon = (disk: Disk): TablerIcon => ATTACHMENTS[disk.attachment][1];

/** A root has no name of its own. */
export const diskName = (say: Say, { name }: Disk): string =>
  name === '' || name === '/' ? say('disks.system-disk') : name;

/** Less than a twentieth is free. */
export const isLow = ({ free, total }: Disk): boolean => total > 0 && free / total < 0.05;

export function DisksScreen() {
  const { say } = useSpeech();
  const disks = useDisks();
  return (
    <Page title={say('disks.title')}>
      <Text c="dimmed">{say('disks.text')}</Text>
      <ThrownNote error={disks.error} />
      {disks.isPending && <Skeleton height={220} radius="lg" />}
      {disks.data?.length === 0 && (
        <EmptyState icon={IconDatabase} title={say('disks.empty')} text={say('disks.empty.text')} />
      )}
      <div className="hf-cards">
        {disks.data?.map((disk) => (
          <DiskCard key={disk.path} disk={disk} />
        ))}
      </div>
      {disks.data && <Unplugged disks={disks.data} />}
      <div className="hf-aside">
        <IconInfoCircle size={22} stroke={1.5} aria-hidden />
        <Text size="sm">{say('disks.health')}</Text>
      </div>
    </Page>
  );
}

function DiskCard({ disk }: { readonly disk: Disk }) {
  const { say } = useSpeech();
  const Icon = diskIcon(disk);
  const name = diskName(say, disk);
  const id = useId();
  return (
    <article className="hf-panel" aria-labelledby={id}>
      <div className="hf-panel-head">
        <div className="hf-card-name">
          <div className="hf-card-icon">
            <Icon size={22} stroke={1.6} aria-hidden />
          </div>
          <div>
            <Title order={2} id={id} className="hf-path">
              {name}
            </Title>
            <Text size="sm" c="dimmed">
              {say(attachmentName(disk))}
            </Text>
          </div>
        </div>
        {isLow(disk) && <ToneBadge tone="bad">{say('disks.low')}</ToneBadge>}
      </div>
      <RoomBar name={name} space={disk} isLow={isLow(disk)} />
      <Uses disk={disk} />
      {disk.system && (
        <Text size="sm" c="dimmed">
          {say('disks.system')}
        </Text>
      )}
      {disk.destinationIds.length === 0 && !disk.system && (
        <div className="hf-actions">
          <Button
            component={Link}
            href={`/destinations/new?disk=${encodeURIComponent(disk.path)}`}
            variant="light"
            leftSection={<IconPlus size={17} aria-hidden />}
            aria-label={say('disks.use-named', { name })}
          >
            {say('disks.use')}
          </Button>
        </div>
      )}
    </article>
  );
}

/** From and to it. */
function Uses({ disk }: { readonly disk: Disk }) {
  const { say } = useSpeech();
  const { data: plans = [] } = usePlans();
  const { data: destinations = [] } = useNamedDestinations();
  const from = plans.filter(({ plan }) => disk.planIds.includes(plan.id));
  const to = destinations.filter(({ id }) => disk.destinationIds.includes(id));
  return (
    <Facts
      facts={[
        [
          say('disks.from'),
          <Names key="from" none={say('disks.nothing-from')}>
            {from.map(({ plan }) => (
              <Link key={plan.id} href={`/plans/${plan.id}`} className="hf-link">
                {plan.name}
              </Link>
            ))}
          </Names>,
        ],
        [
          say('disks.to'),
          <Names key="to" none={say('disks.nothing-to')}>
            {to.map(({ id, name }) => (
              <Link key={id} href={`/destinations#${id}`} className="hf-link">
                {name}
              </Link>
            ))}
          </Names>,
        ],
        [say('disks.place'), <span key="place">{disk.path}</span>],
        [say('disks.device'), <span key="device">{disk.device}</span>],
      ]}
    />
  );
}

function Names({ none, children }: { readonly none: string; readonly children: readonly ReactNode[] }) {
  return children.length === 0 ? none : <span className="hf-names">{children}</span>;
}

/** What would be a disk here, were it there. */
function Unplugged({ disks }: { readonly disks: readonly Disk[] }) {
  const { say, format } = useSpeech();
  const { data: destinations = [] } = useNamedDestinations();
  const here = new Set(disks.flatMap((disk) => disk.destinationIds));
  const away = destinations.filter(
    ({ id, kind, problem }) => kind === 'local' && problem !== null && !here.has(id),
  );
  if (away.length === 0) return null;
  return (
    <section className="hf-aside" data-tone="fair" aria-label={say('disks.unplugged')}>
      <IconDeviceSdCard size={22} stroke={1.5} aria-hidden />
      <Text size="sm">
        {say('disks.unplugged.text', { names: format.list(away.map(({ name }) => name)) })}
      </Text>
    </section>
  );
}
