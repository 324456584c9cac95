/** Whether a screen in German has words of ours that are still English. */
import type { Page } from 'playwright';
import { expect } from 'vitest';
import { de } from '../../renderer/i18n/de.ts';
import { en, type MessageKey } from '../../renderer/i18n/en.ts';

/** Longer ones are looked for anywhere in the text, shorter ones are a line of it. */
const TELLING = 16;

const keys = Object.keys(en) as readonly MessageKey[];
const germanText = Object.values(de).join('\n');
const english = keys.filter((key) => en[key] !== de[key]).map((key) => en[key].replaceAll("''", "'"));
/** What the host calls the destination that it makes itself: a name, which the person may change. */
const NAMES: readonly string[] = ['This computer'];
/** Words such as "Name" are the same in both. */
const whole = new Set(
  english.filter(
    (text) => !text.includes('{') && !(Object.values(de) as string[]).includes(text) && !NAMES.includes(text),
  ),
);
/** What stands before, between and after the places of a message. */
const parts = english
  .flatMap((text) => text.split(/\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/))
  .map((part) => part.trim())
  .filter((part) => part.length >= TELLING && !/[{}]/.test(part) && !germanText.includes(part));

/** Fails with the English messages that the page shows or names something by. */
export async function expectNoEnglish(page: Page): Promise<void> {
  const text: string = await page.evaluate(READ);
  const lines = new Set(text.split('\n').map((line) => line.trim()));
  const found = [...whole].filter((one) => lines.has(one));
  const within = parts.filter((part) => text.includes(part));
  expect([...new Set([...found, ...within])], 'English on a German screen').toEqual([]);
}

const READ = `[document.title, document.body.innerText,
  ...[...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((one) =>
    ['aria-label', 'title', 'placeholder'].map((name) => one.getAttribute(name) ?? ''))].join('\\n')`;
