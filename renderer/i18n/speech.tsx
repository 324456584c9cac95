/** The language of the screens, for the screens. */
import { createContext, type ReactNode, useContext, useEffect, useMemo } from 'react';
import { useSettings } from '../data/host.tsx';
import { formatsOf } from '../format.ts';
import { type Language, localeFor, pickLanguage, type Speech, sayer } from './languages.ts';

export type { Speech } from './languages.ts';

function speechOf(language: Language): Speech {
  const locale = localeFor(language, navigator.languages);
  return { language, say: sayer(language, locale), format: formatsOf(locale) };
}

const SpeechContext = createContext<Speech | undefined>(undefined);

/** Speaks the language of the settings; before they are known, and where they say so, that of the browser. */
export function SpeechProvider({ children }: { readonly children: ReactNode }) {
  const { data: settings } = useSettings();
  const chosen = settings?.language ?? 'system';
  const language = chosen === 'system' ? pickLanguage(navigator.languages) : chosen;
  const speech = useMemo(() => speechOf(language), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (!speech) throw new Error('outside of SpeechProvider');
  return speech;
}
