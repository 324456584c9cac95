import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectCode, run } from '../../helpers/process.ts';
import { deepChain, hugeDirectory } from '../../helpers/random-tree.ts';
import { useTemp } from '../../helpers/scope.ts';
import { removeTree, Temp } from '../../helpers/temp.ts';
import { findProgram, hasTool, requireTool } from '../../helpers/tools.ts';
import { dirOf, writeTree } from '../../helpers/tree.ts';

const env = { PATH: process.env.PATH ?? '' };
const node = process.execPath;
const temp = useTemp();

describe('run', () => {
  it('tells output, exit code and time', async () => {
    const script = 'process.stdin.pipe(process.stdout); console.error("err"); process.exitCode = 3';
    const result = await run(node, ['-e', script], { env, stdin: 'input', cwd: '/' });
    expect(result).toMatchObject({ code: 3, signal: null, stderr: 'err\n', peakBytes: 0 });
    expect(result.stdout.toString()).toBe('input');
    expect(() => expectCode(result, 0, 1)).toThrow('exit code 3');
    expect(expectCode(result, 3)).toBe(result);
  });

  it('passes on nothing of our environment', async () => {
    const result = await run(node, ['-p', 'Object.keys(process.env).join()'], { env: { ONLY: '1' } });
    expect(result.stdout.toString()).toBe('ONLY\n');
  });

  it('kills or interrupts at a line', async () => {
    const script =
      'process.on("SIGINT", () => process.exit(130)); console.error("ready"); setTimeout(() => {}, 300_000)';
    const killed = await run(node, ['-e', script], { env, killAtLine: /^ready$/ });
    expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
    const interrupted = await run(node, ['-e', script], { env, interruptAtLine: /^ready$/ });
    expect(interrupted).toMatchObject({ code: 130, signal: null });
  });

  it('kills after a time', async () => {
    const result = await run(node, ['-e', 'setTimeout(() => {}, 300_000)'], { env, killAfterMs: 50 });
    expect(result.signal).toBe('SIGKILL');
  });

  it('measures the memory of the process and of its children', async () => {
    const hog = 'const b = Buffer.alloc(200 << 20, 1); setTimeout(() => process.exit(b[0] - 1), 300)';
    const parent = `require('node:child_process').execFileSync(process.execPath, ['-e', ${JSON.stringify(hog)}])`;
    const own = await run(node, ['-e', hog], { env, measureMemory: true });
    const child = await run(node, ['-e', parent], { env, measureMemory: true });
    expect(expectCode(own, 0).peakBytes).toBeGreaterThan(200 << 20);
    expect(expectCode(child, 0).peakBytes).toBeGreaterThan(own.peakBytes);
  });

  it('rejects a program that is not there', async () => {
    await expect(run('/nowhere/program', [], { env })).rejects.toThrow('ENOENT');
  });
});

describe('Temp', () => {
  it('deletes odd names, deep paths and closed folders', () => {
    const outer = temp.dir();
    const own = new Temp(outer);
    const [odd, deep] = [own.dir('odd'), own.dir('deep')];
    writeTree(
      odd,
      dirOf([
        [Buffer.from([0xff]), 'x'],
        ['closed', dirOf([['in', 'y']], { mode: 0 })],
      ]),
    );
    writeTree(deep, deepChain(3900));
    own[Symbol.dispose]();
    expect(fs.readdirSync(outer)).toEqual([]);
  });

  it('deletes what is marked immutable', (context) => {
    requireTool(context, 'root');
    const folder = temp.dir();
    writeTree(folder, hugeDirectory(3));
    const marked = spawnSync('chattr', ['+i', join(folder, 'file-0000001')]);
    if (marked.status !== 0) context.skip('this file system knows no immutable files');
    removeTree(folder);
    expect(fs.existsSync(folder)).toBe(false);
  });
});

describe('requireTool', () => {
  const skipped = (): never => {
    throw new Error('was skipped');
  };

  it('finds programs as a shell does', () => {
    expect(findProgram('sh')).toMatch(/\/sh$/);
    expect(findProgram('no-such-program')).toBeUndefined();
    expect(hasTool('root')).toBe(process.getuid?.() === 0);
  });

  it('skips where a tool is missing, and fails on the CI machine', () => {
    const before = { ...process.env };
    try {
      process.env.PATH = '/nowhere';
      delete process.env.HOLDFAST_CI;
      expect(() => requireTool({ skip: skipped }, 'restic')).toThrow('was skipped');
      process.env.HOLDFAST_CI = '1';
      expect(() => requireTool({ skip: skipped }, 'restic')).toThrow('this machine lacks restic');
      delete process.env.HOLDFAST_TEST_RESTIC_NEW;
      expect(() => requireTool({ skip: skipped }, 'restic-new')).toThrow('was skipped');
      requireTool({ skip: skipped });
    } finally {
      process.env.PATH = before.PATH;
      for (const name of ['HOLDFAST_CI', 'HOLDFAST_TEST_RESTIC_NEW']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
