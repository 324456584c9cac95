/** Where backups are kept. */
import { ActionIcon, Button, Menu, Skeleton, Text, Title, Tooltip } from '@mantine/core';
import {
  IconDots,
  IconKey,
  IconLock,
  IconLogin2,
  IconPencil,
  IconPlugConnected,
  IconPlus,
  IconServer,
  IconShieldCheck,
  IconTrash,
} from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { ConnectionTest, Destination } from '../../src/api/model/destination.ts';
import { useCheck } from '../components/actions.ts';
import { DiskSet } from '../components/disk-set.tsx';
import { FactBadges } from '../components/fact-badges.tsx';
import { destinationIcon } from '../components/kinds.ts';
import { hasLogin, LoginDialog } from '../components/login-dialog.tsx';
import { useNamedDestinations } from '../components/named.ts';
import {
  Confirm,
  EmptyState,
  ErrorNote,
  Facts,
  Page,
  ThrownNote,
  ToneBadge,
  useTell,
} from '../components/parts.tsx';
import { usePartOfList } from '../components/parts-of-list.tsx';
import { PasswordDialog } from '../components/password-dialog.tsx';
import { SpaceBar } from '../components/space-bar.tsx';
import { TestResult } from '../components/test-result.tsx';
import { TrendChart } from '../components/trend-chart.tsx';
import { kindText } from '../components/words.ts';
import { useAsk } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { EditDestination } from './destination-edit.tsx';

export function DestinationsScreen() {
  const { say } = useSpeech();
  const destinations = useNamedDestinations();
  useScrollToHash(destinations.isSuccess);
  const { shown, find, more } = usePartOfList(destinations.data ?? [], {
    step: 20,
    nameOf: ({ name }) => name,
    must: ({ id }) => id === location.hash.slice(1),
  });
  const add = (
    <Button component={Link} href="/destinations/new" leftSection={<IconPlus size={18} aria-hidden />}>
      {say('destinations.add')}
    </Button>
  );
  return (
    <Page title={say('destinations.title')} actions={add}>
      {find}
      <ThrownNote error={destinations.error} />
      {destinations.isPending && <Skeleton height={220} radius="lg" />}
      {destinations.data?.length === 0 && (
        <EmptyState
          icon={IconServer}
          title={say('destinations.empty')}
          text={say('destinations.empty.text')}
        />
      )}
      <div className="hf-cards">
        {shown.map((destination) => (
          <DestinationCard key={destination.id} destination={destination} />
        ))}
      </div>
      {more}
    </Page>
  );
}

/** The page is drawn after the browser has looked for the address's fragment. */
function useScrollToHash(ready: boolean) {
  useEffect(() => {
    if (ready) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: 'center' });
  }, [ready]);
}

function DestinationCard({ destination }: { readonly destination: Destination }) {
  const { say, format } = useSpeech();
  const [test, setTest] = useState<ConnectionTest>();
  const { problem, facts } = destination;
  const Icon = destinationIcon(destination);
  return (
    <article className="hf-panel" id={destination.id} aria-labelledby={`name-${destination.id}`}>
      <div className="hf-panel-head">
        <div className="hf-card-name">
          <div className="hf-card-icon">
            <Icon size={22} stroke={1.6} aria-hidden />
          </div>
          <div>
            <Title order={2} id={`name-${destination.id}`}>
              {destination.name}
            </Title>
            <Text size="sm" c="dimmed">
              {kindText(say, destination)}
            </Text>
          </div>
        </div>
        <More destination={destination} />
      </div>
      <Text size="sm" className="hf-path">
        {destination.location}
      </Text>
      <div className="hf-inline">
        <ToneBadge tone={problem ? 'bad' : 'good'}>
          {say(problem ? 'destinations.problem' : 'destinations.reachable')}
        </ToneBadge>
        {destination.readOnly && (
          <Tooltip label={say('destinations.read-only.text')}>
            <span>
              <ToneBadge tone="plain">{say('destinations.read-only')}</ToneBadge>
            </span>
          </Tooltip>
        )}
        <FactBadges facts={facts} />
        <Tooltip label={say('destinations.encrypted.text')}>
          <span className="hf-locked">
            <IconLock size={15} aria-hidden />
            {say('destinations.encrypted')}
          </span>
        </Tooltip>
      </div>
      {problem && <ErrorNote error={problem} />}
      <DiskSet destination={destination} />
      <SpaceBar destination={destination} />
      <TrendChart destinationId={destination.id} />
      <Facts
        facts={[
          ...(facts?.account ? [[say('destinations.account'), facts.account] as const] : []),
          ...(destination.usedBytes === null
            ? []
            : [[say('destinations.used'), format.bytes(destination.usedBytes)] as const]),
          [say('destinations.last-check'), <LastCheck key="check" destination={destination} />],
          [
            say('destinations.recovery-key'),
            say(
              destination.hasRecoveryKey ? 'destinations.recovery-key.yes' : 'destinations.recovery-key.no',
            ),
          ],
        ]}
      />
      {test && <TestResult test={test} known={destination} />}
      <CardActions destination={destination} onTested={setTest} />
    </article>
  );
}

