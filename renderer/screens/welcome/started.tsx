/** The first backup runs; meanwhile the recovery key is to be kept. */
import { Button, Text, Title } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Destination } from '../../../src/api/model/destination.ts';
import { ENDED, type Run } from '../../../src/api/model/run.ts';
import { LiveRun } from '../../components/live-run.tsx';
import { ErrorNote, Page, Panel, RunStateBadge } from '../../components/parts.tsx';
import { KeyBox, KitButtons } from '../../components/recovery-key.tsx';
import { amountOf } from '../../components/run-facts.ts';
import { runTitle, shownName } from '../../components/words.ts';
import { useRun } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

export interface Started {
  readonly destination: Destination;
  /** The words, for a repository that was just made. */
  readonly recoveryKey: string | null;
  readonly restoredPlans: number;
  readonly run: Run;
}

export function StartedPage({ started, onDone }: { readonly started: Started; readonly onDone: () => void }) {
  const { say } = useSpeech();
  const { data: run = started.run } = useRun(started.run.id);
  const [kept, setKept] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const ended = ENDED.includes(run.state);
  const good = run.state === 'succeeded' || run.state === 'warnings';
  const title = say(!ended ? 'welcome.running' : good ? 'welcome.done' : 'welcome.failed');
  return (
    <Page
      title={title}
      heading={
        <div className="hf-welcome-head">
          <Title order={1} ref={heading} tabIndex={-1}>
            {title}
          </Title>
          <p className="hf-lead">{say(ended ? 'welcome.done.text' : 'welcome.running.text')}</p>
        </div>
      }
    >
      <FirstRun run={run} ended={ended} />
      {started.restoredPlans > 0 && <Text>{say('add.restored', { count: started.restoredPlans })}</Text>}
      <KeepKey started={started} kept={kept} onKept={() => setKept(true)} />
      <div className="hf-actions hf-end">
        <Button
          variant={kept ? 'filled' : 'default'}
          rightSection={<IconChevronRight size={17} aria-hidden />}
          onClick={onDone}
        >
          {say('welcome.home')}
        </Button>
      </div>
    </Page>
  );
}

function FirstRun({ run, ended }: { readonly run: Run; readonly ended: boolean }) {
  const { say, format } = useSpeech();
  return (
    <Panel
      title={runTitle(say, run)}
      actions={
        <Link href={`/activity/${run.id}`} className="hf-more">
          {say('fix.open-run')}
          <IconChevronRight size={16} aria-hidden />
        </Link>
      }
    >
      {ended ? (
        <div className="hf-inline">
          <RunStateBadge state={run.state} />
          <Text c="dimmed">{amountOf(say, format, run)}</Text>
        </div>
      ) : (
        <LiveRun run={run} />
      )}
      {run.error && <ErrorNote error={run.error} />}
    </Panel>
  );
}

function KeepKey(props: { readonly started: Started; readonly kept: boolean; readonly onKept: () => void }) {
  const { say } = useSpeech();
  const { destination, recoveryKey } = props.started;
  return (
    <Panel title={say('welcome.key')}>
      <Text maw={680}>
        {say(
          recoveryKey !== null
            ? 'add.key.text'
            : destination.hasRecoveryKey
              ? 'welcome.key.known'
              : 'add.key.known',
        )}
      </Text>
      {recoveryKey !== null && <KeyBox words={recoveryKey} onCopied={props.onKept} />}
      <KitButtons
        destinationId={destination.id}
        name={shownName(say, destination.name)}
        prominent={!props.kept}
        onKept={props.onKept}
      />
      <Text size="sm" c="dimmed">
        {say('welcome.key.later')}
      </Text>
    </Panel>
  );
}
