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
  const tries = join(folder, 'tries');
  const env = {
    PATH: process.env.PATH ?? '',
    HOLDFAST_COUNTS: counts,
    HOLDFAST_FAILURES: failures,
    HOLDFAST_SECOND_TRIES: tries,
  };
  const args = [entry, 'run', '--root', folder, '--reporter=default', `--reporter=${reporter}`];
  const result = await run(process.execPath, args, { env, cwd: folder });
  const out = result.stdout.toString();
  return {
    code: result.code,
    out,
    last: out.trimEnd().split('\n').at(-1),
    secondTries: fs.readFileSync(tries, 'utf8'),
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
    expect(result).toMatchObject({
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
    expect(result).toMatchObject({
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
    expect(result).toMatchObject({
      code: 1,
      last: '1 passed, 1 failed, 0 skipped',
      counts: '1 1 0\n',
      failures: 'outside of any test: stray\n',
    });
  });

  it('names what passed only when it was tried again', async () => {
    const result = await vitest({
      'a.test.mjs':
        'let tries = 0; it("a", { retry: 1 }, () => { if (tries++ === 0) throw new Error("once"); }); it("b", { retry: 1 }, () => {});',
    });
    expect(result).toMatchObject({ code: 0, last: '2 passed, 0 failed, 0 skipped', failures: '' });
    expect(result.out).toContain('\n== passed only on the second try\na.test.mjs > a\n2 passed');
    expect(result.secondTries).toBe('a.test.mjs > a\n');
  });

  it('has one form for the line', () => {
    expect(lineOf({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});
