import * as fs from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Counts as `.ci/run` adds them up over several runs. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Above the list of them. */
const SECOND_TRIES = '== passed only on the second try';

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

/** What failed, one line each: the file, the test's full name and the first line of its error. */
function failuresOf(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): string[] {
  const lines = strayErrors.map((e) => `outside of any test: ${firstLine(e)}`);
  for (const module of modules) {
    const failed = [...module.children.allTests('failed')];
    for (const test of failed) {
      lines.push(`${module.relativeModuleId} > ${test.fullName}: ${firstLine(test.result().errors?.[0])}`);
    }
    if (failed.length === 0 && !module.ok()) {
      lines.push(`${module.relativeModuleId}: ${firstLine(module.errors()[0])}`);
    }
  }
  return lines;
}

/** Tests that failed and passed when they were tried again: the file, and the test's full name. */
function secondTriesOf(modules: readonly TestModule[]): string[] {
  return modules.flatMap((module) =>
    [...module.children.allTests('passed')]
      .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
      .map((test) => `${module.relativeModuleId} > ${test.fullName}`),
  );
}

function firstLine(error: SerializedError | undefined): string {
  return (error?.message ?? 'a hook failed, or the process ended').split('\n')[0]!.slice(0, 300);
}

/**
 * Prints `N passed, N failed, N skipped`, alone on the last line, and appends the three numbers as one line to the
 * file that HOLDFAST_COUNTS names, what failed to the one that HOLDFAST_FAILURES names, and what passed only when it was tried
 * again to the one that HOLDFAST_SECOND_TRIES names. Works beside vitest's own reporters.
 */
export default class LineReporter implements Reporter {
  #counts: Counts | undefined;
  #secondTries: readonly string[] = [];

  onInit(): void {
    // Other reporters write at the end of the run in an order we don't rule; this comes after all of them.
    process.once('exit', () => {
      if (this.#counts === undefined) return;
      const tries = this.#secondTries.length === 0 ? [] : ['', SECOND_TRIES, ...this.#secondTries];
      fs.writeSync(1, [...tries, lineOf(this.#counts), ''].join('\n'));
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    this.#counts = countsOf(modules, errors);
    const { passed, failed, skipped } = this.#counts;
    this.#secondTries = secondTriesOf(modules);
    append(process.env.HOLDFAST_COUNTS, `${passed} ${failed} ${skipped}\n`);
    append(process.env.HOLDFAST_FAILURES, linesOf(failuresOf(modules, errors)));
    append(process.env.HOLDFAST_SECOND_TRIES, linesOf(this.#secondTries));
  }
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function append(path: string | undefined, text: string): void {
  if (path !== undefined) fs.appendFileSync(path, text);
}
