/** Notices that disks come and go: what the system says of mounts is looked at every few seconds. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../util/clock.ts';

export interface WatchPorts {
  readonly clock: Clock;
  readonly platform: NodeJS.Platform;
  /** '/' but in tests. */
  readonly root: string;
  /** Whether there is any disk to look for. */
  wanted(): boolean;
  review(): Promise<void>;
  onFault(e: unknown): void;
}

/** Reading the mount table is cheap; its changes can only be waited for by calls that Node does not have. */
const GLANCE_MS = 2000;
/** A disk in the place of another may leave the table as it was. */
const GLANCES_PER_REVIEW = 15;
/** Where programs must be asked. */
const REVIEW_MS = 15_000;

/** Until the signal aborts. Never rejects. */
export async function watchDisks(p: WatchPorts, signal: AbortSignal): Promise<void> {
  let [seen, glances] = ['', 0];
  while (!signal.aborted) {
    if (p.wanted()) {
      const table = await tableOf(p);
      const due = table === undefined || table !== seen || glances >= GLANCES_PER_REVIEW;
      if (due) await p.review().catch(p.onFault);
      glances = due ? 0 : glances + 1;
      seen = table ?? '';
    }
    const ms = p.platform === 'linux' ? GLANCE_MS : REVIEW_MS;
    await p.clock.sleep(ms, signal).catch(() => undefined);
  }
}

/** undefined where there is none. */
async function tableOf({ platform, root }: WatchPorts): Promise<string | undefined> {
  if (platform !== 'linux') return undefined;
  return readFile(path.join(root, 'proc/self/mountinfo'), 'latin1').catch(() => undefined);
}
