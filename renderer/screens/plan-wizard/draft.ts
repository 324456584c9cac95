/**
 * A plan while it is being made.
 *
 * draft  what the person has said so far; it becomes a plan only when all steps are complete
 */
import type { Plan, PlanSettings, Recurrence, Retention } from '../../../src/api/model/plan.ts';
import type { MessageKey } from '../../i18n/en.ts';

export interface Draft {
  readonly input: PlanSettings;
  /** Start at once when it is made. */
  readonly runFirst: boolean;
}

export interface StepProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

export function newDraft(name: string): Draft {
  const input: PlanSettings = {
    name,
    sources: [],
    rules: {
      presets: ['caches', 'temporary-files', 'trash', 'system'],
      lines: [],
      excludeLargerThan: null,
      excludeIfPresent: [],
      excludeCaches: true,
      oneFileSystem: false,
    },
    destinations: [],
    schedule: {
      when: defaultWhen('daily'),
      timeZone: null,
      jitterMinutes: 0,
      catchUp: true,
      onConnect: true,
    },
    retention: { kind: 'balanced' },
    hooks: { before: [], after: [], onFailure: [] },
    options: { uploadLimit: null, downloadLimit: null, priority: 'low', onBattery: 'run', onMetered: 'wait' },
    tags: [],
    enabled: true,
  };
  return { input, runFirst: true };
}

export function draftOf({ id: _id, createdAt: _createdAt, updatedAt: _updatedAt, ...input }: Plan): Draft {
  return { input, runFirst: false };
}

/** The draft with some of its plan changed. */
export function changed(draft: Draft, change: Partial<PlanSettings>): Draft {
  return { ...draft, input: { ...draft.input, ...change } };
}

/** What a person most likely means by such a schedule. */
export function defaultWhen(kind: Recurrence['kind']): Recurrence {
  switch (kind) {
    case 'manual':
      return { kind };
    case 'hourly':
      return { kind, every: 1, minute: 0 };
    case 'daily':
      return { kind, at: ['12:30'] };
    case 'weekly':
      return { kind, days: ['fri'], at: '12:30' };
    case 'monthly':
      return { kind, day: 1, at: '12:30' };
    case 'cron':
      return { kind, expression: '30 12 * * *' };
  }
}

export function defaultRetention(kind: Retention['kind']): Retention {
  switch (kind) {
    case 'everything':
    case 'balanced':
      return { kind };
    case 'recent':
      return { kind, days: 30 };
    case 'custom':
      return { kind, keep: { last: 0, hourly: 24, daily: 30, weekly: 12, monthly: 24, yearly: 0 } };
  }
}

/** Why a schedule can't be meant so; undefined: it can. Whether a cron expression is one only the host knows. */
export function missingWhen(when: Recurrence): MessageKey | undefined {
  return when.kind === 'weekly' && when.days.length === 0 ? 'wizard.when.no-days' : undefined;
}

/** A plan that keeps nothing would lose every version at the next clean-up. */
export function missingKeep(retention: Retention): boolean {
  return retention.kind === 'custom' && Object.values(retention.keep).every((count) => count === 0);
}

/** Starts that a day can have. */
export const MOST_TIMES = 24;

/** Some hours after the last one, and none that is there already. */
export function nextTime(times: readonly string[]): string {
  const [hour = 12, minute = 0] = (times.at(-1) ?? '12:00').split(':').map(Number);
  for (let i = 0; i < MOST_TIMES; i++) {
    const time = [(hour + 5 + i) % 24, minute].map((n) => String(n).padStart(2, '0')).join(':');
    if (!times.includes(time)) return time;
  }
  return '12:00';
}
