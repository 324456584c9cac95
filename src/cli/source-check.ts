import { access } from 'node:fs/promises';
import type { Source } from '../api/model/plan.ts';
import type { Printer } from './printer.ts';
import { printable } from './text-width.ts';

/** A source may lie on a disk that comes later; more often it is misspelt. */
export async function warnOfMissingSources(sources: readonly Source[], print: Printer): Promise<void> {
  for (const source of sources) {
    if (source.kind !== 'path') continue;
    await access(source.path).catch(() =>
      print.problem(`${printable(source.path)} can't be found right now.`),
    );
  }
}
