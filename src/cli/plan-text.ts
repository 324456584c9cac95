/** Plans in words. */
import type { Destination } from '../api/model/destination.ts';
import type { Hook, PlanOptions, PlanSettings, PlanStatus, Rules, Source } from '../api/model/plan.ts';
import { formatMoment } from './ago.ts';
import { describeRetention } from './plan-flags.ts';
import { describeRecurrence } from './recurrence.ts';
import { SHORT_ID } from './reference.ts';
import { labelled, renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatBytes, formatRate, plural } from './units.ts';

/** What of a destination the texts below need. */
export type DestinationName = Pick<Destination, 'id' | 'name'>;

export function destinationNames(ids: readonly string[], all: readonly DestinationName[]): string {
  const nameOf = (id: string) => all.find((d) => d.id === id)?.name ?? `${id.slice(0, SHORT_ID)} (gone)`;
  return ids.map((id) => printable(nameOf(id))).join(', ');
}

/** When the newest backup to any destination ended well; null: never. */
export function newestSuccess(status: PlanStatus): number | null {
  return status.lastSuccess.reduce<number | null>((newest, { at }) => Math.max(newest ?? 0, at), null);
}

export function nextStart({ plan, nextAt }: PlanStatus, now: number): string {
  if (nextAt !== null) return formatMoment(nextAt, now, '');
  if (!plan.enabled) return 'never: it is switched off';
  return plan.schedule.when.kind === 'manual' ? 'by hand' : 'not before backups are resumed';
}

export function planTable(
  plans: readonly PlanStatus[],
  destinations: readonly DestinationName[],
  now: number,
): readonly string[] {
  const rows = plans.map((status) => [
    printable(status.plan.name),
    status.plan.id.slice(0, SHORT_ID),
    scheduleText(status.plan),
    destinationNames(status.plan.destinations, destinations),
    formatMoment(newestSuccess(status), now, 'never'),
    nextStart(status, now),
  ]);
  const columns = ['Name', 'ID', 'Schedule', 'Destinations', 'Last backup', 'Next'];
  return renderTable({ columns, rows, footer: [plural(plans.length, 'plan')] });
}

function scheduleText({ schedule }: PlanSettings): string {
  const zone = schedule.timeZone === null ? '' : ` (${schedule.timeZone})`;
  return `${describeRecurrence(schedule.when)}${zone}`;
}

/** A paragraph for each destination: is there a backup, how old is it, when is the next. */
export function statusLines(
  status: PlanStatus,
  destinations: readonly DestinationName[],
  now: number,
): readonly string[] {
  const { plan } = status;
  const of = (id: string) => status.lastSuccess.find((success) => success.destinationId === id)?.at ?? null;
  return [
    printable(plan.name),
    ...plan.destinations.map(
      (id) => `  ${destinationNames([id], destinations)}: last backup ${formatMoment(of(id), now, 'never')}`,
    ),
    `  next: ${nextStart(status, now)}`,
    ...(status.waitingFor === null ? [] : [`  waiting: ${status.waitingFor}`]),
  ];
}

/** All that a plan says, a line for each thing, labels in one column. */
export function planLines(
  status: PlanStatus,
  destinations: readonly DestinationName[],
  now: number,
): readonly string[] {
  const { plan } = status;
  const facts: readonly (readonly [string, readonly string[]])[] = [
    ['ID', [plan.id]],
    ['Sources', plan.sources.map(sourceText)],
    ['Left out', rulesText(plan.rules)],
    ['Destinations', plan.destinations.map((id) => destinationNames([id], destinations))],
    ['Schedule', [scheduleText(plan), ...scheduleDetails(plan)]],
    ['Keep', [describeRetention(plan.retention)]],
    ['Hooks before', plan.hooks.before.map(hookText)],
    ['Hooks after', plan.hooks.after.map(hookText)],
    ['Hooks on failure', plan.hooks.onFailure.map(hookText)],
    ['Limits', optionsText(plan.options)],
    ['Tags', plan.tags.map(printable)],
    ['Last backup', [formatMoment(newestSuccess(status), now, 'never')]],
    ['Next', [nextStart(status, now)]],
    ['Waiting', status.waitingFor === null ? [] : [status.waitingFor]],
  ];
  return [printable(plan.name), ...labelled(facts)];
}

export function sourceText(source: Source): string {
  return source.kind === 'path'
    ? printable(source.path)
    : `${printable(source.fileName)} from the command: ${commandText(source.command)}`;
}

/** For reading, not for a shell: words with blanks stand in quotes. */
function commandText(words: readonly string[]): string {
  return words.map((word) => (/^[^\s"']+$/.test(word) ? printable(word) : JSON.stringify(word))).join(' ');
}

function hookText(hook: Hook): string {
  return `${commandText(hook.command)} (${plural(hook.timeoutSeconds, 'second')} at most${hook.required ? '' : ', may fail'})`;
}

function rulesText(rules: Rules): readonly string[] {
  return [
    ...(rules.presets.length === 0 ? [] : [rules.presets.join(', ')]),
    ...rules.lines.map(printable),
    ...(rules.excludeLargerThan === null
      ? []
      : [`files larger than ${formatBytes(rules.excludeLargerThan)}`]),
    ...rules.excludeIfPresent.map((name) => `folders that hold ${printable(name)}`),
    ...(rules.excludeCaches ? ['folders with a CACHEDIR.TAG'] : []),
    ...(rules.oneFileSystem ? ['other file systems'] : []),
  ];
}

function scheduleDetails({ schedule }: PlanSettings): readonly string[] {
  return [
    ...(schedule.jitterMinutes > 0 ? [`spread over ${plural(schedule.jitterMinutes, 'minute')}`] : []),
    ...(schedule.catchUp ? [] : ['missed starts are not made up for']),
  ];
}

function optionsText(options: PlanOptions): readonly string[] {
  return [
    ...(options.uploadLimit === null ? [] : [`upload ${formatRate(options.uploadLimit)}`]),
    ...(options.downloadLimit === null ? [] : [`download ${formatRate(options.downloadLimit)}`]),
    ...(options.priority === 'low' ? [] : ['normal priority']),
    ...(options.onBattery === 'wait' ? ['waits while on battery'] : []),
    ...(options.onMetered === 'wait' ? ['waits while the network is metered'] : []),
  ];
}
