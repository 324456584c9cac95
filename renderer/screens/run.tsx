/** One run: live while it is under way, its report afterwards. */
import { Button, Skeleton, Table, Text, Title } from '@mantine/core';
import { IconChevronLeft, IconRepeat } from '@tabler/icons-react';
import { Link, useLocation } from 'wouter';
import { ENDED, type LogLine, type Run } from '../../src/api/model/run.ts';
import { CancelRun, LiveRun } from '../components/live-run.tsx';
import {
  ErrorNote,
  Facts,
  Moment,
  Page,
  Panel,
  RunStateBadge,
  ThrownNote,
  useTell,
} from '../components/parts.tsx';
import { reportFacts, secondsOf } from '../components/run-facts.ts';
import { errorWords, runSubject, runTitle } from '../components/words.ts';
import { PROBLEMS_SHOWN, useAsk, useRun, useRunLog, useRunProblems } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';

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
          <LiveRun run={run} />
        </Panel>
      )}
      <Report run={run} />
      {(run.problemCount > 0 || run.report) && <Problems run={run} />}
      <Log id={id} />
    </Page>
  );
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
        {ended ? <RunAgain run={run} /> : <CancelRun run={run} />}
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

function Report({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const seconds = secondsOf(run);
  const trigger = say(`run.trigger.${run.trigger}`);
  const attempt = run.attempt > 1 ? ` · ${say('run.attempt', { attempt: run.attempt })}` : '';
  return (
    <Panel title={say('run.report')}>
      <Facts
        facts={[
          [say('run.trigger'), trigger + attempt],
          [say('run.queued-at'), <Moment key="q" at={run.queuedAt} />],
          ...(run.startedAt === null
            ? []
            : [[say('run.started-at'), <Moment key="s" at={run.startedAt} />] as const]),
          ...(run.endedAt === null
            ? []
            : [[say('run.ended-at'), <Moment key="e" at={run.endedAt} />] as const]),
          ...(seconds === null ? [] : [[say('run.duration'), format.duration(seconds)] as const]),
          ...(run.report ? reportFacts(say, format, run.report) : []),
        ]}
      />
      {run.report?.kind === 'check' && run.report.findings.length > 0 && (
        <ul aria-label={say('run.findings')}>
          {run.report.findings.map((finding) => (
            <li key={finding}>{finding}</li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Problems({ run }: { readonly run: Run }) {
  const speech = useSpeech();
  const { say } = speech;
  const { data: problems } = useRunProblems(run.id);
  if (run.problemCount === 0) {
    return (
      <Panel title={say('run.problems')}>
        <Text c="dimmed">{say('run.problems.none')}</Text>
      </Panel>
    );
  }
  return (
    <Panel title={`${say('run.problems')} (${run.problemCount})`}>
      {run.problemCount > PROBLEMS_SHOWN && (
        <Text c="dimmed">{say('run.problems.more', { shown: PROBLEMS_SHOWN, total: run.problemCount })}</Text>
      )}
      <div className="hf-scroll">
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say('run.problems.path')}</Table.Th>
              <Table.Th>{say('run.problems.what')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {problems?.map(({ path, error }) => (
              <Table.Tr key={path + error.message}>
                <Table.Td className="hf-path">{path}</Table.Td>
                <Table.Td>{errorWords(speech, error).title}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Panel>
  );
}

function Log({ id }: { readonly id: string }) {
  const { say } = useSpeech();
  const { data: lines } = useRunLog(id);
  return (
    <Panel title={say('run.log')}>
      {lines?.length === 0 && <Text c="dimmed">{say('run.log.empty')}</Text>}
      {lines && lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <div role="log" className="hf-log" tabIndex={0} aria-label={say('run.log')}>
          <ol>
            {lines.map((line, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
              <Line key={i} line={line} />
            ))}
          </ol>
        </div>
      )}
    </Panel>
  );
}

function Line({ line }: { readonly line: LogLine }) {
  const { format } = useSpeech();
  return (
    <li data-level={line.level}>
      <time dateTime={new Date(line.at).toISOString()}>{format.time(line.at)}</time>
      <span>{line.text}</span>
    </li>
  );
}
