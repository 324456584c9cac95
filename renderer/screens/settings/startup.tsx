/** What Holdfast does when the computer starts and when its window is closed; a matter of the shell. */
import { Skeleton, Switch, Text } from '@mantine/core';
import { useState } from 'react';
import type { ShellPreferences } from '../../../src/api/shell.ts';
import { useTell } from '../../components/parts.tsx';
import { useShell, useShellPreferences, useShellPreferencesChange } from '../../data/shell.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Section, Setting } from './setting.tsx';

export function Startup() {
  const { say } = useSpeech();
  const shell = useShell();
  const { data: preferences } = useShellPreferences();
  return (
    <Section id="startup" title={say('settings.startup')}>
      {!shell && <Text c="dimmed">{say('settings.startup.browser')}</Text>}
      {shell && !preferences && <Skeleton height={80} />}
      {shell && preferences && <Preferences preferences={preferences} />}
    </Section>
  );
}

const NAMES = ['openAtLogin', 'closeToTray'] as const;

function Preferences({ preferences }: { readonly preferences: ShellPreferences }) {
  const { say } = useSpeech();
  const tell = useTell();
  const change = useShellPreferencesChange();
  const [counts, setCounts] = useState({ openAtLogin: 0, closeToTray: 0 });
  return NAMES.map((name) => (
    <Setting
      key={name}
      label={<label htmlFor={name}>{say(`settings.startup.${name}`)}</label>}
      text={say(`settings.startup.${name}.text`)}
      saved={counts[name]}
    >
      <Switch
        id={name}
        checked={preferences[name]}
        onChange={(e) =>
          change.mutate(
            { [name]: e.currentTarget.checked },
            {
              onSuccess: () => setCounts((all) => ({ ...all, [name]: all[name] + 1 })),
              onError: tell.failed,
            },
          )
        }
      />
    </Setting>
  ));
}
