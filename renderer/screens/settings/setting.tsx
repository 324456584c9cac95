/** A row of the settings: what it is about, its control, and a word when it has been saved. */

import { IconCheck } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Settings, SettingsChange } from '../../../src/api/model/settings.ts';
import { Panel, useTell } from '../../components/parts.tsx';
import { keys } from '../../data/cache.ts';
import { useAsk } from '../../data/host.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

/** A section of the screen, to which the list of sections leads. */
export function Section(props: {
  readonly id: string;
  readonly title: string;
  readonly text?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div id={props.id} className="hf-section">
      <Panel title={props.title} actions={props.actions}>
        {props.text !== undefined && <p className="hf-lead hf-section-lead">{props.text}</p>}
        {props.children}
      </Panel>
    </div>
  );
}

/** How many times something has been saved; 0: not yet, and nothing is said. */
export type SavedCount = number;

export function Setting(props: {
  readonly label: ReactNode;
  /** What follows from it. */
  readonly text?: string;
  readonly saved?: SavedCount;
  readonly children: ReactNode;
}) {
  return (
    <div className="hf-setting">
      <div className="hf-setting-words">
        <div className="hf-setting-name">{props.label}</div>
        {props.text !== undefined && <div className="hf-dim">{props.text}</div>}
      </div>
      <div className="hf-setting-control">
        <Saved count={props.saved ?? 0} />
        {props.children}
      </div>
    </div>
  );
}

/** Is heard and seen, and fades away by itself. */
export function Saved({ count }: { readonly count: SavedCount }) {
  const { say } = useSpeech();
  return (
    <span role="status" className="hf-saved-place">
      {count > 0 && (
        <span key={count} className="hf-saved">
          <IconCheck size={16} aria-hidden />
          {say('settings.saved')}
        </span>
      )}
    </span>
  );
}

/**
 * Changes settings: shown as changed at once, saved at once, and as they were when that fails. `saved` counts how often the
 * one of that name was.
 */
export function useSettingsChange() {
  const cache = useQueryClient();
  const tell = useTell();
  const [counts, setCounts] = useState<Readonly<Partial<Record<keyof Settings, SavedCount>>>>({});
  const save = useAsk((host, what: SettingsChange) => host.settings.update(what));
  const change = (what: SettingsChange) => {
    const before = cache.getQueryData<Settings>(keys.settings);
    cache.setQueryData<Settings>(keys.settings, (all) => all && ({ ...all, ...what } as Settings));
    save.mutate(what, {
      onSuccess: (settings) => {
        cache.setQueryData(keys.settings, settings);
        const names = Object.keys(what) as (keyof Settings)[];
        setCounts((all) => ({ ...all, ...Object.fromEntries(names.map((n) => [n, (all[n] ?? 0) + 1])) }));
      },
      onError: (e) => {
        cache.setQueryData(keys.settings, before);
        tell.failed(e);
      },
    });
  };
  return { change, saved: (name: keyof Settings): SavedCount => counts[name] ?? 0 };
}
