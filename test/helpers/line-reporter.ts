import * as fs from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Counts as `.ci/run` adds them up over several runs. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function lineOf({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * What a run amounts to. A file that fails without a failing test in it (it can't be loaded, or a hook fails)
 * counts as one failure, and so does each error outside of tests: a run with a fault never shows "0 failed".
 */
function countsOf(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): Counts {
  let [passed, failed, skipped] = [0, strayErrors.length, 0];
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      else if (state === 'skipped') skipped++;
      else failedHere++;
    }
    failed += failedHere === 0 && !module.ok() ? 1 : failedHere;
  }
  return { passed, failed, skipped };
}

/**
 * Prints `N passed, N failed, N skipped`, alone on the last line, and appends the three numbers as one line to the
 * file that HOLDFAST_COUNTS names. Works beside vitest's own reporters.
 */
export default class LineReporter implements Reporter {
  #counts: Counts | undefined;

  onInit(): void {
    // Other reporters write at the end of the run in an order we don't rule; this comes after all of them.
    process.once('exit', () => {
      if (this.#counts !== undefined) fs.writeSync(1, `${lineOf(this.#counts)}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#counts = countsOf(modules, errors);
    const { passed, failed, skipped } = this.#counts;
    const path = process.env.HOLDFAST_COUNTS;
    if (path !== undefined) fs.appendFileSync(path, `${passed} ${failed} ${skipped}\n`);
  }
}
