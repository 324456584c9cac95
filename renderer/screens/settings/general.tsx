/** How Holdfast looks and speaks, and how long it remembers. */
import { NativeSelect, SegmentedControl } from '@mantine/core';
import type { Settings } from '../../../src/api/model/settings.ts';
import { LANGUAGE_NAMES, LANGUAGES } from '../../i18n/languages.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Section, Setting, useSettingsChange } from './setting.tsx';

const APPEARANCES = ['system', 'light', 'dark'] as const;
const ALERT_DAYS = [0, 1, 2, 3, 5, 7, 14, 30] as const;
const HISTORY_DAYS = [30, 90, 180, 400, 730, 1825, 3650] as const;

const isLanguage = (value: string): value is Settings['language'] =>
  value === 'system' || Object.hasOwn(LANGUAGES, value);

/** The usual choices and whatever is set, in order. */
function choices(usual: readonly number[], set: number): readonly number[] {
  return [...new Set([...usual, set])].sort((a, b) => a - b);
}

export function Appearance({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const { change, saved } = useSettingsChange();
  const languages = Object.entries(LANGUAGE_NAMES).map(([value, label]) => ({ value, label }));
  return (
    <Section id="appearance-section" title={say('settings.appearance-language')}>
      <Setting label={<span id="appearance">{say('settings.appearance')}</span>} saved={saved('appearance')}>
        <SegmentedControl
          aria-labelledby="appearance"
          data={APPEARANCES.map((value) => ({ value, label: say(`settings.appearance.${value}`) }))}
          value={settings.appearance}
          onChange={(appearance) => change({ appearance })}
        />
      </Setting>
      <Setting label={<label htmlFor="language">{say('settings.language')}</label>} saved={saved('language')}>
        <NativeSelect
          id="language"
          data={[{ value: 'system', label: say('settings.language.system') }, ...languages]}
          value={settings.language}
          onChange={({ currentTarget: { value } }) => isLanguage(value) && change({ language: value })}
        />
      </Setting>
    </Section>
  );
}

/** Of the section on notifications: when silence itself is news. */
export function AlertAfter({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const { change, saved } = useSettingsChange();
  return (
    <Setting
      label={<label htmlFor="alert-after">{say('settings.alert-after')}</label>}
      text={say('settings.alert-after.text')}
      saved={saved('alertAfterDays')}
    >
      <NativeSelect
        id="alert-after"
        data={choices(ALERT_DAYS, settings.alertAfterDays).map((n) => ({
          value: String(n),
          label: say('settings.alert-after.unit', { days: n }),
        }))}
        value={String(settings.alertAfterDays)}
        onChange={(e) => change({ alertAfterDays: Number(e.currentTarget.value) })}
      />
    </Setting>
  );
}

/** Of the section on the configuration: how long finished runs stay in the list. */
export function HistoryDays({ settings }: { readonly settings: Settings }) {
  const { say } = useSpeech();
  const { change, saved } = useSettingsChange();
  return (
    <Setting
      label={<label htmlFor="history-days">{say('settings.history')}</label>}
      text={say('settings.history.text')}
      saved={saved('historyDays')}
    >
      <NativeSelect
        id="history-days"
        data={choices(HISTORY_DAYS, settings.historyDays).map((n) => ({
          value: String(n),
          label: say('settings.history.unit', { days: n }),
        }))}
        value={String(settings.historyDays)}
        onChange={(e) => change({ historyDays: Number(e.currentTarget.value) })}
      />
    </Setting>
  );
}
