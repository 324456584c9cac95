import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { holdDataFolder } from '../../../src/store/data-lock.ts';
import { useTemp } from '../../helpers/scope.ts';
import { expectRefusal } from './diary.ts';

const temp = useTemp();
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const module = new URL('../../../src/store/data-lock.ts', import.meta.url).href;
const HOLDER = `
  const { holdDataFolder } = await import(${JSON.stringify(module)});
  try {
    holdDataFolder(process.argv[1]);
    // Nobody keeps the way to release it: it must not be lost to the garbage collector.
    globalThis.gc();
    console.log('held');
  } catch (e) {
    console.log(JSON.stringify(e.toWire()));
  }
  process.stdin.resume();`;

/** Another process that has tried to hold the folder and still lives, and its first line. */
async function another(dir: string): Promise<{ readonly child: ChildProcess; readonly line: string }> {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLDER, dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, line: String(line) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('the lock of the data folder', () => {
  it('keeps another process out, naming the one that holds it', async () => {
    const dir = temp.dir();
    const release = holdDataFolder(dir);
    const { line } = await another(dir);
    expect(JSON.parse(line)).toMatchObject({
      code: 'locked',
      message: `Another Holdfast (process ${process.pid}) is running with the data folder "${dir}".`,
      context: { pid: process.pid, path: dir },
    });
    release();
    expect((await another(dir)).line).toBe('held');
  });

  it('is free again when its process was killed', async () => {
    const dir = temp.dir();
    const { child, line } = await another(dir);
    expect(line).toBe('held');
    expectRefusal(() => holdDataFolder(dir), 'locked', new RegExp(`process ${child.pid}\\b`));
    child.kill('SIGKILL');
    await ended(child);
    holdDataFolder(dir)();
  });

  it('is free again when its process ended without releasing it', async () => {
    const dir = temp.dir();
    const { child } = await another(dir);
    child.stdin?.end();
    await ended(child);
    expect(child.exitCode).toBe(0);
    holdDataFolder(dir)();
  });

  it('goes to one of many who want it at once', async () => {
    const dir = temp.dir();
    const all = await Promise.all(Array.from({ length: 4 }, () => another(dir)));
    const winner = all.filter(({ line }) => line === 'held');
    const losers = all.filter(({ line }) => line !== 'held');
    expect(winner).toHaveLength(1);
    for (const { line } of losers) expect(JSON.parse(line)).toMatchObject({ code: 'locked' });
  });

  it('excludes the same process, too, until it is released; releasing twice changes nothing', () => {
    const dir = temp.dir();
    const first = holdDataFolder(dir);
    expectRefusal(() => holdDataFolder(dir), 'locked', /is running with the data folder/);
    first();
    const second = holdDataFolder(dir);
    first();
    expectRefusal(() => holdDataFolder(dir), 'locked', /is running with the data folder/);
    second();
    expect(fs.readdirSync(dir)).toEqual(['host.lock']);
  });

  it('names no process that has ended or makes no sense', () => {
    const dir = temp.dir();
    const release = holdDataFolder(dir);
    for (const text of ['', 'x', '-1', '0', '99999999999', '4194304999']) {
      fs.writeFileSync(join(dir, 'host.pid'), text);
      expectRefusal(() => holdDataFolder(dir), 'locked', /^Another Holdfast is running/);
    }
    release();
  });

  it('makes the folder, and says why it can not', () => {
    const parent = temp.dir();
    holdDataFolder(join(parent, 'new', 'data'))();
    fs.writeFileSync(join(parent, 'file'), '');
    expectRefusal(() => holdDataFolder(join(parent, 'file')), 'conflict', /Could not hold the data folder/);
    fs.mkdirSync(join(parent, 'odd', 'host.lock'), { recursive: true });
    expectRefusal(() => holdDataFolder(join(parent, 'odd')), 'permission', /Could not hold the data folder/);
  });
});
