/** A run that is under way: how far it is, how fast, how long it will take, and how to stop it. */
import { Button, Progress, Text } from '@mantine/core';
import { IconPlayerStop } from '@tabler/icons-react';
import { useState } from 'react';
import type { Run } from '../../src/api/model/run.ts';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { Facts, useTell } from './parts.tsx';
import { RateLine } from './rate-line.tsx';
import { phaseWords, runTitle, waitingWords } from './words.ts';

/** In percent; undefined while nobody knows how much there is. */
export function percentOf({ progress }: Pick<Run, 'progress'>): number | undefined {
  if (!progress) return undefined;
  const { bytesDone, bytesTotal, filesDone, filesTotal } = progress;
  if (bytesTotal) return Math.min(100, (bytesDone / bytesTotal) * 100);
  return filesTotal ? Math.min(100, (filesDone / filesTotal) * 100) : undefined;
}

/** `curve`: with the rate as it has gone, where there is room. */
export function LiveRun({ run, curve = false }: { readonly run: Run; readonly curve?: boolean }) {
  const speech = useSpeech();
  const { say } = speech;
  const percent = percentOf(run);
  const { progress } = run;
  const phase = waitingWords(speech, run) ?? (progress && phaseWords(speech, progress));
  return (
    <div className="hf-live">
      <div className="hf-live-head">
        <Text size="sm" c="dimmed" className="hf-clip">
          {phase ?? say('run.state.queued')}
        </Text>
        {percent !== undefined && <span className="hf-percent">{Math.floor(percent)} %</span>}
      </div>
      <Progress.Root size="lg">
        <Progress.Section
          value={percent ?? 100}
          striped={percent === undefined}
          animated={percent === undefined && run.state === 'running'}
          aria-label={`${say('run.progress')}: ${runTitle(say, run)}`}
          aria-valuetext={percent === undefined ? say('run.counting') : `${Math.floor(percent)} %`}
        />
      </Progress.Root>
      {progress && <LiveFacts progress={progress} />}
      {curve && progress && <RateLine progress={progress} />}
      {progress && <CurrentFiles files={progress.current} />}
    </div>
  );
}

/** While none is being read, because what was read is still on its way, the last ones stay. */
function CurrentFiles({ files }: { readonly files: readonly string[] }) {
  const { say } = useSpeech();
  const [last, setLast] = useState<readonly string[]>([]);
  if (files.length > 0 && files !== last) setLast(files);
  const shown = files.length > 0 ? files : last;
  if (shown.length === 0) return null;
  return (
    <ul className="hf-current" aria-label={say('run.current')}>
      {shown.slice(0, 3).map((file) => (
        <li key={file} className="hf-clip">
          {file}
        </li>
      ))}
    </ul>
  );
}

function LiveFacts({ progress }: { readonly progress: NonNullable<Run['progress']> }) {
  const { say, format } = useSpeech();
  const { filesDone, filesTotal, bytesDone, bytesTotal, bytesPerSecond, secondsLeft } = progress;
  const files =
    filesTotal === null
      ? say('unit.files', { count: filesDone })
      : say('unit.files-of', { done: filesDone, total: filesTotal });
  const bytes =
    bytesTotal === null
      ? format.bytes(bytesDone)
      : `${format.bytes(bytesDone)} / ${format.bytes(bytesTotal)}`;
  return (
    <Facts
      facts={[
        [say('run.files'), files],
        [say('run.data'), bytes],
        [say('run.rate'), say('unit.rate', { bytes: format.bytes(bytesPerSecond) })],
        [say('run.time-left'), secondsLeft === null ? say('run.counting') : format.duration(secondsLeft)],
        ...(progress.problems > 0 ? [[say('run.problems'), format.number(progress.problems)] as const] : []),
      ]}
    />
  );
}

export function CancelRun({ run }: { readonly run: Run }) {
  const { say } = useSpeech();
  const tell = useTell();
  const cancel = useAsk((host, id: string) => host.runs.cancel({ id }));
  return (
    <Button
      variant="default"
      leftSection={<IconPlayerStop size={17} aria-hidden />}
      // The answer comes at once, the end a little later.
      loading={cancel.isPending}
      disabled={cancel.isSuccess}
      onClick={() =>
        cancel.mutate(run.id, { onSuccess: () => tell.done(say('run.cancelling')), onError: tell.failed })
      }
    >
      {say('run.cancel')}
    </Button>
  );
}