function LastCheck({ destination: { lastCheck } }: { readonly destination: Destination }) {
  const { say, format } = useSpeech();
  if (!lastCheck) return say('common.never');
  const when = format.relative(lastCheck.at, Date.now());
  const text = lastCheck.ok
    ? say('destinations.check-ok', { when, percent: lastCheck.percentRead })
    : say('destinations.check-bad', { when });
  return (
    <Tooltip label={format.exact(lastCheck.at)}>
      <Link href={`/activity/${lastCheck.runId}`} className={lastCheck.ok ? 'hf-link' : 'hf-link hf-bad'}>
        {text}
      </Link>
    </Tooltip>
  );
}

function CardActions(props: {
  readonly destination: Destination;
  readonly onTested: (test: ConnectionTest) => void;
}) {
  const { say } = useSpeech();
  const tell = useTell();
  const check = useCheck();
  const { id, name, problem, readOnly } = props.destination;
  const test = useAsk((host, _: undefined) => host.destinations.retest({ id }));
  return (
    <div className="hf-actions">
      {problem?.code === 'wrong-password' && <EnterPassword destination={props.destination} />}
      <SignInAgain destination={props.destination} />
      <Button
        variant="light"
        leftSection={<IconPlugConnected size={17} aria-hidden />}
        aria-label={say('destinations.test-named', { name })}
        loading={test.isPending}
        onClick={() => test.mutate(undefined, { onSuccess: props.onTested, onError: tell.failed })}
      >
        {say('destinations.test')}
      </Button>
      {!readOnly && (
        <Button
          variant="default"
          leftSection={<IconShieldCheck size={17} aria-hidden />}
          aria-label={say('destinations.check-named', { name })}
          loading={check.isPending}
          onClick={() => check.start(id)}
        >
          {say('destinations.check')}
        </Button>
      )}
    </div>
  );
}

function EnterPassword({ destination }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button leftSection={<IconKey size={17} aria-hidden />} onClick={() => setAsking(true)}>
        {say('password.enter')}
      </Button>
      {asking && <PasswordDialog destination={destination} onClose={() => setAsking(false)} />}
    </>
  );
}

/** Offered where it is needed. A link from elsewhere asks at once. */
function SignInAgain({ destination }: { readonly destination: Destination }) {
  const { say } = useSpeech();
  const [search, setSearch] = useSearchParams();
  const [asking, setAsking] = useState(() => search.get('sign-in') === destination.id);
  const { code } = destination.problem ?? {};
  const needed = code === 'auth-expired' || code === 'host-unverified';
  const close = () => {
    setAsking(false);
    if (search.has('sign-in')) setSearch({}, { replace: true });
  };
  return (
    <>
      {needed && (
        <Button leftSection={<IconLogin2 size={17} aria-hidden />} onClick={() => setAsking(true)}>
          {say('login.again')}
        </Button>
      )}
      {asking && hasLogin(destination) && <LoginDialog destination={destination} onClose={close} />}
    </>
  );
}

function More({ destination }: { readonly destination: Destination }) {
  const { id, name } = destination;
  const { say } = useSpeech();
  const tell = useTell();
  const [removing, setRemoving] = useState(false);
  const [asking, setAsking] = useState(false);
  const [editing, setEditing] = useState(false);
  const [signingIn, setSigningIn] = useState(false);
  const remove = useAsk((host, _: undefined) => host.destinations.remove({ id }));
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size="lg" aria-label={say('destinations.more', { name })}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setEditing(true)}>
            {say('common.edit')}
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => setAsking(true)}>
            {say('password.enter')}
          </Menu.Item>
          {hasLogin(destination) && (
            <Menu.Item leftSection={<IconLogin2 size={16} aria-hidden />} onClick={() => setSigningIn(true)}>
              {say('login.change')}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setRemoving(true)}>
            {say('common.remove')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {signingIn && <LoginDialog destination={destination} onClose={() => setSigningIn(false)} />}
      {editing && <EditDestination destination={destination} onClose={() => setEditing(false)} />}
      {asking && <PasswordDialog destination={{ id, name }} onClose={() => setAsking(false)} />}
      {removing && (
        <Confirm
          title={say('destinations.remove.title', { name })}
          text={say('destinations.remove.text')}
          yes={say('common.remove')}
          busy={remove.isPending}
          onNo={() => setRemoving(false)}
          onYes={() =>
            remove.mutate(undefined, {
              onSuccess: () => tell.done(say('destinations.removed', { name })),
              onError: tell.failed,
              onSettled: () => setRemoving(false),
            })
          }
        />
      )}
    </>
  );
}
