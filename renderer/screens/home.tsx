/** Whether everything is all right, and if not, what to do. */
import { Button, Menu, Skeleton, Text, Title, Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArchive,
  IconChevronRight,
  IconInfoCircle,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconShieldCheck,
  IconShieldOff,
  IconUpload,
  type TablerIcon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, Redirect } from 'wouter';
import type { Destination } from '../../src/api/model/destination.ts';
import type { PlanStatus } from '../../src/api/model/plan.ts';
import type { Reason, Status, Verdict } from '../../src/api/model/status.ts';
import { useBackUp, useFix } from '../components/actions.ts';
import { FurtherAlerts } from '../components/alerts.tsx';
import { Calendar } from '../components/calendar.tsx';
import { calendarStart } from '../components/calendar-days.ts';
import { destinationIcon } from '../components/kinds.ts';
import { CancelRun, LiveRun } from '../components/live-run.tsx';
import { useNamedDestinations } from '../components/named.ts';
import { Moment, Page, Panel, type Tone, useNow, useTell } from '../components/parts.tsx';
import { usePartOfList } from '../components/parts-of-list.tsx';
import { RoomBar, SpaceBar } from '../components/space-bar.tsx';
import {
  newestSuccess,
  reasonSentence,
  recurrenceText,
  runTitle,
  waitingWords,
} from '../components/words.ts';
import {
  CALENDAR_WEEKS,
  useAsk,
  useDisks,
  usePlans,
  useRecentRuns,
  useRun,
  useRuns,
  useStatus,
} from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { attachmentName, diskIcon, diskName, isLow } from './disks.tsx';
import { isWelcomeDismissed } from './welcome/dismissed.ts';

export function HomeScreen() {
  const { say } = useSpeech();
  const { data: status } = useStatus();
  const { data: plans } = usePlans();
  const { data: destinations } = useNamedDestinations();
  const now = useNow();
  const { data: runs } = useRecentRuns(calendarStart(now, CALENDAR_WEEKS));
  const first = useFirstStart();
  if (!status || !plans || !destinations || first === undefined) return <Waiting />;
  if (first) return <Redirect to="/welcome" replace />;
  const active = [...status.running, ...status.queued];
  return (
    <Page title={say('home.title')} heading={<Hero status={status} plans={plans} />}>
      {active.map((id) => (
        <RunUnderWay key={id} id={id} />
      ))}
      <Reasons verdict={status.verdict} plans={plans} destinations={destinations} />
      <FurtherAlerts />
      <div className="hf-two">
        <Panel title={say('home.plans')} actions={<AllLink to="/plans" name={say('home.all-plans')} />}>
          <PlanTiles plans={plans} />
        </Panel>
        <Panel
          title={say('home.destinations')}
          actions={<AllLink to="/destinations" name={say('home.all-destinations')} />}
        >
          <DestinationTiles destinations={destinations} />
        </Panel>
      </div>
      <Panel title={say('home.disks')} actions={<AllLink to="/disks" name={say('home.all-disks')} />}>
        <DiskTiles />
      </Panel>
      <Panel title={say('home.calendar')} actions={<AllLink to="/activity" name={say('activity.list')} />}>
        <Calendar runs={runs ?? []} now={now} weeks={CALENDAR_WEEKS} />
      </Panel>
    </Page>
  );
}

/** Nothing was ever set up or run here, and the person has not put the welcome off; undefined: not known yet. */
function useFirstStart(): boolean | undefined {
  const plans = usePlans();
  const runs = useRuns(NO_FILTER);
  if (isWelcomeDismissed()) return false;
  if (plans.data && plans.data.length > 0) return false;
  // What is known from before may be out of date: the welcome itself has made a plan a moment ago.
  if (!plans.data || plans.isFetching || runs.isFetching) return undefined;
  return runs.data?.pages.every((page) => page.length === 0) ?? false;
}

const NO_FILTER = {};

function Waiting() {
  const { say } = useSpeech();
  return (
    <Page title={say('home.title')} heading={<Title order={1}>{say('link.connecting')}</Title>}>
      <Skeleton height={140} radius="lg" />
      <Skeleton height={220} radius="lg" />
    </Page>
  );
}

const VERDICTS: Readonly<Record<Verdict['state'], readonly [Tone, TablerIcon]>> = {
  protected: ['good', IconShieldCheck],
  attention: ['fair', IconAlertTriangle],
  none: ['plain', IconShieldOff],
};

