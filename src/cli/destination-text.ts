/** Destinations in words. */
import type { ConnectionTest, Destination, StorageFacts } from '../api/model/destination.ts';
import { formatMoment } from './ago.ts';
import { SHORT_ID } from './reference.ts';
import { renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatBytes, plural } from './units.ts';

export function destinationTable(all: readonly Destination[], now: number): readonly string[] {
  const rows = all.map((d) => [
    printable(d.name),
    d.id.slice(0, SHORT_ID),
    printable(d.location),
    d.usedBytes === null ? '' : formatBytes(d.usedBytes),
    d.space === null ? '' : formatBytes(d.space.free),
    checkText(d, now),
    d.problem === null ? (d.readOnly ? 'only read' : 'reachable') : printable(d.problem.message),
  ]);
  const columns = ['Name', 'ID', 'Location', 'Used', 'Free', 'Last check', 'State'];
  return renderTable({ columns, rows, footer: [plural(all.length, 'destination')] });
}

function checkText({ lastCheck }: Destination, now: number): string {
  if (lastCheck === null) return 'never';
  return `${lastCheck.ok ? '' : 'DAMAGE, '}${formatMoment(lastCheck.at, now, '')}`;
}

/** What the test of a place found, the good and the bad. */
export function testLines(found: ConnectionTest): readonly string[] {
  return [
    found.repository ? 'There is a repository.' : 'There is no repository yet.',
    found.writable ? 'Files can be written, read back and removed.' : 'Files could not be written.',
    ...(found.space === null
      ? []
      : [`${formatBytes(found.space.free)} of ${formatBytes(found.space.total)} are free.`]),
    ...factLines(found.facts),
  ];
}

function factLines(facts: StorageFacts | null): readonly string[] {
  if (!facts) return [];
  const { account, appendOnly, versioning, objectLock } = facts;
  const lock =
    objectLock?.days == null
      ? 'Files can be locked one by one.'
      : `New files are locked for ${plural(objectLock.days, 'day')}.`;
  return [
    ...(account === null ? [] : [`The account is ${printable(account)}.`]),
    ...(appendOnly ? ['Nothing that is there can be changed or removed (append-only).'] : []),
    ...(versioning === null ? [] : [`Versioning of the bucket: ${versioning}.`]),
    ...(objectLock ? [`Object Lock is on. ${lock}`] : []),
  ];
}

/** The words of a recovery key, numbered, in rows of four. */
export function recoveryKeyLines(words: string): readonly string[] {
  const numbered = words.split(/\s+/).map((word, i) => `${String(i + 1).padStart(2)} ${word}`.padEnd(14));
  const rows = Array.from({ length: Math.ceil(numbered.length / 4) }, (_, row) =>
    `  ${numbered.slice(row * 4, row * 4 + 4).join('')}`.trimEnd(),
  );
  return [
    'The recovery key. It opens the repository should everything else be lost, and is shown only now:',
    '',
    ...rows,
    '',
    'Write it down, and keep it away from this computer. `holdfast destination kit` makes a page to print.',
  ];
}
