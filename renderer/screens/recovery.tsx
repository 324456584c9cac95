/** What could be lost now, how long getting back takes, and the pages that get everything back. */
import { Button, Skeleton, Table, Text } from '@mantine/core';
import { IconArchive } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { Destination } from '../../src/api/model/destination.ts';
import type { Run } from '../../src/api/model/run.ts';
import { useCheck } from '../components/actions.ts';
import { useNamedDestinations } from '../components/named.ts';
import { EmptyState, Moment, Page, Panel, type Tone, ToneBadge, useNow } from '../components/parts.tsx';
import { usePartOfList } from '../components/parts-of-list.tsx';
import { KitButtons } from '../components/recovery-key.tsx';
import { useLastRestore, usePlans, useRunsNamed, useSettings } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { type Outlook, outlookOf, rateOf, type Standing, sizeOf } from './recovery/outlook.ts';
import { WhatIf } from './recovery/what-if.tsx';

export function RecoveryScreen() {
  const { say } = useSpeech();
  const { data: plans } = usePlans();
  const { data: destinations } = useNamedDestinations();
  const { data: settings } = useSettings();
  const now = useNow();
  if (!plans || !destinations || !settings) {
    return (
      <Page title={say('recovery.title')}>
        <Skeleton height={180} radius="lg" />
        <Skeleton height={180} radius="lg" />
      </Page>
    );
  }
  const goal = settings.alertAfterDays;
  return (
    <Page title={say('recovery.title')}>
      {plans.length === 0 ? (
        <NoPlans />
      ) : (
        <Outlooks rows={outlookOf(plans, destinations, now, goal)} goal={goal} />
      )}
      <Kits destinations={destinations} />
      <WhatIf />
    </Page>
  );
}

function NoPlans() {
  const { say } = useSpeech();
  const action = (
    <Button component={Link} href="/plans/new">
      {say('plans.new')}
    </Button>
  );
  return (
    <EmptyState
      icon={IconArchive}
      title={say('recovery.empty')}
      text={say('recovery.empty.text')}
      action={action}
    />
  );
}

const TONES: Readonly<Record<Standing, Tone>> = {
  good: 'good',
  late: 'bad',
  none: 'bad',
  'no-goal': 'plain',
};

function Outlooks({ rows, goal }: { readonly rows: readonly Outlook[]; readonly goal: number }) {
  const { say } = useSpeech();
  const { data: restore } = useLastRestore();
  const { shown, find, more } = usePartOfList(rows, { step: 30, nameOf: ({ plan }) => plan });
  const backups = useRunsNamed(shown.flatMap(({ runId }) => runId ?? []));
  return (
    <Panel title={say('recovery.rpo')}>
      <Text c="dimmed" maw={720}>
        {say('recovery.rpo.text')} {say('recovery.goal.text', { days: goal })}{' '}
        <Link href="/settings#notifications">{say('recovery.goal.change')}</Link>
      </Text>
      {find}
      <div className="hf-scroll">
        <Table verticalSpacing="sm">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say('recovery.plan')}</Table.Th>
              <Table.Th>{say('recovery.destination')}</Table.Th>
              <Table.Th>{say('recovery.newest')}</Table.Th>
              <Table.Th>{say('recovery.goal')}</Table.Th>
              <Table.Th>{say('recovery.rto')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <OutlookRow
                key={`${row.planId} ${row.destinationId}`}
                row={row}
                backup={backups.find((run) => run.id === row.runId)}
                restore={restore ?? null}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {more}
      <Text size="sm" c="dimmed" maw={720}>
        {say('recovery.rto.text')}
      </Text>
    </Panel>
  );
}

function OutlookRow(props: {
  readonly row: Outlook;
  readonly backup: Run | undefined;
  readonly restore: Run | null;
}) {
  const { say } = useSpeech();
  const { row } = props;
  return (
    <Table.Tr>
      <Table.Th scope="row">
        <Link href={`/plans/${row.planId}`} className="hf-row-link">
          {row.plan}
        </Link>
      </Table.Th>
      <Table.Td>{row.destination ?? say('common.gone')}</Table.Td>
      <Table.Td>{row.at === null ? say('recovery.no-version') : <Moment at={row.at} />}</Table.Td>
      <Table.Td>
        <ToneBadge tone={TONES[row.standing]}>{say(`recovery.standing.${row.standing}`)}</ToneBadge>
      </Table.Td>
      <Table.Td>
        <TimeBack {...props} />
      </Table.Td>
    </Table.Tr>
  );
}

/** Honest: nothing has measured it. An estimate only where a restore was large enough to tell a rate. */
function TimeBack({ backup, restore }: { readonly backup: Run | undefined; readonly restore: Run | null }) {
  const { say, format } = useSpeech();
  const size = sizeOf(backup);
  const rate = rateOf(restore);
  return (
    <>
      <div>{say('recovery.rto.unmeasured')}</div>
      {size !== null && rate !== null && restore && (
        <div className="hf-dim">
          {say('recovery.rto.estimate', { time: format.duration(size / rate), size: format.bytes(size) })}{' '}
          <Link href={`/activity/${restore.id}`}>{say('recovery.rto.source')}</Link>
        </div>
      )}
    </>
  );
}

function Kits({ destinations }: { readonly destinations: readonly Destination[] }) {
  const { say } = useSpeech();
  const { shown, find, more } = usePartOfList(destinations, { step: 20, nameOf: ({ name }) => name });
  return (
    <div id="kit" className="hf-section">
      <Panel title={say('recovery.kit')}>
        <Text c="dimmed" maw={720}>
          {say('recovery.kit.text')}
        </Text>
        {find}
        <ul className="hf-rows">
          {shown.map((destination) => (
            <KitRow key={destination.id} destination={destination} />
          ))}
        </ul>
        {more}
      </Panel>
    </div>
  );
}

function KitRow({ destination }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const { id, name, location, hasRecoveryKey } = destination;
  return (
    <li>
      <div>
        <strong>{name}</strong>
        <Text size="sm" c="dimmed" className="hf-clip">
          {hasRecoveryKey ? location : say('recovery.no-key')}
        </Text>
        <Proof destination={destination} />
      </div>
      <KitButtons destinationId={id} name={name} />
    </li>
  );
}

/** When the repository was last read, which is what shows that it could be restored from. */
function Proof({ destination: { id, name, lastCheck, readOnly } }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const check = useCheck();
  return (
    <div className="hf-inline hf-proof">
      {lastCheck ? (
        <>
          <ToneBadge tone={lastCheck.ok ? 'good' : 'bad'}>
            {say(lastCheck.ok ? 'recovery.proof.ok' : 'recovery.proof.bad', {
              percent: lastCheck.percentRead,
            })}
          </ToneBadge>
          <span className="hf-dim">
            <Moment at={lastCheck.at} /> ·{' '}
            <Link href={`/activity/${lastCheck.runId}`}>{say('fix.open-run')}</Link>
          </span>
        </>
      ) : (
        <>
          <ToneBadge tone="plain">{say('recovery.proof.none')}</ToneBadge>
          {!readOnly && (
            <Button
              size="compact-sm"
              variant="subtle"
              aria-label={say('destinations.check-named', { name })}
              loading={check.isPending}
              onClick={() => check.start(id)}
            >
              {say('destinations.check')}
            </Button>
          )}
        </>
      )}
    </div>
  );
}
