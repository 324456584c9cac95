/** What could be lost now, and the page that gets everything back. */
import { Button, Skeleton, Table, Text } from '@mantine/core';
import { IconPrinter } from '@tabler/icons-react';
import type { Destination } from '../../src/api/model/destination.ts';
import { Moment, Page, Panel, useTell } from '../components/parts.tsx';
import { printPage } from '../components/print-page.ts';
import { newestSuccess } from '../components/words.ts';
import { useAsk, useDestinations, usePlans } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';

export function RecoveryScreen() {
  const { say } = useSpeech();
  const { data: plans } = usePlans();
  const { data: destinations } = useDestinations();
  return (
    <Page title={say('recovery.title')}>
      <Panel title={say('recovery.rpo')}>
        <Text c="dimmed">{say('recovery.rpo.text')}</Text>
        {plans ? (
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{say('recovery.plan')}</Table.Th>
                <Table.Th>{say('recovery.newest')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {plans.map((status) => {
                const at = newestSuccess(status);
                return (
                  <Table.Tr key={status.plan.id}>
                    <Table.Td>{status.plan.name}</Table.Td>
                    <Table.Td>{at === null ? say('recovery.no-version') : <Moment at={at} />}</Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        ) : (
          <Skeleton height={80} />
        )}
      </Panel>
      <Panel title={say('recovery.kit')}>
        <Text c="dimmed" maw={680}>
          {say('recovery.kit.text')}
        </Text>
        <ul className="hf-rows">
          {destinations?.map((destination) => (
            <KitRow key={destination.id} destination={destination} />
          ))}
        </ul>
      </Panel>
    </Page>
  );
}

function KitRow({ destination }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const tell = useTell();
  const kit = useAsk((host, id: string) => host.destinations.recoveryKit({ id }));
  return (
    <li>
      <div>
        <strong>{destination.name}</strong>
        <Text size="sm" c="dimmed" className="hf-clip">
          {destination.hasRecoveryKey ? destination.location : say('recovery.no-key')}
        </Text>
      </div>
      <Button
        variant="light"
        leftSection={<IconPrinter size={17} aria-hidden />}
        aria-label={say('recovery.print-named', { name: destination.name })}
        loading={kit.isPending}
        onClick={() =>
          kit.mutate(destination.id, { onSuccess: ({ html }) => printPage(html), onError: tell.failed })
        }
      >
        {say('recovery.print')}
      </Button>
    </li>
  );
}