function Hero({ status, plans }: { readonly status: Status; readonly plans: readonly PlanStatus[] }) {
  const { say } = useSpeech();
  const { state } = status.verdict;
  const [tone, Icon] = VERDICTS[state];
  return (
    <section className="hf-hero" data-tone={tone}>
      <div className="hf-hero-icon">
        <Icon size={44} stroke={1.5} aria-hidden />
      </div>
      <div className="hf-hero-words">
        <Title order={1}>{say(`home.${state}`)}</Title>
        <Text c="dimmed">{say(`home.${state}.sub`)}</Text>
        <dl className="hf-hero-facts">
          <div>
            <dt>{say('home.last')}</dt>
            <dd>
              {status.lastBackupAt === null ? say('common.never') : <Moment at={status.lastBackupAt} />}
            </dd>
          </div>
          <div>
            <dt>{say('home.next')}</dt>
            <dd>{plans.length === 0 ? say('common.none') : <NextBackup status={status} />}</dd>
          </div>
        </dl>
      </div>
      <div className="hf-hero-actions">
        <BackUpNow plans={plans} />
        <PauseMenu status={status} />
      </div>
    </section>
  );
}

function NextBackup({ status }: { readonly status: Status }) {
  const { say, format } = useSpeech();
  if (status.pause) {
    const { until } = status.pause;
    return until === null
      ? say('home.paused-open')
      : say('home.paused-until', { time: format.moment(until, Date.now()) });
  }
  return status.nextBackupAt === null ? say('home.by-hand') : <Moment at={status.nextBackupAt} />;
}

function BackUpNow({ plans }: { readonly plans: readonly PlanStatus[] }) {
  const { say } = useSpeech();
  const backUp = useBackUp();
  const enabled = plans.map(({ plan }) => plan).filter((plan) => plan.enabled);
  const button = (
    <Button
      size="md"
      leftSection={<IconUpload size={19} aria-hidden />}
      loading={backUp.isPending}
      // Not `disabled`: that would keep the keyboard from the hint.
      aria-disabled={enabled.length === 0}
      {...(enabled.length === 0 ? { 'data-disabled': true } : {})}
      onClick={() => enabled.length > 0 && backUp.start(enabled)}
    >
      {say('home.back-up-now')}
    </Button>
  );
  return enabled.length > 0 ? button : <Tooltip label={say('home.no-plans-hint')}>{button}</Tooltip>;
}

const HOUR = 3_600_000;

function tomorrow(): number {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 6).getTime();
}

