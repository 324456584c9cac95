/**
 * Loaded into a program before its own code (`node --import`): ends it with SIGKILL in the middle of the N-th call that
 * changes a file below a folder. A write leaves half of its bytes; every other call is not begun. What other calls are
 * under way at that moment may be done or not, as in life.
 *
 * HOLDFAST_TEST_CRASH_UNDER  the folder
 * HOLDFAST_TEST_CRASH_AT     N, from 1; 0 to only count
 * HOLDFAST_TEST_CRASH_LOG    a file that gets one line per call
 */
import * as sync from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { isMainThread } from 'node:worker_threads';

const under = process.env.HOLDFAST_TEST_CRASH_UNDER ?? '';
const at = Number(process.env.HOLDFAST_TEST_CRASH_AT ?? 0);
const log = process.env.HOLDFAST_TEST_CRASH_LOG;

const paths = new WeakMap<object, string>();
let calls = 0;

/** Counts a call; `lastly` runs before the end if this is the one. */
function count(name: string, path: unknown, lastly?: () => void): void {
  if (!String(path).startsWith(under)) return;
  calls++;
  if (log !== undefined) sync.appendFileSync(log, `${name} ${String(path)}\n`);
  if (calls !== at) return;
  lastly?.();
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way; nothing more may happen here.
  for (;;);
}

type Method = (...args: never[]) => unknown;

/** Puts `before` in front of a method. */
function intercept<K extends string>(
  owner: Readonly<Record<K, Method>>,
  name: K,
  before: (self: object, args: readonly unknown[]) => void,
): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') throw new Error(`there is no ${name} to watch`);
  Reflect.set(owner, name, function (this: object, ...args: unknown[]): unknown {
    before(this, args);
    return Reflect.apply(original, this, args);
  });
}

function half(file: object, data: readonly unknown[]): void {
  const bytes = Buffer.concat(data.filter((part) => part instanceof Uint8Array));
  sync.writeSync(Number(Reflect.get(file, 'fd')), bytes.subarray(0, bytes.length >> 1));
}

async function watch(): Promise<void> {
  for (const name of ['rename', 'unlink', 'rm', 'mkdir', 'truncate'] as const) {
    intercept(fs, name, (_, [path]) => count(name, path));
  }
  const probe = await fs.open(import.meta.filename, 'r');
  const prototype: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  for (const name of ['sync', 'chmod'] as const) {
    intercept(prototype, name, (self) => count(name, paths.get(self)));
  }
  intercept(prototype, 'writev', (self, [parts]) =>
    count('writev', paths.get(self), () => half(self, parts as readonly unknown[])),
  );
  for (const name of ['write', 'writeFile'] as const) {
    intercept(prototype, name, (self, [data]) => count(name, paths.get(self), () => half(self, [data])));
  }
  const open = fs.open.bind(fs);
  fs.open = async (path, ...rest) => {
    const file = await open(path, ...rest);
    paths.set(file, String(path));
    return file;
  };
}

if (under !== '' && isMainThread) await watch();
