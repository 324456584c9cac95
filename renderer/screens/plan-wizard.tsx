/** Makes a plan, or changes one: What → Where → When → What to keep → Review. */
import { Button, Skeleton } from '@mantine/core';
import { IconArchiveOff } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Plan, PlanInput } from '../../src/api/model/plan.ts';
import { useNamedDestinations } from '../components/named.ts';
import { EmptyState, Page, ThrownNote, useTell, WordsNote } from '../components/parts.tsx';
import { Wizard } from '../components/wizard.tsx';
import { useAsk, usePlans } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { type Draft, draftOf, missingKeep, missingWhen, newDraft } from './plan-wizard/draft.ts';
import { KeepStep } from './plan-wizard/keep-step.tsx';
import { ReviewStep } from './plan-wizard/review-step.tsx';
import { WhatStep } from './plan-wizard/what-step.tsx';
import { WhenStep } from './plan-wizard/when-step.tsx';
import { WhereStep } from './plan-wizard/where-step.tsx';

export function NewPlanScreen() {
  const { say } = useSpeech();
  const [draft, setDraft] = useState(() => newDraft(say('wizard.name.default')));
  const [, go] = useLocation();
  const tell = useTell();
  const create = useAsk(
    async (host, { input, run }: { readonly input: PlanInput; readonly run: boolean }) => {
      const plan = await host.plans.create(input);
      if (run) await host.plans.run({ id: plan.id });
      return plan;
    },
  );
  return (
    <Page title={say('wizard.new')}>
      <PlanWizard
        draft={draft}
        onChange={setDraft}
        busy={create.isPending}
        error={create.error}
        onSave={(input) =>
          create.mutate(
            { input, run: draft.runFirst },
            {
              onSuccess: ({ name }) => {
                tell.done(say('wizard.created', { name }));
                go(draft.runFirst ? '/' : '/plans');
              },
            },
          )
        }
      />
    </Page>
  );
}

export function EditPlanScreen({ id }: { readonly id: string }) {
  const { say } = useSpeech();
  const { data: plans } = usePlans();
  const there = plans?.find((status) => status.plan.id === id)?.plan;
  // What somebody is about to enter does not go when the plan is removed in another window.
  const [known, setKnown] = useState(there);
  if (there && !known) setKnown(there);
  const plan = there ?? known;
  return (
    <Page title={plan ? `${say('wizard.edit')}: ${plan.name}` : say('wizard.edit')}>
      {plan && <EditPlan plan={plan} gone={!there} />}
      {!plan && (plans ? <NoSuchPlan /> : <Skeleton height={300} radius="lg" />)}
    </Page>
  );
}

function NoSuchPlan() {
  const { say } = useSpeech();
  return (
    <EmptyState
      icon={IconArchiveOff}
      title={say('wizard.gone')}
      text={say('wizard.gone.text')}
      action={
        <Button component={Link} href="/plans" variant="light">
          {say('wizard.gone.list')}
        </Button>
      }
    />
  );
}

/** `gone`: it was removed meanwhile, so that only a new one can be made of what was entered. */
function EditPlan({ plan, gone }: { readonly plan: Plan; readonly gone: boolean }) {
  const { say } = useSpeech();
  const [draft, setDraft] = useState(() => draftOf(plan));
  const [, go] = useLocation();
  const tell = useTell();
  const save = useAsk((host, input: PlanInput) =>
    gone ? host.plans.create(input) : host.plans.update({ ...input, id: plan.id }),
  );
  return (
    <>
      {gone && <WordsNote words={{ title: say('wizard.gone'), detail: say('wizard.gone.kept') }} />}
      <PlanWizard
        draft={draft}
        onChange={setDraft}
        existing={plan}
        gone={gone}
        busy={save.isPending}
        error={save.error}
        onSave={(input) =>
          save.mutate(input, {
            onSuccess: ({ name }) => {
              tell.done(say(gone ? 'wizard.created' : 'wizard.saved', { name }));
              go('/plans');
            },
          })
        }
      />
    </>
  );
}

interface PlanWizardProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly existing?: Plan;
  /** It is not there any more, so saving makes a new one. */
  readonly gone?: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onSave: (input: PlanInput) => void;
}

function PlanWizard(props: PlanWizardProps) {
  const { say } = useSpeech();
  const { existing } = props;
  const [, go] = useLocation();
  const [at, setAt] = useState(0);
  const [tried, setTried] = useState(false);
  const steps = useSteps(props);
  const onGo = (step: number) => {
    setTried(false);
    setAt(step);
  };
  return (
    <>
      <ThrownNote error={props.error} />
      <Wizard
        label={say(existing ? 'wizard.edit' : 'wizard.new')}
        steps={steps}
        at={at}
        onGo={onGo}
        onCancel={() => go('/plans')}
        free={existing !== undefined}
        showMissing={tried}
        onMissing={() => setTried(true)}
        finish={{
          name: say(existing && !props.gone ? 'wizard.save-edit' : 'wizard.save-new'),
          busy: props.busy,
          onFinish: () => {
            const incomplete = steps.findIndex(({ missing }) => missing !== undefined);
            if (incomplete >= 0) {
              setAt(incomplete);
              return setTried(true);
            }
            props.onSave(props.draft.input);
          },
        }}
      />
    </>
  );
}

function useSteps({ draft, onChange, existing }: PlanWizardProps) {
  const { say } = useSpeech();
  const { data: destinations = [] } = useNamedDestinations();
  const step = { draft, onChange };
  const { input } = draft;
  const known = input.destinations.filter((id) => destinations.some((d) => d.id === id));
  const whenMissing = missingWhen(input.schedule.when);
  return [
    {
      name: say('wizard.what'),
      title: say('wizard.what.title'),
      text: say('wizard.what.text'),
      missing: input.sources.length === 0 ? say('wizard.what.empty') : undefined,
      content: <WhatStep {...step} />,
    },
    {
      name: say('wizard.where'),
      title: say('wizard.where.title'),
      text: say('wizard.where.text'),
      missing: known.length === 0 ? say('wizard.where.empty') : undefined,
      content: <WhereStep {...step} />,
    },
    {
      name: say('wizard.when'),
      title: say('wizard.when.title'),
      text: say('wizard.when.text'),
      missing: whenMissing && say(whenMissing),
      content: <WhenStep {...step} />,
    },
    {
      name: say('wizard.keep'),
      title: say('wizard.keep.title'),
      text: say('wizard.keep.text'),
      missing: missingKeep(input.retention) ? say('wizard.keep.nothing') : undefined,
      content: <KeepStep {...step} />,
    },
    {
      name: say('wizard.review'),
      title: say('wizard.review.title'),
      text: say('wizard.review.text'),
      missing: input.name.trim() === '' ? say('wizard.name.empty') : undefined,
      content: <ReviewStep {...step} isNew={existing === undefined} />,
    },
  ];
}
