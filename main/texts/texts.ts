/** The language in which the shell speaks. */
import type { Settings } from '../../src/api/model/settings.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import type { Texts } from './shape.ts';

/** `system`: the language of the operating system, such as 'de-AT'. */
export function textsIn(language: Settings['language'], system: string): Texts {
  const wanted = language === 'system' ? system.toLowerCase() : language;
  return wanted === 'de' || wanted.startsWith('de-') ? de : en;
}
