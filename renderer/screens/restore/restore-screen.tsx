/**
 * Getting files back: Choose a version → Choose files → Choose where → Review, then how it goes and how it went.
 *
 * draft      what the person has said so far (draft.ts)
 * selection  what of the version is chosen (selection.ts)
 * line       versions of one computer and plan (months.ts)
 */
import { Button, Skeleton } from '@mantine/core';
import { IconRefresh, IconRestore } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import type { Destination, Version } from '../../../src/api/model/destination.ts';
import { useNamedDestinations } from '../../components/named.ts';
import { EmptyState, Page, ThrownNote, WordsNote } from '../../components/parts.tsx';
import { type Step, Wizard } from '../../components/wizard.tsx';
import { useFolder, useStatus } from '../../data/host.tsx';
import { useVersions } from '../../data/versions.ts';
import type { Say } from '../../i18n/languages.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import {
  addressOf,
  arrive,
  changeDraft,
  type Draft,
  forgetDraft,
  type Go,
  type Position,
  positionOf,
  proposalOf,
  STEPS,
  type StepContext,
  type StepName,
  useDraft,
  whereOf,
  whereProblem,
} from './draft.ts';
import { FilesStep } from './files-step.tsx';
import { versionNamed } from './months.ts';
import { OtherRepository } from './other-repository.tsx';
import { RestoreReport } from './report.tsx';
import { ReviewStep, useStart } from './review-step.tsx';
import { VersionStep } from './version-step.tsx';
import { WhereStep } from './where-step.tsx';

export function RestoreScreen() {
  const [params] = useSearchParams();
  const position = positionOf(params);
  if (position.runId !== null) return <RestoreReport key={position.runId} id={position.runId} />;
  return <Restore position={position} bare={params.size === 0} />;
}

function Restore({ position, bare }: { readonly position: Position; readonly bare: boolean }) {
  const { say } = useSpeech();
  const draft = useDraft();
  const [, go] = useLocation();
  const destinations = useNamedDestinations();
  const kept = bare && draft.address !== '';
  useEffect(() => {
    // Whoever comes back goes on where they were.
    if (kept) go(draft.address, { replace: true });
  }, [kept, go, draft.address]);
  const list = destinations.data;
  const destination =
    list?.find(({ id }) => id === position.destinationId) ?? (list && likeliest(list, draft.destinationId));
  if (!list) {
    return (
      <Page title={say('restore.title')}>
        <ThrownNote error={destinations.error} />
        {destinations.isPending && <Skeleton height={420} radius="lg" />}
      </Page>
    );
  }
  if (!destination) return <NoDestination />;
  return (
    <Page title={say('restore.title')} actions={<StartOver draft={draft} />}>
      <RestoreWizard key={destination.id} destination={destination} all={list} position={position} />
    </Page>
  );
}

/** The one of the last time, else one that can be used, rather not the one on the computer's own disk. */
function likeliest(all: readonly Destination[], last: string | null): Destination | undefined {
  const rank = (one: Destination) =>
    (one.id === last ? 8 : 0) + (one.problem === null ? 2 : 0) + (one.embedded ? 0 : 1);
  return all.toSorted((a, b) => rank(b) - rank(a))[0];
}

function StartOver({ draft }: { readonly draft: Draft }) {
  const { say } = useSpeech();
  const [, go] = useLocation();
  if (draft.selection.size === 0) return null;
  return (
    <Button
      variant="subtle"
      leftSection={<IconRefresh size={17} aria-hidden />}
      onClick={() => {
        forgetDraft();
        go('/restore');
      }}
    >
      {say('restore.start-over')}
    </Button>
  );
}

function NoDestination() {
  const { say } = useSpeech();
  const [adding, setAdding] = useState(false);
  return (
    <Page title={say('restore.title')}>
      <EmptyState
        icon={IconRestore}
        title={say('restore.empty')}
        text={say('restore.empty.text')}
        action={
          <div className="hf-actions">
            <Button component={Link} href="/plans/new">
              {say('plans.new')}
            </Button>
            <Button variant="default" onClick={() => setAdding(true)}>
              {say('restore.other')}
            </Button>
          </div>
        }
      />
      {adding && <OtherRepository onAdded={() => setAdding(false)} onClose={() => setAdding(false)} />}
    </Page>
  );
}

