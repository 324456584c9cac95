/** What the host says, in the person's words. */
import { asEngineError, type WireError } from '../../src/api/errors.ts';
import type { Destination } from '../../src/api/model/destination.ts';
import type { PlanStatus, Recurrence, Retention, RuleVerdict } from '../../src/api/model/plan.ts';
import type { Progress, Run } from '../../src/api/model/run.ts';
import type { Reason } from '../../src/api/model/status.ts';
import { en, type MessageKey } from '../i18n/en.ts';
import type { Say, Speech } from '../i18n/languages.ts';

export interface ErrorWords {
  readonly title: string;
  /** The host's own sentence, where the title is only its kind. */
  readonly detail?: string;
  readonly hint?: string;
}

/** The host speaks English. In other languages its sentence goes below the translated kind of error, as it names the facts. */
export function errorWords(
  { language, say }: Pick<Speech, 'language' | 'say'>,
  error: WireError,
): ErrorWords {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  if (language === 'en') return { title: error.message, ...hint };
  return { title: say(`error.${error.code}`), detail: error.message, ...hint };
}

export function thrownWords(speech: Speech, e: unknown): ErrorWords {
  return errorWords(speech, asEngineError(e).toWire());
}

export interface Names {
  readonly plans: readonly PlanStatus[];
  readonly destinations: readonly Destination[];
}

const isKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

/** The host's sentence in English; in other languages one of the same meaning, where the kind of reason is known. */
export function reasonSentence({ language, say }: Speech, reason: Reason, names: Names): string {
  const key = `reason.${reason.code}`;
  if (language === 'en' || !isKey(key)) return reason.sentence;
  const { fix } = reason;
  const planId = fix && 'planId' in fix ? fix.planId : undefined;
  const destinationId = fix && 'destinationId' in fix ? fix.destinationId : undefined;
  const plan = names.plans.find((one) => one.plan.id === planId)?.plan.name;
  const destination = names.destinations.find((one) => one.id === destinationId)?.name;
  return say(key, { plan: plan ?? '?', destination: destination ?? '?' });
}

/** What a run is at: the host's sentence in English, which names more; else one of the same meaning. */
export function phaseWords({ language, say }: Speech, { phase, phaseCode }: Progress): string {
  return language === 'en' && phase !== '' ? phase : say(`phase.${phaseCode}`);
}

/** Why something waits, likewise; null where it does not. */
export function waitingWords(
  { language, say }: Speech,
  { waitingFor, waitingCode }: Pick<Run | PlanStatus, 'waitingFor' | 'waitingCode'>,
): string | null {
  if (waitingFor === null || waitingCode === null || language === 'en') return waitingFor;
  // Why it can't be started only the host knows.
  return say(`waiting.${waitingCode}`, { why: waitingFor });
}

/** As the host calls the destination in its own folder, until a person renames it. */
const EMBEDDED = 'This computer';

/** A destination's name; the one that the host has made up, in the person's language. */
export function shownName(say: Say, name: string): string {
  return name === EMBEDDED ? say('welcome.where.embedded') : name;
}

/** "Documents to USB disk" */
export function runSubject(say: Say, run: Run): string {
  const gone = say('common.gone');
  const destination = shownName(say, run.destinationName ?? gone);
  if (run.task.kind === 'backup') return say('run.of-backup', { plan: run.planName ?? gone, destination });
  return say('run.of-destination', { destination });
}

/** "Backup · Documents to USB disk" */
export function runTitle(say: Say, run: Run): string {
  return `${say(`run.${run.task.kind}`)} · ${runSubject(say, run)}`;
}

export function recurrenceText({ say, format }: Speech, when: Recurrence): string {
  switch (when.kind) {
    case 'manual':
      return say('when.manual');
    case 'hourly':
      return say('when.hourly', { every: when.every, minute: String(when.minute).padStart(2, '0') });
    case 'daily':
      return say('when.daily', { times: format.list(when.at) });
    case 'weekly': {
      const days = WEEKDAYS.filter((day) => when.days.includes(day));
      const names = days.map((day) => format.weekday(WEEKDAYS.indexOf(day), 'short'));
      return say('when.weekly', { days: format.list(names), time: when.at });
    }
    case 'monthly':
      return when.day === 'last'
        ? say('when.monthly-last', { time: when.at })
        : say('when.monthly', { day: when.day, time: when.at });
    case 'cron':
      return say('when.cron', { expression: when.expression });
  }
}

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const KEPT = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;

export function retentionText({ say, format }: Speech, retention: Retention): string {
  switch (retention.kind) {
    case 'everything':
    case 'balanced':
      return say(`keep.${retention.kind}`);
    case 'recent':
      return say('keep.recent', { days: retention.days });
    case 'custom': {
      const kept = KEPT.filter((name) => retention.keep[name] > 0);
      return say('keep.custom', {
        counts: format.list(kept.map((name) => say(`keep.${name}`, { count: retention.keep[name] }))),
      });
    }
  }
}

/** Why something is left out. */
export function ruleText(say: Say, verdict: RuleVerdict): string {
  if (verdict.origin === 'preset' && verdict.preset) return say(`preset.${verdict.preset}`);
  if (verdict.origin === 'preset') return verdict.rule ?? '';
  return say(`rule.${verdict.origin}`, { rule: verdict.rule ?? '' });
}

export function kindText(say: Say, destination: Pick<Destination, 'kind' | 'embedded'>): string {
  if (destination.embedded) return say('destinations.embedded');
  const key = `destinations.kind.${destination.kind}`;
  return isKey(key) ? say(key) : say('destinations.kind.other', { kind: destination.kind });
}

/** When the newest backup to any destination ended well; null: never. */
export function newestSuccess(status: PlanStatus): number | null {
  return status.lastSuccess.reduce<number | null>((newest, { at }) => Math.max(newest ?? 0, at), null);
}
