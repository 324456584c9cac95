/** The languages there are, and which one is spoken. */
import { IntlMessageFormat } from 'intl-messageformat';
import type { Formats } from '../format.ts';
import { de } from './de.ts';
import { en, type MessageKey } from './en.ts';

export const LANGUAGES = { en, de } as const satisfies Record<string, Readonly<Record<MessageKey, string>>>;
export type Language = keyof typeof LANGUAGES;

/** As each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

export type Values = Readonly<Record<string, string | number>>;
export type Say = (key: MessageKey, values?: Values) => string;

/** All that it takes to say something. */
export interface Speech {
  readonly language: Language;
  readonly say: Say;
  readonly format: Formats;
}

const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);

/** The first of the preferred tags (`de-AT`) that there is a language for; else English. */
export function pickLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const [language = ''] = tag.toLowerCase().split('-');
    if (isLanguage(language)) return language;
  }
  return 'en';
}

/**
 * Says messages. `locale` is how numbers and dates are written: it may know the region of which the language says nothing.
 * Each message is parsed once.
 */
export function sayer(language: Language, locale: string): Say {
  const parsed = new Map<MessageKey, IntlMessageFormat>();
  const messages = LANGUAGES[language];
  return (key, values) => {
    let message = parsed.get(key);
    if (!message) {
      message = new IntlMessageFormat(messages[key], locale);
      parsed.set(key, message);
    }
    return String(message.format(values));
  };
}

/**
 * The person's own locale where it is of the language, so that dates look as they are used to. Tags that `Intl` would refuse with
 * a RangeError are passed over: browsers hand on what the system is set to, such as `en-US@posix`.
 */
export function localeFor(language: Language, preferred: readonly string[]): string {
  const own = preferred.find((tag) => pickLanguage([tag]) === language && tag.includes('-') && isLocale(tag));
  return own ?? language;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
