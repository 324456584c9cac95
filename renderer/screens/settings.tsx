/** What holds for all of Holdfast: everything on one page, with a list of its sections beside it. */
import { Skeleton } from '@mantine/core';
import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { Page } from '../components/parts.tsx';
import { useSettings } from '../data/host.tsx';
import type { MessageKey } from '../i18n/en.ts';
import { useSpeech } from '../i18n/speech.tsx';
import { About } from './settings/about.tsx';
import { Notifications } from './settings/channels.tsx';
import { Configuration } from './settings/configuration.tsx';
import { Appearance } from './settings/general.tsx';
import { Limits } from './settings/limits.tsx';
import { Power } from './settings/power.tsx';
import { Security } from './settings/security.tsx';
import { Startup } from './settings/startup.tsx';

const SECTIONS: readonly (readonly [string, MessageKey])[] = [
  ['appearance-section', 'settings.appearance-language'],
  ['notifications', 'settings.notifications'],
  ['network', 'settings.network'],
  ['power', 'settings.power'],
  ['startup', 'settings.startup'],
  ['security', 'settings.security'],
  ['configuration', 'settings.config'],
  ['about', 'settings.about'],
];

export function SettingsScreen() {
  const { say } = useSpeech();
  const { data: settings } = useSettings();
  useHash(settings !== undefined);
  return (
    <Page title={say('settings.title')}>
      <div className="hf-settings">
        <SectionList />
        <div className="hf-sections">
          {settings ? <Appearance settings={settings} /> : <Skeleton height={220} radius="lg" />}
          {settings && (
            <>
              <Notifications settings={settings} />
              <Limits settings={settings} />
              <Power />
              <Startup />
              <Security />
              <Configuration settings={settings} />
            </>
          )}
          <About />
        </div>
      </div>
    </Page>
  );
}

/** Links from other screens lead to a section, which is there only when the settings are. */
function useHash(ready: boolean): void {
  useEffect(() => {
    const id = location.hash.slice(1);
    if (ready && id !== '') document.getElementById(id)?.scrollIntoView();
  }, [ready]);
}

function SectionList() {
  const { say } = useSpeech();
  const [here] = useLocation();
  return (
    <nav className="hf-section-list" aria-label={say('settings.sections')}>
      {SECTIONS.map(([id, name]) => (
        <a key={id} href={`${here}#${id}`}>
          {say(name)}
        </a>
      ))}
    </nav>
  );
}
