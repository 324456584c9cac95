/** All plans. */
import { ActionIcon, Button, Menu, Skeleton, Switch, Text, Title } from '@mantine/core';
import { IconArchive, IconDots, IconPencil, IconPlus, IconTrash, IconUpload } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Destination } from '../../src/api/model/destination.ts';
import type { PlanStatus, Source } from '../../src/api/model/plan.ts';
import { useBackUp } from '../components/actions.ts';
import { Confirm, EmptyState, Facts, Moment, Page, ThrownNote, useTell } from '../components/parts.tsx';
import { usePartOfList } from '../components/parts-of-list.tsx';
import { newestSuccess, recurrenceText, retentionText, waitingWords } from '../components/words.ts';
import { useAsk, useDestinations, usePlans } from '../data/host.tsx';
import type { Say } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';

export function PlansScreen() {
  const { say } = useSpeech();
  const plans = usePlans();
  const { data: destinations = [] } = useDestinations();
  const { shown, find, more } = usePartOfList(plans.data ?? [], {
    step: 30,
    nameOf: ({ plan }) => plan.name,
  });
  return (
    <Page title={say('plans.title')} actions={<NewPlan />}>
      {find}
      <ThrownNote error={plans.error} />
      {plans.isPending && <Skeleton height={180} radius="lg" />}
      {plans.data?.length === 0 && (
        <EmptyState
          icon={IconArchive}
          title={say('plans.empty')}
          text={say('plans.empty.text')}
          action={
            <Button component={Link} href="/welcome" variant="light">
              {say('welcome.again')}
            </Button>
          }
        />
      )}
      {shown.map((status) => (
        <PlanCard key={status.plan.id} status={status} destinations={destinations} />
      ))}
      {more}
    </Page>
  );
}

function NewPlan() {
  const { say } = useSpeech();
  return (
    <Button component={Link} href="/plans/new" leftSection={<IconPlus size={18} aria-hidden />}>
      {say('plans.new')}
    </Button>
  );
}

export function sourceText(say: Say, source: Source): string {
  return source.kind === 'path'
    ? source.path
    : say('wizard.what.command', { command: source.command.join(' ') });
}

function PlanCard({
  status,
  destinations,
}: {
  readonly status: PlanStatus;
  readonly destinations: readonly Destination[];
}) {
  const speech = useSpeech();
  const { say, format } = speech;
  const { plan } = status;
  const last = newestSuccess(status);
  const named = plan.destinations.map(
    (id) => destinations.find((d) => d.id === id)?.name ?? say('common.gone'),
  );
  return (
    <article className="hf-panel" aria-labelledby={plan.id}>
      <div className="hf-panel-head">
        <div>
          <Title order={2} id={plan.id}>
            <Link href={`/plans/${plan.id}`} className="hf-row-link">
              {plan.name}
            </Link>
          </Title>
          <Text size="sm" c="dimmed" className="hf-path">
            {plan.sources.map((source) => sourceText(say, source)).join(' · ')}
          </Text>
        </div>
        <PlanActions status={status} />
      </div>
      <Facts
        facts={[
          [say('wizard.where'), format.list(named)],
          [say('wizard.when'), recurrenceText(speech, plan.schedule.when)],
          [say('plans.last'), last === null ? say('common.never') : <Moment key="last" at={last} />],
          [say('plans.next'), <Next key="next" status={status} />],
          [say('wizard.keep'), retentionText(speech, plan.retention)],
        ]}
      />
    </article>
  );
}

function Next({ status }: { readonly status: PlanStatus }) {
  const speech = useSpeech();
  const { say } = speech;
  const { plan, nextAt } = status;
  const waiting = waitingWords(speech, status);
  if (waiting !== null) return waiting;
  if (nextAt !== null) return <Moment at={nextAt} />;
  if (!plan.enabled) return say('plans.next.off');
  return say(plan.schedule.when.kind === 'manual' ? 'plans.next.manual' : 'plans.next.paused');
}

function PlanActions({ status: { plan } }: { readonly status: PlanStatus }) {
  const { say } = useSpeech();
  const tell = useTell();
  const backUp = useBackUp();
  const [, go] = useLocation();
  const [removing, setRemoving] = useState(false);
  const enable = useAsk((host, enabled: boolean) => host.plans.update({ ...plan, enabled }));
  return (
    <div className="hf-actions">
      <Switch
        checked={plan.enabled}
        disabled={enable.isPending}
        aria-label={say('plans.enabled-named', { name: plan.name })}
        onChange={(e) => enable.mutate(e.currentTarget.checked, { onError: tell.failed })}
      />
      <Button
        variant="light"
        leftSection={<IconUpload size={17} aria-hidden />}
        aria-label={say('plans.run-named', { name: plan.name })}
        loading={backUp.isPending}
        onClick={() => backUp.start([plan])}
      >
        {say('plans.run')}
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={say('plans.more', { name: plan.name })}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={() => go(`/plans/${plan.id}`)}
          >
            {say('common.edit')}
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setRemoving(true)}>
            {say('common.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {removing && <RemovePlan plan={plan} onClose={() => setRemoving(false)} />}
    </div>
  );
}

function RemovePlan({ plan, onClose }: { readonly plan: PlanStatus['plan']; readonly onClose: () => void }) {
  const { say } = useSpeech();
  const tell = useTell();
  const remove = useAsk((host, id: string) => host.plans.remove({ id }));
  return (
    <Confirm
      title={say('plans.remove.title', { name: plan.name })}
      text={say('plans.remove.text')}
      yes={say('common.remove')}
      busy={remove.isPending}
      onNo={onClose}
      onYes={() =>
        remove.mutate(plan.id, {
          onSuccess: () => {
            tell.done(say('plans.removed', { name: plan.name }));
            onClose();
          },
          onError: tell.failed,
        })
      }
    />
  );
}
