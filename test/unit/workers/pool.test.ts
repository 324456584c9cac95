/** Threads that start and end, whatever they are at. What went wrong here took the whole process down. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import type { Id } from '../../../src/format/types.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { WorkerPool } from '../../../src/workers/pool.ts';
import type { CompareJob, WorkerSetup } from '../../../src/workers/protocol.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

const setup: WorkerSetup = {
  key: { encrypt: new Uint8Array(32), k: new Uint8Array(16), r: new Uint8Array(16) },
  codec: { compression: 'auto', version: 2, verify: true },
};

function jobOn(path: string): CompareJob {
  const range = { path: fromText(path), position: 0, ids: [], lengths: [] };
  return { kind: 'compare', ranges: [range] };
}

describe('a pool of workers', () => {
  it('answers as many jobs as come', async () => {
    const path = join(temp.dir(), 'file');
    writeFileSync(path, '12345');
    const pool = new WorkerPool(setup, 2);
    const replies = await Promise.all(Array.from({ length: 20 }, () => pool.run(jobOn(path))));
    expect(replies).toHaveLength(20);
    expect(replies[19]!.ranges).toEqual([{ kind: 'file', size: 5, matches: [] }]);
    await pool.close();
    await expect(pool.run(jobOn(path))).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('passes on a job’s own error and goes on', async () => {
    const pool = new WorkerPool(setup, 1);
    const scan = { slab: 0, slabBytes: 0, carryFrom: 0, carryBytes: 0, scanned: 0, filled: 0, last: true };
    await expect(pool.run({ kind: 'scan', fd: -1, position: 0, ...scan })).rejects.toMatchObject({
      code: 'internal',
    });
    const [range] = (await pool.run(jobOn('/no/such'))).ranges;
    expect(range).toMatchObject({ kind: 'failed', error: { code: 'not-found' } });
    await pool.close();
  });

  it('can be closed at any moment of its threads’ start', async () => {
    for (let wait = 0; wait < 90; wait += 15) {
      const pools = [new WorkerPool(setup, 2), new WorkerPool(setup, 2)];
      const jobs = pools.flatMap((pool) =>
        [1, 2, 3].map(() =>
          pool.run(jobOn('/')).then(
            () => 'answered',
            (e) => e.code,
          ),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, wait));
      await Promise.all(pools.map((pool) => pool.close()));
      for (const outcome of await Promise.all(jobs)) expect(['cancelled', 'answered']).toContain(outcome);
    }
  });

  it('is closed even where the system does not come back from a call of a thread', async () => {
    const path = join(temp.dir(), 'file');
    writeFileSync(path, '');
    truncateSync(path, 512 << 20);
    const ids = Array.from({ length: 512 }, () => '0'.repeat(64) as Id);
    const range = { path: fromText(path), position: 0, ids, lengths: ids.map(() => 1 << 20) };
    const pool = new WorkerPool(setup, 1, 1);
    await pool.run(jobOn('/'));
    // As of a thread that reads from a network drive that is gone: not even force ends it.
    const terminate = vi.spyOn(Worker.prototype, 'terminate').mockReturnValue(new Promise(() => {}));
    const job = pool.run({ kind: 'compare', ranges: [range] }).catch((e) => e.code);
    await pool.close();
    expect(terminate).toHaveBeenCalled();
    terminate.mockRestore();
    expect(await job).toBe('cancelled');
  });
});
