import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import { describe, expect, it } from 'vitest';
import { formatsOf } from '../../../renderer/format.ts';
import { en, type MessageKey } from '../../../renderer/i18n/en.ts';
import { LANGUAGES, localeFor, pickLanguage, sayer } from '../../../renderer/i18n/languages.ts';
import { STORAGE_KINDS } from '../../../renderer/screens/add-destination/place.ts';
import { BUCKET_LOOKUPS, S3_PROVIDERS } from '../../../renderer/screens/add-destination/s3.ts';
import { SFTP_ENTRIES } from '../../../renderer/screens/add-destination/sftp.ts';
import { ERROR_CODES } from '../../../src/api/errors.ts';
import { ALERT_KINDS } from '../../../src/api/model/alert.ts';
import { PRESETS } from '../../../src/api/model/plan.ts';
import { PHASES, RUN_KINDS, RUN_STATES, Trigger, WAITS } from '../../../src/api/model/run.ts';
import { Fix } from '../../../src/api/model/status.ts';

const keys = Object.keys(en) as MessageKey[];

/** The names that a message asks for, also inside of plurals. */
function names(message: string, locale: string): readonly string[] {
  const found = new Set<string>();
  const look = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) look(one);
    if (typeof node !== 'object' || node === null) return;
    // 1: argument, 2: number, 6: plural; literals and "#" have no name to fill.
    if ('type' in node && 'value' in node && [1, 2, 6].includes(Number(node.type)))
      found.add(String(node.value));
    if ('options' in node) look(Object.values(node.options as object).map(({ value }) => value));
  };
  look(new IntlMessageFormat(message, locale).getAst());
  return [...found].sort();
}

const STORAGES = STORAGE_KINDS.join('|');

/** Keys whose last part is filled in where they are used. */
const FILLED = new RegExp(
  `^(?:${[
    '(?:error|reason|phase|waiting|rule|fix|preset|run\\.state|run\\.trigger)\\..+',
    `run\\.(?:${RUN_KINDS.join('|')})`,
    `destinations\\.kind\\.(?:${STORAGES})`,
    `add\\.kind\\.(?:${STORAGES})\\.text`,
    `(?:add\\.place\\.text|sign-in\\.client\\.how)\\.(?:${STORAGES})`,
    'destinations\\.object-lock\\.(?:governance|compliance|single)',
    'facts\\.versioning\\.(?:on|suspended)',
    `s3\\.provider\\.(?:${S3_PROVIDERS.join('|')})`,
    `s3\\.lookup\\.(?:${BUCKET_LOOKUPS.join('|')})`,
    `sftp\\.entry\\.(?:${SFTP_ENTRIES.join('|')})`,
    'home\\.(?:protected|attention|none)(?:\\.sub)?',
    'home\\.calendar\\.(?:legend\\.)?(?:good|fair|bad|busy)',
    'wizard\\.when\\.(?:manual|hourly|daily|weekly|monthly|cron)',
    'wizard\\.keep\\.(?:balanced|recent|everything|custom)(?:\\.text)?',
    '(?:wizard\\.)?keep\\.(?:everything|balanced|last|hourly|daily|weekly|monthly|yearly)',
    'settings\\.appearance\\.(?:system|light|dark)',
    'restore\\.(?:kind|preview|today|where|conflicts|review|report)\\..+',
    'activity\\.(?:filter|all)\\.(?:kind|state|plan|destination)',
    'activity\\.(?:what|state|when|took|data)',
    'chart\\.(?:size|added|took)',
    'report\\.(?:cancelled|interrupted)',
    'settings\\.(?:uploadLimit|downloadLimit)',
    'settings\\.power\\.(?:onBattery|onMetered|priority|run|wait|low|normal)',
    'settings\\.startup\\.(?:openAtLogin|closeToTray)(?:\\.text)?',
    'channel\\.kind\\.(?:email|ntfy|webhook|monitor|desktop)(?:\\.text)?',
    'channel\\.security\\.(?:tls|starttls|none)',
    'channel\\.url\\.(?:webhook|ntfy|monitor)',
    'channel\\.missing\\.(?:name|host|port|from|to|url|on)',
    `alert\\.(?:${ALERT_KINDS.join('|')})`,
    'recovery\\.standing\\.(?:good|late|none|no-goal)',
    'recovery\\.what-if\\.(?:file|computer|disk|ransom|password)(?:\\.text|\\.way)?',
    'run\\.log\\.(?:all|warnings|errors)',
    'shell\\.(?:starting|restarting|stopped)',
  ].join('|')})$`,
);

const sources = path.resolve(import.meta.dirname, '../../../renderer');
const code = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/^i18n.(?:en|de)\.ts$/.test(file))
  .map((file) => readFileSync(path.join(sources, file), 'utf8'))
  .join('\n');

describe.each(Object.entries(LANGUAGES))('the language %s', (language, messages) => {
  it('has every message and no other', () => {
    expect(Object.keys(messages).sort()).toEqual([...keys].sort());
    expect(Object.values(messages).filter((message) => message.trim() === '')).toEqual([]);
  });

  it('asks for the same values as English', () => {
    const wrong = keys.filter((key) => `${names(messages[key], language)}` !== `${names(en[key], 'en')}`);
    expect(wrong).toEqual([]);
  });
});

describe('messages', () => {
  it('are there for whatever the contract names', () => {
    const wanted = [
      ...ERROR_CODES.map((name) => `error.${name}`),
      ...RUN_STATES.map((name) => `run.state.${name}`),
      ...RUN_KINDS.map((name) => `run.${name}`),
      ...Trigger.options.map((name) => `run.trigger.${name}`),
      ...PHASES.map((name) => `phase.${name}`),
      ...WAITS.map((name) => `waiting.${name}`),
      ...ALERT_KINDS.map((name) => `alert.${name}`),
      ...PRESETS.map((name) => `preset.${name}`),
      ...Fix.options.map(({ shape }) => `fix.${shape.kind.value}`),
    ];
    expect(wanted.filter((key) => !(key in en))).toEqual([]);
  });

  it('are all used', () => {
    const unused = keys.filter((key) => !code.includes(`'${key}'`) && !FILLED.test(key));
    expect(unused).toEqual([]);
  });

  it('are said with numbers as the locale writes them', () => {
    expect(sayer('en', 'en-GB')('unit.files', { count: 1 })).toBe('1 file');
    expect(sayer('en', 'en-GB')('unit.files', { count: 1234 })).toBe('1,234 files');
    expect(sayer('de', 'de-DE')('unit.files', { count: 1234 })).toBe('1.234 Dateien');
    expect(sayer('en', 'en-GB')('home.protected')).toBe("You're protected");
  });
});

describe('the language spoken', () => {
  it('is the first one that the person prefers and there is, else English', () => {
    expect(pickLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(pickLanguage(['fr'])).toBe('en');
    expect(pickLanguage(['constructor'])).toBe('en');
  });

  it('keeps the region that the person has', () => {
    expect(localeFor('de', ['en-US', 'de-CH'])).toBe('de-CH');
    expect(localeFor('de', ['en-US'])).toBe('de');
  });

  it('passes over what is no locale, so that nothing shown fails on it', () => {
    expect(localeFor('en', ['en-US@posix', 'en-GB'])).toBe('en-GB');
    expect(localeFor('en', ['en-US@posix'])).toBe('en');
    expect(localeFor('en', ['en-'])).toBe('en');
    const format = formatsOf(localeFor('en', ['en-US@posix']));
    expect(format.number(1234)).toBe('1,234');
  });
});
