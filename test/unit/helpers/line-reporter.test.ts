import * as fs from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lineOf } from '../../helpers/line-reporter.ts';
import { run } from '../../helpers/process.ts';
import { useTemp } from '../../helpers/scope.ts';

const project = resolve(import.meta.dirname, '../../..');
const temp = useTemp();

/** Runs vitest itself on a little project of these test files, and gives its last line and its counts. */
async function vitest(files: Readonly<Record<string, string>>) {
  const folder = temp.dir();
  fs.symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
  fs.writeFileSync(join(folder, 'vitest.config.mjs'), 'export default { test: { include: ["*.test.mjs"] } }');
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(join(folder, name), `import { it, beforeAll } from 'vitest';\n${text}`);
  }
  const reporter = join(project, 'test/helpers/line-reporter.ts');
  const entry = join(project, 'node_modules/vitest/vitest.mjs');
  const counts = join(folder, 'counts');
  const failures = join(folder, 'failures');
  const env = { PATH: process.env.PATH ?? '', HOLDFAST_COUNTS: counts, HOLDFAST_FAILURES: failures };
  const args = [entry, 'run', '--root', folder, '--reporter=default', `--reporter=${reporter}`];
  const result = await run(process.execPath, args, { env, cwd: folder });
  const last = result.stdout.toString().trimEnd().split('\n').at(-1);
  return {
    code: result.code,
    last,
    counts: fs.readFileSync(counts, 'utf8'),
    failures: fs.readFileSync(failures, 'utf8'),
  };
}

describe('the line reporter', () => {
  it('prints the counts last and writes them down', async () => {
    const result = await vitest({
      'a.test.mjs': 'it("a", () => {}); it("b", () => {}); it.skip("c", () => {}); it.todo("d");',
      'b.test.mjs': 'it("e", () => { throw new Error("no"); });',
    });
    expect(result).toEqual({
      code: 1,
      last: '2 passed, 1 failed, 2 skipped',
      counts: '2 1 2\n',
      failures: 'b.test.mjs > e: no\n',
    });
  });

  it('counts a file that cannot be loaded and a hook that fails', async () => {
    const result = await vitest({
      'a.test.mjs': 'throw new Error("broken");',
      'b.test.mjs': 'beforeAll(() => { throw new Error("hook"); }); it("x", () => {});',
    });
    expect(result).toEqual({
      code: 1,
      last: '0 passed, 2 failed, 1 skipped',
      counts: '0 2 1\n',
      failures: 'a.test.mjs: broken\nb.test.mjs: hook\n',
    });
  });

  it('counts an error outside of any test', async () => {
    const result = await vitest({
      'a.test.mjs':
        'it("a", async () => { Promise.reject(new Error("stray")); await new Promise(setImmediate); });',
    });
    expect(result).toEqual({
      code: 1,
      last: '1 passed, 1 failed, 0 skipped',
      counts: '1 1 0\n',
      failures: 'outside of any test: stray\n',
    });
  });

  it('has one form for the line', () => {
    expect(lineOf({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});