function PauseMenu({ status }: { readonly status: Status }) {
  const { say } = useSpeech();
  const tell = useTell();
  const pause = useAsk((host, until: number | null) => host.system.pause({ until }));
  const resume = useAsk((host) => host.system.resume());
  if (status.pause) {
    return (
      <Button
        variant="default"
        size="md"
        leftSection={<IconPlayerPlay size={17} aria-hidden />}
        onClick={() => resume.mutate(undefined, { onError: tell.failed })}
      >
        {say('home.resume')}
      </Button>
    );
  }
  const until = (moment: number | null) => () => pause.mutate(moment, { onError: tell.failed });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="md" leftSection={<IconPlayerPause size={17} aria-hidden />}>
          {say('home.pause')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => until(Date.now() + HOUR)()}>{say('home.pause.hour')}</Menu.Item>
        <Menu.Item onClick={() => until(tomorrow())()}>{say('home.pause.tomorrow')}</Menu.Item>
        <Menu.Item onClick={until(null)}>{say('home.pause.resumed')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Reasons(props: {
  readonly verdict: Verdict;
  readonly plans: readonly PlanStatus[];
  readonly destinations: readonly Destination[];
}) {
  const speech = useSpeech();
  const fix = useFix();
  const { reasons } = props.verdict;
  const { shown, more } = usePartOfList(reasons, { step: REASONS_SHOWN });
  if (reasons.length === 0) return null;
  return (
    <div>
      <ul className="hf-reasons" aria-label={speech.say('home.reasons')}>
        {shown.map((reason) => (
          <li key={reason.code + reason.sentence} data-level={reason.level}>
            <ReasonIcon reason={reason} />
            <span>{reasonSentence(speech, reason, props)}</span>
            {reason.fix && (
              <Button variant="light" size="xs" onClick={() => reason.fix && fix(reason.fix)}>
                {speech.say(`fix.${reason.fix.kind}`)}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {more}
    </div>
  );
}

function ReasonIcon({ reason }: { readonly reason: Reason }) {
  const Icon = reason.level === 'problem' ? IconAlertTriangle : IconInfoCircle;
  return <Icon size={20} stroke={1.7} aria-hidden />;
}

function RunUnderWay({ id }: { readonly id: string }) {
  const { say } = useSpeech();
  const { data: run } = useRun(id);
  if (!run) return null;
  return (
    <Panel
      title={runTitle(say, run)}
      actions={
        <div className="hf-actions">
          <AllLink to={`/activity/${id}`} name={say('fix.open-run')} />
          <CancelRun run={run} />
        </div>
      }
    >
      <LiveRun run={run} />
    </Panel>
  );
}

function AllLink({ to, name }: { readonly to: string; readonly name: string }) {
  return (
    <Link href={to} className="hf-more">
      {name}
      <IconChevronRight size={16} aria-hidden />
    </Link>
  );
}

function PlanTiles({ plans }: { readonly plans: readonly PlanStatus[] }) {
  const speech = useSpeech();
  const { say } = speech;
  if (plans.length === 0)
    return <NothingYet to="/welcome" text={say('plans.empty')} action={say('welcome.again')} />;
  return (
    <ul className="hf-tiles">
      {plans.slice(0, TILES_SHOWN).map((status) => {
        const last = newestSuccess(status);
        return (
          <Tile
            key={status.plan.id}
            to={`/plans/${status.plan.id}`}
            icon={IconArchive}
            name={status.plan.name}
          >
            <span>
              {say('plans.last')}: {last === null ? say('common.never') : <Moment at={last} />}
            </span>
            <span>{waitingWords(speech, status) ?? recurrenceText(speech, status.plan.schedule.when)}</span>
          </Tile>
        );
      })}
      <Further to="/plans" all={plans.length} />
    </ul>
  );
}

/** How many there are besides those shown, and the way to them. */
function Further({ to, all }: { readonly to: string; readonly all: number }) {
  const { say } = useSpeech();
  if (all <= TILES_SHOWN) return null;
  return (
    <li>
      <AllLink to={to} name={say('home.further', { count: all - TILES_SHOWN })} />
    </li>
  );
}

function DestinationTiles({ destinations }: { readonly destinations: readonly Destination[] }) {
  const { say } = useSpeech();
  if (destinations.length === 0) {
    return (
      <NothingYet to="/destinations/new" text={say('destinations.empty')} action={say('destinations.add')} />
    );
  }
  return (
    <ul className="hf-tiles">
      {destinations.slice(0, TILES_SHOWN).map((destination) => (
        <Tile
          key={destination.id}
          to={`/destinations#${destination.id}`}
          icon={destinationIcon(destination)}
          name={destination.name}
        >
          {destination.problem ? (
            <span className="hf-bad">{say('destinations.problem')}</span>
          ) : (
            <SpaceBar destination={destination} />
          )}
        </Tile>
      ))}
      <Further to="/destinations" all={destinations.length} />
    </ul>
  );
}

const DISKS_SHOWN = 4;
const TILES_SHOWN = 6;
const REASONS_SHOWN = 8;

function DiskTiles() {
  const { say } = useSpeech();
  const { data: disks, isPending } = useDisks();
  if (isPending) return <Skeleton height={64} radius="md" />;
  if (!disks || disks.length === 0) return <Text c="dimmed">{say('home.disks.none')}</Text>;
  return (
    <ul className="hf-tiles hf-tiles-wide">
      {disks.slice(0, DISKS_SHOWN).map((disk) => (
        <Tile key={disk.path} to="/disks" icon={diskIcon(disk)} name={diskName(say, disk)}>
          <span>{say(attachmentName(disk))}</span>
          <RoomBar name={diskName(say, disk)} space={disk} isLow={isLow(disk)} />
        </Tile>
      ))}
    </ul>
  );
}

function Tile(props: {
  readonly to: string;
  readonly icon: TablerIcon;
  readonly name: string;
  readonly children: ReactNode;
}) {
  const { icon: Icon } = props;
  return (
    <li className="hf-tile">
      <Icon size={22} stroke={1.6} aria-hidden />
      <div>
        <Link href={props.to} className="hf-tile-name">
          {props.name}
        </Link>
        {props.children}
      </div>
    </li>
  );
}

function NothingYet({
  to,
  text,
  action,
}: {
  readonly to: string;
  readonly text: string;
  readonly action: string;
}) {
  return (
    <div className="hf-nothing">
      <Text c="dimmed">{text}</Text>
      <Button
        component={Link}
        href={to}
        variant="light"
        size="xs"
        leftSection={<IconPlus size={16} aria-hidden />}
      >
        {action}
      </Button>
    </div>
  );
}
