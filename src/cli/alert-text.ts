/** Alerts and channels in words. */
import { assertNever } from '../api/errors.ts';
import { ALERT_KINDS, type Alert, type Channel, type Target } from '../api/model/alert.ts';
import { formatAgo, formatMoment } from './ago.ts';
import { SHORT_ID } from './reference.ts';
import { renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatLocalTime } from './time-format.ts';
import { plural } from './units.ts';

/** First what holds now, then what is over, each with its text below. */
export function alertLines(alerts: readonly Alert[], now: number): readonly string[] {
  const holding = alerts.filter(({ endedAt }) => endedAt === null);
  const over = alerts.filter(({ endedAt }) => endedAt !== null);
  return [
    ...(holding.length === 0 ? ['Nothing is wrong now.'] : holding.flatMap((alert) => paragraph(alert, now))),
    ...(over.length === 0 ? [] : ['', 'Over:', ...over.map((alert) => overLine(alert, now))]),
  ];
}

function paragraph({ title, text, startedAt }: Alert, now: number): readonly string[] {
  const lines = text.split('\n').map((line) => `    ${printable(line)}`.trimEnd());
  return [`! ${printable(title)}`, ...lines, `    since ${formatMoment(startedAt, now, '')}`];
}

function overLine({ title, startedAt, endedAt }: Alert, now: number): string {
  const end = endedAt ?? now;
  return `- ${printable(title)} (${formatLocalTime(startedAt)} to ${formatLocalTime(end)}, ${formatAgo(end, now)})`;
}

export function channelTable(channels: readonly Channel[], now: number): readonly string[] {
  const rows = channels.map((channel) => [
    printable(channel.name),
    channel.id.slice(0, SHORT_ID),
    channel.target.kind,
    printable(placeOf(channel.target)),
    tellsOf(channel),
    lastText(channel, now),
  ]);
  const columns = ['Name', 'ID', 'Kind', 'To', 'Tells of', 'Last message'];
  return renderTable({ columns, rows, footer: [plural(channels.length, 'channel')] });
}

/** An address without its path, which for many services is all the secret there is. */
function placeOf(target: Target): string {
  switch (target.kind) {
    case 'desktop':
      return 'this computer';
    case 'email':
      return target.to.join(', ');
    case 'webhook':
    case 'ntfy':
    case 'monitor':
      return new URL(target.url).host;
    default:
      return assertNever(target);
  }
}

function tellsOf({ enabled, target, on }: Channel): string {
  if (!enabled) return 'nothing: it is switched off';
  if (target.kind === 'monitor') return target.planId === null ? 'every backup' : 'the backups of a plan';
  if (on.length === 0) return 'nothing';
  const wrong = ALERT_KINDS.filter((kind) => kind !== 'run-succeeded');
  if (!wrong.every((kind) => on.includes(kind))) return on.join('\n');
  return on.includes('run-succeeded') ? 'everything' : 'all that goes wrong';
}

function lastText({ lastResult }: Channel, now: number): string {
  if (lastResult === null) return 'none yet';
  const when = formatAgo(lastResult.at, now);
  return lastResult.ok ? `went well, ${when}` : `failed, ${when}: ${printable(lastResult.message)}`;
}
