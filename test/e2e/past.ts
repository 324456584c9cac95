/** A host with a past: thousands of runs in its diary, written while it does not run. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Page } from 'playwright';
import { EngineError } from '../../src/api/errors.ts';
import type { Run } from '../../src/api/model/run.ts';
import { openStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/util/clock.ts';
import { backupRunOf } from '../helpers/host-values.ts';
import type { Stage } from './stage.ts';

export interface Past {
  /** Hours between two backups. */
  readonly every: number;
  /** How many there are, the newest an hour ago. */
  readonly backups: number;
  /** Of the newest backup. */
  readonly problems?: number;
  readonly logLines?: number;
}

export interface Furnished {
  readonly planId: string;
  readonly destinationId: string;
  /** The newest backup. */
  readonly newest: string;
}

const HOUR = 3_600_000;
const MIB = 1024 ** 2;

/** Makes a plan and a destination, and gives them a past. The host is started anew, and the page opened anew. */
export async function furnishPast(stage: Stage, past: Past): Promise<Furnished> {
  const { host, page, source, destination } = stage;
  const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
  const plan = await host.plans.create({
    name: 'Documents',
    sources: [{ kind: 'path', path: source }],
    destinations: [disk.id],
    schedule: { when: { kind: 'manual' } },
  });
  const address = page.url();
  await lookAway(page);
  await stage.kill();
  const newest = writePast(path.join(path.dirname(source), 'data'), past, plan.id, disk.id);
  await stage.restart();
  await page.goto(address);
  return { planId: plan.id, destinationId: disk.id, newest };
}

/** To an empty page: one with a line to the host would complain of a host that is gone. */
export async function lookAway(page: Page): Promise<void> {
  await page.goto('about:blank');
}

function writePast(dataDir: string, past: Past, planId: string, destinationId: string): string {
  const store = openStore(path.join(dataDir, 'holdfast.db'), {
    clock: systemClock,
    onProblem: (sentence) => {
      throw new Error(sentence);
    },
  });
  const newest = randomUUID();
  const now = Date.now();
  for (let i = past.backups - 1; i >= 0; i--) {
    const at = now - HOUR - i * past.every * HOUR;
    const run = { ...backupAt(at, i), ...(i === 0 ? { id: newest } : {}) };
    const warnings =
      i === 0 && past.problems ? { state: 'warnings' as const, problemCount: past.problems } : {};
    store.runs.put(backupRunOf(planId, destinationId, { ...run, ...warnings }));
  }
  for (let n = 0; n < (past.problems ?? 0); n++) {
    const error = new EngineError('permission', 'The system does not let this file be read.').toWire();
    store.runs.addProblem(newest, { path: `/home/ann/documents/letters/letter ${n}.odt`, error });
  }
  for (let n = 0; n < (past.logLines ?? 0); n++) {
    const level = n % 10 === 9 ? 'warning' : 'info';
    store.runs.addLog(newest, { at: now - HOUR + n, level, text: `Line ${n} of what was done` });
  }
  store.close();
  return newest;
}

/** Grows, with a wave in it; each tenth failed. */
function backupAt(at: number, i: number): Partial<Run> {
  const wave = 1 + Math.sin(i / 9) / 3;
  const failed = i % 10 === 7;
  const stored = Math.round(wave * 40 * MIB * (i % 7 === 0 ? 3 : 1));
  return {
    id: randomUUID(),
    queuedAt: at,
    startedAt: at,
    endedAt: at + Math.round(wave * 240_000),
    state: failed ? 'failed' : 'succeeded',
    error: failed ? new EngineError('unreachable', 'The disk was not plugged in.').toWire() : null,
    report: failed
      ? null
      : {
          kind: 'backup',
          snapshotId: 'c0ffee00'.repeat(8),
          filesNew: 12 + (i % 5),
          filesChanged: i % 9,
          filesUnmodified: 24_310,
          bytesProcessed: Math.round((52_000 - i * 9) * MIB * (1 + Math.cos(i / 20) / 50)),
          bytesAdded: stored * 2,
          bytesStored: stored,
        },
  };
}
