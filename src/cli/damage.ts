/** Folders of a snapshot that can't be listed: the work goes on, and the person is told what is lacking. */
import type { DamagedFolder } from '../operations/walk.ts';
import type { CommandContext } from './context.ts';
import { goText } from './node-text.ts';
import { printable } from './text-width.ts';

export interface DamageReporter {
  report(folder: DamagedFolder): void;
  count(): number;
}

/** `where` says more about the place: ` of snapshot 1234abcd`. */
export function damageReporter({ print }: CommandContext, where = ''): DamageReporter {
  let count = 0;
  return {
    report({ path, error }) {
      count++;
      print.problem(`The folder ${printable(goText(path))}${where} can't be listed: ${error.message}`);
    },
    count: () => count,
  };
}
