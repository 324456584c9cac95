/** What somebody should know of: what holds now, and what has passed. */
import { Button, Skeleton, Text } from '@mantine/core';
import { useState } from 'react';
import { AlertRows } from '../../components/alerts.tsx';
import { useAlerts } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

const FEW = 5;

export function AlertList() {
  const { say } = useSpeech();
  const { data: alerts } = useAlerts();
  const [all, setAll] = useState(false);
  if (!alerts) return <Skeleton height={60} />;
  const holding = alerts.filter(({ endedAt }) => endedAt === null);
  const past = alerts.filter(({ endedAt }) => endedAt !== null);
  return (
    <>
      <h3 className="hf-subhead">{say('alert.holding')}</h3>
      {holding.length === 0 && <Text c="dimmed">{say('alert.none')}</Text>}
      <AlertRows alerts={holding} label={say('alert.holding')} />
      {past.length > 0 && (
        <>
          <h3 className="hf-subhead">{say('alert.past')}</h3>
          <AlertRows alerts={all ? past : past.slice(0, FEW)} label={say('alert.past')} />
          {past.length > FEW && !all && (
            <Button variant="subtle" className="hf-centered" onClick={() => setAll(true)}>
              {say('common.more')}
            </Button>
          )}
        </>
      )}
    </>
  );
}
