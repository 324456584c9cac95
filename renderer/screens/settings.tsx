/** What holds for all of Holdfast. */
import { NativeSelect, SegmentedControl, Skeleton, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { Settings, SettingsChange } from '../../src/api/model/settings.ts';
import { Page, Panel, useTell } from '../components/parts.tsx';
import { keys } from '../data/cache.ts';
import { useAsk, useSettings, useStatus } from '../data/host.tsx';
import { LANGUAGE_NAMES } from '../i18n/languages.ts';
import { useSpeech } from '../i18n/speech.tsx';

const APPEARANCES = ['system', 'light', 'dark'] as const;
const ALERT_DAYS = [0, 1, 2, 3, 5, 7, 14, 30] as const;

export function SettingsScreen() {
  const { say } = useSpeech();
  const { data: settings } = useSettings();
  const { data: status } = useStatus();
  return (
    <Page title={say('settings.title')}>
      {settings ? <Choices settings={settings} /> : <Skeleton height={220} radius="lg" />}
      {status && (
        <Panel title={say('settings.about')}>
          <Text>{say('settings.about.text', { version: status.version, hostname: status.hostname })}</Text>
        </Panel>
      )}
    </Page>
  );
}

function useChange() {
  const cache = useQueryClient();
  const tell = useTell();
  const change = useAsk((host, what: SettingsChange) => host.settings.update(what));
  return (what: SettingsChange) =>
    change.mutate(what, {
      onSuccess: (settings) => cache.setQueryData(keys.settings, settings),
      onError: tell.failed,
    });
}

function Choices({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const change = useChange();
  const languages = Object.entries(LANGUAGE_NAMES).map(([value, label]) => ({ value, label }));
  const days = [...new Set([...ALERT_DAYS, settings.alertAfterDays])].sort((a, b) => a - b);
  return (
    <Panel>
      <div className="hf-setting">
        <span id="appearance">{say('settings.appearance')}</span>
        <SegmentedControl
          aria-labelledby="appearance"
          data={APPEARANCES.map((value) => ({ value, label: say(`settings.appearance.${value}`) }))}
          value={settings.appearance}
          onChange={(appearance) => change({ appearance })}
        />
      </div>
      <div className="hf-setting">
        <label htmlFor="language">{say('settings.language')}</label>
        <NativeSelect
          id="language"
          data={[{ value: 'system', label: say('settings.language.system') }, ...languages]}
          value={settings.language}
          onChange={(e) => change({ language: e.currentTarget.value as Settings['language'] })}
        />
      </div>
      <div className="hf-setting">
        <label htmlFor="alert-after">{say('settings.alert-after')}</label>
        <NativeSelect
          id="alert-after"
          data={days.map((n) => ({ value: String(n), label: say('settings.alert-after.unit', { days: n }) }))}
          value={String(settings.alertAfterDays)}
          onChange={(e) => change({ alertAfterDays: Number(e.currentTarget.value) })}
        />
      </div>
    </Panel>
  );
}
