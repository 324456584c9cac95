/**
 * The desktop shell as the screens see it. In a browser there is none: hooks answer undefined, and what only the shell can do
 * is not offered, or done as browsers do it.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import type {
  HostState,
  Place,
  PreferencesChange,
  ShellBridge,
  ShellPreferences,
  UpdateState,
} from '../../src/api/shell.ts';
import { keys } from './cache.ts';

export function useShell(): ShellBridge | undefined {
  return window.holdfast;
}

/** How it stands with the host's process; undefined in a browser, and until the shell has told. */
export function useHostState(): HostState | undefined {
  const [state, setState] = useState<HostState>();
  useEffect(() => window.holdfast?.onHost(setState), []);
  return state;
}

/** Undefined in a browser, and until the shell has told. */
export function useUpdateState(): UpdateState | undefined {
  const [state, setState] = useState<UpdateState>();
  useEffect(() => window.holdfast?.onUpdate(setState), []);
  return state;
}

/** Hears where the tray, a notification or the menu sends the person. */
export function useNavigation(go: (place: Place) => void): void {
  const onPlace = useEffectEvent(go);
  useEffect(() => window.holdfast?.onNavigate((place) => onPlace(place)), []);
}

/** What the shell remembers; never asked for in a browser. */
export function useShellPreferences() {
  return useQuery({
    queryKey: keys.shellPreferences,
    enabled: window.holdfast !== undefined,
    // It is asked of the shell, which is there whether the host is or not.
    networkMode: 'always',
    queryFn: (): Promise<ShellPreferences> | ShellPreferences =>
      window.holdfast?.preferences() ?? { openAtLogin: false, closeToTray: false },
  });
}

/** Shown as changed at once, and as it was when the shell refuses. */
export function useShellPreferencesChange() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (change: PreferencesChange) => window.holdfast?.setPreferences(change),
    onMutate: (change) => {
      const before = cache.getQueryData<ShellPreferences>(keys.shellPreferences);
      cache.setQueryData<ShellPreferences>(
        keys.shellPreferences,
        (all) => all && { ...all, ...defined(change) },
      );
      return before;
    },
    onSuccess: (saved) => saved && cache.setQueryData(keys.shellPreferences, saved),
    onError: (_error, _change, before) => cache.setQueryData(keys.shellPreferences, before),
  });
}

function defined(change: PreferencesChange): Partial<ShellPreferences> {
  const { openAtLogin, closeToTray } = change;
  return {
    ...(openAtLogin === undefined ? {} : { openAtLogin }),
    ...(closeToTray === undefined ? {} : { closeToTray }),
  };
}

/** Opens a page in the system's browser, or, in a browser, in another tab of it. Errors: a sentence of the shell. */
export function useOpenUrl() {
  return useMutation({
    // Only the shell is asked, which is there whether the host is or not.
    networkMode: 'always',
    mutationFn: async (url: string): Promise<void> => {
      if (window.holdfast) await window.holdfast.openUrl(url);
      else window.open(url, '_blank', 'noopener');
    },
  });
}

/**
 * Saves a text as a file: by the system's dialog in the shell, as a download in a browser. False: the person changed their mind.
 * Errors: those of the shell, whose message is a sentence.
 */
export async function saveText(name: string, text: string, type: string): Promise<boolean> {
  if (window.holdfast) return (await window.holdfast.save({ name, text })) !== null;
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
  return true;
}
