/** One run: live while it is under way, its report afterwards. */
import { Button, Skeleton, Text, Title } from '@mantine/core';
import { IconChevronLeft, IconRepeat } from '@tabler/icons-react';
import { Link, useLocation } from 'wouter';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import { ErrorHelp } from '../components/error-help.tsx';
import { CancelRun, LiveRun } from '../components/live-run.tsx';
import { ErrorNote, Page, Panel, RunStateBadge, ThrownNote, useTell } from '../components/parts.tsx';
import { runSubject, runTitle } from '../components/words.ts';
import { useAsk, useRun } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { Log } from './run/log.tsx';
import { Problems } from './run/problems.tsx';
import { Report } from './run/report.tsx';

export function RunScreen({ id }: { readonly id: string }) {
  const { say } = useSpeech();
  const { data: run, error } = useRun(id);
  if (!run) {
    return (
      <Page title={say('activity.title')}>
        {error ? <ThrownNote error={error} /> : <Skeleton height={240} radius="lg" />}
      </Page>
    );
  }
  const ended = ENDED.includes(run.state);
  return (
    <Page title={runTitle(say, run)} heading={<Head run={run} ended={ended} />}>
      {run.error && <ErrorNote error={run.error} />}
      {!ended && (
        <Panel title={say('run.progress')}>
          <LiveRun run={run} curve />
        </Panel>
      )}
      <Report run={run} />
      {(run.problemCount > 0 || hasFiles(run)) && <Problems run={run} />}
      <Log run={run} />
    </Page>
  );
}

/** Whether it has read or written files, so that it is worth saying that none was a problem. */
function hasFiles({ report }: Run): boolean {
  return report?.kind === 'backup' || report?.kind === 'restore';
}

function Head({ run, ended }: { readonly run: Run; readonly ended: boolean }) {
  const { say } = useSpeech();
  return (
    <div>
      <Link href="/activity" className="hf-up">
        <IconChevronLeft size={16} aria-hidden />
        {say('activity.title')}
      </Link>
      <div className="hf-page-head">
        <div>
          <Title order={1}>{say(`run.${run.task.kind}`)}</Title>
          <div className="hf-inline">
            <RunStateBadge state={run.state} />
            <Text c="dimmed">{runSubject(say, run)}</Text>
          </div>
        </div>
        <div className="hf-actions">
          <ErrorHelp run={run} />
          {ended ? <RunAgain run={run} /> : <CancelRun run={run} />}
        </div>
      </div>
    </div>
  );
}

function RunAgain({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const tell = useTell();
  const [, go] = useLocation();
  const again = useAsk((host, id: string) => host.runs.again({ id }));
  return (
    <Button
      leftSection={<IconRepeat size={17} aria-hidden />}
      loading={again.isPending}
      onClick={() =>
        again.mutate(run.id, {
          onSuccess: ({ id }) => {
            tell.done(say('run.again-started'));
            go(`/activity/${id}`);
          },
          onError: tell.failed,
        })
      }
    >
      {say('run.again')}
    </Button>
  );
}
