/** Tables in restic's look: a heading, a rule of dashes, the rows, a rule, and lines below it. */
import { displayWidth, padEnd } from './text-width.ts';

export interface Table {
  readonly columns: readonly string[];
  /** A cell may hold several lines. Cells that are absent print as empty. */
  readonly rows: readonly (readonly string[])[];
  readonly footer?: readonly string[];
}

const GAP = '  ';

/** The lines of the table, without newlines and without blanks at their ends. */
export function renderTable(table: Table): readonly string[] {
  const widths = table.columns.map((heading, column) =>
    [heading, ...table.rows.map((row) => row[column] ?? '')].reduce(
      (w, cell) => Math.max(w, cellWidth(cell)),
      0,
    ),
  );
  const total = widths.reduce((sum, w) => sum + w, 0) + GAP.length * Math.max(0, widths.length - 1);
  const rule = '-'.repeat(total);
  return [
    ...renderRow(table.columns, widths),
    rule,
    ...table.rows.flatMap((row) => renderRow(row, widths)),
    rule,
    ...(table.footer ?? []),
  ];
}

function cellWidth(cell: string): number {
  return cell.split('\n').reduce((w, line) => Math.max(w, displayWidth(line)), 0);
}

function renderRow(row: readonly string[], widths: readonly number[]): readonly string[] {
  const cells = widths.map((_, column) => (row[column] ?? '').split('\n'));
  const height = cells.reduce((h, lines) => Math.max(h, lines.length), 1);
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => padEnd(lines[line] ?? '', widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

/** `  Label     value`, with further values below the first. Labels without values are left out. */
export function labelled(facts: readonly (readonly [string, readonly string[]])[]): readonly string[] {
  const shown = facts.filter(([, lines]) => lines.length > 0);
  const width = shown.reduce((w, [label]) => Math.max(w, label.length), 0);
  return shown.flatMap(([label, lines]) =>
    lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(width)}  ${line}`),
  );
}