function RestoreWizard(props: {
  readonly destination: Destination;
  readonly all: readonly Destination[];
  readonly position: Position;
}) {
  const { destination, position } = props;
  const { say } = useSpeech();
  const versions = useVersions(destination.id);
  const go = useGo(destination.id);
  const [tried, setTried] = useState(false);
  const version = versions.data && versionNamed(versions.data, position.versionId ?? 'latest');
  const context = useContext(destination, version);
  const at = context ? reachable(position.step, context) : 0;
  const start = useStart();
  useArrival(position, destination.id, version, at);
  const goStep = (step: number) => {
    setTried(false);
    const name = STEPS[step];
    if (name) go({ versionId: version?.id ?? null, step: name });
  };
  const gone = position.versionId !== null && versions.isSuccess && !version;
  return (
    <>
      <ThrownNote error={start.error} />
      {gone && <WordsNote words={{ title: say('error.snapshot-missing') }} />}
      <Wizard
        label={say('restore.title')}
        steps={stepsOf(say, { ...props, versions, context, go })}
        at={at}
        onGo={goStep}
        showMissing={tried}
        onMissing={() => setTried(true)}
        finish={{
          name: say('restore.start'),
          busy: start.isPending,
          onFinish: () => context && start.mutate(context),
        }}
      />
    </>
  );
}

function useContext(destination: Destination, version: Version | undefined): StepContext | undefined {
  const draft = useDraft();
  const hostname = useStatus().data?.hostname;
  const home = useFolder(null).data?.path ?? '';
  if (!version) return undefined;
  // Until the name is known, the version is taken for this computer's own.
  const proposal = proposalOf(version, draft.format, { hostname: hostname ?? version.hostname, home });
  return { destination, version, draft, where: whereOf(draft, proposal) };
}

/** As far as what came before allows. */
function reachable(step: StepName, { draft, where }: StepContext): number {
  const wanted = STEPS.indexOf(step);
  if (draft.selection.size === 0) return Math.min(wanted, 1);
  return whereProblem(where) === undefined ? wanted : Math.min(wanted, 2);
}

function useGo(destinationId: string): Go {
  const [, go] = useLocation();
  return ({ replace = false, ...to }) => go(addressOf({ destinationId, ...to }), { replace });
}

/** Keeps where the person is, and takes from a link what it names. */
function useArrival(
  { path }: Position,
  destinationId: string,
  version: Version | undefined,
  at: number,
): void {
  const address = version
    ? addressOf({ destinationId, versionId: version.id, step: STEPS[at] ?? 'version' })
    : '';
  useEffect(() => arrive(destinationId, address), [destinationId, address]);
  useEffect(() => {
    if (path !== null) changeDraft({ reveal: path });
  }, [path]);
}

interface StepsOptions {
  readonly destination: Destination;
  readonly all: readonly Destination[];
  readonly position: Position;
  readonly versions: ReturnType<typeof useVersions>;
  readonly context: StepContext | undefined;
  readonly go: Go;
}

function stepsOf(say: Say, o: StepsOptions): readonly Step[] {
  const { context, go } = o;
  const problem = context && whereProblem(context.where);
  return [
    {
      name: say('restore.version'),
      title: say('restore.version.title'),
      missing: context ? undefined : say('restore.version.missing'),
      content: <VersionStep {...o} version={context?.version} />,
    },
    {
      name: say('restore.files'),
      title: say('restore.files.title'),
      missing: context?.draft.selection.size === 0 ? say('restore.files.missing') : undefined,
      content: context && <FilesStep {...context} go={go} />,
    },
    {
      name: say('restore.where'),
      title: say('restore.where.title'),
      missing: problem && say(`restore.where.${problem}`),
      content: context && <WhereStep {...context} />,
    },
    {
      name: say('restore.review'),
      title: say('restore.review.title'),
      content: context && <ReviewStep {...context} />,
    },
  ];
}
