/**
 * Values of the contract as JSON in a column. They are validated both ways: what can't be read back is not written, and
 * nothing is written that the contract does not know, which keeps a stray secret out of the file.
 */
import type { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import type { Row } from './sql.ts';

/** A row as a query for documents selects it: `id` only for messages. */
export const DOCUMENT = 'id, json';

/** Faults that were told; beyond so many the rest are alike. */
const MOST_TOLD = 1000;

/** Error: 'internal' for a value that the schema refuses. */
export function toJson<T>(schema: z.ZodType<T>, value: T, what: string): string {
  const checked = schema.safeParse(value);
  if (checked.success) return JSON.stringify(checked.data);
  throw new EngineError(
    'internal',
    `A ${what} that breaks the contract was not stored: ${firstIssue(checked.error)}.`,
  );
}

export class Documents {
  readonly #onProblem: (sentence: string) => void;
  readonly #told = new Set<string>();

  constructor(onProblem: (sentence: string) => void) {
    this.#onProblem = onProblem;
  }

  /** What the row says; undefined for a row that makes no sense, of which is told once. */
  read<T>(schema: z.ZodType<T>, what: string, row: Row): T | undefined {
    const { value, fault } = parse(schema, row);
    if (fault !== undefined) this.#tell(`${what} ${row.id ?? ''}`.trim(), fault);
    return value;
  }

  /** Up to `limit` of the rows that make sense. */
  list<T>(
    schema: z.ZodType<T>,
    what: string,
    rows: Iterable<Row>,
    limit = Number.POSITIVE_INFINITY,
  ): readonly T[] {
    const values: T[] = [];
    const faults: [string, string][] = [];
    for (const row of rows) {
      if (values.length >= limit) break;
      const { value, fault } = parse(schema, row);
      if (fault === undefined) values.push(value);
      else faults.push([`${what} ${row.id ?? ''}`.trim(), fault]);
    }
    // Told only now: whoever listens may write, which must wait until the rows are read.
    for (const [name, fault] of faults) this.#tell(name, fault);
    return values;
  }

  #tell(name: string, fault: string): void {
    if (this.#told.has(name) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(name);
    this.#onProblem(`An entry of the diary can't be read and is left out: ${name} (${fault}).`);
  }
}

type Parsed<T> =
  | { readonly value: T; readonly fault?: undefined }
  | { readonly value?: undefined; readonly fault: string };

function parse<T>(schema: z.ZodType<T>, row: Row): Parsed<T> {
  let content: unknown;
  try {
    content = JSON.parse(String(row.json));
  } catch {
    return { fault: 'not JSON' };
  }
  const checked = schema.safeParse(content);
  return checked.success ? { value: checked.data } : { fault: firstIssue(checked.error) };
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'no reason given' : `${issue.path.join('.') || 'value'}: ${issue.message}`;
}
