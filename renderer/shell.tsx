/** What surrounds every screen: the ways to the others, and whether the line to the host stands. */
import { Button } from '@mantine/core';
import {
  IconActivity,
  IconArchive,
  IconDatabase,
  IconDownload,
  IconHome,
  IconLifebuoy,
  IconPlugConnectedX,
  IconRestore,
  IconServer,
  IconSettings,
  type TablerIcon,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { WireError } from '../src/api/errors.ts';
import { useFix } from './components/actions.ts';
import { percentOf } from './components/live-run.tsx';
import { Mark } from './components/mark.tsx';
import { ErrorNote, useTell } from './components/parts.tsx';
import { useLinkState, useRun, useStatus } from './data/host.tsx';
import { useHostState, useNavigation, useUpdateState } from './data/shell.ts';
import { titleProgress } from './data/title.ts';
import type { MessageKey } from './i18n/en.ts';
import { useSpeech } from './i18n/speech.tsx';

const PLACES: readonly { readonly to: string; readonly name: MessageKey; readonly icon: TablerIcon }[] = [
  { to: '/', name: 'nav.home', icon: IconHome },
  { to: '/plans', name: 'nav.plans', icon: IconArchive },
  { to: '/destinations', name: 'nav.destinations', icon: IconServer },
  { to: '/restore', name: 'nav.restore', icon: IconRestore },
  { to: '/activity', name: 'nav.activity', icon: IconActivity },
  { to: '/disks', name: 'nav.disks', icon: IconDatabase },
  { to: '/recovery', name: 'nav.recovery', icon: IconLifebuoy },
  { to: '/settings', name: 'nav.settings', icon: IconSettings },
];

export function Shell({ children }: { readonly children: ReactNode }) {
  const { say } = useSpeech();
  useShellNavigation();
  return (
    <div className="hf-shell">
      <a className="hf-skip" href="#content">
        {say('app.skip')}
      </a>
      <nav aria-label={say('nav.label')} className="hf-side">
        <Link href="/" className="hf-brand">
          <Mark size={30} />
          <span>Holdfast</span>
        </Link>
        <Places />
        <SideStatus />
      </nav>
      <div className="hf-main">
        <LinkBanner />
        <HostBanner />
        <UpdateBanner />
        <main id="content" tabIndex={-1} className="hf-content">
          {children}
        </main>
      </div>
    </div>
  );
}

function Places() {
  const { say } = useSpeech();
  const [location] = useLocation();
  const isHere = (to: string) => (to === '/' ? location === '/' : location.startsWith(to));
  return (
    <div className="hf-nav">
      {PLACES.map(({ to, name, icon: Icon }) => (
        <Link key={to} href={to} className="hf-place" {...(isHere(to) ? { 'aria-current': 'page' } : {})}>
          <Icon size={19} stroke={1.7} aria-hidden />
          <span>{say(name)}</span>
        </Link>
      ))}
    </div>
  );
}

function SideStatus() {
  const { say } = useSpeech();
  const { data: status } = useStatus();
  if (!status) return null;
  const active = status.running.length + status.queued.length;
  return (
    <div className="hf-side-status">
      {active > 0 && <Running count={active} id={status.running[0]} />}
      <div>{status.hostname}</div>
      <div>{say('nav.version', { version: status.version })}</div>
    </div>
  );
}

/** How many runs are under way, and how far the first of them is; the window's title says it as well. */
function Running({ count, id }: { readonly count: number; readonly id: string | undefined }) {
  const { say } = useSpeech();
  return (
    <Link
      href={count === 1 && id !== undefined ? `/activity/${id}` : '/activity'}
      className="hf-side-running"
    >
      <span className="hf-pulse" aria-hidden />
      <span>
        {say('nav.running', { count })}
        {id !== undefined && <RunningPercent id={id} />}
      </span>
    </Link>
  );
}

function RunningPercent({ id }: { readonly id: string }) {
  const { data: run } = useRun(id);
  const known = run && percentOf(run);
  const percent = known === undefined ? null : Math.floor(known);
  useEffect(() => {
    titleProgress(percent);
    return () => titleProgress(null);
  }, [percent]);
  return percent === null ? null : <span className="hf-percent-small"> · {percent} %</span>;
}

/** Says so when what is shown may be out of date. */
function LinkBanner() {
  const { say } = useSpeech();
  const state = useLinkState();
  const host = useHostState();
  // The shell knows more of why: what it says stands instead.
  const told = host !== undefined && host.state !== 'running';
  const broken = !told && (state === 'lost' || state === 'signed-out');
  return (
    <div role="status" className="hf-banner-place">
      {broken && (
        <div className="hf-banner">
          <IconPlugConnectedX size={20} aria-hidden />
          <span>{say(state === 'lost' ? 'link.lost' : 'link.signed-out')}</span>
          {state === 'lost' ? (
            <span className="hf-banner-more">{say('link.retry')}</span>
          ) : (
            <a href="/sign-in">{say('link.sign-in')}</a>
          )}
        </div>
      )}
    </div>
  );
}

/** In the window, the shell knows how it stands with the host: that it starts, starts again, or why it can't. */
function HostBanner() {
  const { say } = useSpeech();
  const state = useHostState();
  switch (state?.state) {
    case 'failed':
      return <HostTrouble error={state.error} />;
    case 'starting':
    case 'restarting':
    case 'stopped':
      return (
        <div role="status" className="hf-banner hf-banner-calm">
          <span className="hf-pulse" aria-hidden />
          <span>{say(`shell.${state.state}`)}</span>
        </div>
      );
    default:
      return null;
  }
}

function HostTrouble({ error }: { readonly error: WireError }) {
  const { say } = useSpeech();
  const tell = useTell();
  const retry = useMutation({ mutationFn: async () => window.holdfast?.retryHost(), onError: tell.failed });
  return (
    <section className="hf-trouble" aria-label={say('shell.failed')}>
      <ErrorNote error={error} />
      <div className="hf-actions">
        <Button loading={retry.isPending} onClick={() => retry.mutate()}>
          {say('common.try-again')}
        </Button>
        <span className="hf-dim">{say('shell.failed.text')}</span>
      </div>
    </section>
  );
}

/** The tray, a notification or the menu sends the person to a place. */
function useShellNavigation() {
  const [, go] = useLocation();
  const fix = useFix();
  useNavigation((place) => {
    if (place.kind === 'fix') return fix(place.fix);
    go(place.screen === 'home' ? '/' : `/${place.screen}`);
  });
}

/** A new version that is ready is offered once, in words, wherever the person is. */
function UpdateBanner() {
  const { say } = useSpeech();
  const tell = useTell();
  const state = useUpdateState();
  const [later, setLater] = useState(false);
  const install = useMutation({
    mutationFn: async () => window.holdfast?.installUpdate(),
    onError: tell.failed,
  });
  if (state?.state !== 'ready' || later) return null;
  return (
    <div role="status" className="hf-banner hf-banner-calm">
      <IconDownload size={20} aria-hidden />
      <span>{say('shell.update', { version: state.version })}</span>
      <Button size="xs" loading={install.isPending} onClick={() => install.mutate()}>
        {say('shell.update.now')}
      </Button>
      <Button size="xs" variant="subtle" onClick={() => setLater(true)}>
        {say('shell.update.later')}
      </Button>
    </div>
  );
}
