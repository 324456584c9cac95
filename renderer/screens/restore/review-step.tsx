/** Review: in one sentence what will happen, and what it comes to. */
import { Alert, Loader, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useLocation } from 'wouter';
import type { RestoreEstimate } from '../../../src/api/model/look.ts';
import { Facts, ThrownNote, WordsNote } from '../../components/parts.tsx';
import { useAsk } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';
import { forgetDraft, type StepContext, targetOf } from './draft.ts';
import { requestOf, useEstimate } from './estimate.ts';
import { MOST_PATHS, TooManyPaths } from './selection.ts';
import { selectionText } from './texts.ts';

/** Starts the restore; where it is seen takes the place of the wizard, so that Back does not lead to starting it once more. */
export function useStart() {
  const [, go] = useLocation();
  const start = useAsk(async (host, context: StepContext) => host.runs.restore(requestOf(context)));
  return {
    isPending: start.isPending,
    error: start.error instanceof TooManyPaths ? null : start.error,
    mutate: (context: StepContext) =>
      start.mutate(context, {
        onSuccess: ({ id }) => {
          go(`/restore?run=${id}`, { replace: true });
          forgetDraft();
        },
      }),
  };
}

export function ReviewStep(context: StepContext) {
  const { estimate, error } = useEstimate(context);
  return (
    <>
      <Plan {...context} />
      {error instanceof TooManyPaths ? <TooMany /> : <ThrownNote error={error} />}
      {error === undefined && <Estimate {...context} estimate={estimate} />}
    </>
  );
}

function TooMany() {
  const { say } = useSpeech();
  return (
    <WordsNote
      words={{
        title: say('restore.too-many', { count: MOST_PATHS }),
        hint: say('restore.too-many.hint'),
      }}
    />
  );
}

function Plan({ destination, version, draft, where }: StepContext) {
  const speech = useSpeech();
  const { say, format } = speech;
  const target = targetOf(where);
  const from = say('restore.review.version', {
    date: format.exact(version.at),
    computer: version.hostname,
    destination: destination.name,
  });
  const facts = [
    [say('restore.review.what'), selectionText(speech, draft.selection, version)],
    [say('restore.review.from'), from],
    [
      say('restore.review.to'),
      target.kind === 'original' ? say('restore.where.original.text') : <code key="to">{target.path}</code>,
    ],
    ...(target.kind === 'archive'
      ? []
      : [[say('restore.review.conflicts'), say(`restore.conflicts.${where.conflicts}.text`)] as const]),
    [
      say('restore.review.afterwards'),
      say(where.verify ? 'restore.review.verify' : 'restore.review.no-verify'),
    ],
  ] as const;
  return <Facts facts={facts} className="hf-will" />;
}

/** Bytes that are written: what is there already in the same state stays. Those that differ are counted whole. */
function Estimate(props: StepContext & { readonly estimate: RestoreEstimate | undefined }) {
  const { say, format } = useSpeech();
  const { estimate } = props;
  const counting = estimate?.finished !== true;
  return (
    <section aria-label={say('restore.estimate')} aria-busy={counting} className="hf-estimate">
      <div role="status" className="hf-estimate-state">
        {counting && <Loader size="xs" aria-hidden />}
        <Text size="sm" c="dimmed">
          {say(counting ? 'restore.estimate.counting' : 'restore.estimate.done')}
        </Text>
      </div>
      {estimate && (
        <>
          <Facts
            facts={[
              [say('run.files'), format.number(estimate.files)],
              [say('restore.estimate.folders'), format.number(estimate.folders)],
              [say('restore.version.size'), format.bytes(estimate.bytes)],
              [
                say('restore.estimate.free'),
                estimate.freeBytes === null
                  ? say('destinations.space-unknown')
                  : format.bytes(estimate.freeBytes),
              ],
              [
                say('restore.estimate.time'),
                estimate.seconds === null
                  ? say('restore.estimate.time-unknown')
                  : say('restore.estimate.about', { time: format.duration(estimate.seconds) }),
              ],
              ...(props.where.target === 'archive'
                ? []
                : [
                    [say('restore.estimate.same'), format.number(estimate.same)] as const,
                    [say('restore.estimate.different'), format.number(estimate.different)] as const,
                  ]),
            ]}
          />
          <SpaceWarning estimate={estimate} />
        </>
      )}
    </section>
  );
}

function SpaceWarning({ estimate: { bytes, freeBytes } }: { readonly estimate: RestoreEstimate }) {
  const { say, format } = useSpeech();
  if (freeBytes === null || freeBytes >= bytes) return null;
  return (
    <Alert
      className="hf-note"
      data-tone="fair"
      icon={<IconAlertTriangle size={20} aria-hidden />}
      title={say('restore.estimate.no-space', { bytes: format.bytes(bytes), free: format.bytes(freeBytes) })}
    >
      {say('restore.estimate.no-space.text')}
    </Alert>
  );
}
