/** The disks of a destination in words. */
import type { KnownDisk } from '../api/model/destination.ts';
import { formatMoment } from './ago.ts';
import { renderTable } from './table.ts';
import { printable } from './text-width.ts';
import { formatBytes, plural } from './units.ts';

export function diskTable(disks: readonly KnownDisk[], now: number): readonly string[] {
  const rows = disks.map((disk) => [
    printable(disk.label ?? ''),
    printable(disk.uuid),
    formatBytes(disk.capacity),
    disk.mountPoint === null ? stateText(disk, now) : `plugged in at ${printable(disk.mountPoint)}`,
  ]);
  const columns = ['Label', 'UUID', 'Size', 'State'];
  return renderTable({ columns, rows, footer: [plural(disks.length, 'disk')] });
}

function stateText({ lastSeenAt }: KnownDisk, now: number): string {
  return lastSeenAt === null
    ? 'never seen here'
    : `not plugged in; last seen ${formatMoment(lastSeenAt, now, '')}`;
}
