/** A restore that was started: how it goes, then how it went, with every file that failed. */
import { Button, Skeleton, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconRestore } from '@tabler/icons-react';
import { Link } from 'wouter';
import { ENDED, type Run } from '../../../src/api/model/run.ts';
import { CopyText } from '../../components/copy-text.tsx';
import { CancelRun, LiveRun } from '../../components/live-run.tsx';
import { ErrorNote, Facts, Page, Panel, RunStateBadge, ThrownNote } from '../../components/parts.tsx';
import { reportFacts, secondsOf } from '../../components/run-facts.ts';
import { ShowPlace } from '../../components/show-place.tsx';
import { useRun } from '../../data/host.tsx';
import { useShell } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Problems } from '../run/problems.tsx';

export function RestoreReport({ id }: { readonly id: string }) {
  const { say } = useSpeech();
  const { data: run, error } = useRun(id);
  if (!run) {
    return (
      <Page title={say('restore.title')}>
        {error ? <ThrownNote error={error} /> : <Skeleton height={240} radius="lg" />}
      </Page>
    );
  }
  const ended = ENDED.includes(run.state);
  const again = (
    <Button
      component={Link}
      href="/restore"
      variant="light"
      leftSection={<IconRestore size={17} aria-hidden />}
    >
      {say('restore.report.more')}
    </Button>
  );
  return (
    <Page title={say('restore.title')} actions={ended ? again : <CancelRun run={run} />}>
      {ended ? <Ended run={run} /> : <UnderWay run={run} />}
    </Page>
  );
}

function UnderWay({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  return (
    <Panel title={say('restore.report.running')} actions={<RunStateBadge state={run.state} />}>
      <LiveRun run={run} />
      <Text size="sm" c="dimmed">
        {say('restore.report.goes-on')}
      </Text>
    </Panel>
  );
}

function Ended({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const seconds = secondsOf(run);
  return (
    <>
      <Outcome run={run} />
      {run.error && <ErrorNote error={run.error} />}
      {run.report && (
        <Panel title={say('run.report')}>
          <Facts
            facts={[
              ...reportFacts(say, format, run.report).filter(([name]) => name !== say('run.target')),
              ...(seconds === null ? [] : [[say('run.duration'), format.duration(seconds)] as const]),
            ]}
          />
        </Panel>
      )}
      {run.report && <Problems run={run} />}
      <Link href={`/activity/${run.id}`} className="hf-more">
        {say('restore.report.details')}
      </Link>
    </>
  );
}

const OUTCOMES = {
  good: IconCircleCheck,
  fair: IconAlertTriangle,
  bad: IconCircleX,
} as const;

/** Heard at once by whoever waits for it. */
function Outcome({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const { report, state } = run;
  const tone = state === 'succeeded' ? 'good' : state === 'failed' ? 'bad' : 'fair';
  const Icon = OUTCOMES[tone];
  const restored = report?.kind === 'restore' ? report : undefined;
  return (
    <div className="hf-hero">
      <div className="hf-hero-icon" data-tone={tone}>
        <Icon size={44} stroke={1.5} aria-hidden />
      </div>
      <div className="hf-hero-words" role="status">
        <Title order={2}>
          {restored && state !== 'cancelled'
            ? say('restore.report.restored', { count: restored.filesRestored })
            : say(`restore.report.${tone}`)}
        </Title>
        {restored && (
          <Text c="dimmed">
            {say('restore.report.rest', {
              bytes: format.bytes(restored.bytesWritten),
              unchanged: restored.filesUnchanged,
              skipped: restored.filesSkipped,
            })}
            {run.problemCount > 0 && ` ${say('restore.report.problems', { count: run.problemCount })}`}
          </Text>
        )}
        <Place run={run} />
      </div>
    </div>
  );
}

/** Where the files are now: in the file manager with a shell; in a browser the path, to be copied. */
function Place({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const shell = useShell();
  const path = placeOf(run);
  if (path === null) return null;
  return (
    <div className="hf-place-of">
      {shell ? (
        <ShowPlace path={path} />
      ) : (
        <>
          <code className="hf-path">{path}</code>
          <CopyText text={path} label={say('restore.report.copy')} />
        </>
      )}
    </div>
  );
}

/** The archive, the folder, or, at the original places, the first of what was asked for. */
function placeOf({ task, report }: Run): string | null {
  if (report?.kind !== 'restore' || task.kind !== 'restore') return null;
  const { target, paths } = task.request;
  return target.kind === 'original' ? (paths[0] ?? null) : target.path;
}
