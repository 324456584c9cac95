/** What surrounds every screen: the ways to the others, and whether the line to the host stands. */
import { Button } from '@mantine/core';
import {
  IconActivity,
  IconArchive,
  IconDatabase,
  IconHome,
  IconLifebuoy,
  IconPlugConnectedX,
  IconRestore,
  IconServer,
  IconSettings,
  type TablerIcon,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { HostState, Place } from '../src/api/shell.ts';
import { useFix } from './components/actions.ts';
import { Mark } from './components/mark.tsx';
import { ErrorNote } from './components/parts.tsx';
import { useLinkState, useStatus } from './data/host.tsx';
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
        <HostTrouble />
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
  const running = status.running.length + status.queued.length;
  return (
    <div className="hf-side-status">
      {running > 0 && (
        <Link href="/activity" className="hf-side-running">
          <span className="hf-pulse" aria-hidden />
          {say('nav.running', { count: running })}
        </Link>
      )}
      <div>{status.hostname}</div>
      <div>{say('nav.version', { version: status.version })}</div>
    </div>
  );
}

/** Says so when what is shown may be out of date. */
function LinkBanner() {
  const { say } = useSpeech();
  const state = useLinkState();
  const broken = state === 'lost' || state === 'signed-out';
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

/** In the window, the shell knows why there is no host. */
function HostTrouble() {
  const { say } = useSpeech();
  const shell = window.holdfast;
  const state = useHostState();
  if (!shell || state?.state !== 'failed') return null;
  return (
    <div className="hf-trouble">
      <ErrorNote error={state.error} />
      <Button onClick={() => void shell.retryHost().catch(() => undefined)}>{say('common.try-again')}</Button>
    </div>
  );
}

function useHostState(): HostState | undefined {
  const [state, setState] = useState<HostState>();
  useEffect(() => window.holdfast?.onHost(setState), []);
  return state;
}

/** The tray, a notification or the menu sends the person to a place. */
function useShellNavigation() {
  const [, go] = useLocation();
  const fix = useFix();
  const onPlace = useEffectEvent((place: Place) => {
    if (place.kind === 'fix') return fix(place.fix);
    go(place.screen === 'home' ? '/' : `/${place.screen}`);
  });
  useEffect(() => window.holdfast?.onNavigate(onPlace), []);
}
