/** What a run has done, in a sentence and in numbers. */
import { Button, Text } from '@mantine/core';
import { IconRestore } from '@tabler/icons-react';
import { Link } from 'wouter';
import type { Run } from '../../../src/api/model/run.ts';
import { CopyText } from '../../components/copy-text.tsx';
import { Facts, Moment, Panel } from '../../components/parts.tsx';
import { reportFacts, reportSentence, secondsOf } from '../../components/run-facts.ts';
import { ShowPlace } from '../../components/show-place.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

export function Report({ run }: { readonly run: Run }) {
  const { say, format } = useSpeech();
  const sentence = reportSentence(say, format, run);
  return (
    <Panel title={say(run.endedAt === null ? 'run.details' : 'run.report')} actions={<Actions run={run} />}>
      {sentence !== null && <Text>{sentence}</Text>}
      <Facts
        facts={[...timeFacts(say, format, run), ...(run.report ? reportFacts(say, format, run.report) : [])]}
      />
      {run.report?.kind === 'check' && run.report.findings.length > 0 && (
        <ul aria-label={say('run.findings')} className="hf-findings">
          {run.report.findings.map((finding) => (
            <li key={finding}>{finding}</li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

type Speech = ReturnType<typeof useSpeech>;

function timeFacts(say: Speech['say'], format: Speech['format'], run: Run) {
  const seconds = secondsOf(run);
  const attempt = run.attempt > 1 ? ` · ${say('run.attempt', { attempt: run.attempt })}` : '';
  const moment = (name: string, at: number | null) =>
    at === null ? [] : [[name, <Moment key={name} at={at} />] as const];
  return [
    [say('run.trigger'), say(`run.trigger.${run.trigger}`) + attempt] as const,
    ...moment(say('run.queued-at'), run.queuedAt),
    ...moment(say('run.started-at'), run.startedAt),
    ...moment(say('run.ended-at'), run.endedAt),
    ...(seconds === null ? [] : [[say('run.duration'), format.duration(seconds)] as const]),
    ...(run.previousId === null
      ? []
      : [
          [
            say('run.previous'),
            <Link key="previous" href={`/activity/${run.previousId}`}>
              {say('run.previous.show')}
            </Link>,
          ] as const,
        ]),
  ];
}

/** Where what it made can be found. */
function Actions({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const { report } = run;
  if (report?.kind === 'restore') return <ShowPlace path={report.target} />;
  if (report?.kind !== 'backup' || report.snapshotId === null || run.destinationId === null) return null;
  return (
    <div className="hf-actions">
      <CopyText text={report.snapshotId} name={say('run.version.copy')} />
      <Button
        component={Link}
        href={`/restore?destination=${run.destinationId}&version=${report.snapshotId}`}
        variant="light"
        size="xs"
        leftSection={<IconRestore size={16} aria-hidden />}
      >
        {say('run.version.restore')}
      </Button>
    </div>
  );
}
